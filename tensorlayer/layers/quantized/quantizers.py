"""Functions that round weights and activations, with gradients that training can follow.

Rounding has the gradient 0 nearly everywhere, so nothing before it would learn. Here it is replaced
by that of the identity, the *straight-through* gradient: the rounded value is computed with, and
the exact one, which is the parameter, is what training moves.

Inputs may be of any floating type. 16 bits are rounded in 32, since their sums and ranges are off.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tensorlayer import activation
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.precision import widened

__all__ = [
    "bits",
    "cabs",
    "compute_alpha",
    "quantize",
    "quantize_active",
    "quantize_active_overflow",
    "quantize_ternary",
    "quantize_weight",
    "quantize_weight_overflow",
    "ternary_operation",
]

#: This many bits mean: not rounded at all.
EXACT_BITS = 32
#: The threshold of ternary weights in units of their mean size, from Li et al. (2016): nearly the
#: best one for weights that are uniform or normal.
TERNARY_THRESHOLD = 0.7


def bits(value: Any, who: str, what: str) -> int:
    """Return a number of bits if it is one of 1 to 32, else raise InvalidArgument.

    Examples
    --------
    >>> bits(8, "QuanDense", "bitW")
    8
    """
    try:
        found = positive(value, who, what)
    except InvalidArgument:
        found = EXACT_BITS + 1
    if found > EXACT_BITS:
        raise InvalidArgument(
            f"{who}: {what} is a number of bits from 1 to {EXACT_BITS}, where {EXACT_BITS} means "
            f"not rounded; got {value!r}."
        )
    return found


def quantize(x: Any) -> tf.Tensor:
    r"""Binary values: $q = \mathrm{sign}(x)$.

    The gradient passes straight through, clipped to [-1, 1].

    Parameters
    ----------
    x
        Any shape, any floating type.

    Returns
    -------
    tf.Tensor
        -1, 0 or 1; 0 only where `x` is 0.

    References
    ----------
    Courbariaux et al., "Binarized neural networks: training deep neural networks with weights and
    activations constrained to +1 or -1", 2016.

    Examples
    --------
    >>> quantize(tf.constant([-0.3, 0.0, 7.0])).numpy().tolist()
    [-1.0, 0.0, 1.0]
    """
    return activation.sign(tf.convert_to_tensor(x))


def compute_alpha(x: Any) -> tf.Tensor:
    r"""Return the size that stands for ternary weights: $\alpha = \mathrm{mean}_{|x_i|>t}\,|x_i|$.

    The threshold is $t = 0.7\,\mathrm{mean}\,|x|$. With it $\alpha\,T(x)$, where T is
    [`ternary_operation`][], is the ternary tensor nearest to `x`.

    Parameters
    ----------
    x
        Any shape, any floating type.

    Returns
    -------
    tf.Tensor
        A scalar; 0 if all values are 0.

    References
    ----------
    Li et al., "Ternary weight networks", 2016.

    Examples
    --------
    >>> compute_alpha(tf.constant([-3.0, 0.1, 1.0, 2.0])).numpy().item()
    2.5
    """
    x = tf.convert_to_tensor(x)
    sizes = tf.abs(widened(x))
    return tf.cast(_mean_where(_is_large(sizes), sizes), x.dtype)


def ternary_operation(x: Any) -> tf.Tensor:
    r"""Ternary values: $T(x) = \mathrm{sign}(x)$ where $|x| > t$, and else 0.

    The threshold is $t = 0.7\,\mathrm{mean}\,|x|$. The gradient passes straight through.

    Parameters
    ----------
    x
        Any shape, any floating type.

    Returns
    -------
    tf.Tensor
        -1, 0 or 1.

    References
    ----------
    Li et al., "Ternary weight networks", 2016.

    Examples
    --------
    >>> ternary_operation(tf.constant([-3.0, 0.1, 1.0, 2.0])).numpy().tolist()
    [-1.0, 0.0, 0.0, 1.0]
    """
    return _straight_through(lambda x: tf.sign(x) * _is_large(tf.abs(x)), x)


def quantize_ternary(x: Any) -> tf.Tensor:
    r"""Ternary weights: $q = \alpha\,T(x)$, of [`compute_alpha`][] and [`ternary_operation`][].

    The gradient passes straight through both.

    Parameters
    ----------
    x
        Any shape, any floating type.

    Examples
    --------
    >>> quantize_ternary(tf.constant([-3.0, 0.1, 1.0, 2.0])).numpy().tolist()
    [-2.5, 0.0, 0.0, 2.5]
    """

    def rounded(x: tf.Tensor) -> tf.Tensor:
        sizes = tf.abs(x)
        is_large = _is_large(sizes)
        return _mean_where(is_large, sizes) * is_large * tf.sign(x)

    return _straight_through(rounded, x)


def cabs(x: Any) -> tf.Tensor:
    r"""Return $\min(1, |x|)$: activations in [0, 1], as [`quantize_active`][] wants them.

    Parameters
    ----------
    x
        Any shape, any floating type.

    Examples
    --------
    >>> cabs(tf.constant([-0.5, 0.25, 3.0])).numpy().tolist()
    [0.5, 0.25, 1.0]
    """
    return tf.minimum(tf.abs(tf.convert_to_tensor(x)), 1)


def quantize_active(x: Any, bitA: int) -> tf.Tensor:
    r"""Round values of [0, 1] to $2^k$ levels: $q = \mathrm{round}(n x)/n$, $n = 2^k - 1$.

    The gradient passes straight through.

    Parameters
    ----------
    x
        Values from 0 to 1, such as [`cabs`][] gives; any shape, any floating type.
    bitA
        The number k of bits, 1 to 32; 32 leaves `x` as it is.

    Raises
    ------
    InvalidArgument
        `bitA` is not one of 1 to 32.

    References
    ----------
    Zhou et al., "DoReFa-Net: training low bitwidth convolutional neural networks with low bitwidth
    gradients", 2016.

    Examples
    --------
    >>> quantize_active(tf.constant([0.0, 0.3, 0.8]), 1).numpy().tolist()
    [0.0, 0.0, 1.0]
    """
    n = _steps(bitA, "quantize_active", "bitA")
    if n is None:
        return tf.convert_to_tensor(x)
    return _straight_through(lambda x: tf.round(x * n) / n, x)


def quantize_weight(x: Any, bitW: int, force_quantization: bool = False) -> tf.Tensor:
    r"""Round weights to $2^k$ levels from -1 to 1.

    $$
    q = \frac{2}{n}\,\mathrm{round}\left(n\,\mathrm{clip}(x/2 + 1/2, 0, 1)\right) - 1,
    \quad n = 2^k - 1
    $$

    One bit is $q = \mathrm{sign}(x)\,\mathrm{mean}\,|x|$ instead, of which the gradient passes
    straight through. With more bits it passes where $|x| \le 1$, and is 0 elsewhere.

    Parameters
    ----------
    x
        Any shape, any floating type.
    bitW
        The number k of bits, 1 to 32; 32 leaves `x` as it is.
    force_quantization
        Round to 32 bits too, which clips `x` to [-1, 1].

    Raises
    ------
    InvalidArgument
        `bitW` is not one of 1 to 32.

    Notes
    -----
    The levels of the paper are spread over $\tanh(x) / \max|\tanh(x)|$; TensorLayer clips.

    References
    ----------
    Zhou et al., "DoReFa-Net", 2016.

    Examples
    --------
    >>> quantize_weight(tf.constant([-3.0, 0.4, 1.0]), 2).numpy().round(2).tolist()
    [-1.0, 0.3..., 1.0]
    >>> quantize_weight(tf.constant([-3.0, 1.0]), 1).numpy().tolist()
    [-2.0, 2.0]
    """
    n = _steps(bitW, "quantize_weight", "bitW", force_quantization)
    if n is None:
        return tf.convert_to_tensor(x)
    if n == 1:
        return _straight_through(lambda x: tf.sign(x) * tf.reduce_mean(tf.abs(x)), x)
    in_range = tf.clip_by_value(tf.convert_to_tensor(x), -1, 1)
    return _straight_through(lambda x: 2 * tf.round((x / 2 + 0.5) * n) / n - 1, in_range)


def quantize_active_overflow(x: Any, bitA: int) -> tf.Tensor:
    r"""Round values to $2^k$ levels over the range that they have.

    $$
    q = \mathrm{round}\left(\frac{x - \min x}{s}\right) s + \min x,
    \quad s = \frac{\max x - \min x}{2^k - 1}
    $$

    The gradient passes straight through.

    Parameters
    ----------
    x
        Any shape, any floating type. The range is that of the whole tensor.
    bitA
        The number k of bits, 1 to 32; 32 leaves `x` as it is.

    Returns
    -------
    tf.Tensor
        The shape and type of `x`. Smallest and largest value are levels; 0 is one only by chance,
        unlike in Jacob et al.

    Raises
    ------
    InvalidArgument
        `bitA` is not one of 1 to 32.

    References
    ----------
    Jacob et al., "Quantization and training of neural networks for efficient
    integer-arithmetic-only inference", CVPR 2018.

    Examples
    --------
    >>> quantize_active_overflow(tf.constant([-2.0, 0.3, 4.0]), 2).numpy().tolist()
    [-2.0, 0.0, 4.0]
    """
    return _over_range(x, _steps(bitA, "quantize_active_overflow", "bitA"))


def quantize_weight_overflow(x: Any, bitW: int) -> tf.Tensor:
    """Round weights as [`quantize_active_overflow`][] rounds activations.

    Parameters
    ----------
    x
        Any shape, any floating type.
    bitW
        The number of bits, 1 to 32; 32 leaves `x` as it is.

    Raises
    ------
    InvalidArgument
        `bitW` is not one of 1 to 32.

    Examples
    --------
    >>> quantize_weight_overflow(tf.constant([-1.0, 0.1, 1.0]), 1).numpy().tolist()
    [-1.0, 1.0, 1.0]
    """
    return _over_range(x, _steps(bitW, "quantize_weight_overflow", "bitW"))


def _steps(value: int, who: str, what: str, is_forced: bool = False) -> float | None:
    """Return the number of steps between the levels; None for values that are not rounded."""
    found = bits(value, who, what)
    return None if found == EXACT_BITS and not is_forced else 2.0**found - 1


def _straight_through(rounded: Callable[[tf.Tensor], tf.Tensor], x: Any) -> tf.Tensor:
    """Return `rounded(x)`, with the gradient of `x`."""
    x = tf.convert_to_tensor(x)
    return tf.cast(tf.grad_pass_through(rounded)(widened(x)), x.dtype)


def _is_large(sizes: tf.Tensor) -> tf.Tensor:
    """Return 1 where ternary weights are not 0, else 0."""
    return tf.cast(sizes > TERNARY_THRESHOLD * tf.reduce_mean(sizes), sizes.dtype)


def _mean_where(is_large: tf.Tensor, sizes: tf.Tensor) -> tf.Tensor:
    return tf.math.divide_no_nan(tf.reduce_sum(sizes * is_large), tf.reduce_sum(is_large))


def _over_range(x: Any, n: float | None) -> tf.Tensor:
    if n is None:
        return tf.convert_to_tensor(x)

    def rounded(x: tf.Tensor) -> tf.Tensor:
        low = tf.reduce_min(x)
        step = (tf.reduce_max(x) - low) / n
        # All values may be equal, such as those of a black image.
        return tf.round(tf.math.divide_no_nan(x - low, step)) * step + low

    return _straight_through(rounded, x)
