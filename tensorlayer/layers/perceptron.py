"""Small dense networks that are one layer: of each position, and of the channels of an image."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tensorlayer import activation, initializers
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import spatial_arguments as spatial
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.base import Layer, require_known, require_rank, require_size
from tensorlayer.layers.dense import product
from tensorlayer.layers.precision import mean

__all__ = ["Mlp", "SqueezeExcitation"]


class _DenseSteps(Layer):
    """A layer of several dense steps."""

    W_init: Any
    b_init: Any

    def _make(self, step: str, n_in: int, n_out: int) -> tuple[Any, Any]:
        """Return weights and biases of a step."""
        W = self._get_weights(f"{step}weights", [n_in, n_out], self.W_init)
        if self.b_init is None:
            return W, None
        return W, self._get_weights(f"{step}biases", [n_out], self.b_init)


def _affine(x: tf.Tensor, W: tf.Tensor, b: tf.Tensor | None) -> tf.Tensor:
    z = product(x, W)
    return z if b is None else tf.nn.bias_add(z, b)


class Mlp(_DenseSteps):
    r"""A multi-layer perceptron of each position: $y = W_2\,\mathrm{act}(W_1 x + b_1) + b_2$.

    Parameters
    ----------
    n_units
        The sizes of the steps, the outputs last; an integer for `(4 * n_units, n_units)`, which is
        the block of a transformer.
    act
        The activation of the hidden units. `"gelu"` is that of transformers.
    out_act
        The activation of the outputs.
    W_init
        Of the weights.
    b_init
        Of the biases; None for none.
    in_channels
        The size of the last axis. With it the parameters are made in the constructor.
    name
        Unique in the network.

    Notes
    -----
    Input shape: `(..., n_in)`. Output shape: `(..., n_units[-1])`.
    Parameters: `1/weights` (n_in, n_units[0]), `1/biases` (n_units[0]), `2/weights`, and so on.

    Raises
    ------
    InvalidArgument
        There are no sizes, or one is no positive integer.

    References
    ----------
    Vaswani et al., "Attention is all you need", NIPS 2017, section 3.3.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = Mlp(tl.layers.Input([None, 50, 64]), n_units=64)
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 50, 64]), 33088)
    """

    def __init__(
        self,
        n_units: int | Sequence[int],
        act: Any = "gelu",
        out_act: Any = None,
        W_init: Any = initializers.TruncatedNormal(stddev=0.05),  # noqa: B008 - a frozen value
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        in_channels: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, act=out_act)
        if not isinstance(n_units, (list, tuple)):
            n_units = (4 * positive(n_units, "Mlp", "n_units"), n_units)
        if not n_units:
            raise InvalidArgument(f"Mlp: n_units has a size for every step, got {n_units!r}.")
        self.n_units = [positive(each, "Mlp", "each of n_units") for each in n_units]
        self.hidden_act = activation.get(act) or tf.identity
        self.W_init = W_init
        self.b_init = b_init
        self.in_channels = in_channels

    def shape_to_build_for(self) -> Any:
        """Return what `in_channels` tells."""
        return None if self.in_channels is None else [None, self.in_channels]

    def build(self, inputs_shape: Any) -> None:
        """Make weights and biases of every step."""
        n_in = require_known(self, inputs_shape[-1], "the size of the last axis")
        sizes = [n_in, *self.n_units]
        pairs = enumerate(itertools.pairwise(sizes), 1)
        self.steps = [self._make(f"{i}/", *pair) for i, pair in pairs]

    def transform(self, inputs: tf.Tensor) -> tf.Tensor:
        """Compute one step after the other."""
        require_size(self, inputs.shape, -1, self.steps[0][0].shape[0])
        *hidden, last = self.steps
        x = inputs
        for step in hidden:
            x = self.hidden_act(_affine(x, *step))
        return _affine(x, *last)


class SqueezeExcitation(_DenseSteps):
    r"""Squeeze and excitation: $y = x\,\mathrm{gate}(W_2\,\mathrm{act}(W_1\bar{x} + b_1) + b_2)$.

    The mean of each channel over the image tells how much each channel is to count.

    Parameters
    ----------
    ratio
        How many channels a hidden unit stands for. 16 is where the paper found the gain at hardly
        any cost.
    act
        The activation of the hidden units.
    gate
        The activation that gives the weights; `"hard_sigmoid"` in MobileNetV3.
    W_init
        Of both weights.
    b_init
        Of both biases; None for none.
    data_format
        `"channels_last"` or `"channels_first"`.
    in_channels
        The number of channels. With it the parameters are made in the constructor.
    name
        Unique in the network.

    Notes
    -----
    Input shape: `(batch, height, width, channels)`. Output shape: the same.
    Parameters: `squeeze_weights` (channels, hidden), `squeeze_biases` (hidden),
    `excite_weights` (hidden, channels) and `excite_biases` (channels), with
    `hidden = max(channels // ratio, 1)`.

    Raises
    ------
    WrongShape
        The input is not of rank 4.

    References
    ----------
    Hu, Shen and Sun, "Squeeze-and-excitation networks", CVPR 2018.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 28, 28, 64])
    >>> net = SqueezeExcitation(net, ratio=16)
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 28, 28, 64]), 580)
    """

    def __init__(
        self,
        ratio: int = 16,
        act: Any = "relu",
        gate: Any = "sigmoid",
        W_init: Any = initializers.TruncatedNormal(stddev=0.05),  # noqa: B008 - a frozen value
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        data_format: str = "channels_last",
        in_channels: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.ratio = positive(ratio, "SqueezeExcitation", "ratio")
        self.hidden_act = activation.get(act) or tf.identity
        self.gate = activation.get(gate) or tf.identity
        self.W_init = W_init
        self.b_init = b_init
        self.data_format = spatial.data_format(data_format, 2, "SqueezeExcitation")
        self.in_channels = in_channels

    def shape_to_build_for(self) -> Any:
        """Return what `in_channels` tells."""
        if self.in_channels is None:
            return None
        return [self.in_channels if axis == "C" else None for axis in self.data_format]

    def build(self, inputs_shape: Any) -> None:
        """Make the weights and biases of both steps."""
        require_rank(self, inputs_shape, (4,), f"Its layout is {self.data_format}.")
        size = inputs_shape[self.data_format.index("C")]
        channels = require_known(self, size, "the number of channels")
        hidden = max(channels // self.ratio, 1)
        self.W1, self.b1 = self._make("squeeze_", channels, hidden)
        self.W2, self.b2 = self._make("excite_", hidden, channels)

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Weigh the channels."""
        require_size(self, inputs.shape, self.data_format.index("C"), self.W1.shape[0])
        axes = [axis for axis, letter in enumerate(self.data_format) if letter in "HW"]
        hidden = self.hidden_act(_affine(mean(inputs, axes), self.W1, self.b1))
        weights = self.gate(_affine(hidden, self.W2, self.b2))
        for axis in axes:
            weights = tf.expand_dims(weights, axis)
        return inputs * weights
