"""Parts of a pass: samples as they came from the server, cut and joined into batches.

Documents that follow each other and are of one layout are a `Table`, whose values are columns;
others are `Documents`. The samples of tables are copied from the bytes of the reply into the batch,
once, as they come; what does not become one array is decoded when the batch is complete.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import bson
import numpy as np
from bson import CodecOptions
from bson.errors import InvalidBSON

from tensorlayer.datasets.batch import Batch, from_documents
from tensorlayer.datasets.layout import Layout
from tensorlayer.datasets.memory import Memory
from tensorlayer.datasets.replies import Reply
from tensorlayer.errors import Corrupt
from tensorlayer.storage.blobs import Blobs
from tensorlayer.storage.checksums import checksums

__all__ = ["Documents", "Draft", "Table", "Tables", "batches", "joined"]

#: A table costs as much as a few documents that are decoded one by one.
_FEWEST_ROWS = 4

#: So much is copied and then checked at once: what was just copied is still in the processor's
#: cache. Batches of images of 150 KB took a quarter less time to make than checked as a whole.
_CACHED_BYTES = 2**20

#: Layouts that are remembered, by their length: keys with one digit more make another one.
_MOST_LAYOUTS = 64


#: Room for more than that is not taken before it is known how many samples there are.
_MOST_ROOM = 256 * 2**20


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """Samples of one layout: one in a row.

    The rows are the documents as they came; or, when the samples were copied elsewhere, what is
    around them.
    """

    layout: Layout
    rows: np.ndarray
    keys: list[str]
    labels: np.ndarray | None
    checks: list[int]
    tags: list[dict[str, Any]]
    copied: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, places: slice) -> Table:
        labels = None if self.labels is None else self.labels[places]
        lists = (each[places] for each in (self.checks, self.tags))
        return Table(self.layout, self.rows[places], self.keys[places], labels, *lists)

    @property
    def kind(self) -> tuple[Any, ...]:
        """What samples and labels have to have in common, to be in one array."""
        return self.layout.dtype, self.layout.shape, self.layout.label

    def documents(self, options: CodecOptions) -> list[dict[str, Any]]:
        """Return the documents, decoded one by one."""
        rows = self.rows.copy() if self.copied is None else self._joined(self.copied)
        return [_document(each.data, options) for each in rows]

    def copy(self, table: np.ndarray) -> Table | None:
        """Copy the samples into the rows of a table of bytes; None if one is damaged.

        What is returned holds the memory of the reply only if most of that is no samples.
        """
        content = self.layout.spans["bytes"]
        stored = self.rows[:, content]
        n_rows = max(1, _CACHED_BYTES // table.shape[1])
        for at in range(0, len(table), n_rows):
            some = slice(at, at + n_rows)
            np.copyto(table[some], stored[some])
            if checksums(table[some]) != self.checks[some]:
                return None
        if 2 * table.shape[1] < self.rows.shape[1]:
            return self
        around = [self.rows[:, : content.start], self.rows[:, content.stop :]]
        return dataclasses.replace(self, rows=np.concatenate(around, axis=1), copied=table)

    def _joined(self, samples: np.ndarray) -> np.ndarray:
        at = self.layout.spans["bytes"].start
        return np.concatenate([self.rows[:, :at], samples, self.rows[:, at:]], axis=1)


@dataclasses.dataclass(frozen=True, eq=False)
class Documents:
    """Samples whose documents are decoded one by one."""

    found: list[memoryview]

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, places: slice) -> Documents:
        return Documents(self.found[places])

    def documents(self, options: CodecOptions) -> list[dict[str, Any]]:
        """Return the documents, decoded one by one."""
        return [_document(each, options) for each in self.found]


Part = Table | Documents


class Tables:
    """Makes parts of replies. For one thread.

    Parameters
    ----------
    options
        How documents are decoded.
    """

    def __init__(self, options: CodecOptions) -> None:
        self._options = options
        self._layouts: dict[int, Layout | None] = {}

    def parts(self, replies: Iterable[Reply]) -> Iterator[Part]:
        """Yield all documents of replies in their order."""
        for reply in replies:
            runs = _runs(reply.lengths)
            if len(runs) * _FEWEST_ROWS > len(reply) + 6 * _FEWEST_ROWS:
                yield Documents(list(reply))
                continue
            for first, last in runs:
                if last - first < _FEWEST_ROWS:
                    yield Documents([reply[n] for n in range(first, last)])
                else:
                    yield from self._split(reply.rows(first, last))

    def gathered(self, found: Sequence[memoryview]) -> Iterator[Part]:
        """Yield documents from anywhere, in this order."""
        data = memoryview(b"".join(found))
        lengths = np.fromiter(map(len, found), np.int64, len(found))
        yield from self.parts([Reply(data, np.cumsum(lengths) - lengths, lengths)])

    def _split(self, rows: np.ndarray) -> Iterator[Part]:
        """Yield a table of all rows that are of one layout, and in between what is not."""
        layout = self._layout(rows)
        fits = np.zeros(len(rows), bool) if layout is None else layout.fits(rows)
        edges = [0, *(np.flatnonzero(np.diff(fits)) + 1).tolist(), len(rows)]
        for first, last in itertools.pairwise(edges):
            part = rows[first:last]
            table = _table(layout, part, self._options) if fits[first] else None
            yield table or Documents([each.copy().data for each in part])

    def _layout(self, rows: np.ndarray) -> Layout | None:
        length = rows.shape[1]
        if length not in self._layouts:
            if len(self._layouts) == _MOST_LAYOUTS:
                self._layouts.clear()
            self._layouts[length] = Layout.of(rows[0].tobytes(), self._options)
        return self._layouts[length]


def _runs(lengths: np.ndarray) -> list[tuple[int, int]]:
    """Return where documents of one length lie at one distance, as first and behind the last."""
    edges = set((np.flatnonzero(np.diff(lengths)) + 1).tolist()) | {0, len(lengths)}
    power = 10
    while power < len(lengths):  # the name of a document is its index: one more digit from here on
        edges.add(power)
        power *= 10
    ordered = sorted(edges)
    return [each for each in itertools.pairwise(ordered) if each[0] < each[1]]


def _table(layout: Layout, rows: np.ndarray, options: CodecOptions) -> Table | None:
    """Return the table of rows that are of a layout; None if a value in it is nonsense."""
    try:
        keys, labels = layout.texts("key", rows), layout.labels(rows)
        tags = _tags(layout, rows, options)
    except (ValueError, InvalidBSON):
        return None
    checks = layout.numbers("check", rows, "<i4").tolist()
    return Table(layout, rows, keys, labels, checks, tags)


def _tags(layout: Layout, rows: np.ndarray, options: CodecOptions) -> list[dict[str, Any]]:
    """Return the tags of each sample, which nobody else has: they may be changed."""
    column = rows[:, layout.spans["tags"]]
    common = layout.document["tags"]
    is_flat = not any(isinstance(each, list | dict) for each in common.values())
    if is_flat and (column == layout.pattern[layout.spans["tags"]]).all():
        return [common.copy() for _ in range(len(rows))]
    return [bson.decode(each.tobytes(), options) for each in column]


def _document(data: bytes | memoryview, options: CodecOptions) -> dict[str, Any]:
    try:
        return bson.decode(data, options)
    except InvalidBSON as error:
        raise Corrupt(
            f"A document in the collection of samples cannot be decoded: {error}. Restore it from "
            "another copy."
        ) from error


class Draft:
    """A batch that is being made.

    As long as all samples are alike, they are copied into it as they come: what was just received
    is still in the processor's cache, and replies are not kept.

    Parameters
    ----------
    n
        How many samples it has at the most.
    memory
        Where the array of samples comes from.
    """

    def __init__(self, n: int, memory: Memory) -> None:
        self._n, self._memory = n, memory
        self._parts: list[Part] = []
        self._length = 0
        self._samples: np.ndarray | None = None
        self._n_copied = [0, 0]  # parts, samples
        self._are_alike = True

    def __len__(self) -> int:
        return self._length

    def add(self, part: Part) -> None:
        """Append samples to the batch."""
        self._parts.append(part)
        self._length += len(part)
        first = self._parts[0]
        if not (isinstance(part, Table) and isinstance(first, Table) and part.kind == first.kind):
            self._are_alike = False
        if self._are_alike and self._n * len(part.layout) <= _MOST_ROOM:
            self._copy(self._n)

    def batch(self, blobs: Blobs, options: CodecOptions) -> Batch:
        """Return the batch, which is not kept; nothing may be added any more.

        Parameters
        ----------
        blobs
            Where large values are.
        options
            How documents are decoded.

        Raises
        ------
        Corrupt
            A stored value is not what was stored; the message names the sample.
        """
        if self._are_alike and self._parts:
            self._copy(self._length)
        parts, self._parts = self._parts, []
        samples, self._samples = self._samples, None
        if samples is None or not self._are_alike:
            # Decoded one by one, also to find and name what is damaged.
            return from_documents([e for part in parts for e in part.documents(options)], blobs)
        labels = [each.labels for each in parts]
        return Batch(
            keys=[key for each in parts for key in each.keys],
            samples=samples[: self._length],
            labels=None if labels[0] is None else np.concatenate(labels),
            tags=[tags for each in parts for tags in each.tags],
        )

    def _copy(self, n: int) -> None:
        """Copy the samples of tables that have come since the last call."""
        if self._samples is None:
            dtype, shape, _ = self._parts[0].kind
            self._samples = self._memory.empty((n, *shape), dtype)
        rows = self._samples.reshape(len(self._samples), -1).view(np.uint8)
        first, at = self._n_copied
        for place, table in enumerate(self._parts[first:], first):
            copied = table.copy(rows[at : at + len(table)])
            if copied is None:
                self._are_alike = False
                return
            self._parts[place] = copied
            at += len(table)
        self._n_copied = [len(self._parts), at]


def batches(
    parts: Iterable[Part], batch_size: int, drop_remainder: bool, memory: Memory
) -> Iterator[Draft]:
    """Yield the drafts of all batches, complete but for the last one."""
    draft = Draft(batch_size, memory)
    for part in parts:
        while len(part) >= (missing := batch_size - len(draft)):
            draft.add(part[:missing])
            yield draft
            part, draft = part[missing:], Draft(batch_size, memory)
        if len(part):
            draft.add(part)
    if len(draft) and not drop_remainder:
        yield draft


def joined(parts: Sequence[Part], blobs: Blobs, options: CodecOptions) -> Batch:
    """Return the batch of some parts, see `Draft.batch`."""
    draft = Draft(sum(map(len, parts)), Memory())
    for each in parts:
        draft.add(each)
    return draft.batch(blobs, options)
