"""Dilated convolutions as TensorLayer 1.x calls them: a rate instead of strides."""

from __future__ import annotations

from typing import Any

from tensorlayer import initializers
from tensorlayer.layers.convolution.base import ConvNd, text
from tensorlayer.layers.convolution.transposed_expert import FullDeConvNd

__all__ = ["AtrousConv1dLayer", "AtrousConv2dLayer", "AtrousDeConv2dLayer", "atrous_conv1d"]


class AtrousConv1dLayer(ConvNd):  # noqa: D101 - made with the shared text
    __doc__ = text(
        """One-dimensional dilated convolution: `Conv1d` with other names for its arguments.

    Parameters
    ----------
    n_filter
        {n_filter}
    filter_size
        The width of a filter; two taps, as causal networks for audio have.
    stride
        Steps along the width.
    dilation
        {dilation_rate}
    act
        {act}
    padding
        {padding}
    data_format
        `"NWC"`, also spelled `"channels_last"`, or `"NCW"`, `"channels_first"`.
    W_init
        {W_init}
    b_init
        {b_init}
    name
        {name}

    Notes
    -----
    Input shape: `(batch, width, channels)`.
    Output shape: `(batch, w, n_filter)` with `w = ceil(width / stride)` for SAME and
    `w = ceil((width - (size - 1) * dilation) / stride)` for VALID.
    Parameters: `filters` (width, channels, n_filter) and `biases` (n_filter).

    References
    ----------
    Yu and Koltun, *Multi-scale context aggregation by dilated convolutions*, 2016.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 100, 1], name="x")
    >>> net = AtrousConv1dLayer(net, 8, filter_size=2, dilation=4, padding="VALID", name="conv1")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 96, 8]), 24)
    """
    )
    rank = 1

    def __init__(
        self,
        n_filter: int = 32,
        filter_size: Any = 2,
        stride: Any = 1,
        dilation: Any = 1,
        act: Any = None,
        padding: str = "SAME",
        data_format: str | None = "NWC",
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008 - a frozen value
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        name: str | None = None,
    ) -> None:
        super().__init__(
            n_filter,
            filter_size,
            stride,
            act,
            padding,
            data_format,
            dilation,
            W_init,
            b_init,
            None,
            name,
        )


class AtrousConv2dLayer(ConvNd):  # noqa: D101
    __doc__ = text(
        """Two-dimensional dilated convolution: `Conv2d` with `dilation_rate=rate`.

    Parameters
    ----------
    n_filter
        {n_filter}
    filter_size
        Height and width of a filter; one integer for both.
    rate
        Steps between the taps of a filter, which then sees further at the same cost.
    act
        {act}
    padding
        {padding}
    W_init
        {W_init}
    b_init
        {b_init}
    name
        {name}

    Notes
    -----
    Input shape: `(batch, height, width, channels)`.
    Output shape: `(batch, h, w, n_filter)` with `h = height` for SAME and
    `h = height - (size - 1) * rate` for VALID.
    Parameters: `filters` (height, width, channels, n_filter) and `biases` (n_filter).

    References
    ----------
    Yu and Koltun, *Multi-scale context aggregation by dilated convolutions*, 2016.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 32, 32, 3], name="x")
    >>> net = AtrousConv2dLayer(net, 8, (3, 3), rate=2, padding="VALID", name="conv1")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 28, 28, 8]), 224)
    """
    )
    rank = 2

    def __init__(
        self,
        n_filter: int = 32,
        filter_size: Any = (3, 3),
        rate: Any = 2,
        act: Any = None,
        padding: str = "SAME",
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        name: str | None = None,
    ) -> None:
        super().__init__(
            n_filter, filter_size, 1, act, padding, None, rate, W_init, b_init, None, name
        )


class AtrousDeConv2dLayer(FullDeConvNd):  # noqa: D101
    __doc__ = text(
        """Two-dimensional dilated transposed convolution: `DeConv2dLayer` with strides of 1.

    Parameters
    ----------
    shape
        Of the filters: `(height, width, n_filter, channels)`, outputs before inputs.
    output_shape
        Of the output: `(batch, height, width, n_filter)`, one size for each; None for the one
        below. The batch is that of the input, whatever is written.
    rate
        Steps between the taps of a filter.
    act
        {act}
    padding
        `"SAME"` cuts what reaches over the border, `"VALID"` keeps it.
    W_init
        {W_init}
    b_init
        {b_init}
    name
        {name}

    Notes
    -----
    Input shape: `(batch, height, width, channels)`.
    Output shape: `(batch, h, w, n_filter)` with `h = height` for SAME and
    `h = height + (size - 1) * rate` for VALID.
    Parameters: `filters` of the given shape and `biases` (n_filter).

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 16, 16, 8], name="x")
    >>> net = AtrousDeConv2dLayer(net, (3, 3, 4, 8), (None, 20, 20, 4), padding="VALID", name="up")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 20, 20, 4]), 292)
    """
    )
    rank = 2

    def __init__(
        self,
        shape: Any = (3, 3, 128, 256),
        output_shape: Any = (1, 64, 64, 128),
        rate: int = 2,
        act: Any = None,
        padding: str = "SAME",
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        name: str | None = None,
    ) -> None:
        super().__init__(
            act,
            shape,
            output_shape,
            (1, 1, 1, 1),
            padding,
            None,
            (1, rate, rate, 1),
            W_init,
            b_init,
            name,
        )


atrous_conv1d = AtrousConv1dLayer
