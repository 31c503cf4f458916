"""The arguments of an append as a stream of rows, each with its digest and its key."""

from __future__ import annotations

import copy
import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

from tensorlayer.datasets.content import check_sample_key, digest
from tensorlayer.datasets.sample import check_tags
from tensorlayer.errors import InvalidArgument, InvalidName
from tensorlayer.storage.digests import digest_rows
from tensorlayer.storage.limits import BATCH_BYTES, BATCH_DOCUMENTS

__all__ = ["Row", "Rows"]

#: What a number, or one more value in a list, weighs.
_SCALAR_BYTES = 16

#: Rows of the first block; each later one has twice as many, up to the most of an insert. So the
#: server is busy from the first thousandth of a second on, and not after ten thousand rows.
FIRST_BLOCK = 1_000

_END = object()
_END_ID = id(_END)


@dataclasses.dataclass(slots=True)
class Row:
    """One sample on its way into a dataset."""

    key: str
    digest: str
    sample: Any
    label: Any
    tags: dict[str, Any]


class Rows:
    """The samples of one append, in order; memory is bounded by one block.

    Parameters
    ----------
    samples
        Array with a first axis of n, list of n values, or an iterator.
    labels
        n labels, also as an iterator; or None.
    tags
        One dict for all samples, n dicts, or None.
    keys
        n strings, all different, or None: then the content is the key, with an ordinal for equal
        samples.

    Raises
    ------
    InvalidArgument
        What has a length has another one than the samples, or is no sequence.

    Examples
    --------
    >>> rows = Rows([[1], [2], [1]], labels=iter([0, 1, 0]), tags={"split": "train"})
    >>> rows.n
    3
    >>> [[row.label, row.key[-2:]] for block in rows.blocks() for row in block]
    [[0, '-0'], [1, '-0'], [0, '-1']]
    """

    def __init__(
        self, samples: Any, labels: Any = None, tags: Any = None, keys: Any = None
    ) -> None:
        self._samples = _iterable(samples, "samples")
        #: how many there are; None if only the end will tell
        self.n = len(self._samples) if hasattr(self._samples, "__len__") else None
        self._common = check_tags(tags or {}) if tags is None or isinstance(tags, Mapping) else None
        self._tags_weight = 0 if self._common is None else _weight(self._common)
        self._columns = {"labels": labels, "keys": keys}
        if self._common is None:
            self._columns["tags"] = tags
        for what, values in self._columns.items():
            if values is not None:
                self._columns[what] = self._of_same_length(values, what)
        self._repeats = _Repeats()

    def blocks(self) -> Iterator[list[Row]]:
        """Yield the rows in blocks that one insert can carry.

        Raises
        ------
        InvalidArgument, InvalidName
            A value cannot be stored, a name breaks a rule, a key is there twice, or the columns
            are not of one length. The message names the sample's index.
        """
        block: list[Row] = []
        shared: list[str] = []
        weight = first = 0
        most = min(FIRST_BLOCK, BATCH_DOCUMENTS)
        for index, (row, tags_digest) in enumerate(self._rows()):
            n_bytes = _weight(row.sample) + _weight(row.label)
            n_bytes += self._tags_weight if row.tags is self._common else _weight(row.tags)
            if block and (len(block) == most or weight + n_bytes > BATCH_BYTES):
                yield self._finished(block, shared, first)
                most = min(2 * most, BATCH_DOCUMENTS)
                block, shared, weight, first = [], [], 0, index
            block.append(row)
            shared.append(tags_digest)
            weight += n_bytes
        if block:
            yield self._finished(block, shared, first)

    def _rows(self) -> Iterator[tuple[Row, str]]:
        """Yield the rows, which have no digest yet, each with that of its tags."""
        shared = None if self._common is None else digest(self._common)
        names = [what for what, values in self._columns.items() if values is not None]
        columns = (self._columns[what] for what in names)
        # Behind the cells of a row there is the None of the columns that are not given.
        label, key, tags = (
            names.index(what) if what in names else -1 for what in ("labels", "keys", "tags")
        )
        rows = zip_longest(self._samples, *columns, fillvalue=_END)
        for index, (sample, *cells) in enumerate(rows):
            if sample is _END or _END_ID in map(id, cells):
                raise self._uneven(index, sample, dict(zip(names, cells, strict=True)))
            cells.append(None)
            try:
                yield self._row(sample, shared, cells[label], cells[key], cells[tags])
            except (InvalidArgument, InvalidName) as error:
                raise type(error)(f"Sample {index}: {error}") from error

    def _row(
        self, sample: Any, shared: str | None, label: Any, key: Any, tags: Any
    ) -> tuple[Row, str]:
        if shared is None:
            tags = check_tags(tags)
            shared = digest(tags)
        else:
            tags = self._common
        key = "" if self._columns["keys"] is None else check_sample_key(_text(key))
        return Row(key, "", sample, label, tags), shared

    def _finished(self, block: list[Row], shared: list[str], first: int) -> list[Row]:
        """Give the rows of a block their digests and their keys."""
        columns = [row.sample for row in block], [row.label for row in block], shared
        digests = digest_rows(columns)
        if digests is None:
            cells = enumerate(zip(*columns, strict=True), first)
            digests = [_digest(index, *values) for index, values in cells]
        for row, found in zip(block, digests, strict=True):
            row.digest = found
        return self._keyed(block, first)

    def _uneven(self, n: int, sample: Any, cells: Mapping[str, Any]) -> InvalidArgument:
        ended = next((what for what, cell in cells.items() if cell is _END), None)
        if sample is _END:
            longer = next(what for what, cell in cells.items() if cell is not _END)
            return InvalidArgument(
                f"There are fewer samples than {longer}: the samples end after {n}. Give one for "
                "each sample."
            )
        return InvalidArgument(
            f"There are more samples than {ended}, which end after {n}. Give one for each sample."
        )

    def _keyed(self, block: list[Row], first: int) -> list[Row]:
        has_keys = self._columns["keys"] is not None
        names = [row.key if has_keys else row.digest for row in block]
        for n, (row, ordinal) in enumerate(zip(block, self._repeats.ordinals(names), strict=True)):
            if not has_keys:
                row.key = f"{row.digest}-{ordinal}"
            elif ordinal:
                raise InvalidArgument(
                    f"Sample {first + n}: the key {row.key!r} is there twice in one append. A key "
                    "names one sample."
                )
        return block

    def _of_same_length(self, values: Any, what: str) -> Iterable[Any]:
        values = _iterable(values, what)
        if self.n is not None and hasattr(values, "__len__") and len(values) != self.n:
            raise InvalidArgument(
                f"There are {self.n} samples and {len(values)} {what}. Give one for each sample."
            )
        return values


