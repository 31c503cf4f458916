"""Functions and models as layers."""

from typing import Any

import tensorflow as tf

from tensorlayer import layers
from tensorlayer.models import serializable
from tests.layers.spec import LayerSpec


@serializable
def affine(x: tf.Tensor, scale: float = 2.0) -> tf.Tensor:
    return scale * x + 1.0


def _with_model() -> dict[str, Any]:
    from tensorlayer.models import Model

    x = layers.Input([None, 4], name="inner_x")
    net = layers.Dense(x, n_units=3, name="inner_dense")
    return {"model": Model(x, net, name="small")}


SPECS = (
    LayerSpec("Lambda", {"fn": affine, "fn_args": {"scale": 3.0}}, ((4,),)),
    LayerSpec("ModelLayer", _with_model(), ((4,),),
              ("inner_dense/weights", "inner_dense/biases"), renew=_with_model),
)  # fmt: skip
