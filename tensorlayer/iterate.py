"""Mini-batches of arrays and lists.

The data set is never copied: each batch is a slice of it, or, shuffled, a copy of that batch
alone; strips of a sequence are copied some batches at a time. So memory-mapped arrays and others
that are read as they are indexed work as well. (Tensors are in memory: NumPy sees them as they
are.) A slice of an array is a view: write into a batch and you write into the data.

Arguments are checked when a function is called, not when the first batch is asked for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tensorlayer.errors import InvalidArgument
from tensorlayer.seeds import Seed, generator

__all__ = ["Data", "minibatches", "ptb_iterator", "seq_minibatches", "seq_minibatches2"]

#: An array, a list, or whatever else has a length and an index.
Data = np.ndarray | Sequence[Any]

#: Batches of strips that are read at once, and their size: a read has a price, and so has memory.
_BATCHES_AT_ONCE, _BYTES_AT_ONCE = 256, 2**25


def minibatches(
    inputs: Data | None = None,
    targets: Data | None = None,
    batch_size: int | None = None,
    allow_dynamic_batch_size: bool = False,
    shuffle: bool = False,
    seed: Seed = None,
) -> Iterator[tuple[Any, Any]]:
    """Yield batches of samples and their targets, each sample once.

    Parameters
    ----------
    inputs, targets
        Arrays or lists of the same length.
    batch_size
        Samples in a batch.
    allow_dynamic_batch_size
        Yield what is left at the end as a shorter batch; otherwise it is dropped.
    shuffle
        In random order, samples and targets alike.
    seed
        Of the order: an integer for the same order every time, or a generator, which goes on from
        epoch to epoch. None for a fresh order.

    Yields
    ------
    tuple
        ``batch_size`` samples and their targets: arrays of arrays, lists of lists.

    Raises
    ------
    InvalidArgument
        The lengths differ, or ``batch_size`` is no positive integer.

    Examples
    --------
    >>> X, y = np.arange(10).reshape(5, 2), ["a", "b", "c", "d", "e"]
    >>> for batch, names in minibatches(X, y, batch_size=2):
    ...     print(batch.tolist(), names)
    [[0, 1], [2, 3]] ['a', 'b']
    [[4, 5], [6, 7]] ['c', 'd']
    """
    _require_equal_lengths("minibatches", inputs, targets)
    _require_positive("minibatches", batch_size=batch_size)
    stop = len(inputs) if allow_dynamic_batch_size else len(inputs) - batch_size + 1
    order = generator(seed).permutation(len(inputs)) if shuffle else None
    if shuffle:
        inputs, targets = _as_array(inputs), _as_array(targets)

    def batches() -> Iterator[tuple[Any, Any]]:
        for start in range(0, stop, batch_size):
            part = slice(start, start + batch_size)
            if order is None:
                yield inputs[part], targets[part]
            else:
                yield _take(inputs, order[part]), _take(targets, order[part])

    return batches()


def seq_minibatches(
    inputs: Data, targets: Data, batch_size: int, seq_length: int, stride: int = 1
) -> Iterator[tuple[Any, Any]]:
    """Yield batches of windows of a long sequence, laid end to end.

    Parameters
    ----------
    inputs, targets
        Arrays or lists of the same length, a step of the sequence each.
    batch_size
        Windows in a batch.
    seq_length
        Steps in a window.
    stride
        Steps from the start of a window to that of the next; below ``seq_length`` they overlap.

    Yields
    ------
    tuple
        ``(batch_size * seq_length, ...)`` steps and their targets, window after window, for layers
        that see single steps; reshape to ``(batch_size, seq_length, ...)`` for others. Windows that
        do not fill a batch are dropped.

    Raises
    ------
    InvalidArgument
        The lengths differ, or a size is no positive integer.

    Examples
    --------
    >>> X, y = np.arange(10, 16), np.arange(6)
    >>> for steps, numbers in seq_minibatches(X, y, batch_size=2, seq_length=3, stride=1):
    ...     print(steps, numbers)
    [10 11 12 11 12 13] [0 1 2 1 2 3]
    [12 13 14 13 14 15] [2 3 4 3 4 5]
    """
    _require_equal_lengths("seq_minibatches", inputs, targets)
    _require_positive(
        "seq_minibatches", batch_size=batch_size, seq_length=seq_length, stride=stride
    )
    windows = (np.arange(batch_size) * stride)[:, None] + np.arange(seq_length)
    last = len(inputs) - windows[-1, -1]
    inputs, targets = _as_array(inputs), _as_array(targets)

    def batches() -> Iterator[tuple[Any, Any]]:
        for start in range(0, last, batch_size * stride):
            steps = (start + windows).ravel()
            yield _take(inputs, steps), _take(targets, steps)

    return batches()


def seq_minibatches2(
    inputs: Data, targets: Data, batch_size: int, num_steps: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield pieces of a long sequence such that each row of a batch goes on in the next batch.

    The data is cut into ``batch_size`` strips, and batch after batch walks along all of them, so a
    recurrent layer can carry its state over.

    Parameters
    ----------
    inputs, targets
        Arrays or lists of the same length, a step of the sequence each.
    batch_size
        Strips, the rows of a batch.
    num_steps
        Steps in a batch.

    Yields
    ------
    tuple of arrays
        ``(batch_size, num_steps, ...)`` steps and their targets, in the types of the data. Steps
        that do not fill a batch are dropped.

    Raises
    ------
    InvalidArgument
        The lengths differ, a size is no positive integer, or there is too little data.

    Examples
    --------
    >>> X, y = list(range(20)), list(range(20, 40))
    >>> first, *others = seq_minibatches2(X, y, batch_size=2, num_steps=3)
    >>> first[0].tolist(), first[1].tolist(), len(others)
    ([[0, 1, 2], [10, 11, 12]], [[20, 21, 22], [30, 31, 32]], 2)
    """
    _require_equal_lengths("seq_minibatches2", inputs, targets)
    strips = _Strips("seq_minibatches2", (inputs, targets), batch_size, num_steps, ahead=0)
    # Copies: whoever writes into a batch does not write into the data.
    both = zip(*(map(np.array, strips.blocks(each)) for each in (inputs, targets)), strict=True)
    return ((x[:, part], y[:, part]) for x, y in both for part in strips.parts(x.shape[1]))


