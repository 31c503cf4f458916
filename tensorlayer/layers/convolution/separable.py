"""A filter for each channel, then a mixture of channels at each position."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.layers import spatial_arguments as spatial
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.convolution.base import ConvNd, require_equal, text

__all__ = ["SeparableConv1d", "SeparableConv2d"]

_DOC = """{dimensions} separable convolution: $y = \\mathrm{{act}}((x \\ast W_d) \\ast W_p + b)$.

    $W_d$ filters every channel by itself, $W_p$ mixes the channels at each position: nearly what a
    full convolution can say, for about a ninth of the products with filters 3 wide.

    Parameters
    ----------
    n_filter
        {n_filter}
    filter_size
        {filter_size}
    strides
        {strides}
    act
        {act}
    padding
        {padding} The default is unlike that of the other convolutions.
    data_format
        {data_format}
    dilation_rate
        {dilation_rate}
    depth_multiplier
        The number of filters for each channel.
    depthwise_init
        Of the filters for each channel; None for Glorot's uniform values.
    pointwise_init
        Of the mixture; None for Glorot's uniform values.
    b_init
        {b_init}
    in_channels
        {in_channels}
    name
        {name}

    Notes
    -----
    Input shape: `(batch, {shape}, channels)`.
    Output shape: `(batch, {shape}, n_filter)`, where a size `n` becomes `ceil(n / stride)` for SAME
    and `ceil((n - (size - 1) * dilation) / stride)` for VALID.
    Parameters: `depthwise_kernel` ({shape}, channels, depth_multiplier), `pointwise_kernel`
    ({ones}, channels * depth_multiplier, n_filter) and `bias` (n_filter).

    Raises
    ------
    InvalidArgument
        Strides differ.
    WrongShape
        The input is of another rank, or has another number of channels than the filters.

    References
    ----------
    Chollet, *Xception: deep learning with depthwise separable convolutions*, 2017.

    Examples
    --------
    >>> import tensorlayer as tl
    {example}
    """


class _SeparableNd(ConvNd):
    """What separable convolutions of every rank share."""

    parameter_names = ("depthwise_kernel", "bias")

    def __init__(
        self,
        n_filter: int,
        filter_size: Any,
        strides: Any,
        act: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        depth_multiplier: int,
        depthwise_init: Any,
        pointwise_init: Any,
        b_init: Any,
        in_channels: int | None,
        name: str | None,
    ) -> None:
        super().__init__(
            n_filter,
            filter_size,
            strides,
            act,
            padding,
            data_format,
            dilation_rate,
            depthwise_init,
            b_init,
            in_channels,
            name,
        )
        who = type(self).__name__
        self.depth_multiplier = positive(depth_multiplier, who, "depth_multiplier")
        self.pointwise_init = pointwise_init
        require_equal(self.strides, who)

    def make_filters(self, n_in: int) -> None:
        """Make the filters of every channel, and the mixture."""
        depthwise = [*self.filter_size, n_in, self.depth_multiplier]
        pointwise = [*[1] * self.rank, n_in * self.depth_multiplier, self.n_filter]
        first, second = (
            "glorot_uniform" if init is None else init
            for init in (self.W_init, self.pointwise_init)
        )
        self.W_depthwise = self._get_weights("depthwise_kernel", depthwise, first)
        self.W_pointwise = self._get_weights("pointwise_kernel", pointwise, second)

    def convolve(self, inputs: tf.Tensor, data_format: str) -> tf.Tensor:
        """Filter every channel, then mix them, in a data format."""
        return tf.nn.separable_conv2d(
            inputs,
            self.W_depthwise,
            self.W_pointwise,
            spatial.spread(self.strides, data_format),
            self.padding,
            data_format,
            self.dilation_rate,
        )


class SeparableConv1d(_SeparableNd):  # noqa: D101 - made from the shared text
    __doc__ = text(
        _DOC,
        dimensions="One-dimensional",
        filter_size="The width of a filter.",
        strides="Steps along the width.",
        shape="width",
        ones="1",
        example=""">>> net = tl.layers.Input([None, 50, 64], name="x")
    >>> net = SeparableConv1d(net, 32, 3, strides=2, act="relu", name="sep")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 24, 32]), 2272)""",
    )
    rank = 1

    def __init__(
        self,
        n_filter: int = 100,
        filter_size: Any = 3,
        strides: Any = 1,
        act: Any = None,
        padding: str = "valid",
        data_format: str | None = "channels_last",
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        depthwise_init: Any = None,
        pointwise_init: Any = None,
        b_init: Any = initializers.Constant(0.0),  # noqa: B008 - a frozen value
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
            depth_multiplier,
            depthwise_init,
            pointwise_init,
            b_init,
            in_channels,
            name,
        )

    def convolve(self, inputs: tf.Tensor, data_format: str) -> tf.Tensor:
        """Compute it as an image of height 1: there is no kernel for sequences."""
        height = data_format.index("W")
        (stride,) = self.strides
        outputs = tf.nn.separable_conv2d(
            tf.expand_dims(inputs, height),
            tf.expand_dims(self.W_depthwise, 0),
            tf.expand_dims(self.W_pointwise, 0),
            spatial.spread((stride, stride), data_format),
            self.padding,
            data_format.replace("W", "HW"),
            (1, *self.dilation_rate),
        )
        return tf.squeeze(outputs, [height])


class SeparableConv2d(_SeparableNd):  # noqa: D101
    __doc__ = text(
        _DOC,
        dimensions="Two-dimensional",
        filter_size="Height and width of a filter; one integer for both.",
        strides="Steps along height and width, equal ones: there is no kernel for others.",
        shape="height, width",
        ones="1, 1",
        example=""">>> net = tl.layers.Input([None, 50, 50, 64], name="x")
    >>> net = SeparableConv2d(net, 32, (3, 3), act="relu", name="sep")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 48, 48, 32]), 2656)""",
    )
    rank = 2

    def __init__(
        self,
        n_filter: int = 100,
        filter_size: Any = (3, 3),
        strides: Any = (1, 1),
        act: Any = None,
        padding: str = "valid",
        data_format: str | None = "channels_last",
        dilation_rate: Any = (1, 1),
        depth_multiplier: int = 1,
        depthwise_init: Any = None,
        pointwise_init: Any = None,
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
            depth_multiplier,
            depthwise_init,
            pointwise_init,
            b_init,
            in_channels,
            name,
        )
