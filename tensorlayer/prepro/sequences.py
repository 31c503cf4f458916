"""Sequences of ids: pad, cut, mark start and end, mask.

What is padded is told by the pad ids at the end only: the same id inside of a sequence is content.
Every function returns new lists; the ones it is given stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np

from tensorlayer.errors import InvalidArgument, WrongShape

__all__ = [
    "pad_sequences",
    "remove_pad_sequences",
    "process_sequences",
    "sequences_add_start_id",
    "sequences_add_end_id",
    "sequences_add_end_id_after_pad",
    "sequences_get_mask",
]

Ids = Sequence[Any]
Side = Literal["pre", "post"]


def pad_sequences(
    sequences: Sequence[Ids],
    maxlen: int | None = None,
    dtype: str = "int32",
    padding: Side = "post",
    truncating: Side = "pre",
    value: float = 0.0,
) -> list[list[Any]]:
    """Bring sequences to one length.

    Parameters
    ----------
    sequences
        Each of ids, or of vectors of one shape.
    maxlen
        The length; that of the longest by default.
    dtype
        Of the numbers.
    padding
        Pad ``"pre"``, before, or ``"post"``, after.
    truncating
        Cut ``"pre"``, at the start, or ``"post"``, at the end.
    value
        What is padded with.

    Returns
    -------
    list of list
        Each of length ``maxlen``.

    Raises
    ------
    InvalidArgument
        Another word for a side, or a negative length.
    WrongShape
        The vectors differ in shape.

    Examples
    --------
    >>> pad_sequences([[1, 2, 3], [4]])
    [[1, 2, 3], [4, 0, 0]]
    >>> pad_sequences([[1, 2, 3], [4]], maxlen=2, padding="pre", truncating="post")
    [[1, 2], [0, 4]]
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in ("pre", "post"):
            raise InvalidArgument(f"pad_sequences: {name} is 'pre' or 'post', got {side!r}.")
    longest = max(map(len, sequences), default=0)
    length = longest if maxlen is None else maxlen
    if length < 0:
        raise InvalidArgument(f"pad_sequences: maxlen must not be negative, got {maxlen!r}.")
    arrays = [np.asarray(sequence, dtype) for sequence in sequences]
    shapes = {array.shape[1:] for array in arrays if len(array)}
    if len(shapes) > 1:
        raise WrongShape(f"pad_sequences: all items have one shape, got {sorted(shapes)}.")
    result = np.full((len(arrays), length, *next(iter(shapes), ())), value).astype(dtype)
    for row, array in zip(result, arrays, strict=True):
        kept = min(len(array), length)
        if kept:
            content = array[-kept:] if truncating == "pre" else array[:kept]
            row[slice(-kept, None) if padding == "pre" else slice(kept)] = content
    return result.tolist()


def remove_pad_sequences(sequences: Iterable[Ids], pad_id: int = 0) -> list[list[Any]]:
    """Remove the pad ids at the end of each sequence.

    Parameters
    ----------
    sequences
        Sequences of ids.
    pad_id
        The id to remove; inside of a sequence it stays.

    Returns
    -------
    list of list

    Examples
    --------
    >>> remove_pad_sequences([[2, 0, 3, 0, 0], [4, 5], [0, 0]])
    [[2, 0, 3], [4, 5], []]
    """
    return [list(sequence[: _length(sequence, pad_id)]) for sequence in sequences]


def process_sequences(
    sequences: Iterable[Ids],
    end_id: int = 0,
    pad_val: int = 0,
    is_shorten: bool = True,
    remain_end_id: bool = False,
) -> list[list[Any]]:
    """Pad what comes after the first end id, and shorten all to the longest that is left.

    Parameters
    ----------
    sequences
        Sequences of ids, such as a decoder writes them.
    end_id
        Ends a sequence. One that has none is content to its last id.
    pad_val
        What is padded with.
    is_shorten
        Cut all to the longest content (and its end id, if that remains).
    remain_end_id
        Keep the end id.

    Returns
    -------
    list of list

    Examples
    --------
    >>> process_sequences([[4, 3, 5, 3, 2, 2, 2], [5, 3, 9, 2, 2, 3, 1]], end_id=2)
    [[4, 3, 5, 3], [5, 3, 9, 0]]
    """
    sequences = [list(sequence) for sequence in sequences]
    contents = []
    for sequence in sequences:
        end = sequence.index(end_id) + remain_end_id if end_id in sequence else len(sequence)
        contents.append(sequence[:end])
    longest = max(map(len, contents), default=0)
    lengths = [longest if is_shorten else len(sequence) for sequence in sequences]
    return [
        (content + [pad_val] * (length - len(content)))
        for content, length in zip(contents, lengths, strict=True)
    ]