def ptb_iterator(
    raw_data: Data, batch_size: int, num_steps: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield words and the words that follow them, each row going on in the next batch.

    Parameters
    ----------
    raw_data
        Word numbers of a text.
    batch_size
        Strips of the text, the rows of a batch.
    num_steps
        Words in a row.

    Yields
    ------
    tuple of arrays
        Words and, one further on, the words to be predicted: both ``(batch_size, num_steps)`` of
        int32. They share their memory: copy what you write to.

    Raises
    ------
    InvalidArgument
        A size is no positive integer, or there is too little data; and, when it is read, a number
        that is no int32.

    Examples
    --------
    >>> for x, y in ptb_iterator(list(range(10)), batch_size=2, num_steps=2):
    ...     print(x.tolist(), y.tolist())
    [[0, 1], [5, 6]] [[1, 2], [6, 7]]
    [[2, 3], [7, 8]] [[3, 4], [8, 9]]
    """
    strips = _Strips("ptb_iterator", (raw_data,), batch_size, num_steps, ahead=1)
    blocks = _blocks_of_ids(strips, raw_data)
    both = ((block[:, :-1], block[:, 1:]) for block in blocks)
    return ((x[:, part], y[:, part]) for x, y in both for part in strips.parts(x.shape[1]))


class _Strips:
    """A sequence in strips, one for each row of a batch, which are walked along together."""

    def __init__(
        self, who: str, data: tuple[Data, ...], batch_size: int, num_steps: int, ahead: int
    ) -> None:
        """Check the sizes; ``ahead`` more steps are needed at the end of a batch."""
        _require_positive(who, batch_size=batch_size, num_steps=num_steps)
        n_steps = _length(who, data[0])
        length = n_steps // batch_size
        n_batches = (length - ahead) // num_steps
        if n_batches < 1:
            raise InvalidArgument(
                f"{who}: {n_steps} steps make {batch_size} strips of {length}, and a batch needs "
                f"{num_steps + ahead}. Decrease batch_size or num_steps."
            )
        self._starts = range(0, batch_size * length, length)
        self._end, self._num_steps, self._ahead = n_batches * num_steps, num_steps, ahead
        step_bytes = max(1, *(np.asarray(each[0:1]).nbytes for each in data))
        fitting = _BYTES_AT_ONCE // (batch_size * num_steps * step_bytes)
        self._at_once = min(max(1, fitting), _BATCHES_AT_ONCE)

    def blocks(self, data: Data) -> Iterator[np.ndarray]:
        """Yield arrays (batch_size, steps of some batches + ahead, ...); may be the data's own."""
        if isinstance(data, (list, tuple)) or hasattr(data, "numpy"):
            data = np.asarray(data)
        if isinstance(data, np.ndarray):
            strips = data[: self._starts.stop].reshape(len(self._starts), -1, *data.shape[1:])
        size = self._at_once * self._num_steps
        for first in range(0, self._end, size):
            last = min(first + size, self._end) + self._ahead
            if isinstance(data, np.ndarray):
                yield strips[:, first:last]
            else:
                rows = [data[start + first : start + last] for start in self._starts]
                yield np.stack([np.asarray(row) for row in rows])

    def parts(self, n_steps: int) -> list[slice]:
        """Return where in a block of so many steps its batches are."""
        size = self._num_steps
        return [slice(start, start + size) for start in range(0, n_steps, size)]


def _as_array(data: Data) -> Data:
    """Return a tensor as the array that it is in memory; single items of it take long."""
    return np.asarray(data) if hasattr(data, "numpy") else data


def _take(data: Data, index: np.ndarray) -> Any:
    """Return the items at ``index``: an array, or a list of what is no array."""
    if isinstance(data, np.ndarray):
        return data.take(index, axis=0)
    items = [data[each] for each in index.tolist()]
    return np.asarray(items) if hasattr(data, "shape") else items


def _blocks_of_ids(strips: _Strips, words: Data) -> Iterator[np.ndarray]:
    """Yield numbers of words in strips, in memory of their own."""
    if isinstance(words, (list, tuple)):
        with contextlib.suppress(OverflowError):  # `_as_ids` says which number it is
            words = np.array(words, np.int64)  # half the time of finding out what they are
    for block in strips.blocks(words):
        yield _as_ids(block)


def _as_ids(words: np.ndarray) -> np.ndarray:
    """Return numbers of words as int32, as they are."""
    if not (np.can_cast(words.dtype, np.int32) or _are_int32(words)):
        limits = np.iinfo(np.int32)
        fits = (words >= limits.min) & (words <= limits.max)
        raise InvalidArgument(
            f"ptb_iterator: a word's number is an int32, got {words[~fits][0]}. Number the words "
            "from 0 on."
        )
    return words.astype(np.int32)


def _are_int32(words: np.ndarray) -> bool:
    limits = np.iinfo(np.int32)
    # One look is enough where none is negative: without a sign such a number is a large one.
    if words.dtype == np.int64 and words.view(np.uint64).max() <= limits.max:
        return True
    return bool(words.min() >= limits.min and words.max() <= limits.max)  # so NaN is refused


def _length(who: str, data: Any) -> int:
    try:
        return len(data)
    except TypeError as error:
        raise InvalidArgument(
            f"{who}: data has a length and an index, as arrays and lists have, got "
            f"{type(data).__name__}. Take to_list() of a RaggedTensor, list(...) of an iterator."
        ) from error


def _require_equal_lengths(who: str, inputs: Any, targets: Any) -> None:
    lengths = ["nothing" if each is None else _length(who, each) for each in (inputs, targets)]
    if "nothing" in lengths or lengths[0] != lengths[1]:
        raise InvalidArgument(
            f"{who}: inputs and targets must have the same length, got {lengths[0]} and "
            f"{lengths[1]}."
        )


def _require_positive(who: str, **sizes: Any) -> None:
    for name, size in sizes.items():
        if not isinstance(size, (int, np.integer)) or size < 1:
            raise InvalidArgument(f"{who}: {name} must be a positive integer, got {size!r}.")
