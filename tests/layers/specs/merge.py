"""Layers that make one network of several, or several of one."""

from __future__ import annotations

import tensorflow as tf

from tensorlayer import layers
from tensorlayer.models import serializable
from tests.layers.spec import LayerSpec


class UnStack(layers.UnStack):
    """Gives the sum of what it takes apart."""

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.add_n(layers.UnStack.forward(self, inputs))


@serializable
def sample(mean: tf.Tensor, std: tf.Tensor, noise: tf.Tensor, scale: float = 1.0) -> tf.Tensor:
    return mean + scale * std * noise


SPECS = (
    LayerSpec("Concat", {"concat_dim": -1}, ((3, 4), (3, 2))),
    LayerSpec("Elementwise", {"combine_fn": tf.add, "act": tf.nn.relu}, ((3, 4), (3, 4))),
    LayerSpec("ElementwiseLambda", {"fn": sample, "fn_args": {"scale": 2.0}, "act": "tanh"},
              ((3, 4), (3, 4), (3, 4))),
    LayerSpec("MultiplexerLayer", {"sel": 1}, ((3, 4), (3, 4), (3, 4))),
    LayerSpec("Stack", {"axis": 1}, ((3, 4), (3, 4))),
    LayerSpec("UnStack", {"axis": 2}, ((3, 4),), joined=UnStack),
)  # fmt: skip
