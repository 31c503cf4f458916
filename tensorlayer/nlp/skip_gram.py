"""Batches for skip-gram word embeddings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tensorlayer.errors import InvalidArgument
from tensorlayer.seeds import Seed, from_python, generator

__all__ = ["generate_skip_gram_batch"]


def generate_skip_gram_batch(
    data: Sequence[int] | np.ndarray,
    batch_size: int,
    num_skips: int,
    skip_window: int,
    data_index: int = 0,
    seed: Seed = None,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Make a batch of words and words from their surroundings.

    Parameters
    ----------
    data
        Word ids; a list or an array, which is not copied.
    batch_size
        The number of pairs.
    num_skips
        How many different neighbours of each word are drawn.
    skip_window
        How many words to the left and to the right are neighbours.
    data_index
        Where the first window begins: its middle, ``skip_window`` further, is the first word. The
        data is a ring, so windows at its end go on at its beginning.
    seed
        A number or a generator; with None each call draws other neighbours, as ``random.seed``
        decides.

    Returns
    -------
    batch : ndarray of int32, (batch_size,)
        Each word ``num_skips`` times.
    labels : ndarray of int32, (batch_size, 1)
        The neighbours.
    data_index : int
        For the next batch, which goes on with the next word. (TensorLayer 1.x and 2.x left out
        ``2 * skip_window + 1`` words between batches.)

    Raises
    ------
    InvalidArgument
        ``batch_size`` is no multiple of ``num_skips``, there are fewer than ``num_skips``
        neighbours, or there is no data.

    References
    ----------
    T. Mikolov and others: Distributed representations of words and phrases and their
    compositionality. NIPS 2013.

    Examples
    --------
    >>> data = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    >>> batch, labels, data_index = generate_skip_gram_batch(
    ...     data, batch_size=8, num_skips=2, skip_window=1
    ... )
    >>> batch
    array([1, 1, 2, 2, 3, 3, 4, 4], dtype=int32)
    >>> sorted(labels[:2, 0].tolist()), labels.shape, data_index
    ([0, 2], (8, 1), 4)
    """
    _check(len(data), batch_size, num_skips, skip_window)
    rng = generator(seed, otherwise=from_python)
    n_words = batch_size // num_skips
    centres = data_index + skip_window + np.arange(n_words)
    around = np.r_[-skip_window:0, 1 : skip_window + 1]
    drawn = rng.permuted(np.tile(around, (n_words, 1)), axis=1)[:, :num_skips]
    batch = _take(data, np.repeat(centres, num_skips))
    labels = _take(data, (centres[:, None] + drawn).ravel())
    return batch, labels[:, None], (data_index + n_words) % len(data)


def _take(data: Sequence[int] | np.ndarray, places: np.ndarray) -> np.ndarray:
    places %= len(data)
    if isinstance(data, np.ndarray):
        return data[places].astype(np.int32)
    return np.array([data[place] for place in places.tolist()], np.int32)


def _check(n_data: int, batch_size: int, num_skips: int, skip_window: int) -> None:
    who = "generate_skip_gram_batch"
    if not n_data:
        raise InvalidArgument(f"{who}: data is empty. Give word ids.")
    if not 1 <= num_skips <= 2 * skip_window:
        raise InvalidArgument(
            f"{who}: num_skips is from 1 to 2 * skip_window, the number of neighbours, got "
            f"num_skips={num_skips}, skip_window={skip_window}."
        )
    if batch_size < 1 or batch_size % num_skips:
        raise InvalidArgument(
            f"{who}: batch_size is a multiple of num_skips, got batch_size={batch_size}, "
            f"num_skips={num_skips}."
        )
