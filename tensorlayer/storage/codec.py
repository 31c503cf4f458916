"""Arrays and plain values as typed bytes: nothing that is read is ever executed.

An array is a document ``{dtype, shape, codec, bytes}``. Other values are what BSON says, and where
BSON has no word for one (an array, a tuple, a large integer, a naive time), it is a document with
one field that starts with ``~``. What is larger than `INLINE_BYTES` goes to a blob, behind a
pointer.
"""

from __future__ import annotations

import datetime
import functools
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import bson
import lz4.block
import numpy as np
import zstandard
from bson import CodecOptions, Int64, ObjectId
from bson.errors import InvalidBSON

from tensorlayer.errors import Corrupt, InvalidArgument
from tensorlayer.storage.blobs import Blobs, Pointer
from tensorlayer.storage.walk import (
    MAX_DEPTH,
    NARROW_FLOATS,
    Refused,
    dtype_name,
    fold,
    in_utc,
    utf8,
)

#: What is larger is stored as a blob: documents stay far below MongoDB's 16 MB, and a query that
#: walks over documents does not read what it does not show.
INLINE_BYTES = 256 * 1024

#: Compression has to save a fifth, or decoding costs more than the bytes it spares.
_WORTHWHILE = 0.8
#: Below this, the header of a compressed block eats what compression gains.
_SMALLEST_COMPRESSED = 512
#: A large array is judged by this much of its middle.
_PROBE_BYTES = 64 * 1024

#: MongoDB stores documents of 100 levels and more; a value that needs more than this, far below it,
#: is put into a blob, whatever its size.
_MAX_LEVELS = 50


def encode(array: np.ndarray, codec: str = "auto") -> dict[str, Any]:
    """Return an array as a document.

    Parameters
    ----------
    array
        Of any shape and of any dtype but objects and records; its byte order is kept.
    codec
        ``"raw"``, ``"lz4"``, ``"zstd"`` or ``"auto"``: lz4 where it saves a fifth, else raw.

    Returns
    -------
    dict
        ``dtype`` as NumPy spells it, ``shape`` as a list, ``codec``, ``bytes`` in C order, and
        ``crc``, the checksum of what is stored.

    Raises
    ------
    InvalidArgument
        When the dtype holds Python objects or fields, or the codec is unknown.

    Examples
    --------
    >>> encode(np.zeros((2, 3), np.float32))["shape"]
    [2, 3]
    >>> encode(np.zeros(10_000))["codec"]
    'lz4'
    """
    head = _head(array)
    if codec in ("auto", "raw") and array.nbytes < _SMALLEST_COMPRESSED:
        codec, stored = "raw", array.tobytes()
    else:
        data = _data(array)
        if codec == "auto":
            codec = "lz4" if _pays(data) else "raw"
        stored = _compress(data, codec)
    return head | {"codec": codec, "bytes": stored, "crc": zlib.crc32(stored)}


def decode(document: Mapping[str, Any]) -> np.ndarray:
    """Return the array of a document that `encode` made; it may be written to.

    Raises
    ------
    Corrupt
        When the document is nonsense: an unknown dtype or codec, bytes that do not fit the shape.

    Examples
    --------
    >>> decode(encode(np.arange(3)))
    array([0, 1, 2])
    """
    joined = decode_all([document])
    return joined.reshape(joined.shape[1:])


