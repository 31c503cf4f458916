"""Losses.

Each is one formula over tensors. Those on logits apply softmax or sigmoid themselves, which is more
exact than a loss on probabilities.
"""

from __future__ import annotations

import tensorflow as tf

__all__ = ["cross_entropy", "mean_squared_error", "sigmoid_cross_entropy"]


def cross_entropy(output: tf.Tensor, target: tf.Tensor, name: str | None = None) -> tf.Tensor:
    r"""Softmax cross entropy of logits and class numbers: :math:`-\frac1B\sum_i\log p_{i,t_i}`.

    Parameters
    ----------
    output
        Logits, ``(batch, classes)``.
    target
        Class numbers, integers in [0, classes), ``(batch,)``.
    name
        The name of the operation; optional, as in TensorLayer 2.x.

    Returns
    -------
    tf.Tensor
        A scalar, the mean over the batch.

    Examples
    --------
    >>> cross_entropy(tf.zeros([2, 4]), tf.constant([0, 3])).numpy().item()
    1.386...
    """
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=output)
    return tf.reduce_mean(losses, name=name)


def sigmoid_cross_entropy(
    output: tf.Tensor, target: tf.Tensor, name: str | None = None
) -> tf.Tensor:
    r"""Sigmoid cross entropy: the mean of :math:`-t\log\sigma(x)-(1-t)\log(1-\sigma(x))`.

    Parameters
    ----------
    output
        Logits, any shape.
    target
        Probabilities or 0 and 1, the same shape and type.
    name
        The name of the operation.

    Returns
    -------
    tf.Tensor
        A scalar, the mean over all values.

    Examples
    --------
    >>> sigmoid_cross_entropy(tf.zeros([2, 1]), tf.ones([2, 1])).numpy().item()
    0.693...
    """
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=target, logits=output)
    return tf.reduce_mean(losses, name=name)


def mean_squared_error(
    output: tf.Tensor,
    target: tf.Tensor,
    is_mean: bool = False,
    axis: int | list[int] | tuple[int, ...] = -1,
    name: str = "mean_squared_error",
) -> tf.Tensor:
    r"""Squared error, summed (or averaged) over ``axis`` and averaged over the rest.

    Parameters
    ----------
    output, target
        The same shape.
    is_mean
        Average over ``axis`` instead of summing, so that the loss does not grow with its size.
    axis
        The last axis by default, as in TensorLayer 2.x; 1.x took all axes but the batch.
    name
        The name of the operation.

    Returns
    -------
    tf.Tensor
        A scalar.

    Examples
    --------
    >>> mean_squared_error(tf.zeros([2, 3]), tf.ones([2, 3])).numpy().item()
    3.0
    >>> mean_squared_error(tf.zeros([2, 3]), tf.ones([2, 3]), is_mean=True).numpy().item()
    1.0
    """
    reduce = tf.reduce_mean if is_mean else tf.reduce_sum
    squares = tf.math.squared_difference(output, target)
    return tf.reduce_mean(reduce(squares, axis), name=name)
