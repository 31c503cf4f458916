"""Stamping: documents of samples that are alike are written as the columns of one table.

What an append sends is mostly alike: arrays of one type and shape, labels of one type, the same
tags. One of their documents is encoded; the others are copies of its bytes, into which their values
are written at the same places, see `tensorlayer.datasets.layout`. The bytes are the same as if each
was encoded by itself.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import bson
import numpy as np
from bson import CodecOptions
from bson.raw_bson import RawBSONDocument

from tensorlayer.datasets.layout import Layout
from tensorlayer.datasets.rows import Row
from tensorlayer.storage.arrays import data_of, pays
from tensorlayer.storage.checksums import checksums
from tensorlayer.storage.codec import INLINE_BYTES

__all__ = ["is_alike", "stamped"]

#: A table costs as much as a few documents that are encoded one by one.
_FEWEST = 8

#: Whether compression pays is asked of one sample in so many: samples that are alike in all else
#: mostly are in this, too, and to ask costs as much as to store a small image.
_ASKED = 8

_INT32, _INT64 = 2**31, 2**63


def is_alike(rows: Sequence[Row]) -> bool:
    """Tell whether the documents of rows differ in nothing but their values.

    Examples
    --------
    >>> rows = [Row(f"k{n}", "d" * 64, np.ones(3), n, {}) for n in range(9)]
    >>> is_alike(rows)
    False
    >>> for row in rows:
    ...     row.tags = rows[0].tags
    >>> is_alike(rows)
    True
    """
    if len(rows) < _FEWEST:
        return False
    first = rows[0]
    array, width, tags = first.sample, len(first.key), first.tags
    if type(array) is not np.ndarray or not 0 < array.nbytes <= INLINE_BYTES:
        return False
    dtype, shape = array.dtype, array.shape
    for row in rows:
        sample = row.sample
        if type(sample) is not np.ndarray or sample.dtype != dtype or sample.shape != shape:
            return False
        if row.tags is not tags or len(row.key) != width or not row.key.isascii():
            return False
    if _labels(rows) is None:
        return False
    return not any(pays(data_of(row.sample)) for row in rows[::_ASKED])


def stamped(
    rows: Sequence[Row], first: Mapping[str, Any], options: CodecOptions
) -> list[RawBSONDocument] | None:
    """Return the documents of rows that are alike; None if they have to be encoded one by one.

    Parameters
    ----------
    rows
        For which `is_alike` holds.
    first
        The document of the first one; ordinals, with which ids end, follow it.
    options
        How documents are decoded.
    """
    layout = Layout.of(bson.encode(first), options)
    labels = _labels(rows)
    n = len(rows)
    if layout is None or labels is None or first["ordinal"] + n > _INT32:
        return None
    spans = layout.spans
    table = np.empty((n, len(layout)), np.uint8)
    table[:] = layout.pattern
    samples = _column(table, spans["bytes"], layout.dtype, layout.shape)
    np.stack([row.sample for row in rows], out=samples)
    numbers = np.arange(n)
    columns = {
        "key": _text([row.key for row in rows]),
        "digest": _text([row.digest for row in rows]),
        "ordinal": (first["ordinal"] + numbers).astype("<i4"),
        "check": np.array(checksums(table[:, spans["bytes"]]), "<i4"),
    }
    if layout.label is not None:
        columns["label"] = labels.astype(layout.label[0])
    for name, column in columns.items():
        table[:, spans[name]] = column.view(np.uint8).reshape(n, -1)
    # The last bytes of an id are the ordinal.
    last = slice(spans["_id"].stop - 4, spans["_id"].stop)
    table[:, last] = (first["ordinal"] + numbers).astype(">u4").view(np.uint8).reshape(n, 4)
    return [RawBSONDocument(each.tobytes()) for each in table]


def _column(table: np.ndarray, span: slice, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    """Return the column of the samples, to be written to."""
    sizes = (*shape[1:], dtype.itemsize) if shape else ()
    strides = itertools.accumulate(reversed(sizes), operator.mul)
    places = table.strides[0], *reversed(list(strides))
    return np.ndarray((len(table), *shape), dtype, table, span.start, places)


def _text(texts: Sequence[str]) -> np.ndarray:
    return np.frombuffer("".join(texts).encode(), np.uint8)


def _labels(rows: Sequence[Row]) -> np.ndarray | None:
    """Return labels that take the same bytes in BSON as an array; None if they do not."""
    kinds = {type(row.label) for row in rows}
    if len(kinds) > 1:
        return None
    (kind,) = kinds
    if kind is type(None):
        return np.zeros(len(rows))
    is_number = kind in (bool, int, float) or issubclass(kind, np.number | np.bool_)
    if not is_number:
        return None
    labels = np.array([row.label for row in rows])
    if labels.ndim != 1 or labels.dtype.kind not in "biuf" or labels.dtype.itemsize > 8:
        return None
    if kind is int and labels.dtype.kind != "i":  # NumPy makes floats of those beyond 64 bits
        return None
    if labels.dtype.kind in "iu":
        if (labels >= _INT64).any():  # stored as something else
            return None
        is_short = (labels >= -_INT32) & (labels < _INT32)
        if is_short.any() and not is_short.all():
            return None
    return labels
