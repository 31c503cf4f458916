"""Cross entropies."""

from __future__ import annotations

import tensorflow as tf

from tensorlayer.cost.numerics import pair, wide
from tensorlayer.errors import InvalidArgument, WrongShape

__all__ = ["binary_cross_entropy", "cross_entropy", "sigmoid_cross_entropy"]


def cross_entropy(output: tf.Tensor, target: tf.Tensor, name: str | None = None) -> tf.Tensor:
    r"""Softmax cross entropy of logits and class numbers: $-\frac1B\sum_i\log p_{i,t_i}$.

    Parameters
    ----------
    output
        Logits, ``(batch, classes)``, or ``(..., classes)``.
    target
        Class numbers, integers in [0, classes), ``(batch,)``, or ``(...)``.
    name
        The name of the operation; optional, as in TensorLayer 2.x.

    Returns
    -------
    tf.Tensor
        A scalar, the mean over the batch.

    Raises
    ------
    WrongShape
        The target does not have one axis less than the logits.

    Examples
    --------
    >>> cross_entropy(tf.zeros([2, 4]), tf.constant([0, 3])).numpy().item()
    1.386...
    """
    logits, labels = wide(output), tf.convert_to_tensor(target)
    ranks = logits.shape.rank, labels.shape.rank
    if None not in ranks and ranks[1] != ranks[0] - 1:
        raise WrongShape(
            "cross_entropy: the target holds class numbers and has one axis less than the logits, "
            f"got shapes {labels.shape} and {logits.shape}. Use tf.squeeze(target, -1), or "
            "tf.argmax(target, -1) for one-hot targets."
        )
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return tf.reduce_mean(losses, name=name)


def sigmoid_cross_entropy(
    output: tf.Tensor, target: tf.Tensor, name: str | None = None
) -> tf.Tensor:
    r"""Sigmoid cross entropy: the mean of $-t\log\sigma(x)-(1-t)\log(1-\sigma(x))$.

    Parameters
    ----------
    output
        Logits, any shape.
    target
        Probabilities or 0 and 1, the same shape.
    name
        The name of the operation.

    Returns
    -------
    tf.Tensor
        A scalar, the mean over all values.

    Raises
    ------
    WrongShape
        Output and target have different ranks.

    Examples
    --------
    >>> sigmoid_cross_entropy(tf.zeros([2, 1]), tf.ones([2, 1])).numpy().item()
    0.693...
    """
    logits, labels = pair("sigmoid_cross_entropy", output, target)
    if labels.shape.rank == 0:
        labels = tf.broadcast_to(labels, tf.shape(logits))
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)
    return tf.reduce_mean(losses, name=name)


def binary_cross_entropy(
    output: tf.Tensor, target: tf.Tensor, epsilon: float = 1e-8, name: str = "bce_loss"
) -> tf.Tensor:
    r"""Binary cross entropy of probabilities.

    $$
    -\frac1B\sum_i\sum_j t_{ij}\log(p_{ij}+\epsilon)+(1-t_{ij})\log(1-p_{ij}+\epsilon)
    $$

    Parameters
    ----------
    output
        Probabilities, ``(batch, n)``; what rounding left outside [0, 1] counts as 0 or 1. For
        logits, [`sigmoid_cross_entropy`][] is more exact.
    target
        Probabilities or 0 and 1, the same shape.
    epsilon
        Bounds the loss of a probability of 0 or 1 that is wrong: 1e-8 to 18.4.
    name
        The name of the operation.

    Returns
    -------
    tf.Tensor
        A scalar: the sum over axis 1, averaged over the rest.

    Raises
    ------
    InvalidArgument
        ``epsilon`` is not positive.
    WrongShape
        There is no axis 1, or output and target have different ranks.

    Examples
    --------
    >>> binary_cross_entropy(tf.fill([2, 3], 0.5), tf.ones([2, 3])).numpy().item()
    2.079...
    """
    if not epsilon > 0:
        raise InvalidArgument(
            f"binary_cross_entropy: epsilon must be positive, got {epsilon!r}. It keeps the "
            "logarithm of a probability of 0 finite."
        )
    p, t = pair("binary_cross_entropy", output, target)
    if p.shape.rank is not None and p.shape.rank < 2:
        raise WrongShape(
            f"binary_cross_entropy: the loss is summed over axis 1, got shape {p.shape}. Use "
            "tf.expand_dims(output, -1), and the same for the target."
        )
    p = tf.clip_by_value(p, 0.0, 1.0)
    losses = -(t * tf.math.log(p + epsilon) + (1 - t) * tf.math.log(1 - p + epsilon))
    return tf.reduce_mean(tf.reduce_sum(losses, axis=1), name=name)
