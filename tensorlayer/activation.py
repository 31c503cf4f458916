"""Activation functions, and the one place where a name becomes a function.

The functions here are those that TensorLayer scripts know beside ``tf.nn``. Each takes any shape
and any floating type and keeps both. Wherever the library takes an activation it accepts ``None``,
a callable, or a string: one of [`NAMES`][], or ``"lrelu0.3"`` for a leaky ReLU of that slope.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument, did_you_mean

__all__ = [
    "Activation",
    "NAMES",
    "get",
    "identity",
    "linear",
    "leaky_relu",
    "lrelu",
    "leaky_relu6",
    "lrelu6",
    "leaky_twice_relu6",
    "ltrelu6",
    "ramp",
    "swish",
    "mish",
    "sign",
    "hard_tanh",
    "htanh",
    "pixel_wise_softmax",
]

#: A function of a tensor that keeps its shape and type.
Activation = Callable[[tf.Tensor], tf.Tensor]


def identity(x: tf.Tensor, name: str | None = None) -> tf.Tensor:
    """Return ``x`` as it is, for scripts that say so where ``None`` would do.

    Examples
    --------
    >>> identity(tf.constant(-1.5)).numpy().item()
    -1.5
    """
    return tf.identity(x, name=name)


def leaky_relu(x: tf.Tensor, alpha: float = 0.2, name: str = "leaky_relu") -> tf.Tensor:
    r"""Leaky rectifier: $f(x) = \max(x, \alpha x)$.

    Parameters
    ----------
    x
        Any shape, any floating type.
    alpha
        The slope below zero, in (0, 1]. 0.2 is what DCGAN and most GANs use; 1.6.7 took 0.1.
    name
        The name of the operation.

    Returns
    -------
    tf.Tensor
        The shape and type of ``x``.

    Raises
    ------
    InvalidArgument
        ``alpha`` is not in (0, 1].

    References
    ----------
    Maas et al., "Rectifier nonlinearities improve neural network acoustic models", ICML 2013.

    Examples
    --------
    >>> leaky_relu(tf.constant([-1.0, 2.0])).numpy().tolist()
    [-0.20000000298023224, 2.0]
    """
    _require_slope("leaky_relu", "alpha", alpha)
    return tf.nn.leaky_relu(x, alpha, name=name)


def leaky_relu6(x: tf.Tensor, alpha: float = 0.2, name: str = "leaky_relu6") -> tf.Tensor:
    r"""Leaky rectifier, at most 6: $f(x) = \min(\max(x, \alpha x), 6)$.

    Parameters
    ----------
    x
        Any shape, any floating type.
    alpha
        The slope below zero, in (0, 1].
    name
        The name of the operation.

    Returns
    -------
    tf.Tensor
        The shape and type of ``x``.

    Raises
    ------
    InvalidArgument
        ``alpha`` is not in (0, 1].

    References
    ----------
    Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010, for the bound: it lets a
    network learn sparse features earlier, and suits low precision.

    Examples
    --------
    >>> leaky_relu6(tf.constant([-2.0, 2.0, 8.0]), alpha=0.5).numpy().tolist()
    [-1.0, 2.0, 6.0]
    """
    _require_slope("leaky_relu6", "alpha", alpha)
    return tf.minimum(tf.nn.leaky_relu(x, alpha), 6, name=name)


def leaky_twice_relu6(
    x: tf.Tensor, alpha_low: float = 0.2, alpha_high: float = 0.2, name: str = "leaky_relu6"
) -> tf.Tensor:
    r"""Rectifier that leaks below 0 and above 6.

    $$
    f(x) = \begin{cases}
        \alpha_{low}\,x & x < 0 \\ x & 0 \le x \le 6 \\ 6 + \alpha_{high}(x-6) & x > 6
    \end{cases}
    $$

    Parameters
    ----------
    x
        Any shape, any floating type.
    alpha_low, alpha_high
        The slopes below 0 and above 6, in (0, 1].
    name
        The name of the operation.

    Returns
    -------
    tf.Tensor
        The shape and type of ``x``.

    Raises
    ------
    InvalidArgument
        A slope is not in (0, 1].

    Examples
    --------
    >>> leaky_twice_relu6(tf.constant([-2.0, 2.0, 8.0]), 0.5, 0.25).numpy().tolist()
    [-1.0, 2.0, 6.5]
    """
    _require_slope("leaky_twice_relu6", "alpha_low", alpha_low)
    _require_slope("leaky_twice_relu6", "alpha_high", alpha_high)
    lower = tf.nn.leaky_relu(x, alpha_low)
    return tf.minimum(lower, 6 + alpha_high * (lower - 6), name=name)


def ramp(x: tf.Tensor, v_min: float = 0, v_max: float = 1, name: str | None = None) -> tf.Tensor:
    r"""Ramp: $f(x) = \min(\max(x, v_{min}), v_{max})$.

    Parameters
    ----------
    x
        Any shape, any floating type.
    v_min, v_max
        The least and the largest value.
    name
        The name of the operation.

    Returns
    -------
    tf.Tensor
        The shape and type of ``x``.

    Raises
    ------
    InvalidArgument
        ``v_min`` is larger than ``v_max``.

    Examples
    --------
    >>> ramp(tf.constant([-2.0, 0.5, 2.0])).numpy().tolist()
    [0.0, 0.5, 1.0]
    """
    if v_min > v_max:
        raise InvalidArgument(f"ramp: v_min must not exceed v_max, got {v_min!r} and {v_max!r}.")
    x = tf.convert_to_tensor(x)
    low, high = tf.cast(v_min, x.dtype), tf.cast(v_max, x.dtype)
    return tf.clip_by_value(x, low, high, name=name)


def swish(x: tf.Tensor, name: str = "swish") -> tf.Tensor:
    r"""Swish, also known as SiLU: $f(x) = x\,\sigma(x)$.

    Parameters
    ----------
    x
        Any shape, any floating type.
    name
        The name of the operation.

    Returns
    -------
    tf.Tensor
        The shape and type of ``x``.

    References
    ----------
    Ramachandran et al., "Searching for activation functions", 2017.

    Examples
    --------
    >>> swish(tf.constant([-100.0, 0.0, 100.0])).numpy().tolist()
    [-0.0, 0.0, 100.0]
    """
    return tf.identity(tf.nn.silu(x), name=name)


def mish(x: tf.Tensor) -> tf.Tensor:
    r"""Mish: $f(x) = x\tanh(\log(1+e^x))$.

    Parameters
    ----------
    x
        Any shape, any floating type.

    Returns
    -------
    tf.Tensor
        The shape and type of ``x``.

    References
    ----------
    Misra, "Mish: a self regularized non-monotonic activation function", BMVC 2020.

    Examples
    --------
    >>> mish(tf.constant([0.0, 100.0])).numpy().tolist()
    [0.0, 100.0]
    """
    return x * tf.math.tanh(tf.math.softplus(x))


def sign(x: tf.Tensor) -> tf.Tensor:
    r"""Sign with a straight-through gradient: -1, 0 or 1 forward, $\pm1$ at most backward.

    The gradient of what comes after passes through, clipped to [-1, 1]: the true one is 0 nearly
    everywhere, and nothing before would learn.

    Parameters
    ----------
    x
        Any shape, any floating type.

    Returns
    -------
    tf.Tensor
        The shape and type of ``x``.

    Notes
    -----
    Hubara et al. also stop the gradient where $|x|>1$; for that, put [`hard_tanh`][]
    before.

    References
    ----------
    Hubara et al., "Binarized neural networks", NIPS 2016.

    Examples
    --------
    >>> x = tf.constant([-0.5, 0.0, 3.0])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = sign(x) * tf.constant([0.3, -0.3, 7.0])
    >>> sign(x).numpy().tolist()
    [-1.0, 0.0, 1.0]
    >>> tape.gradient(y, x).numpy().round(1).tolist()
    [0.3..., -0.3..., 1.0]
    """
    return _straight_through_sign(x)


@tf.custom_gradient
def _straight_through_sign(x: tf.Tensor) -> tuple[tf.Tensor, Any]:
    return tf.sign(x), lambda upstream: tf.clip_by_value(upstream, -1, 1)


def hard_tanh(x: tf.Tensor, name: str = "htanh") -> tf.Tensor:
    r"""Hard hyperbolic tangent: $f(x) = \min(\max(x, -1), 1)$.

    Parameters
    ----------
    x
        Any shape, any floating type.
    name
        The name of the operation.

    Returns
    -------
    tf.Tensor
        The shape and type of ``x``.

    Examples
    --------
    >>> hard_tanh(tf.constant([-2.0, 0.5, 2.0])).numpy().tolist()
    [-1.0, 0.5, 1.0]
    """
    return tf.clip_by_value(x, -1, 1, name=name)


def pixel_wise_softmax(x: tf.Tensor, name: str = "pixel_wise_softmax") -> tf.Tensor:
    r"""Softmax over the last axis: $f(x)_i = e^{x_i}/\sum_j e^{x_j}$.

    Parameters
    ----------
    x
        Logits, ``(batch, height, width, classes)`` or any other shape.
    name
        The name of the operation.

    Returns
    -------
    tf.Tensor
        The shape and type of ``x``; sums of 1 over the last axis.

    Examples
    --------
    >>> pixel_wise_softmax(tf.zeros([1, 1, 2, 4])).numpy().tolist()
    [[[[0.25, 0.25, 0.25, 0.25], [0.25, 0.25, 0.25, 0.25]]]]
    """
    return tf.nn.softmax(x, name=name)


linear = identity
lrelu = leaky_relu
lrelu6 = leaky_relu6
ltrelu6 = leaky_twice_relu6
htanh = hard_tanh

#: The activations that may be given by name.
NAMES: dict[str, Activation] = {
    "elu": tf.nn.elu,
    "gelu": tf.nn.gelu,
    "hard_tanh": hard_tanh,
    "htanh": hard_tanh,
    "identity": identity,
    "leaky_relu": leaky_relu,
    "leaky_relu6": leaky_relu6,
    "leaky_twice_relu6": leaky_twice_relu6,
    "linear": identity,
    "lrelu": leaky_relu,
    "lrelu6": leaky_relu6,
    "ltrelu6": leaky_twice_relu6,
    "mish": mish,
    "pixel_wise_softmax": pixel_wise_softmax,
    "ramp": ramp,
    "relu": tf.nn.relu,
    "relu6": tf.nn.relu6,
    "selu": tf.nn.selu,
    "sigmoid": tf.nn.sigmoid,
    "sign": sign,
    "softmax": tf.nn.softmax,
    "softplus": tf.nn.softplus,
    "swish": tf.nn.silu,
    "tanh": tf.nn.tanh,
}
_SLOPED = re.compile(r"l(?:eaky_)?relu(\d*\.?\d+)")


def get(act: str | Activation | None) -> Activation | None:
    """Return the activation that ``act`` stands for.

    Parameters
    ----------
    act
        ``None`` or a callable, returned as it is; or a name.

    Raises
    ------
    InvalidArgument
        Nothing has this name, or it is no activation at all.

    Examples
    --------
    >>> get("relu") is tf.nn.relu
    True
    >>> get("lrelu0.5")(tf.constant(-2.0)).numpy().item()
    -1.0
    >>> get("rellu")
    Traceback (most recent call last):
    ...
    tensorlayer.errors.InvalidArgument: unknown activation 'rellu'. Did you mean ...
    """
    if act is None or callable(act):
        return act
    if not isinstance(act, str):
        raise InvalidArgument(
            f"an activation is None, a callable or a name, got {act!r} of {type(act).__name__}."
        )
    if act in NAMES:
        return NAMES[act]
    sloped = _SLOPED.fullmatch(act)
    if sloped:
        return functools.partial(leaky_relu, alpha=float(sloped[1]))
    raise InvalidArgument(f"unknown activation {act!r}. {did_you_mean(act, NAMES)}")


def _require_slope(who: str, what: str, alpha: float) -> None:
    if not 0 < alpha <= 1:
        raise InvalidArgument(f"{who}: {what} must be in (0, 1], got {alpha!r}.")
