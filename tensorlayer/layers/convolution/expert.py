"""Convolutions that are told everything: the whole shape of the filters, strides of every axis."""

from __future__ import annotations

from typing import Any

from tensorlayer import initializers
from tensorlayer.layers import spatial_arguments as spatial
from tensorlayer.layers.convolution.base import ConvNd, full_shape, text

__all__ = ["Conv1dLayer", "Conv2dLayer", "Conv3dLayer"]

_DOC = """{dimensions} convolution with the arguments of `tf.nn`.

    $y = \\mathrm{{act}}(x \\ast W + b)$, as `{simple}` computes it. The number of input channels is
    known, so the parameters are made in the constructor, of 32 bits unless `dtype` says otherwise.

    Parameters
    ----------
    act
        {act}
    shape
        Of the filters: `({axes}, channels, n_filter)`.
    {strides}
    padding
        {padding}
    data_format
        `"{layout}"`, also spelled `"channels_last"`, or `"{other}"`, `"channels_first"`.
        None is the former.
    dilation_rate
        {dilation_rate}
    W_init
        {W_init}
    b_init
        {b_init}
    name
        {name}

    Notes
    -----
    Input shape: `(batch, {axes}, channels)`.
    Output shape: `(batch, {axes}, n_filter)`, where a size `n` becomes `ceil(n / stride)` for SAME
    and `ceil((n - (size - 1) * dilation) / stride)` for VALID.
    Parameters: `filters` of the given shape and `biases` (n_filter).

    Raises
    ------
    WrongShape
        The input is of another rank, or has another number of channels than the filters.

    Examples
    --------
    >>> import tensorlayer as tl
    {example}
    """

_STRIDES = """strides
        One step for each axis of the input, 1 for batch and channels."""


class _FullNd(ConvNd):
    """What is told the whole shape of its filters."""

    def __init__(
        self,
        act: Any,
        shape: Any,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        W_init: Any,
        b_init: Any,
        name: str | None,
    ) -> None:
        who = type(self).__name__
        *filter_size, n_in, n_filter = full_shape(shape, self.rank, who)
        if self.rank > 1:
            layout = spatial.data_format(data_format, self.rank, who)
            strides = spatial.inner(strides, layout, who, "strides")
            dilation_rate = spatial.inner(dilation_rate, layout, who, "dilation_rate")
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
            n_in,
            name,
        )


class Conv1dLayer(_FullNd):  # noqa: D101 - made from the shared text
    __doc__ = text(
        _DOC,
        dimensions="One-dimensional",
        simple="Conv1d",
        strides="stride\n        Steps along the width.",
        axes="width",
        layout="NWC",
        other="NCW",
        example=""">>> net = tl.layers.Input([None, 100, 1], name="x")
    >>> net = Conv1dLayer(net, act="relu", shape=(5, 1, 32), stride=2, name="conv1")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 50, 32]), 192)""",
    )
    rank = 1

    def __init__(
        self,
        act: Any = None,
        shape: Any = (5, 1, 5),
        stride: Any = 1,
        padding: str = "SAME",
        data_format: str | None = "NWC",
        dilation_rate: Any = 1,
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008 - a frozen value
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        name: str | None = None,
    ) -> None:
        super().__init__(
            act, shape, stride, padding, data_format, dilation_rate, W_init, b_init, name
        )


class Conv2dLayer(_FullNd):  # noqa: D101
    __doc__ = text(
        _DOC,
        dimensions="Two-dimensional",
        simple="Conv2d",
        strides=_STRIDES,
        axes="height, width",
        layout="NHWC",
        other="NCHW",
        example=""">>> net = tl.layers.Input([None, 28, 28, 1], name="x")
    >>> net = Conv2dLayer(net, act="relu", shape=(5, 5, 1, 32), strides=(1, 2, 2, 1), name="conv1")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 14, 14, 32]), 832)""",
    )
    rank = 2

    def __init__(
        self,
        act: Any = None,
        shape: Any = (5, 5, 1, 100),
        strides: Any = (1, 1, 1, 1),
        padding: str = "SAME",
        data_format: str | None = "NHWC",
        dilation_rate: Any = (1, 1, 1, 1),
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        name: str | None = None,
    ) -> None:
        super().__init__(
            act, shape, strides, padding, data_format, dilation_rate, W_init, b_init, name
        )


class Conv3dLayer(_FullNd):  # noqa: D101
    __doc__ = text(
        _DOC,
        dimensions="Three-dimensional",
        simple="Conv3d",
        strides=_STRIDES,
        axes="depth, height, width",
        layout="NDHWC",
        other="NCDHW",
        example=""">>> net = tl.layers.Input([None, 16, 32, 32, 3], name="x")
    >>> net = Conv3dLayer(net, shape=(2, 2, 2, 3, 32), strides=(1, 2, 2, 2, 1), name="conv1")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 8, 16, 16, 32]), 800)""",
    )
    rank = 3

    def __init__(
        self,
        act: Any = None,
        shape: Any = (2, 2, 2, 3, 32),
        strides: Any = (1, 2, 2, 2, 1),
        padding: str = "SAME",
        data_format: str | None = "NDHWC",
        dilation_rate: Any = (1, 1, 1, 1, 1),
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        name: str | None = None,
    ) -> None:
        super().__init__(
            act, shape, strides, padding, data_format, dilation_rate, W_init, b_init, name
        )
