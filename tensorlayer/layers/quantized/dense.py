"""Fully connected layers with rounded weights."""

from __future__ import annotations

from typing import Any

from tensorlayer import initializers
from tensorlayer.layers.quantized.base import QuantizedDense, text
from tensorlayer.layers.quantized.methods import Binary, Dorefa, Quan, Ternary

__all__ = [
    "BinaryDense",
    "BinaryDenseLayer",
    "DorefaDense",
    "DorefaDenseLayer",
    "QuanDense",
    "QuanDenseLayer",
    "TernaryDense",
    "TernaryDenseLayer",
]

_ARGUMENTS = """n_units
        {n_units}
    act
        {act}
    """
_BITS = """bitW
        {bitW}
    bitA
        {bitA}
    """
_DOC = """Fully connected layer {summary}

    {method}

    Parameters
    ----------
    {first}use_gemm
        {use_gemm}
    W_init
        {W_init} A truncated normal of 0.05 keeps early activations of stacked layers small.
    b_init
        {b_init}
    in_channels
        {in_channels} The input may then have any rank.
    name
        {name}

    Notes
    -----
    Input shape: `(batch, n_in)`, or `(..., in_channels)`.
    Output shape: `(batch, n_units)`, or `(..., n_units)`.
    Parameters: the exact `weights` (n_in, n_units), which are trained and saved, and `biases`
    (n_units). First and last layer of a network are usually left exact.

    Raises
    ------
    InvalidArgument
        {invalid}
    WrongShape
        The input is not of rank 2 and `in_channels` is not given.

    References
    ----------
    {source}

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 784], name="x")
    >>> net = {name_of}(net, n_units=800, act="relu", name="hidden")
    >>> net.outputs.shape, list(net.parameters)
    (TensorShape([None, 800]), ['hidden/weights', 'hidden/biases'])
    """


def _doc(name: str, first: str, **own: str) -> str:
    return text(_DOC.replace("{first}", first), name_of=name, **own)


class BinaryDense(Binary, QuantizedDense):  # noqa: D101 - made from the shared text
    __doc__ = _doc(
        "BinaryDense",
        _ARGUMENTS,
        summary="of binary weights: $y = \\mathrm{act}(x\\,\\mathrm{sign}(W) + b)$.",
        method="""Inputs stay as they are; put `Sign` before the layer to make them binary too.""",
        source="""Courbariaux et al., "Binarized neural networks: training deep neural networks with
    weights and activations constrained to +1 or -1", 2016.""",
    )


class TernaryDense(Ternary, QuantizedDense):  # noqa: D101
    __doc__ = _doc(
        "TernaryDense",
        _ARGUMENTS,
        summary="of ternary weights: $y = \\mathrm{act}(x\\,\\alpha\\,T(W) + b)$.",
        method="""T gives -1, 0 or 1 ([`tensorlayer.layers.ternary_operation`][]), and one size
    $\\alpha$ stands for all weights ([`tensorlayer.layers.compute_alpha`][]). Inputs stay as they
    are.""",
        source="""Li et al., "Ternary weight networks", 2016.""",
    )


class DorefaDense(Dorefa, QuantizedDense):  # noqa: D101
    __doc__ = _doc(
        "DorefaDense",
        _BITS + _ARGUMENTS,
        summary="of few bits: $y = \\mathrm{act}(q_A(\\min(1, |x|))\\,q_W(W) + b)$.",
        method="""Inputs are rounded to levels from 0 to 1
    ([`tensorlayer.layers.quantize_active`][]), weights to levels from -1 to 1, or, with one bit, to
    plus or minus their mean size ([`tensorlayer.layers.quantize_weight`][]). Unlike in the paper,
    gradients are not rounded.""",
        source="""Zhou et al., "DoReFa-Net: training low bitwidth convolutional neural networks with
    low bitwidth gradients", 2016.""",
    )

    def __init__(
        self,
        bitW: int = 1,
        bitA: int = 3,
        n_units: int = 100,
        act: Any = None,
        use_gemm: bool = False,
        W_init: Any = initializers.TruncatedNormal(stddev=0.05),  # noqa: B008 - a frozen value
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        in_channels: int | None = None,
        name: str | None = None,
    ) -> None:
        self.set_bits(bitW, bitA)
        super().__init__(n_units, act, use_gemm, W_init, b_init, in_channels, name)


class QuanDense(Quan, QuantizedDense):  # noqa: D101
    __doc__ = _doc(
        "QuanDense",
        _ARGUMENTS + _BITS,
        summary="of integers over a range: $y = \\mathrm{act}(q_A(x)\\,q_W(W) + b)$.",
        method="""Inputs and weights are rounded to evenly spaced levels between their smallest and
    largest value ([`tensorlayer.layers.quantize_active_overflow`][]). The range of the inputs is
    that of the batch, so that an output depends a little on what else is in it.""",
        source="""Jacob et al., "Quantization and training of neural networks for efficient
    integer-arithmetic-only inference", CVPR 2018.""",
    )

    def __init__(
        self,
        n_units: int = 100,
        act: Any = None,
        bitW: int = 8,
        bitA: int = 8,
        use_gemm: bool = False,
        W_init: Any = initializers.TruncatedNormal(stddev=0.05),  # noqa: B008
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        in_channels: int | None = None,
        name: str | None = None,
    ) -> None:
        self.set_bits(bitW, bitA)
        super().__init__(n_units, act, use_gemm, W_init, b_init, in_channels, name)


BinaryDenseLayer = BinaryDense
TernaryDenseLayer = TernaryDense
DorefaDenseLayer = DorefaDense
QuanDenseLayer = QuanDense
