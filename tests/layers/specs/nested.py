"""Layers of layers."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer import layers
from tests.layers.spec import LayerSpec


def _with_layers() -> dict[str, Any]:
    unnamed = layers.BatchNorm(num_features=5)
    first = layers.Dense(n_units=5, act=tf.nn.relu, in_channels=4, name="first")
    return {"layers": [first, unnamed, layers.Dense(n_units=3, in_channels=5, name="last")]}


SPECS = (
    LayerSpec("LayerList", _with_layers(), ((4,),),
              ("first/weights", "first/biases", "batch_norm_1/beta", "batch_norm_1/gamma",
               "batch_norm_1/moving_mean", "batch_norm_1/moving_var", "last/weights",
               "last/biases"), depends_on_mode=True, renew=_with_layers),
    LayerSpec("TimeDistributedLayer",
              {"layer_class": layers.Dense, "layer_args": {"n_units": 3, "name": "d"}}, ((5, 4),),
              ("d/weights", "d/biases")),
)  # fmt: skip
