"""Which queries may look at which keys, as scores of attention show it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import tensorflow as tf

from tensorlayer.errors import WrongShape

__all__ = ["causal", "fitting", "masked", "of_keys", "of_pairs"]


def causal(scores: tf.Tensor, offset: Any = 0) -> tf.Tensor:
    """Return where a query meets a key that does not come after it.

    Parameters
    ----------
    scores
        `(..., queries, keys)`.
    offset
        The position of the first query among the keys.

    Examples
    --------
    >>> causal(tf.zeros([2, 3]), offset=1).numpy().astype(int).tolist()
    [[1, 1, 0], [1, 1, 1]]
    """
    return tf.linalg.band_part(tf.ones(tf.shape(scores)[-2:], tf.bool), -1, offset)


def of_keys(mask: Any, who: Any) -> tf.Tensor:
    """Return what is said of keys, `(batch, keys)`, in the shape of scores."""
    mask = tf.convert_to_tensor(mask)
    if mask.shape.rank not in {2, None}:
        raise WrongShape(f"{who!r}: a key_mask is (batch, keys), got shape {mask.shape}.")
    return mask[:, tf.newaxis, tf.newaxis, :]


def of_pairs(mask: Any, who: Any, what: str = "mask") -> tf.Tensor:
    """Return what is said of pairs of queries and keys, in the shape of scores."""
    mask = tf.convert_to_tensor(mask)
    if mask.shape.rank not in {2, 3, 4}:
        raise WrongShape(
            f"{who!r}: a {what} is (queries, keys), (batch, queries, keys) or (batch, heads, "
            f"queries, keys), got shape {mask.shape}. What is (batch, keys) is a key_mask."
        )
    return mask[:, tf.newaxis] if mask.shape.rank == 3 else mask


def fitting(mask: tf.Tensor, scores: tf.Tensor, who: Any, what: str) -> tf.Tensor:
    """Return what is said of pairs as it is, if its sizes are those of the scores, or 1.

    Raises
    ------
    WrongShape
        A size is another one.
    """
    sizes = [] if mask.shape.rank is None else mask.shape
    for size, wanted in zip(reversed(sizes), reversed(scores.shape), strict=False):
        if None not in {size, wanted} and size not in {1, wanted}:
            batch, _, queries, keys = scores.shape
            raise WrongShape(
                f"{who!r}: there are {queries} queries and {keys} keys in a batch of {batch}, and "
                f"the {what} is for {tuple(mask.shape)}: (batch, heads, queries, keys), where a "
                "size may be 1."
            )
    return mask


def masked(scores: tf.Tensor, masks: Sequence[tf.Tensor]) -> tf.Tensor:
    """Return the scores, with the least number where one of the masks is false, or 0.

    It is finite, so that a query that may look nowhere gives numbers: the mean of all values.
    """
    if not masks:
        return scores
    truth = reduce(tf.logical_and, (tf.cast(mask, tf.bool) for mask in masks))
    return tf.where(truth, scores, scores.dtype.min)
