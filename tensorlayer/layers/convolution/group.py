"""Convolutions in groups of channels that do not see each other."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import spatial_arguments as spatial
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.convolution.base import ConvNd, text

__all__ = ["GroupConv2d"]


class GroupConv2d(ConvNd):  # noqa: D101 - made with the shared text
    __doc__ = text(
        """Groups of channels with their own filters: $y_g = \\mathrm{{act}}(x_g \\ast W_g + b_g)$.

    Parameters
    ----------
    n_filter
        {n_filter} The groups share them evenly.
    filter_size
        Height and width of a filter; one integer for both.
    strides
        Steps along height and width; 2 halves the size.
    n_group
        The number of groups, a divisor of input and output channels. Each group costs
        `1 / n_group ** 2` of the full convolution.
    act
        {act}
    padding
        {padding}
    data_format
        {data_format}
    dilation_rate
        {dilation_rate}
    W_init
        {W_init}
    b_init
        {b_init}
    in_channels
        {in_channels}
    name
        {name}

    Notes
    -----
    Input shape: `(batch, height, width, channels)`.
    Output shape: `(batch, h, w, n_filter)` with `h = ceil(height / stride)` for SAME and
    `h = ceil((height - (size - 1) * dilation) / stride)` for VALID.
    Parameters: `filters` (height, width, channels / n_group, n_filter) and `biases` (n_filter).
    With a GPU all groups are one operation. Its gradient has no kernel on most CPUs, so without one
    the groups are computed one after the other.

    Raises
    ------
    InvalidArgument
        `n_group` divides the filters or the input channels with a remainder.
    WrongShape
        The input is not of rank 4, or has another number of channels than the filters.

    References
    ----------
    Krizhevsky et al., *ImageNet classification with deep convolutional neural networks*, 2012; Xie
    et al., *Aggregated residual transformations for deep neural networks*, 2017.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 32, 32, 24], name="x")
    >>> net = GroupConv2d(net, 12, (3, 3), (2, 2), n_group=4, name="group")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 16, 16, 12]), 660)
    """
    )
    rank = 2

    def __init__(
        self,
        n_filter: int = 32,
        filter_size: Any = (3, 3),
        strides: Any = (2, 2),
        n_group: int = 2,
        act: Any = None,
        padding: str = "SAME",
        data_format: str | None = "channels_last",
        dilation_rate: Any = (1, 1),
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008 - a frozen value
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        in_channels: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            n_filter,
            filter_size,
            strides,
            act,
            padding,
            data_format,
            dilation_rate,
            W_init,
            b_init,
            in_channels,
            name,
        )
        self.n_group = positive(n_group, "GroupConv2d", "n_group")
        self._require_divisor(self.n_filter, "n_filter")

    def _require_divisor(self, number: int, what: str) -> None:
        if number % self.n_group:
            raise InvalidArgument(
                f"GroupConv2d: n_group must divide {what}, got {self.n_group} groups and "
                f"{number}. Change one of them."
            )

    def make_filters(self, n_in: int) -> None:
        """Make the filters for this number of input channels."""
        self._require_divisor(n_in, "the number of input channels")
        shape = [*self.filter_size, n_in // self.n_group, self.n_filter]
        self.W = self._get_weights("filters", shape, self.W_init)

    def convolve(self, inputs: tf.Tensor, data_format: str) -> tf.Tensor:
        """Convolve the groups in a data format."""

        def conv(x: tf.Tensor, filters: tf.Tensor) -> tf.Tensor:
            return tf.nn.conv2d(
                x, filters, self.strides, self.padding, data_format, self.dilation_rate
            )

        if spatial.has_gpu():
            return conv(inputs, self.W)
        channels = data_format.index("C")
        groups = tf.split(inputs, self.n_group, channels)
        filters = tf.split(self.W, self.n_group, -1)
        return tf.concat([conv(*each) for each in zip(groups, filters, strict=True)], channels)
