"""Activation functions, and the one place where a name becomes a function.

The functions here are those that TensorLayer scripts know beside ``tf.nn``. Wherever the library
takes an activation it accepts ``None``, a callable, or a string: one of :data:`NAMES`, or
``"lrelu0.3"`` for a leaky ReLU of that slope.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

import tensorflow as tf

from tensorlayer.errors import InvalidArgument, did_you_mean

__all__ = ["Activation", "NAMES", "get", "leaky_relu", "lrelu"]

Activation = Callable[[tf.Tensor], tf.Tensor]


def leaky_relu(x: tf.Tensor, alpha: float = 0.2, name: str = "leaky_relu") -> tf.Tensor:
    r"""Leaky rectifier: :math:`f(x) = \max(x, \alpha x)`.

    Parameters
    ----------
    x
        Any shape, any floating type.
    alpha
        The slope below zero, in (0, 1]. 0.2 is what DCGAN and most GANs use.
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
    if not 0 < alpha <= 1:
        raise InvalidArgument(f"leaky_relu: alpha must be in (0, 1], got {alpha!r}.")
    return tf.nn.leaky_relu(x, alpha, name=name)


lrelu = leaky_relu

NAMES: dict[str, Activation] = {
    "elu": tf.nn.elu,
    "gelu": tf.nn.gelu,
    "leaky_relu": leaky_relu,
    "lrelu": leaky_relu,
    "relu": tf.nn.relu,
    "relu6": tf.nn.relu6,
    "selu": tf.nn.selu,
    "sigmoid": tf.nn.sigmoid,
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