def decode_all(documents: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Return the arrays of documents as one array with a first axis more; it is filled in place.

    Raises
    ------
    Corrupt
        One of them is nonsense, its checksum differs, or it is not of the first one's type and
        shape.

    Examples
    --------
    >>> decode_all([encode(np.arange(3)), encode(np.ones(3, int))])
    array([[0, 1, 2],
           [1, 1, 1]])
    """
    try:
        first = documents[0]
        dtype, shape = _dtype(first["dtype"]), tuple(first["shape"])
        length = _length(dtype, shape)
        parts = (_stored(each, first, length) for each in documents)
        if len(documents) == 1 or dtype.itemsize == 0:
            joined = bytearray().join(parts)
            return _array(joined, dtype, (len(documents), *shape))
        joined = np.empty((len(documents), *shape), dtype)
        content = memoryview(joined.reshape(-1).view(np.uint8))
        for n, part in enumerate(parts):
            content[n * length : (n + 1) * length] = part
    except KeyError as error:
        raise Corrupt(f"array: the field {error} is missing in the stored document.") from error
    except (TypeError, ValueError, lz4.block.LZ4BlockError, zstandard.ZstdError) as error:
        raise Corrupt(f"array: the stored bytes cannot be decoded: {error}.") from error
    return joined


def _stored(document: Mapping[str, Any], first: Mapping[str, Any], length: int) -> bytes:
    """Return the bytes of an array that is like the first one."""
    if document["dtype"] != first["dtype"] or document["shape"] != first["shape"]:
        raise ValueError(f"{document['dtype']} of shape {document['shape']} among others")
    data = document["bytes"]
    if "crc" in document and zlib.crc32(data) != document["crc"]:
        raise ValueError("their checksum differs")
    return _decompress(data, document["codec"], length)


def _head(array: np.ndarray) -> dict[str, Any]:
    try:
        return {"dtype": dtype_name(array.dtype), "shape": list(array.shape)}
    except Refused as refused:
        raise InvalidArgument(refused.reason) from None


def _dtype(name: str) -> np.dtype:
    if name in NARROW_FLOATS:
        import ml_dtypes  # a dependency of TensorFlow, needed for nothing else

        return np.dtype(getattr(ml_dtypes, name))
    dtype = np.dtype(name) if isinstance(name, str) else None
    if dtype is None or dtype.str != name or not _is_known(dtype):
        raise ValueError(f"unknown dtype {name!r}")
    return dtype


def _is_known(dtype: np.dtype) -> bool:
    try:
        return bool(dtype_name(dtype))
    except Refused:
        return False


def _length(dtype: np.dtype, shape: tuple[int, ...]) -> int:
    if not all(type(each) is int and each >= 0 for each in shape):
        raise ValueError(f"impossible shape {shape!r}")
    return math.prod(shape) * dtype.itemsize


def _data(array: np.ndarray) -> memoryview:
    """Return the bytes of an array in C order, without a copy where there is one already."""
    flat = np.ascontiguousarray(array).reshape(-1)
    return memoryview(flat.view(np.uint8)) if flat.size and flat.itemsize else memoryview(b"")


def _array(data: bytearray | memoryview, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    if dtype.itemsize == 0:
        return np.empty(shape, dtype)
    return np.frombuffer(data, dtype).reshape(shape)


def _pays(data: memoryview) -> bool:
    if len(data) < _SMALLEST_COMPRESSED:
        return False
    start = max(0, (len(data) - _PROBE_BYTES) // 2)
    probe = data[start : start + _PROBE_BYTES]
    return len(lz4.block.compress(probe, store_size=False)) <= _WORTHWHILE * len(probe)


def _compress(data: memoryview, codec: str) -> bytes:
    match codec:
        case "raw":
            return bytes(data)
        case "lz4":
            return lz4.block.compress(data, store_size=False)
        case "zstd":
            return zstandard.ZstdCompressor().compress(data)
    raise InvalidArgument(f"codec {codec!r}: must be 'raw', 'lz4', 'zstd' or 'auto'.")


def _decompress(data: bytes, codec: str, length: int) -> bytes:
    """Return exactly ``length`` bytes; a claim of more is refused before it is unpacked."""
    match codec:
        case "raw":
            found = data
        case "lz4":
            found = lz4.block.decompress(data, uncompressed_size=length)
        case "zstd":
            if zstandard.frame_content_size(data) != length:
                raise ValueError("its length is not what its shape needs")
            found = zstandard.ZstdDecompressor().decompress(data)
        case _:
            raise ValueError(f"unknown codec {codec!r}")
    if len(found) != length:
        raise ValueError(f"{len(found)} bytes where the shape needs {length}")
    return found


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
            {tag: _head(array) | {"blob": self._upload(_data(array))}}, _POINTER_BYTES, 3
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
    dtype, shape = _dtype(document["dtype"]), tuple(document["shape"])
    pointer = Pointer.from_document(document["blob"])
    if pointer.length != _length(dtype, shape):
        raise ValueError(f"{pointer.length} bytes do not make {shape} of {dtype}")
    return _array(blobs.read(pointer), dtype, shape)


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

__all__ = ["INLINE_BYTES", "encode", "decode", "decode_all", "pack", "unpack"]
