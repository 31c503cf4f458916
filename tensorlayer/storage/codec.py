"""Values as documents: nothing that is read is ever executed.

An array is a document of `tensorlayer.storage.arrays`. Other values are what BSON says, and where
BSON has no word for one (an array, a tuple, a large integer, a naive time), it is a document with
one field that starts with ``~``. What is larger than `INLINE_BYTES` goes to a blob, behind a
pointer.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import bson
import numpy as np
from bson import CodecOptions, Int64, ObjectId
from bson.errors import InvalidBSON

from tensorlayer.errors import Corrupt, InvalidArgument
from tensorlayer.storage.arrays import data_of, decode, dtype_of, encode, filled, head_of, length_of
from tensorlayer.storage.blobs import Blobs, Pointer
from tensorlayer.storage.walk import (
    MAX_DEPTH,
    dtype_name,
    fold,
    in_utc,
    utf8,
)

#: What is larger is stored as a blob: documents stay far below MongoDB's 16 MB, and a query that
#: walks over documents does not read what it does not show.
INLINE_BYTES = 256 * 1024

#: MongoDB stores documents of 100 levels and more; a value that needs more than this, far below it,
#: is put into a blob, whatever its size.
_MAX_LEVELS = 50


def pack(value: Any, blobs: Blobs, owner: str) -> tuple[Any, list[ObjectId]]:
    """Return what a document holds for ``value``, and the ids of the blobs that it points at.

    Plain values stay what they are, so they can be queried. The ids belong into the list ``blobs``
    of the document, which is what commits them.

    Parameters
    ----------
    value
        None, a bool, int, float, str, bytes, datetime, array or NumPy scalar, or a list, tuple or
        dict (with str keys) of those, see `tensorlayer.storage.walk`. NaN, infinity and large
        integers survive; a time keeps its microseconds, and an aware one comes back in UTC.
    blobs
        Where goes what is larger than `INLINE_BYTES`.
    owner
        The collection whose document will hold it.

    Raises
    ------
    InvalidArgument
        When something in ``value`` is of another type; the message says where.

    Examples
    --------
    >>> pack({"rate": 0.1, "sizes": (2, 3)}, hub.store.blobs, "tasks")
    ({'rate': 0.1, 'sizes': {'~tuple': [2, 3]}}, [])
    """
    if type(value) is np.ndarray and value.nbytes <= INLINE_BYTES:
        with contextlib.suppress(InvalidArgument):  # the walk below says where it is wrong
            return {"~array": encode(value)}, []
    packer = _Packer(blobs, owner)
    packed = fold(value, packer.leaf, packer.branch, "value")
    return packed.document, packer.ids


def unpack(document: Any, blobs: Blobs) -> Any:
    """Return the value that `pack` was given.

    Raises
    ------
    Corrupt
        When the document or one of its blobs is damaged.

    Examples
    --------
    >>> unpack({"sizes": {"~tuple": [2, 3]}}, hub.store.blobs)
    {'sizes': (2, 3)}
    """
    try:
        return _unpack(document, blobs, _MAX_UNPACKED)
    except RecursionError as error:
        raise Corrupt("packed value: it is nested too deep.") from error


def _unpack(document: Any, blobs: Blobs, levels: int) -> Any:
    if levels < 0:
        raise Corrupt(f"packed value: it is nested deeper than {MAX_DEPTH} levels.")
    if isinstance(document, list):
        return [_unpack(each, blobs, levels - 1) for each in document]
    if isinstance(document, Int64):
        return int(document)
    if not isinstance(document, Mapping):
        return document
    tag = next(iter(document), "")
    if not tag.startswith("~"):
        return {key: _unpack(each, blobs, levels - 1) for key, each in document.items()}
    if tag not in _READERS or len(document) != 1:
        raise Corrupt(f"packed value: unknown tag {tag!r}; was it written by a newer version?")
    inner = functools.partial(_unpack, blobs=blobs, levels=levels - 1)
    try:
        return _READERS[tag](document[tag], blobs, inner)
    except (KeyError, TypeError, ValueError, InvalidBSON) as error:
        raise Corrupt(f"packed value: {tag!r} cannot be decoded: {str(error)[:200]!r}.") from error


class _Packed(NamedTuple):
    """A value as BSON, about how many bytes it takes, and how many levels it has."""

    document: Any
    size: int
    levels: int


class _Packer:
    """One value on its way into a document, and what of it went to blobs."""

    def __init__(self, blobs: Blobs, owner: str) -> None:
        self._blobs, self._owner = blobs, owner
        self.ids: list[ObjectId] = []

    def leaf(self, kind: str, value: Any) -> _Packed:
        match kind:
            case "int":
                if -(2**63) <= value < 2**63:
                    return _Packed(value, _SCALAR_BYTES, 0)
                return _Packed({"~int": hex(value)}, value.bit_length() // 4 + _SCALAR_BYTES, 1)
            case "text":
                return self._inline_or_blob(value, utf8(value), "~str")
            case "bytes":
                return self._inline_or_blob(value, value, "~bytes")
            case "time":
                return _Packed(_pack_time(value), 2 * _SCALAR_BYTES, 1)
            case "array" | "scalar":
                return self._array(f"~{kind}", np.asarray(value))
        return _Packed(value, _SCALAR_BYTES, 0)

    def branch(self, kind: str, keys: list[str] | None, parts: list[_Packed]) -> _Packed:
        document: Any = [each.document for each in parts]
        size = sum(each.size for each in parts) + _FIELD_BYTES * len(parts)
        levels = 1 + max((each.levels for each in parts), default=0)
        if kind == "tuple":
            document, levels = {"~tuple": document}, levels + 1
        elif keys is not None:
            size += sum(map(len, map(utf8, keys)))
            pairs = zip(keys, document, strict=True)
            if all(map(_is_plain, keys)):
                document = dict(pairs)
            else:
                document, levels = {"~dict": list(map(list, pairs))}, levels + 2
        return self._spilled(document, size, levels)

    def _array(self, tag: str, array: np.ndarray) -> _Packed:
        dtype_name(array.dtype)  # or it is refused, with its place
        if array.nbytes <= INLINE_BYTES:
            document = encode(array)
            return _Packed({tag: document}, len(document["bytes"]) + 4 * _SCALAR_BYTES, 3)
        return _Packed(
            {tag: head_of(array) | {"blob": self._upload(data_of(array))}}, _POINTER_BYTES, 3
        )

    def _inline_or_blob(self, value: Any, data: bytes, tag: str) -> _Packed:
        if len(data) <= INLINE_BYTES:
            return _Packed(value, len(data) + _SCALAR_BYTES, 0)
        return _Packed({tag: self._upload(data)}, _POINTER_BYTES, 2)

    def _spilled(self, document: Any, size: int, levels: int) -> _Packed:
        """Many small values are as large as one large value, and go to a blob like it."""
        if size <= INLINE_BYTES and levels <= _MAX_LEVELS:
            return _Packed(document, size, levels)
        data = bson.encode({"value": document})
        return _Packed({"~bson": self._upload(data)}, _POINTER_BYTES, 2)

    def _upload(self, data: bytes | memoryview) -> dict[str, Any]:
        pointer = self._blobs.put(data, owner=self._owner)
        self.ids.append(pointer.id)
        return pointer.to_document()


#: A number and its overhead in BSON, and the overhead of one more field, rounded up.
_SCALAR_BYTES = 16
_FIELD_BYTES = 8
#: A pointer with its names, and the dtype and shape beside it.
_POINTER_BYTES = 256

#: Each level of a value may have become a blob of its own.
_MAX_UNPACKED = 2 * MAX_DEPTH


def _is_plain(key: str) -> bool:
    """Tell whether MongoDB and this module both take the key for nothing but a key."""
    return key != "" and key[0] not in "~$" and "." not in key and "\0" not in key


def _pack_time(value: datetime.datetime) -> Any:
    """BSON knows whole milliseconds in UTC; every other time is kept as text."""
    if value.tzinfo is None or value.microsecond % 1000:
        return {"~time": in_utc(value).isoformat()}
    return in_utc(value)


def _read_array(document: Mapping[str, Any], blobs: Blobs) -> np.ndarray:
    if "blob" not in document:
        return decode(document)
    dtype, shape = dtype_of(document["dtype"]), tuple(document["shape"])
    pointer = Pointer.from_document(document["blob"])
    if pointer.length != length_of(dtype, shape):
        raise ValueError(f"{pointer.length} bytes do not make {shape} of {dtype}")
    return filled(blobs.read(pointer), dtype, shape)


def _content(document: Mapping[str, Any], blobs: Blobs) -> bytes:
    pointer = Pointer.from_document(document)
    return blobs.get(pointer)


_Inner = Callable[[Any], Any]

#: What each tag means; a tag is never used again for anything else.
_READERS: dict[str, Callable[[Any, Blobs, _Inner], Any]] = {
    "~array": lambda document, blobs, inner: _read_array(document, blobs),
    "~scalar": lambda document, blobs, inner: _read_array(document, blobs)[()],
    "~bson": lambda document, blobs, inner: inner(
        bson.decode(_content(document, blobs), _AWARE)["value"]
    ),
    "~bytes": lambda document, blobs, inner: _content(document, blobs),
    "~dict": lambda pairs, blobs, inner: {key: inner(each) for key, each in pairs},
    "~int": lambda text, blobs, inner: int(text, 0),
    "~str": lambda document, blobs, inner: _content(document, blobs).decode(),
    "~time": lambda text, blobs, inner: datetime.datetime.fromisoformat(text),
    "~tuple": lambda items, blobs, inner: tuple(map(inner, items)),
}

_AWARE = CodecOptions(tz_aware=True)

__all__ = ["INLINE_BYTES", "pack", "unpack"]
