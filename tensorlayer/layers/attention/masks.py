"""Which queries may look at which keys, as scores of attention show it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import tensorflow as tf

from tensorlayer.errors import WrongShape

__all__ = ["causal", "masked", "of_keys", "of_pairs"]


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
    """Return a mask `(batch, keys)`, non-zero where there is a key, in the shape of scores."""
    mask = tf.convert_to_tensor(mask)
    if mask.shape.rank not in {2, None}:
        raise WrongShape(f"{who!r}: a key_mask is (batch, keys), got shape {mask.shape}.")
    return tf.cast(mask, tf.bool)[:, tf.newaxis, tf.newaxis, :]


def of_pairs(mask: Any, who: Any) -> tf.Tensor:
    """Return a mask of pairs of queries and keys in the shape of scores.

    Floating-point numbers stay what they are; others become truth values.
    """
    mask = tf.convert_to_tensor(mask)
    if mask.shape.rank not in {2, 3, 4}:
        raise WrongShape(
            f"{who!r}: a mask is (queries, keys), (batch, queries, keys) or (batch, heads, "
            f"queries, keys), got shape {mask.shape}. What is (batch, keys) is a key_mask."
        )
    if mask.shape.rank == 3:
        mask = mask[:, tf.newaxis]
    return mask if mask.dtype.is_floating else tf.cast(mask, tf.bool)


def masked(scores: tf.Tensor, masks: Sequence[tf.Tensor]) -> tf.Tensor:
    """Return scores with floating-point masks added, and the least number where others say no.

    It is finite, so that a query that may look nowhere gives numbers: the mean of all values.
    """
    for mask in masks:
        if mask.dtype.is_floating:
            scores += tf.cast(mask, scores.dtype)
    if not (allowed := [mask for mask in masks if mask.dtype.is_bool]):
        return scores
    return tf.where(reduce(tf.logical_and, allowed), scores, scores.dtype.min)
