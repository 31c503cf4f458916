"""Penalties on weight matrices.

Each function takes a strength and returns a function of a matrix ``(n_in, n_out)``, to be added to
the loss:

    loss = tl.cost.cross_entropy(net(x), y) + tl.cost.lo_regularizer(0.01)(net.all_params[0])
"""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Callable

import tensorflow as tf

from tensorlayer.cost.numerics import norm, wide
from tensorlayer.errors import InvalidArgument, WrongShape

__all__ = [
    "Regularizer",
    "li_regularizer",
    "lo_regularizer",
    "maxnorm_i_regularizer",
    "maxnorm_o_regularizer",
    "maxnorm_regularizer",
]


@dataclasses.dataclass(frozen=True)
class Regularizer:
    """A penalty with its strength: called with weights, it returns a scalar, or None for 0.

    Two of the same kind and strength are equal.
    """

    kind: str  #: the function that made it
    scale: float  #: the strength
    scope: str | None = dataclasses.field(default=None, compare=False)  #: the operation's name

    def __call__(self, weights: tf.Tensor, name: str | None = None) -> tf.Tensor | None:
        """Return ``scale * penalty(weights)``.

        Raises
        ------
        WrongShape
            The kind looks at rows or columns, and the weights are no matrix.
        """
        if self.scale == 0:
            return None
        weights = wide(weights)
        if self.kind != "maxnorm_regularizer" and weights.shape.rank != 2:
            raise WrongShape(
                f"{self.kind}: the weights must be a matrix (n_in, n_out), got shape "
                f"{weights.shape}. Reshape a kernel with tf.reshape(kernel, [-1, n_out])."
            )
        penalty = _PENALTIES[self.kind](weights)
        return tf.multiply(penalty, self.scale, name=name or self.scope)


_PENALTIES: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "li_regularizer": lambda W: tf.reduce_sum(norm(W, 1)),
    "lo_regularizer": lambda W: tf.reduce_sum(norm(W, 0)),
    "maxnorm_regularizer": lambda W: tf.reduce_max(tf.abs(W)),
    "maxnorm_o_regularizer": lambda W: tf.reduce_sum(tf.reduce_max(tf.abs(W), 0)),
    "maxnorm_i_regularizer": lambda W: tf.reduce_sum(tf.reduce_max(tf.abs(W), 1)),
}


def li_regularizer(scale: float, scope: str | None = None) -> Regularizer:
    r"""Group sparsity of inputs: $s\sum_i\sqrt{\sum_j W_{ij}^2}$, the norms of the rows.

    Parameters
    ----------
    scale
        The strength, a float in [0, 1). With 0 the regularizer returns None: nothing to add.
    scope
        The name of the operation.

    Raises
    ------
    InvalidArgument
        ``scale`` is an integer, negative, or 1 or more.

    Examples
    --------
    >>> li_regularizer(0.5)(tf.constant([[3.0, 4.0], [0.0, 0.0]])).numpy().item()
    2.5
    """
    return _regularizer("li_regularizer", scale, scope, limit=1.0)


def lo_regularizer(scale: float, scope: str | None = None) -> Regularizer:
    r"""Group sparsity of outputs: $s\sum_j\sqrt{\sum_i W_{ij}^2}$, the norms of the columns.

    Parameters
    ----------
    scale
        The strength, a float in [0, 1). With 0 the regularizer returns None.
    scope
        The name of the operation.

    Raises
    ------
    InvalidArgument
        ``scale`` is an integer, negative, or 1 or more.

    Examples
    --------
    >>> lo_regularizer(0.5)(tf.constant([[3.0, 4.0], [0.0, 0.0]])).numpy().item()
    3.5
    """
    return _regularizer("lo_regularizer", scale, scope, limit=1.0)


def maxnorm_regularizer(scale: float = 1.0, scope: str | None = None) -> Regularizer:
    r"""Penalty on the largest weight: $s\max_{ij}|W_{ij}|$.

    Parameters
    ----------
    scale
        The strength, a float that is not negative. With 0 the regularizer returns None.
    scope
        The name of the operation.

    Raises
    ------
    InvalidArgument
        ``scale`` is an integer or negative.

    Examples
    --------
    >>> maxnorm_regularizer(0.5)(tf.constant([[3.0, -4.0], [1.0, 0.0]])).numpy().item()
    2.0
    """
    return _regularizer("maxnorm_regularizer", scale, scope)


def maxnorm_o_regularizer(scale: float, scope: str | None = None) -> Regularizer:
    r"""Penalty on the largest weight of each output: $s\sum_j\max_i|W_{ij}|$.

    Parameters
    ----------
    scale
        The strength, a float that is not negative. With 0 the regularizer returns None.
    scope
        The name of the operation.

    Raises
    ------
    InvalidArgument
        ``scale`` is an integer or negative.

    Examples
    --------
    >>> maxnorm_o_regularizer(0.5)(tf.constant([[3.0, -4.0], [1.0, 0.0]])).numpy().item()
    3.5
    """
    return _regularizer("maxnorm_o_regularizer", scale, scope)


def maxnorm_i_regularizer(scale: float, scope: str | None = None) -> Regularizer:
    r"""Penalty on the largest weight of each input: $s\sum_i\max_j|W_{ij}|$.

    Parameters
    ----------
    scale
        The strength, a float that is not negative. With 0 the regularizer returns None.
    scope
        The name of the operation.

    Raises
    ------
    InvalidArgument
        ``scale`` is an integer or negative.

    Examples
    --------
    >>> maxnorm_i_regularizer(0.5)(tf.constant([[3.0, -4.0], [1.0, 0.0]])).numpy().item()
    2.5
    """
    return _regularizer("maxnorm_i_regularizer", scale, scope)


def _regularizer(
    kind: str, scale: float, scope: str | None, limit: float = float("inf")
) -> Regularizer:
    is_float = isinstance(scale, numbers.Real) and not isinstance(scale, numbers.Integral)
    if not is_float or not 0 <= scale < limit:
        raise InvalidArgument(
            f"{kind}: scale must be a float in [0, {limit:g}), got {scale!r}. It multiplies the "
            "penalty; an integer is most likely a mistake."
        )
    return Regularizer(kind, float(scale), scope)
