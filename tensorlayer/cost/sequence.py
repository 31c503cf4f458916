"""Cross entropies of sequences of words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from tensorlayer.cost.numerics import ratio, wide
from tensorlayer.errors import InvalidArgument

__all__ = ["cross_entropy_seq", "cross_entropy_seq_with_mask", "sequence_loss_by_example"]


def cross_entropy_seq(
    logits: tf.Tensor, target_seqs: tf.Tensor, batch_size: int | tf.Tensor | None = None
) -> tf.Tensor:
    r"""Softmax cross entropy of sequences of one length: $-\frac1B\sum_i\log p_{i,t_i}$.

    Parameters
    ----------
    logits
        ``(batch * n_steps, vocabulary)``, or ``(batch, n_steps, vocabulary)``.
    target_seqs
        Word numbers, any shape with one for each row of logits.
    batch_size
        $B$. None for 1: the sum over all words.

    Returns
    -------
    tf.Tensor
        A scalar: the *sum* over the words, for each sequence. Divided by the number of steps it is
        the logarithm of the perplexity.

    Raises
    ------
    InvalidArgument
        ``batch_size`` is not positive.

    Examples
    --------
    >>> logits, words = tf.zeros([2 * 3, 10]), tf.constant([[4, 2, 6], [1, 1, 0]])
    >>> cross_entropy_seq(logits, words, batch_size=2).numpy().item()  # 3 * log(10)
    6.9077...
    """
    if isinstance(batch_size, int) and batch_size < 1:
        raise InvalidArgument(f"cross_entropy_seq: batch_size must be positive, got {batch_size}.")
    labels = tf.reshape(target_seqs, [-1])
    cost = tf.reduce_sum(_losses(labels, logits))
    return cost if batch_size is None else cost / tf.cast(batch_size, cost.dtype)


def cross_entropy_seq_with_mask(
    logits: tf.Tensor,
    target_seqs: tf.Tensor,
    input_mask: tf.Tensor,
    return_details: bool = False,
    name: str | None = None,
) -> Any:
    r"""Softmax cross entropy of sequences of different lengths.

    $$
    -\frac{\sum_i m_i\log p_{i,t_i}}{\sum_i m_i}
    $$

    Parameters
    ----------
    logits
        ``(batch * n_steps, vocabulary)``, or ``(batch, n_steps, vocabulary)``.
    target_seqs
        Word numbers, one for each row of logits. Where the mask is 0 any number may stand, also one
        outside the vocabulary.
    input_mask
        1 for words, 0 for padding, as ``target_seqs``; or any weights.
    return_details
        Return also what the mean is made of.
    name
        The name of the operation.

    Returns
    -------
    tf.Tensor, or a tuple of four
        A scalar, the mean over what the mask admits; 0 if that is nothing. With ``return_details``
        ``(mean, losses, weights, targets)``, the last three flat, losses already weighted.

    Examples
    --------
    >>> logits, words = tf.zeros([2 * 3, 10]), tf.constant([[4, 2, 6], [1, -1, -1]])
    >>> cross_entropy_seq_with_mask(logits, words, [[1, 1, 1], [1, 0, 0]]).numpy().item()
    2.3025...
    """
    logits, weights = wide(logits), wide(tf.reshape(input_mask, [-1]))
    weights = tf.cast(weights, logits.dtype)
    targets = tf.reshape(target_seqs, [-1])
    is_word = tf.not_equal(weights, 0)
    labels = tf.where(is_word, targets, tf.zeros_like(targets))
    losses = _losses(labels, logits) * weights
    loss = tf.identity(ratio(tf.reduce_sum(losses), tf.reduce_sum(weights), empty=0.0), name=name)
    return (loss, losses, weights, targets) if return_details else loss


def sequence_loss_by_example(
    logits: Sequence[tf.Tensor],
    targets: Sequence[tf.Tensor],
    weights: Sequence[tf.Tensor],
    average_across_timesteps: bool = True,
    softmax_loss_function: Callable[..., tf.Tensor] | None = None,
    name: str | None = None,
) -> tf.Tensor:
    r"""Weighted cross entropy of each sequence: $\sum_t w_t L_t$ or $\sum w L/\sum w$.

    Parameters
    ----------
    logits
        A list over time of ``(batch, vocabulary)``.
    targets
        A list over time of word numbers, ``(batch,)``.
    weights
        A list over time of weights, ``(batch,)``; 0 for padding.
    average_across_timesteps
        Divide by the sum of the weights of each sequence.
    softmax_loss_function
        Called with ``labels=, logits=`` in place of the softmax cross entropy, for example a
        sampled softmax.
    name
        The name of the operation.

    Returns
    -------
    tf.Tensor
        One loss for each sequence, ``(batch,)``; 0 for one whose weights are all 0.

    Raises
    ------
    InvalidArgument
        The lists are empty or differ in length.

    Examples
    --------
    >>> steps = [tf.zeros([2, 10])] * 3
    >>> words = [tf.constant([4, 1])] * 3
    >>> weights = [tf.constant([1.0, 1.0]), tf.constant([1.0, 0.0]), tf.constant([1.0, 0.0])]
    >>> losses = sequence_loss_by_example(steps, words, weights, average_across_timesteps=False)
    >>> losses.numpy().tolist()  # 3 and 1 times log(10)
    [6.9077..., 2.3025...]
    """
    lengths = len(logits), len(targets), len(weights)
    if len(set(lengths)) > 1 or not lengths[0]:
        raise InvalidArgument(
            "sequence_loss_by_example: logits, targets and weights are lists with one tensor for "
            f"each time step, got lengths {lengths}."
        )
    loss_of = softmax_loss_function or _losses
    weights = [wide(weight) for weight in weights]
    losses = [
        wide(loss_of(labels=target, logits=logit)) * tf.cast(weight, wide(logit).dtype)
        for logit, target, weight in zip(logits, targets, weights, strict=True)
    ]
    total = tf.add_n(losses)
    if average_across_timesteps:
        total = ratio(total, tf.cast(tf.add_n(weights), total.dtype), empty=0.0)
    return tf.identity(total, name=name)


def _losses(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return the loss of each word, flat."""
    logits = wide(logits)
    if logits.shape.rank != 2:
        logits = tf.reshape(logits, [-1, tf.shape(logits)[-1]])
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
