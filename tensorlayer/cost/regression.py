"""Errors of numbers and vectors."""

from __future__ import annotations

import tensorflow as tf

from tensorlayer.cost.numerics import Axis, norm, pair, ratio
from tensorlayer.errors import InvalidArgument

__all__ = [
    "absolute_difference_error",
    "cosine_similarity",
    "huber_loss",
    "mean_squared_error",
    "normalized_mean_square_error",
]

#: The part of the largest error of a batch at which a dynamic Huber loss bends (Laina et al.).
DYNAMIC_BEND = 0.2


def mean_squared_error(
    output: tf.Tensor,
    target: tf.Tensor,
    is_mean: bool = False,
    axis: Axis = -1,
    name: str = "mean_squared_error",
) -> tf.Tensor:
    r"""Squared error $(o-t)^2$, summed (or averaged) over ``axis``, averaged over the rest.

    Parameters
    ----------
    output, target
        The same shape.
    is_mean
        Average over ``axis`` instead of summing, so that the loss does not grow with its size.
    axis
        The last axis by default, as in TensorLayer 2.x; 1.x took all axes but the batch: for images
        that is ``axis=(1, 2, 3)``.
    name
        The name of the operation.

    Returns
    -------
    tf.Tensor
        A scalar.

    Raises
    ------
    WrongShape
        Output and target have different ranks.

    Examples
    --------
    >>> mean_squared_error(tf.zeros([2, 3]), tf.ones([2, 3])).numpy().item()
    3.0
    >>> mean_squared_error(tf.zeros([2, 3]), tf.ones([2, 3]), is_mean=True).numpy().item()
    1.0
    """
    squares = tf.math.squared_difference(*pair("mean_squared_error", output, target))
    return _reduce(squares, is_mean, axis, name)


def absolute_difference_error(
    output: tf.Tensor,
    target: tf.Tensor,
    is_mean: bool = False,
    axis: Axis = -1,
    name: str = "absolute_difference_error_loss",
) -> tf.Tensor:
    r"""Absolute error $|o-t|$, summed (or averaged) over ``axis``, averaged over the rest.

    Parameters
    ----------
    output, target
        The same shape.
    is_mean
        Average over ``axis`` instead of summing.
    axis
        The last axis by default, as in TensorLayer 2.x; 1.x took all axes but the batch.
    name
        The name of the operation.

    Returns
    -------
    tf.Tensor
        A scalar.

    Raises
    ------
    WrongShape
        Output and target have different ranks.

    Examples
    --------
    >>> absolute_difference_error(tf.zeros([2, 3]), -2 * tf.ones([2, 3])).numpy().item()
    6.0
    """
    output, target = pair("absolute_difference_error", output, target)
    return _reduce(tf.abs(output - target), is_mean, axis, name)


def normalized_mean_square_error(
    output: tf.Tensor,
    target: tf.Tensor,
    axis: Axis = -1,
    name: str = "normalized_mean_squared_error_loss",
) -> tf.Tensor:
    r"""Error relative to the target: the mean of ${\lVert o-t\rVert}_2/{\lVert t\rVert}_2$.

    Parameters
    ----------
    output, target
        The same shape.
    axis
        Of the norms. The last axis by default, as in TensorLayer 2.x; 1.x took all but the batch.
    name
        The name of the operation.

    Returns
    -------
    tf.Tensor
        A scalar.

    Raises
    ------
    WrongShape
        Output and target have different ranks.

    Notes
    -----
    These are norms, not squares, whatever the name says. A target of zeros only has no relative
    error; its absolute error counts.

    Examples
    --------
    >>> output, target = tf.constant([[3.0, 9.0]]), tf.constant([[3.0, 4.0]])
    >>> normalized_mean_square_error(output, target).numpy().item()
    1.0
    """
    output, target = pair("normalized_mean_square_error", output, target)
    target = tf.broadcast_to(target, tf.shape(output)) if target.shape.rank == 0 else target
    error, size = norm(output - target, axis), norm(target, axis)
    is_there = tf.not_equal(size, 0)
    return tf.reduce_mean(error / tf.where(is_there, size, tf.ones_like(size)), name=name)


