"""What keeps the losses finite and exact: wide types, norms and ratios that are safe at zero."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer.errors import WrongShape

__all__ = ["Axis", "norm", "pair", "ratio", "wide"]

Axis = int | list[int] | tuple[int, ...]


def wide(x: Any) -> tf.Tensor:
    """Return ``x`` in float64 if that is its type, else in float32.

    Examples
    --------
    >>> wide(tf.ones([2], tf.bfloat16)).dtype, wide([1, 2]).dtype
    (tf.float32, tf.float32)
    """
    x = tf.convert_to_tensor(x)
    return x if x.dtype == tf.float64 else tf.cast(x, tf.float32)


def pair(who: str, output: Any, target: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Return both as wide tensors of the output's type.

    Raises
    ------
    WrongShape
        The ranks differ and the target is no scalar.
    """
    output = wide(output)
    target = tf.cast(target, output.dtype)
    ranks = output.shape.rank, target.shape.rank
    if None not in ranks and ranks[1] not in (0, ranks[0]):
        raise WrongShape(
            f"{who}: output and target must have the same rank, got shapes {output.shape} and "
            f"{target.shape}. Reshape one of them, for example with tf.squeeze or tf.expand_dims."
        )
    return output, target


def norm(x: tf.Tensor, axis: Axis | None, keepdims: bool = False) -> tf.Tensor:
    """Return the Euclidean norm over ``axis``; its gradient is 0 where the norm is 0.

    Examples
    --------
    >>> norm(tf.constant([[3.0, 4.0], [0.0, 0.0]]), -1).numpy().tolist()
    [5.0, 0.0]
    """
    squares = tf.reduce_sum(tf.square(x), axis, keepdims)
    # The root is taken of 1 in place of 0: its slope at 0 is infinite, and 0 * inf is NaN.
    is_there = tf.not_equal(squares, 0)  # NaN is, and stays what it is
    roots = tf.sqrt(tf.where(is_there, squares, tf.ones_like(squares)))
    return tf.where(is_there, roots, tf.zeros_like(squares))


def ratio(part: tf.Tensor, whole: tf.Tensor, empty: float) -> tf.Tensor:
    """Return ``part / whole``, and ``empty`` where the whole is 0.

    Examples
    --------
    >>> ratio(tf.constant([1.0, 0.0]), tf.constant([2.0, 0.0]), empty=1.0).numpy().tolist()
    [0.5, 1.0]
    """
    is_there = tf.not_equal(whole, 0)
    quotient = part / tf.where(is_there, whole, tf.ones_like(whole))
    return tf.where(is_there, quotient, empty * tf.ones_like(quotient))
