"""Transposed convolutions: the sizes grow by the strides, as in decoders and generators.

The transposed convolution is the gradient of the convolution: where that has `n` outputs for a size
`m`, this has `m` outputs for a size `n`. With strides several `m` belong to one `n`; the rule is

    SAME    n * stride
    VALID   n * stride + max((size - 1) * dilation + 1 - stride, 0)

and `out_size` (`outputs_shape` of the layers that are told everything) chooses another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.errors import WrongShape
from tensorlayer.layers import spatial_arguments as spatial
from tensorlayer.layers.convolution.base import ConvNd, text

__all__ = ["DeConv2d", "DeConv3d", "DeConvNd"]

_DOC = """{dimensions} transposed convolution: $y = \\mathrm{{act}}(x \\ast W^\\top + b)$.

    Parameters
    ----------
    n_filter
        {n_filter}
    filter_size
        {filter_size}
    strides
        By how much {axes} grow; one integer for all.
{options}    data_format
        {data_format}
    W_init
        {W_init}
        `initializers.BilinearUpsampling` makes it enlarge images.
    b_init
        {b_init}
    in_channels
        {in_channels}
    name
        {name}
    out_size
        The sizes of the output, for strides that leave a choice: an even size halved and one less
        have the same half. None for the sizes below.

    Notes
    -----
    Input shape: `(batch, {shape}, channels)`.
    Output shape: `(batch, {shape}, n_filter)`, where a size `n` becomes `n * stride` for SAME and
    `n * stride + max(reach - stride, 0)` for VALID, with `reach = (size - 1) * dilation + 1`.
    Parameters: `kernel` ({shape}, n_filter, channels) and `bias` (n_filter).
    Without a GPU a dilated filter is filled up with zeros, which costs as many products as it is
    then large, unless strides are 1 and the rates equal.

    Raises
    ------
    WrongShape
        The input is of another rank, or has another number of channels than the filters;
        `out_size` is no size that the strides lead to.

    References
    ----------
    Zeiler et al., *Deconvolutional networks*, 2010; Radford et al., *Unsupervised representation
    learning with deep convolutional generative adversarial networks*, 2016.

    Examples
    --------
    >>> import tensorlayer as tl
    {example}
    """

# The two have them in another order.
_ACT = """    act
        The activation, applied last; None for a linear layer.
"""
_PADDING = """    padding
        `"SAME"` cuts what reaches over the border, `"VALID"` keeps it.