def huber_loss(
    output: tf.Tensor,
    target: tf.Tensor,
    is_mean: bool = True,
    delta: float = 1.0,
    dynamichuber: bool = False,
    reverse: bool = False,
    axis: Axis = -1,
    epsilon: float = 1e-5,
    name: str | None = None,
) -> tf.Tensor:
    r"""Huber loss: quadratic for small errors, linear for large ones; or the reverse.

    With $d=|o-t|$ and the bend $c$, each value counts

    $$
    \begin{cases} d^2/2 & d \le c \\ c\,(d-c/2) & \text{else} \end{cases}
    \qquad\text{or, reversed,}\qquad
    \begin{cases} d & d \le c \\ (d^2+c^2)/(2c+\epsilon) & \text{else} \end{cases}
    $$

    Parameters
    ----------
    output, target
        The same shape.
    is_mean
        Average over ``axis``; otherwise sum over it. The rest is averaged.
    delta
        The bend $c$, in units of the error.
    dynamichuber
        Bend at a fifth of the largest error of this batch instead of at ``delta``; it counts as a
        constant for the gradient.
    reverse
        Linear for small errors, quadratic for large ones ("berHu"), which drives small errors of a
        regression further down.
    axis
        The axis to be reduced first.
    epsilon
        Keeps the reverse loss finite when every error is 0.
    name
        The name of the operation.

    Returns
    -------
    tf.Tensor
        A scalar.

    Raises
    ------
    InvalidArgument
        ``delta`` or ``epsilon`` is not positive.
    WrongShape
        Output and target have different ranks.

    References
    ----------
    Huber, "Robust estimation of a location parameter", 1964. Owen, "A robust hybrid of lasso and
    ridge regression", 2007. Laina et al., "Deeper depth prediction with fully convolutional
    residual networks", 3DV 2016: the reverse loss with a dynamic bend.

    Examples
    --------
    >>> output = tf.constant([[0.0, 0.0]])
    >>> huber_loss(output, tf.constant([[0.5, 3.0]])).numpy().item()  # (0.125 + 2.5) / 2
    1.3125
    >>> huber_loss(output, tf.constant([[0.5, 3.0]]), is_mean=False, reverse=True).numpy().item()
    5.49...
    """
    for what, value in (("delta", delta), ("epsilon", epsilon)):
        if not value > 0:
            raise InvalidArgument(f"huber_loss: {what} must be positive, got {value!r}.")
    error = tf.abs(tf.subtract(*pair("huber_loss", output, target)))
    c = tf.cast(delta, error.dtype)
    if dynamichuber:
        c = DYNAMIC_BEND * tf.stop_gradient(tf.reduce_max(error))
    if reverse:
        beyond = (tf.square(error) + tf.square(c)) / (2 * c + epsilon)
        losses = tf.where(error <= c, error, beyond)
    else:
        losses = tf.where(error <= c, tf.square(error) / 2, c * (error - c / 2))
    return _reduce(losses, is_mean, axis, name)


def cosine_similarity(v1: tf.Tensor, v2: tf.Tensor) -> tf.Tensor:
    r"""Cosine of the angle between vectors: $v_1\cdot v_2/(|v_1|\,|v_2|)$.

    Parameters
    ----------
    v1, v2
        ``(batch, n_features)``, or ``(..., n_features)``.

    Returns
    -------
    tf.Tensor
        One number in [-1, 1] for each pair, ``(batch,)``; 0 for a vector of zeros, which has no
        direction. Larger is more alike: as a loss, take it negative.

    Raises
    ------
    WrongShape
        The ranks differ.

    Examples
    --------
    >>> v1, v2 = tf.constant([[1.0, 0.0], [0.0, 2.0]]), tf.constant([[0.0, 1.0], [0.0, 5.0]])
    >>> cosine_similarity(v1, v2).numpy().tolist()
    [0.0, 1.0]
    """
    v1, v2 = pair("cosine_similarity", v1, v2)
    unit1, unit2 = (ratio(v, norm(v, -1, keepdims=True), empty=0.0) for v in (v1, v2))
    return tf.reduce_sum(unit1 * unit2, axis=-1)


def _reduce(values: tf.Tensor, is_mean: bool, axis: Axis, name: str | None) -> tf.Tensor:
    reduce = tf.reduce_mean if is_mean else tf.reduce_sum
    return tf.reduce_mean(reduce(values, axis), name=name)