def sequences_add_start_id(
    sequences: Iterable[Ids], start_id: int = 0, remove_last: bool = False
) -> list[list[Any]]:
    """Put an id before each sequence.

    Parameters
    ----------
    sequences
        Sequences of ids.
    start_id
        The id.
    remove_last
        Drop the last id, so that the length stays: the input of a decoder.

    Returns
    -------
    list of list

    Examples
    --------
    >>> sequences_add_start_id([[4, 3, 5], [5]], start_id=2)
    [[2, 4, 3, 5], [2, 5]]
    >>> sequences_add_start_id([[4, 3, 5], [5]], start_id=2, remove_last=True)
    [[2, 4, 3], [2]]
    """
    return [[start_id, *(sequence[:-1] if remove_last else sequence)] for sequence in sequences]


def sequences_add_end_id(sequences: Iterable[Ids], end_id: int = 888) -> list[list[Any]]:
    """Put an id after each sequence.

    Parameters
    ----------
    sequences
        Sequences of ids, not padded.
    end_id
        The id.

    Returns
    -------
    list of list

    Examples
    --------
    >>> sequences_add_end_id([[1, 2], [3]], end_id=99)
    [[1, 2, 99], [3, 99]]
    """
    return [[*sequence, end_id] for sequence in sequences]


def sequences_add_end_id_after_pad(
    sequences: Iterable[Ids], end_id: int = 888, pad_id: int = 0
) -> list[list[Any]]:
    """Put an id in the place of the first pad at the end of each sequence; lengths stay.

    Parameters
    ----------
    sequences
        Padded sequences of ids. One without a pad has no place and stays as it is.
    end_id
        The id.
    pad_id
        What they are padded with.

    Returns
    -------
    list of list

    Examples
    --------
    >>> sequences_add_end_id_after_pad([[1, 2, 0, 0], [1, 0, 3, 0], [1, 2, 3, 4]], end_id=99)
    [[1, 2, 99, 0], [1, 0, 3, 99], [1, 2, 3, 4]]
    """
    result = []
    for sequence in sequences:
        ids, length = list(sequence), _length(sequence, pad_id)
        if length < len(ids):
            ids[length] = end_id
        result.append(ids)
    return result


def sequences_get_mask(sequences: Sequence[Ids], pad_val: int = 0) -> np.ndarray:
    """Return 1 for content and 0 for the pads at the end.

    Parameters
    ----------
    sequences
        Padded sequences of ids, all of one length.
    pad_val
        What they are padded with.

    Returns
    -------
    numpy.ndarray
        ``(number, length)``, integers.

    Raises
    ------
    WrongShape
        The lengths differ.

    Examples
    --------
    >>> sequences_get_mask([[4, 0, 5, 0], [5, 0, 0, 0]])
    array([[1, 1, 1, 0],
           [1, 0, 0, 0]])
    """
    widths = {len(sequence) for sequence in sequences}
    if len(widths) > 1:
        raise WrongShape(
            f"sequences_get_mask: sequences have one length, got {sorted(widths)}. "
            "Put pad_sequences before it."
        )
    lengths = np.array([_length(sequence, pad_val) for sequence in sequences], int)
    return (np.arange(widths.pop() if widths else 0) < lengths[:, None]).astype(int)


def _length(sequence: Ids, pad_id: Any) -> int:
    """Return the length without the pads at the end."""
    for index in range(len(sequence), 0, -1):
        if sequence[index - 1] != pad_id:
            return index
    return 0