"""


class DeConvNd(ConvNd):
    """The base of all transposed convolutions."""

    parameter_names = ("kernel", "bias")
    #: of the output, None where the rule holds
    out_size: Sequence[int | None] | None = None

    def require_steps(self, who: str) -> None:
        """Accept strides and dilation together."""

    def make_filters(self, n_in: int) -> None:
        """Make the filters for this number of input channels."""
        shape = [*self.filter_size, self.n_filter, n_in]
        self.W = self._get_weights(self.parameter_names[0], shape, self.W_init)

    def convolve(self, inputs: tf.Tensor, data_format: str) -> tf.Tensor:
        """Compute the transposed convolution in a data format."""
        outputs_shape = self._outputs_shape(spatial.sizes_of(inputs), data_format)
        if max(self.dilation_rate) > 1 and not spatial.has_gpu():
            return self._dilated(inputs, outputs_shape)
        return tf.nn.conv_transpose(
            inputs,
            self.W,
            outputs_shape,
            strides=self.strides,
            padding=self.padding,
            data_format=data_format,
            dilations=self.dilation_rate,
        )

    def _dilated(self, inputs: tf.Tensor, outputs_shape: list[Any]) -> tf.Tensor:
        """Compute it for channels last without a kernel for dilation, which CPUs lack."""
        rate = self.dilation_rate[0]
        if (*self.strides, *self.dilation_rate) != (1, 1, rate, rate):
            filters = with_holes(self.W, self.dilation_rate)
            return tf.nn.conv_transpose(inputs, filters, outputs_shape, self.strides, self.padding)
        outputs = tf.nn.atrous_conv2d_transpose(inputs, self.W, outputs_shape, rate, self.padding)
        outputs.set_shape([size if isinstance(size, int) else None for size in outputs_shape])
        return outputs

    def _outputs_shape(self, shape: Sequence[Any], data_format: str) -> list[Any]:
        axes = data_format.strip("NC")

        def size(position: int, axis: str) -> Any:
            if axis == "C":
                return self.n_filter
            return shape[0] if axis == "N" else self._output_size(axes.index(axis), shape[position])

        return [size(*each) for each in enumerate(data_format)]

    def _output_size(self, axis: int, size: Any) -> Any:
        """Return the size of the output for one of the input, an integer or a tensor."""
        stride = self.strides[axis]
        reach = (self.filter_size[axis] - 1) * self.dilation_rate[axis] + 1
        is_same = self.padding == "SAME"
        asked = None if self.out_size is None else self.out_size[axis]
        if asked is None:
            return size * stride + (0 if is_same else max(reach - stride, 0))
        if isinstance(size, int):
            least = (size - 1) * stride + (1 if is_same else reach)
            if not least <= asked < least + stride:
                raise WrongShape(
                    f"{self!r}: a size of {size} becomes {least} to {least + stride - 1} with "
                    f"stride {stride} and padding {self.padding}, asked is {asked}. Ask for one "
                    "of these, or for None."
                )
        return asked


def with_holes(filters: tf.Tensor, rates: Sequence[int]) -> tf.Tensor:
    """Return filters with `rate - 1` zeros between the taps of each spatial axis.

    Examples
    --------
    >>> with_holes(tf.ones([3, 1, 1]), [2])[:, 0, 0].numpy().tolist()
    [1.0, 0.0, 1.0, 0.0, 1.0]
    """
    *sizes, n_out, n_in = filters.shape.as_list()
    pairs = [each for size in sizes for each in (size, 1)]
    gaps = [each for rate in rates for each in ([0, 0], [0, rate - 1])]
    spread = tf.pad(tf.reshape(filters, [*pairs, n_out, n_in]), [*gaps, [0, 0], [0, 0]])
    reached = [size * rate for size, rate in zip(sizes, rates, strict=True)]
    spread = tf.reshape(spread, [*reached, n_out, n_in])
    ends = [size - rate + 1 for size, rate in zip(reached, rates, strict=True)]
    return tf.slice(spread, [0] * len(spread.shape), [*ends, n_out, n_in])


def _asked(out_size: Any, rank: int, who: str) -> tuple[int, ...] | None:
    return None if out_size is None else spatial.sizes(out_size, rank, who, "out_size")


class DeConv2d(DeConvNd):  # noqa: D101 - made from the shared text
    __doc__ = text(
        _DOC,
        dimensions="Two-dimensional",
        filter_size="Height and width of a filter; one integer for both.",
        axes="height and width",
        options=f"{_ACT}{_PADDING}    dilation_rate\n        Steps between the taps of a filter.\n",
        shape="height, width",
        example=""">>> net = tl.layers.Input([None, 4, 4, 512], name="z")
    >>> net = DeConv2d(net, 256, (5, 5), (2, 2), act="relu", name="g1")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 8, 8, 256]), 3277056)""",
    )
    rank = 2

    def __init__(
        self,
        n_filter: int = 32,
        filter_size: Any = (3, 3),
        strides: Any = (2, 2),
        act: Any = None,
        padding: str = "SAME",
        dilation_rate: Any = (1, 1),
        data_format: str | None = "channels_last",
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008 - a frozen value
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        in_channels: int | None = None,
        name: str | None = None,
        out_size: Any = None,
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
        self.out_size = _asked(out_size, self.rank, "DeConv2d")


class DeConv3d(DeConvNd):  # noqa: D101
    __doc__ = text(
        _DOC,
        dimensions="Three-dimensional",
        filter_size="Depth, height and width of a filter; one integer for all.",
        axes="depth, height and width",
        options=f"{_PADDING}{_ACT}",
        shape="depth, height, width",
        example=""">>> net = tl.layers.Input([None, 4, 8, 8, 16], name="z")
    >>> net = DeConv3d(net, 8, (3, 3, 3), (1, 2, 2), padding="VALID", name="g1")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 6, 17, 17, 8]), 3464)""",
    )
    rank = 3

    def __init__(
        self,
        n_filter: int = 32,
        filter_size: Any = (3, 3, 3),
        strides: Any = (2, 2, 2),
        padding: str = "SAME",
        act: Any = None,
        data_format: str | None = "channels_last",
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        in_channels: int | None = None,
        name: str | None = None,
        out_size: Any = None,
    ) -> None:
        super().__init__(
            n_filter,
            filter_size,
            strides,
            act,
            padding,
            data_format,
            1,
            W_init,
            b_init,
            in_channels,
            name,
        )
        self.out_size = _asked(out_size, self.rank, "DeConv3d")
