"""A filter for each channel."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.layers import spatial_arguments as spatial
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.convolution.base import ConvNd, require_equal, text

__all__ = ["DepthwiseConv2d"]


class DepthwiseConv2d(ConvNd):  # noqa: D101 - made with the shared text
    __doc__ = text(
        """Every channel with filters of its own.

    $y_{{c m}} = \\mathrm{{act}}(x_c \\ast W_{{c m}} + b_{{c m}})$

    Parameters
    ----------
    filter_size
        Height and width of a filter; one integer for both. TensorLayer 1.x spells it `shape`.
    strides
        Steps along height and width, equal ones: there is no kernel for others.
    act
        {act}
    padding
        {padding}
    data_format
        {data_format}
    dilation_rate
        {dilation_rate}
    depth_multiplier
        The number of filters for each channel. TensorLayer 1.6 spells it `channel_multiplier`.
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
    Output shape: `(batch, h, w, channels * depth_multiplier)` with `h = ceil(height / stride)` for
    SAME and `h = ceil((height - (size - 1) * dilation) / stride)` for VALID. The outputs of a
    channel stand side by side.
    Parameters: `filters` (height, width, channels, depth_multiplier) and `biases` (channels *
    depth_multiplier).

    Raises
    ------
    InvalidArgument
        Strides differ.
    WrongShape
        The input is not of rank 4, or has another number of channels than the filters.

    References
    ----------
    Howard et al., *MobileNets: efficient convolutional neural networks for mobile vision
    applications*, 2017.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 32, 32, 8], name="x")
    >>> net = DepthwiseConv2d(net, (3, 3), (2, 2), act="relu6", depth_multiplier=2, name="depth")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 16, 16, 16]), 160)
    """
    )
    rank = 2

    def __init__(
        self,
        filter_size: Any = (3, 3),
        strides: Any = (1, 1),
        act: Any = None,
        padding: str = "SAME",
        data_format: str | None = "channels_last",
        dilation_rate: Any = (1, 1),
        depth_multiplier: int = 1,
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008 - a frozen value
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        in_channels: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            positive(depth_multiplier, "DepthwiseConv2d", "depth_multiplier"),
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
        require_equal(self.strides, "DepthwiseConv2d")

    @property
    def n_out(self) -> int:
        """The number of output channels."""
        return self.n_in * self.n_filter  # of each channel

    def convolve(self, inputs: tf.Tensor, data_format: str) -> tf.Tensor:
        """Compute every channel with its filters in a data format."""
        return tf.nn.depthwise_conv2d(
            inputs,
            self.W,
            spatial.spread(self.strides, data_format),
            self.padding,
            data_format,
            self.dilation_rate,
        )
