"""Group normalisation: groups of channels of each image by themselves."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import spatial_arguments as spatial
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.normalization.channels import ChannelNorm

__all__ = ["GroupNorm", "GroupNormLayer"]


class GroupNorm(ChannelNorm):
    r"""Group normalisation: $y = \gamma (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta$.

    Mean and variance are those of a group of neighbouring channels of one image, so that a small
    batch is normalised as well as a large one. One group is layer normalisation, a group for each
    channel is instance normalisation.

    Parameters
    ----------
    groups
        How many groups there are; they divide the channels. 32 is what the paper found best.
    epsilon
        Added to the variance before the square root.
    act
        The activation, applied last.
    data_format
        `"channels_last"` or `"channels_first"`.
    name
        Unique in the network.

    Notes
    -----
    Input shape: `(batch, ..., channels)` with one to three spatial axes. Output shape: the same.
    Parameters: `gamma` (ones) and `beta` (zeros), each (channels).

    Raises
    ------
    InvalidArgument
        The groups do not divide the channels.
    WrongShape
        The input has no spatial axis, or more than three.

    References
    ----------
    Wu and He, "Group normalization", ECCV 2018.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = GroupNorm(tl.layers.Input([None, 8, 8, 64]), groups=16, name="gn")
    >>> list(net.parameters)
    ['gn/gamma', 'gn/beta']
    """

    ranks = (3, 4, 5)
    order = ("gamma", "beta")

    def __init__(
        self,
        groups: int = 32,
        epsilon: float = 1e-6,
        act: Any = None,
        data_format: str = "channels_last",
        name: str | None = None,
    ) -> None:
        zeros, ones = initializers.Zeros(), initializers.Ones()
        super().__init__(epsilon, act, zeros, ones, None, data_format, name)
        self.groups = positive(groups, "GroupNorm", "groups")

    def build(self, inputs_shape: Any) -> None:
        """Make scales and offsets."""
        super().build(inputs_shape)
        if self.channels % self.groups:
            raise InvalidArgument(
                f"{self!r}: groups must divide the channels, got {self.groups} for "
                f"{self.channels} channels."
            )

    def normalized(self, inputs: tf.Tensor) -> tf.Tensor:
        """Normalise each group of channels."""
        group_axis = self.channel_axis(inputs.shape.rank)
        sizes = [-1, *spatial.sizes_of(inputs)[1:]]
        split = [*sizes[:group_axis], self.groups, self.channels // self.groups]
        grouped = tf.reshape(inputs, [*split, *sizes[group_axis + 1 :]])
        axes = [axis for axis in range(1, grouped.shape.rank) if axis != group_axis]
        mean, variance = tf.nn.moments(grouped, axes, keepdims=True)
        outputs = self.normalize(grouped, mean, variance)
        return tf.reshape(outputs, sizes)

    def along_channels(self, part: tf.Tensor | None, inputs: tf.Tensor) -> tf.Tensor | None:
        """Return a value for each channel in a shape that broadcasts to the groups."""
        after = 0 if self.data_format == "channels_last" else inputs.shape.rank - 3
        return tf.reshape(part, [self.groups, self.channels // self.groups, *[1] * after])


GroupNormLayer = GroupNorm
