"""Two-dimensional convolutions with rounded filters."""

from __future__ import annotations

from typing import Any

from tensorlayer import initializers
from tensorlayer.layers.quantized.base import QuantizedConv2d, text
from tensorlayer.layers.quantized.methods import Binary, Dorefa, Quan, Ternary

__all__ = ["BinaryConv2d", "DorefaConv2d", "QuanConv2d", "TernaryConv2d"]

_BITS = """bitW
        {bitW}
    bitA
        {bitA}
    """
_DOC = """Convolution {summary}

    {method}

    Parameters
    ----------
    {first}n_filter
        {n_filter}
    filter_size
        {filter_size}
    strides
        {strides}
    act
        {act}
    padding
        {padding}
    use_gemm
        {use_gemm}
    data_format
        {data_format}
    dilation_rate
        {dilation_rate}
    W_init
        {W_init} A truncated normal of 0.02 is the custom of GANs and of TensorLayer 1.x.
    b_init
        {b_init}
    in_channels
        {in_channels}
    name
        {name}

    Notes
    -----
    Input shape: `(batch, height, width, channels)`.
    Output shape: `(batch, height, width, n_filter)`, where a size `n` becomes `ceil(n / stride)`
    for SAME and `ceil((n - (size - 1) * dilation) / stride)` for VALID.
    Parameters: the exact `filters` (height, width, channels, n_filter), which are trained and
    saved, and `biases` (n_filter). First and last layer of a network are usually left exact.

    Raises
    ------
    InvalidArgument
        {invalid}
    WrongShape
        The input is of another rank, or has another number of channels than the filters.

    References
    ----------
    {source}

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 28, 28, 1], name="x")
    >>> net = {name_of}(net, n_filter=32, filter_size=(5, 5), strides=(2, 2), name="conv")
    >>> net.outputs.shape, list(net.parameters)
    (TensorShape([None, 14, 14, 32]), ['conv/filters', 'conv/biases'])
    """


def _doc(name: str, first: str, **own: str) -> str:
    return text(_DOC.replace("{first}", first), name_of=name, **own)


class BinaryConv2d(Binary, QuantizedConv2d):  # noqa: D101 - made from the shared text
    __doc__ = _doc(
        "BinaryConv2d",
        "",
        summary="of binary filters: $y = \\mathrm{act}(x \\ast \\mathrm{sign}(W) + b)$.",
        method="""Inputs stay as they are; put `Sign` before the layer to make them binary too.""",
        source="""Courbariaux et al., "Binarized neural networks: training deep neural networks with
    weights and activations constrained to +1 or -1", 2016.""",
    )


class TernaryConv2d(Ternary, QuantizedConv2d):  # noqa: D101
    __doc__ = _doc(
        "TernaryConv2d",
        "",
        summary="of ternary filters: $y = \\mathrm{act}(x \\ast \\alpha\\,T(W) + b)$.",
        method="""T gives -1, 0 or 1 ([`tensorlayer.layers.ternary_operation`][]), and one size
    $\\alpha$ stands for all weights ([`tensorlayer.layers.compute_alpha`][]). Inputs stay as they
    are.""",
        source="""Li et al., "Ternary weight networks", 2016.""",
    )


class DorefaConv2d(Dorefa, QuantizedConv2d):  # noqa: D101
    __doc__ = _doc(
        "DorefaConv2d",
        _BITS,
        summary="of few bits: $y = \\mathrm{act}(q_A(\\min(1, |x|)) \\ast q_W(W) + b)$.",
        method="""Inputs are rounded to levels from 0 to 1
    ([`tensorlayer.layers.quantize_active`][]), filters to levels from -1 to 1, or, with one bit, to
    plus or minus their mean size ([`tensorlayer.layers.quantize_weight`][]). Unlike in the paper,
    gradients are not rounded.""",
        source="""Zhou et al., "DoReFa-Net: training low bitwidth convolutional neural networks with
    low bitwidth gradients", 2016.""",
    )

    def __init__(
        self,
        bitW: int = 1,
        bitA: int = 3,
        n_filter: int = 32,
        filter_size: Any = (3, 3),
        strides: Any = (1, 1),
        act: Any = None,
        padding: str = "SAME",
        use_gemm: bool = False,
        data_format: str | None = "channels_last",
        dilation_rate: Any = (1, 1),
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008 - a frozen value
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        in_channels: int | None = None,
        name: str | None = None,
    ) -> None:
        self.set_bits(bitW, bitA)
        super().__init__(
            n_filter,
            filter_size,
            strides,
            act,
            padding,
            use_gemm,
            data_format,
            dilation_rate,
            W_init,
            b_init,
            in_channels,
            name,
        )


class QuanConv2d(Quan, QuantizedConv2d):  # noqa: D101
    __doc__ = _doc(
        "QuanConv2d",
        _BITS,
        summary="of integers over a range: $y = \\mathrm{act}(q_A(x) \\ast q_W(W) + b)$.",
        method="""Inputs and filters are rounded to evenly spaced levels between their smallest and
    largest value ([`tensorlayer.layers.quantize_active_overflow`][]). The range of the inputs is
    that of the batch, so that an output depends a little on what else is in it.

    By position `bitW` and `bitA` come first, as in TensorLayer 2.x; 1.x had them after `act`.""",
        source="""Jacob et al., "Quantization and training of neural networks for efficient
    integer-arithmetic-only inference", CVPR 2018.""",
    )

    def __init__(
        self,
        bitW: int = 8,
        bitA: int = 8,
        n_filter: int = 32,
        filter_size: Any = (3, 3),
        strides: Any = (1, 1),
        act: Any = None,
        padding: str = "SAME",
        use_gemm: bool = False,
        data_format: str | None = "channels_last",
        dilation_rate: Any = (1, 1),
        W_init: Any = initializers.TruncatedNormal(stddev=0.02),  # noqa: B008
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        in_channels: int | None = None,
        name: str | None = None,
    ) -> None:
        self.set_bits(bitW, bitA)
        super().__init__(
            n_filter,
            filter_size,
            strides,
            act,
            padding,
            use_gemm,
            data_format,
            dilation_rate,
            W_init,
            b_init,
            in_channels,
            name,
        )