class _Repeats:
    """How often each name came before; eight bytes for a name that came once."""

    def __init__(self) -> None:
        self._runs: list[np.ndarray] = []
        self._counts: dict[str, int] = {}

    def ordinals(self, names: Sequence[str]) -> list[int]:
        """Return for each name how many equal ones came before it."""
        hashes = np.fromiter(map(hash, names), np.int64, len(names))
        known = np.zeros(len(names), bool)
        for run in self._runs:
            places = np.minimum(np.searchsorted(run, hashes), len(run) - 1)
            known |= run[places] == hashes
        within: Counter[str] = Counter()
        if not known.any() and len(set(names)) == len(names):
            self._remember(np.sort(hashes))
            return [0] * len(names)
        ordinals = []
        for name, is_known in zip(names, known, strict=True):
            if name not in self._counts and is_known:
                self._counts[name] = 1  # it came once, before this block
            before = self._counts.get(name, within[name])
            ordinals.append(before)
            if before:
                self._counts[name] = before + 1
            within[name] += 1
        self._remember(np.unique(hashes[~known]))
        return ordinals

    def _remember(self, run: np.ndarray) -> None:
        """Keep sorted runs of doubling lengths, so that remembering n names costs n log n."""
        while self._runs and len(self._runs[-1]) <= len(run):
            run = np.union1d(self._runs.pop(), run)
        if len(run):
            self._runs.append(run)


def _iterable(values: Any, what: str) -> Any:
    if hasattr(values, "__array__"):  # also a tensor of TensorFlow, without importing it
        values = values if isinstance(values, np.ndarray) else np.asarray(values)
        if values.ndim:
            return values
    if isinstance(values, Iterator):
        # What it yields may be one object that is filled again and again.
        return map(copy.deepcopy, values)
    if isinstance(values, list | tuple):
        return values
    raise InvalidArgument(
        f"{what} must be an array with a first axis, a list or an iterator, got "
        f"{type(values).__name__}. For one sample write [{what[:-1]}]."
    )


def _digest(index: int, *cells: Any) -> str:
    try:
        return digest(*cells)
    except InvalidArgument as error:
        raise InvalidArgument(f"Sample {index}: {error}") from error


def _text(key: Any) -> Any:
    return str(key) if isinstance(key, np.str_) else key


def _weight(value: Any) -> int:
    """Return about how many bytes a value takes."""
    if isinstance(value, np.ndarray | np.generic):
        return value.nbytes + _SCALAR_BYTES
    if isinstance(value, str | bytes | bytearray | memoryview):
        return len(value) + _SCALAR_BYTES
    if isinstance(value, Mapping):
        return _SCALAR_BYTES + sum(map(_weight, value.values()))
    if isinstance(value, list | tuple):
        return _SCALAR_BYTES + sum(map(_weight, value))
    return _SCALAR_BYTES
