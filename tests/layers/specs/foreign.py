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


def _keras_block(x: tf.Tensor) -> tf.Tensor:
    return tf.keras.layers.Dense(3, activation="tanh")(x)


def _estimator(x: tf.Tensor, start: float) -> tf.Tensor:
    return x * tf.compat.v1.get_variable("scale", initializer=start)


def _tower(x: tf.Tensor, scope: str) -> Any:
    import tf_slim as slim

    with tf.compat.v1.variable_scope(scope):
        hidden = slim.fully_connected(x, 3, scope="fc")
    return tf.tanh(hidden), {"hidden": hidden}


for each in (_keras_block, _estimator, _tower):
    serializable(each)


class _Slim(layers.SlimNetsLayer):
    """The layer with a function that calls its scope as the layer is called."""

    def __init__(self, slim_layer: Any, slim_args: Any = None, name: str | None = None) -> None:
        super().__init__(slim_layer, {"scope": name or "tower"}, name=name)


_Slim.__name__ = "SlimNetsLayer"


SPECS = (
    LayerSpec("Lambda", {"fn": affine, "fn_args": {"scale": 3.0}}, ((4,),)),
    LayerSpec("KerasLayer", {"keras_layer": _keras_block}, ((4,),), ("kernel", "bias"),
              renew=lambda: {"keras_layer": _keras_block}),
    LayerSpec("EstimatorLayer", {"model_fn": _estimator, "layer_args": {"start": 3.0}}, ((4,),),
              ("scale",), renew=lambda: {"model_fn": _estimator, "layer_args": {"start": 3.0}}),
    LayerSpec("SlimNetsLayer", {"slim_layer": _tower}, ((4,),), ("fc/weights", "fc/biases"),
              joined=_Slim, renew=lambda: {"slim_layer": _tower}),
    LayerSpec("ModelLayer", _with_model(), ((4,),),
              ("inner_dense/weights", "inner_dense/biases"), renew=_with_model),
)  # fmt: skip
