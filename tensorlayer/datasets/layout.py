"""The layout of a sample's document: at which of its bytes which value stands.

The documents of a dataset are mostly alike: the same fields in the same order, arrays of one type
and shape, so even their lengths are the same. Where the values stand in one of them, they stand in
all; everything else is the same, byte for byte. So many documents are checked by comparing bytes,
and their values are read or written as columns of one table, without an object for each.

A `Layout` believes nothing: a document that differs in a single byte outside of the values is not
of that layout, and is decoded like any other document.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator, Mapping
from typing import Any

import bson
import numpy as np
from bson import CodecOptions
from bson.errors import InvalidBSON

from tensorlayer.storage.arrays import dtype_of, length_of

__all__ = ["Layout", "elements"]

_INT = struct.Struct("<i")

#: Types of BSON, and how many bytes their values take.
_DOUBLE, _STRING, _DOCUMENT, _ARRAY, _BINARY, _ID = 1, 2, 3, 4, 5, 7
_BOOL, _DATE, _NULL, _INT32, _TIMESTAMP, _INT64 = 8, 9, 10, 16, 17, 18
_FIXED = {_DOUBLE: 8, _ID: 12, _BOOL: 1, _DATE: 8, _NULL: 0, _INT32: 4, _TIMESTAMP: 8, _INT64: 8}
#: Those of these say it in their first four bytes, and take so many more.
_COUNTED = {_STRING: 4, _DOCUMENT: 0, _ARRAY: 0, _BINARY: 5}

#: How labels are read from a column: as numbers of this type, to become one of these kinds.
_NUMBERS = {
    _DOUBLE: ("<f8", "f"),
    _INT32: ("<i4", "iu"),
    _INT64: ("<i8", "iu"),
    _BOOL: ("|u1", "b"),
}
#: Labels that are numbers of Python.
_PLAIN = {_DOUBLE: "<f8", _INT32: "<i8", _INT64: "<i8", _BOOL: "|b1"}

#: The fields of a sample's document and their types; a label may have any that is above, or none.
_FIELDS = {
    "_id": {_ID},
    "dataset": {_STRING},
    "key": {_STRING},
    "batch": {_INT32, _INT64},
    "ordinal": {_INT32, _INT64},
    "digest": {_STRING},
    "sample": {_DOCUMENT},
    "label": {*_NUMBERS, _NULL},
    "label_dtype": {_STRING},
    "tags": {_DOCUMENT},
}
_OPTIONAL = {"label_dtype"}
_ARRAY_FIELDS = {
    "dtype": {_STRING},
    "shape": {_ARRAY},
    "codec": {_STRING},
    "bytes": {_BINARY},
    "check": {_INT32},
}


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Layout:
    """Where the values stand in a document, and what all its other bytes are.

    Parameters
    ----------
    pattern
        The bytes of one document, as an array.
    spans
        Bytes that differ from document to document: ``_id``, ``key``, ``batch``, ``ordinal``,
        ``digest``, ``label``, ``tags``, ``bytes`` (the sample) and ``check``.
    dtype, shape
        Of the sample.
    label
        How the label is read and what it becomes; None if there is none.
    document
        The document that was the pattern, decoded.
    """

    pattern: np.ndarray
    spans: Mapping[str, slice]
    dtype: np.dtype
    shape: tuple[int, ...]
    label: tuple[np.dtype, np.dtype] | None
    document: Mapping[str, Any]

    @classmethod
    def of(cls, data: bytes | memoryview, options: CodecOptions) -> Layout | None:
        """Return the layout of a document; None if documents like it are to be decoded.

        Examples
        --------
        >>> digits = hub.datasets.create("digits")
        >>> _ = digits.append(np.eye(2))
        >>> raw = bson.encode(hub.database["samples"].find_one(digits.where().filter))
        >>> layout = Layout.of(raw, hub.database.codec_options)
        >>> layout.dtype, layout.shape
        (dtype('float64'), (2,))
        """
        try:
            return cls._of(data, options)
        except (ValueError, KeyError, TypeError, IndexError, struct.error, InvalidBSON):
            return None

    @classmethod
    def _of(cls, data: bytes | memoryview, options: CodecOptions) -> Layout:
        fields = _spans(data, 0, _FIELDS)
        (wrapped,) = _spans(data, fields["sample"][1].start, {"~array": {_DOCUMENT}}).values()
        array = _spans(data, wrapped[1].start, _ARRAY_FIELDS)
        document = bson.decode(data, options)
        stored = document["sample"]["~array"]
        dtype, shape = dtype_of(stored["dtype"]), tuple(stored["shape"])
        content, length = array["bytes"][1], length_of(dtype, shape)
        is_raw = stored["codec"] == "raw" and data[content.start + 4] == 0
        if not is_raw or dtype.str.startswith(">") or content.stop - content.start - 5 != length:
            raise ValueError("not the bytes of an array")
        spans = {name: fields[name][1] for name in ("_id", "batch", "ordinal", "label", "tags")}
        # Of a text, without its length and the zero behind it; of bytes, without length and kind.
        for name in ("key", "digest"):
            spans[name] = slice(fields[name][1].start + 4, fields[name][1].stop - 1)
        spans["bytes"] = slice(content.start + 5, content.stop)
        spans["check"] = array["check"][1]
        return cls(
            pattern=np.frombuffer(bytes(data), np.uint8),
            spans=spans,
            dtype=dtype,
            shape=shape,
            label=_number(fields["label"][0], document.get("label_dtype")),
            document=document,
        )

    def __post_init__(self) -> None:
        is_fixed = np.ones(len(self.pattern), bool)
        for span in self.spans.values():
            is_fixed[span] = False
        content = self.spans["bytes"]
        if content.start == content.stop:
            raise ValueError("a sample without bytes")
        parts = slice(0, content.start), slice(content.stop, None)
        masks = [(each, is_fixed[each] * np.uint8(255)) for each in parts]
        object.__setattr__(self, "_masks", masks)

    def __len__(self) -> int:
        return len(self.pattern)

    def fits(self, rows: np.ndarray) -> np.ndarray:
        """Tell of each of many documents, one in a row, whether it is of this layout."""
        found = np.ones(len(rows), bool)
        for part, mask in self._masks:
            found &= ~((rows[:, part] ^ self.pattern[part]) & mask).any(axis=1)
        return found

    def texts(self, name: str, rows: np.ndarray) -> list[str]:
        """Return the column of a text; UnicodeDecodeError if one is none."""
        column = rows[:, self.spans[name]]
        n, width = column.shape
        joined = column.tobytes()
        if joined.isascii():
            text = joined.decode("ascii")
            return [text[at : at + width] for at in range(0, n * width, width)]
        return [each.tobytes().decode() for each in column]

    def numbers(self, name: str, rows: np.ndarray, dtype: str | np.dtype) -> np.ndarray:
        """Return the column of a number."""
        return np.ascontiguousarray(rows[:, self.spans[name]]).view(dtype)[:, 0]

    def labels(self, rows: np.ndarray) -> np.ndarray | None:
        """Return the labels; ValueError if one is not a number of its type."""
        if self.label is None:
            return None
        stored, dtype = self.label
        found = self.numbers("label", rows, stored)
        labels = found.astype(dtype)
        is_other = dtype.kind != "f" and (labels.astype(stored) != found).any()
        if is_other or (dtype.kind == "u" and (found < 0).any()):
            raise ValueError(f"a label is no {dtype}")
        return labels

    def documents(self, rows: np.ndarray, options: CodecOptions) -> list[dict[str, Any]]:
        """Decode the documents one by one."""
        return [bson.decode(each.tobytes(), options) for each in rows]


def elements(data: bytes | memoryview, start: int) -> Iterator[tuple[int, str, slice]]:
    """Yield type, name and place of each value of the document that starts there.

    Raises
    ------
    ValueError
        One is of a type that no layout holds, or reaches out of the document.

    Examples
    --------
    >>> list(elements(bson.encode({"a": 1, "b": None}), 0))
    [(16, 'a', slice(7, 11, None)), (10, 'b', slice(14, 14, None))]
    """
    view = memoryview(data)
    stop = start + _INT.unpack_from(view, start)[0] - 1
    if stop >= len(view):
        raise ValueError("a document reaches out of its bytes")
    at = start + 4
    while at < stop:
        kind, name = view[at], _name(view, at + 1)
        at += 2 + len(name)
        length = _FIXED.get(kind)
        if length is None:
            if kind not in _COUNTED:
                raise ValueError(f"a value of type {kind}")
            length = _INT.unpack_from(view, at)[0] + _COUNTED[kind]
        if length < 0 or at + length > stop:
            raise ValueError("a value reaches out of its document")
        yield kind, name.decode(), slice(at, at + length)
        at += length


def _name(view: memoryview, start: int) -> bytes:
    return bytes(view[start : start + _LONGEST_NAME]).partition(b"\0")[0]


#: Names of fields are ours, and shorter; a longer one is cut, and then it is no field of ours.
_LONGEST_NAME = 64


def _spans(
    data: bytes | memoryview, start: int, wanted: Mapping[str, set[int]]
) -> dict[str, tuple[int, slice]]:
    """Return type and place of the values of a document that has exactly these fields."""
    found = {}
    for kind, name, span in elements(data, start):
        if name in found or kind not in wanted.get(name, ()):
            raise ValueError(f"another field: {name!r}")
        found[name] = kind, span
    if not wanted.keys() - _OPTIONAL <= found.keys():
        raise ValueError("a field is missing")
    return found


def _number(kind: int, name: str | None) -> tuple[np.dtype, np.dtype] | None:
    """Return the type in which a label is stored, and that which it had."""
    if kind == _NULL:
        if name is not None:
            raise ValueError("a type without a label")
        return None
    stored, kinds = _NUMBERS[kind]
    dtype = np.dtype(_PLAIN[kind] if name is None else dtype_of(name))
    if dtype.kind not in kinds or dtype.itemsize > 8:
        raise ValueError(f"a label of type {name}")
    return np.dtype(stored), dtype.newbyteorder("=")
