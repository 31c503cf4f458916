"""Parts of a pass: samples as they came from the server, cut and joined into batches.

Documents that follow each other and are of one layout are a `Table`, whose values are columns;
others are `Documents`. Only when a batch is complete is it made, from all the parts it has: the
values of tables are copied from the bytes of the reply into the batch, once.
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

__all__ = ["Documents", "Table", "Tables", "batches", "joined"]

#: A table costs as much as a few documents that are decoded one by one.
_FEWEST_ROWS = 4

#: So much is copied and then checked at once: what was just copied is still in the processor's
#: cache. Batches of images of 150 KB took a quarter less time to make than checked as a whole.
_CACHED_BYTES = 2**20

#: Layouts that are remembered, by their length: keys with one digit more make another one.
_MOST_LAYOUTS = 64


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """Samples of one layout: one in a row, not yet copied from where they are."""

    layout: Layout
    rows: np.ndarray
    keys: list[str]
    labels: np.ndarray | None
    checks: list[int]
    tags: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, places: slice) -> Table:
        labels = None if self.labels is None else self.labels[places]
        lists = (each[places] for each in (self.checks, self.tags))
        return Table(self.layout, self.rows[places], self.keys[places], labels, *lists)

    def documents(self, options: CodecOptions) -> list[dict[str, Any]]:
        """Return the documents, decoded one by one."""
        return [_document(each.data, options) for each in self.rows.copy()]

    def fill(self, table: np.ndarray) -> bool:
        """Copy the samples into the rows of a table of bytes; False if one is damaged."""
        stored = self.rows[:, self.layout.spans["bytes"]]
        n_rows = max(1, _CACHED_BYTES // table.shape[1])
        for at in range(0, len(table), n_rows):
            some = slice(at, at + n_rows)
            np.copyto(table[some], stored[some])
            if checksums(table[some]) != self.checks[some]:
                return False
        return True


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


def batches(parts: Iterable[Part], batch_size: int, drop_remainder: bool) -> Iterator[list[Part]]:
    """Yield the parts of one batch after the other."""
    taken: list[Part] = []
    missing = batch_size
    for part in parts:
        while len(part) >= missing:
            yield [*taken, part[:missing]]
            part, taken, missing = part[missing:], [], batch_size
        if len(part):
            taken.append(part)
            missing -= len(part)
    if taken and not drop_remainder:
        yield taken


def joined(
    parts: Sequence[Part], blobs: Blobs, options: CodecOptions, memory: Memory | None = None
) -> Batch:
    """Return the batch of some parts.

    Parameters
    ----------
    parts
        In the order of the batch.
    blobs
        Where large values are.
    options
        How documents are decoded.
    memory
        Where the array of samples comes from.

    Raises
    ------
    Corrupt
        A stored value is not what was stored; the message names the sample.
    """
    batch = None
    if parts and all(type(each) is Table for each in parts):
        batch = _filled(parts, memory or Memory())
    if batch is None:  # decoded one by one, also to find and name what is damaged
        batch = from_documents([each for part in parts for each in part.documents(options)], blobs)
    return batch


def _filled(tables: Sequence[Table], memory: Memory) -> Batch | None:
    """Return the batch of tables whose samples and labels are alike; None if they are not."""
    kinds = {(each.layout.dtype, each.layout.shape, each.layout.label) for each in tables}
    if len(kinds) > 1:
        return None
    ((dtype, shape, label),) = kinds
    samples = memory.empty((sum(map(len, tables)), *shape), dtype)
    rows = samples.reshape(len(samples), -1).view(np.uint8)
    at = 0
    for each in tables:
        if not each.fill(rows[at : at + len(each)]):
            return None
        at += len(each)
    return Batch(
        keys=[key for each in tables for key in each.keys],
        samples=samples,
        labels=None if label is None else np.concatenate([each.labels for each in tables]),
        tags=[tags for each in tables for tags in each.tags],
    )
