"""Convolutions described by the number of filters and their size."""

from __future__ import annotations

from typing import Any

from tensorlayer import initializers
from tensorlayer.layers.convolution.base import ConvNd, text

__all__ = ["Conv1d", "Conv2d", "Conv3d"]

_DOC = """{dimensions} convolution: $y = \\mathrm{{act}}(x \\ast W + b)$.

    Parameters
    ----------
    n_filter
        {n_filter}
    filter_size
        {filter_size}
    {strides}
        Steps along {axes}; 2 halves the size.
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
    Input shape: `(batch, {shape}, channels)`.
    Output shape: `(batch, {shape}, n_filter)`, where a size `n` becomes `ceil(n / stride)` for SAME
    and `ceil((n - (size - 1) * dilation) / stride)` for VALID.
    Parameters: `filters` ({shape}, channels, n_filter) and `biases` (n_filter).

    Raises
    ------
    WrongShape
        The input is of another rank, or has another number of channels than the filters.

    Examples
    --------
    >>> import tensorlayer as tl
    {example}
    """


class Conv1d(ConvNd):  # noqa: D101 - made from the shared text
    __doc__ = text(
        _DOC,
        dimensions="One-dimensional",
        filter_size="The width of a filter.",
        strides="stride",
        axes="the width",
        shape="width",
        example=""">>> net = tl.layers.Input([None, 100, 1], name="x")
    >>> net = Conv1d(net, 32, 5, stride=2, act="relu", name="conv1")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 50, 32]), 192)""",
    )
    rank = 1

    def __init__(
        self,
        n_filter: int = 32,
        filter_size: Any = 5,
        stride: Any = 1,
        act: Any = None,
        padding: str = "SAME",
        data_format: str | None = "channels_last",
        dilation_rate: Any = 1,
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008 - a frozen value
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        in_channels: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            n_filter,
            filter_size,
            stride,
            act,
            padding,
            data_format,
            dilation_rate,
            W_init,
            b_init,
            in_channels,
            name,
        )


class Conv2d(ConvNd):  # noqa: D101
    __doc__ = text(
        _DOC,
        dimensions="Two-dimensional",
        filter_size="Height and width of a filter; one integer for both.",
        strides="strides",
        axes="height and width",
        shape="height, width",
        example=""">>> net = tl.layers.Input([None, 28, 28, 1], name="x")
    >>> net = Conv2d(net, 32, (5, 5), (2, 2), act="relu", padding="VALID", name="conv1")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 12, 12, 32]), 832)""",
    )
    rank = 2

    def __init__(
        self,
        n_filter: int = 32,
        filter_size: Any = (3, 3),
        strides: Any = (1, 1),
        act: Any = None,
        padding: str = "SAME",
        data_format: str | None = "channels_last",
        dilation_rate: Any = (1, 1),
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008
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


class Conv3d(ConvNd):  # noqa: D101
    __doc__ = text(
        _DOC,
        dimensions="Three-dimensional",
        filter_size="Depth, height and width of a filter; one integer for all.",
        strides="strides",
        axes="depth, height and width",
        shape="depth, height, width",
        example=""">>> net = tl.layers.Input([None, 16, 32, 32, 1], name="x")
    >>> net = Conv3d(net, 8, (3, 3, 3), (1, 2, 2), act="relu", name="conv1")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 16, 16, 16, 8]), 224)""",
    )
    rank = 3

    def __init__(
        self,
        n_filter: int = 32,
        filter_size: Any = (3, 3, 3),
        strides: Any = (1, 1, 1),
        act: Any = None,
        padding: str = "SAME",
        data_format: str | None = "channels_last",
        dilation_rate: Any = (1, 1, 1),
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008
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
