"""Transposed convolutions that are told everything, also the shape of the output."""

from __future__ import annotations

from typing import Any

from tensorlayer import initializers
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import spatial_arguments as spatial
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.convolution.base import full_shape, text
from tensorlayer.layers.convolution.transposed import DeConvNd

__all__ = ["DeConv1dLayer", "DeConv2dLayer", "DeConv3dLayer", "FullDeConvNd"]

_DOC = """{dimensions} transposed convolution with the arguments of `tf.nn`.

    $y = \\mathrm{{act}}(x \\ast W^\\top + b)$. The number of input channels is known, so the
    parameters are made in the constructor, of 32 bits unless `dtype` says otherwise.

    Parameters
    ----------
    act
        {act}
    shape
        Of the filters: `({axes}, n_filter, channels)`, outputs before inputs.
    outputs_shape
        Of the output: `(batch, {axes}, n_filter)`. With strides more than one size fits, so it is
        asked for; None for a size, or for the whole shape, is the one below. The batch is that of
        the input, whatever is written. TensorLayer 1.x spells it `output_shape`.
    strides
        By how much each axis grows, 1 for batch and channels.
    padding
        `"SAME"` cuts what reaches over the border, `"VALID"` keeps it.
    data_format
        `"{layout}"`, also spelled `"channels_last"`, or `"{other}"`, `"channels_first"`.
    dilation_rate
        Steps between the taps of a filter, for each axis, 1 for batch and channels.
    W_init
        {W_init}
    b_init
        {b_init}
    name
        {name}

    Notes
    -----
    Input shape: `(batch, {axes}, channels)`.
    Output shape: `outputs_shape`; a size that is None becomes `n * stride` for SAME and
    `n * stride + max(reach - stride, 0)` for VALID, with `reach = (size - 1) * dilation + 1`.
    Parameters: `filters` of the given shape and `biases` (n_filter).
    Without a GPU a dilated filter is filled up with zeros, which costs as many products as it is
    then large, unless it is two-dimensional with strides of 1 and equal rates.

    Raises
    ------
    InvalidArgument
        `outputs_shape` has another number of channels than the filters.
    WrongShape
        The input is of another rank or has other channels than the filters, or the strides do not
        lead to a size of `outputs_shape`.

    Examples
    --------
    >>> import tensorlayer as tl
    {example}
    """


class FullDeConvNd(DeConvNd):
    """What is told the whole shape of its filters and outputs."""

    parameter_names = ("filters", "biases")

    def __init__(
        self,
        act: Any,
        shape: Any,
        outputs_shape: Any,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        W_init: Any,
        b_init: Any,
        name: str | None,
    ) -> None:
        who = type(self).__name__
        layout = spatial.data_format(data_format, self.rank, who)
        *filter_size, n_filter, n_in = full_shape(shape, self.rank, who)
        super().__init__(
            n_filter,
            filter_size,
            spatial.inner(strides, layout, who, "strides"),
            act,
            padding,
            layout,
            spatial.inner(dilation_rate, layout, who, "dilation_rate"),
            W_init,
            b_init,
            n_in,
            name,
        )
        self.out_size = _sizes(outputs_shape, layout, n_filter, who)


def _sizes(outputs_shape: Any, layout: str, n_filter: int, who: str) -> tuple[int | None, ...]:
    """Return the spatial sizes that are asked for."""
    if outputs_shape is None:
        return (None,) * (len(layout) - 2)
    asked = dict(zip(layout, outputs_shape, strict=False))
    if len(outputs_shape) != len(layout) or asked.pop("C") not in {None, n_filter}:
        raise InvalidArgument(
            f"{who}: outputs_shape has one size for each axis of {layout}, {n_filter} of them "
            f"channels as its filters say, got {outputs_shape!r}."
        )
    del asked["N"]
    return tuple(
        None if size is None else positive(size, who, "a size of outputs_shape")
        for size in asked.values()
    )


class DeConv1dLayer(FullDeConvNd):  # noqa: D101 - made from the shared text
    __doc__ = text(
        _DOC,
        dimensions="One-dimensional",
        axes="width",
        layout="NWC",
        other="NCW",
        example=""">>> net = tl.layers.Input([None, 128, 8], name="x")
    >>> net = DeConv1dLayer(net, shape=(3, 4, 8), outputs_shape=(None, 256, 4), name="up")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 256, 4]), 100)""",
    )
    rank = 1

    def __init__(
        self,
        act: Any = None,
        shape: Any = (3, 128, 256),
        outputs_shape: Any = (1, 256, 128),
        strides: Any = (1, 2, 1),
        padding: str = "SAME",
        data_format: str | None = "NWC",
        dilation_rate: Any = (1, 1, 1),
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008 - a frozen value
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        name: str | None = None,
    ) -> None:
        super().__init__(
            act,
            shape,
            outputs_shape,
            strides,
            padding,
            data_format,
            dilation_rate,
            W_init,
            b_init,
            name,
        )


class DeConv2dLayer(FullDeConvNd):  # noqa: D101
    __doc__ = text(
        _DOC,
        dimensions="Two-dimensional",
        axes="height, width",
        layout="NHWC",
        other="NCHW",
        example=""">>> net = tl.layers.Input([None, 8, 8, 16], name="x")
    >>> net = DeConv2dLayer(net, shape=(5, 5, 4, 16), outputs_shape=(None, 15, 16, 4), name="up")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 15, 16, 4]), 1604)""",
    )
    rank = 2

    def __init__(
        self,
        act: Any = None,
        shape: Any = (3, 3, 128, 256),
        outputs_shape: Any = (1, 256, 256, 128),
        strides: Any = (1, 2, 2, 1),
        padding: str = "SAME",
        data_format: str | None = "NHWC",
        dilation_rate: Any = (1, 1, 1, 1),
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        name: str | None = None,
    ) -> None:
        super().__init__(
            act,
            shape,
            outputs_shape,
            strides,
            padding,
            data_format,
            dilation_rate,
            W_init,
            b_init,
            name,
        )


class DeConv3dLayer(FullDeConvNd):  # noqa: D101
    __doc__ = text(
        _DOC,
        dimensions="Three-dimensional",
        axes="depth, height, width",
        layout="NDHWC",
        other="NCDHW",
        example=""">>> net = tl.layers.Input([None, 6, 16, 16, 8], name="x")
    >>> net = DeConv3dLayer(net, shape=(2, 2, 2, 4, 8), outputs_shape=None, name="up")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 12, 32, 32, 4]), 260)""",
    )
    rank = 3

    def __init__(
        self,
        act: Any = None,
        shape: Any = (2, 2, 2, 128, 256),
        outputs_shape: Any = (1, 12, 32, 32, 128),
        strides: Any = (1, 2, 2, 2, 1),
        padding: str = "SAME",
        data_format: str | None = "NDHWC",
        dilation_rate: Any = (1, 1, 1, 1, 1),
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        name: str | None = None,
    ) -> None:
        super().__init__(
            act,
            shape,
            outputs_shape,
            strides,
            padding,
            data_format,
            dilation_rate,
            W_init,
            b_init,
            name,
        )
