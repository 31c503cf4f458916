"""What normalisations share: an offset and a scale for each channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import tensorflow as tf

from tensorlayer.layers import spatial_arguments as spatial
from tensorlayer.layers.base import Layer, require_known, require_rank, require_size
from tensorlayer.layers.precision import cast, require_floats, widened

__all__ = ["ChannelNorm"]


class ChannelNorm(Layer):
    """A layer that normalises, and then gives each channel an offset and a scale.

    Parameters
    ----------
    epsilon
        Added to the variance before the square root.
    act
        The activation, applied last.
    beta_init
        Of the offsets; None leaves them out.
    gamma_init
        Of the scales; None leaves them out.
    num_features
        The number of channels. With it the parameters are made in the constructor.
    data_format
        `"channels_last"` or `"channels_first"`.
    name
        Unique in the network.
    """

    keeps_precision = True  # moments of 16 bits are off, and averages of them stand still
    #: of the input; None for any
    ranks: ClassVar[tuple[int, ...] | None] = None
    #: the parameters, in the order of TensorLayer 2
    order: ClassVar[tuple[str, str]] = ("beta", "gamma")
    channels: int  #: that the parameters are for
    #: from inputs in 32 bits at least to normalised ones
    normalized: Callable[[tf.Tensor], tf.Tensor]

    def __init__(
        self,
        epsilon: float,
        act: Any,
        beta_init: Any,
        gamma_init: Any,
        num_features: int | None,
        data_format: str,
        name: str | None,
    ) -> None:
        super().__init__(name=name, act=act)
        self.epsilon = epsilon
        self.beta_init = beta_init
        self.gamma_init = gamma_init
        self.num_features = num_features
        self.data_format = spatial.order(data_format, type(self).__name__)
        self.beta = self.gamma = None

    def shape_to_build_for(self) -> Any:
        """Return what `num_features` tells; with one axis beside it, either format is right."""
        return None if self.num_features is None else [None, self.num_features]

    def build(self, inputs_shape: Any) -> None:
        """Make offsets and scales."""
        size = inputs_shape[self.channel_axis(len(inputs_shape))]
        self.channels = require_known(self, size, "the number of channels")
        inits = {"beta": self.beta_init, "gamma": self.gamma_init}
        for name in self.order:
            if inits[name] is not None:
                setattr(self, name, self._get_weights(name, [self.channels], inits[name]))

    def channel_axis(self, rank: int) -> int:
        """Return the axis of the channels."""
        return rank - 1 if self.data_format == "channels_last" else 1

    def transform(self, inputs: tf.Tensor) -> tf.Tensor:
        """Normalise in 32 bits at least, and return the type of the inputs."""
        if self.ranks is not None:
            require_rank(self, inputs.shape, self.ranks, f"The format is {self.data_format}.")
        if inputs.shape.rank is not None:
            axis = self.channel_axis(inputs.shape.rank)
            require_size(self, inputs.shape, axis, self.channels)
        require_floats(self, inputs)
        return tf.cast(self.normalized(widened(inputs)), inputs.dtype)

    def normalize(self, inputs: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor) -> tf.Tensor:
        r"""Compute $\gamma (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta$."""
        offset, scale = (self.along_channels(each, inputs) for each in (self.beta, self.gamma))
        parts = cast([mean, variance, offset, scale], inputs.dtype)
        return tf.nn.batch_normalization(inputs, *parts, self.epsilon)

    def along_channels(self, part: tf.Tensor | None, inputs: tf.Tensor) -> tf.Tensor | None:
        """Return a value for each channel in a shape that broadcasts to the inputs."""
        return None if part is None else spatial.along_channels(part, inputs, self.data_format)
