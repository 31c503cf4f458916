"""Arrays and plain values as typed bytes: nothing that is read is ever executed.

An array is a document ``{dtype, shape, codec, bytes}``. Other values are what BSON says, and where
BSON has no word for one (an array, a tuple, a large integer, a naive time), it is a document with
one field that starts with ``~``. What is larger than `INLINE_BYTES` goes to a blob, behind a
pointer.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping
from typing import Any

import bson
import lz4.block
import numpy as np
import zstandard
from bson import CodecOptions, Int64, ObjectId
from bson.errors import InvalidBSON

from tensorlayer.errors import Corrupt, InvalidArgument
from tensorlayer.storage.blobs import Blobs, Pointer

#: What is larger is stored as a blob: documents stay far below MongoDB's 16 MB, and a query that
#: walks over documents does not read what it does not show.
INLINE_BYTES = 256 * 1024

#: Compression has to save a fifth, or decoding costs more than the bytes it spares.
_WORTHWHILE = 0.8
#: Below this, the header of a compressed block eats what compression gains.
_SMALLEST_COMPRESSED = 512
#: A large array is judged by this much of its middle.
_PROBE_BYTES = 64 * 1024

#: bool, signed, unsigned, float, complex, bytes, text, time span, time.
_KINDS = frozenset("biufcSUmM")
#: NumPy has no letters for these; they come with TensorFlow and carry two bytes or one.
_NARROW_FLOATS = frozenset({"bfloat16", "float8_e4m3fn", "float8_e5m2"})


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
        ``dtype`` as NumPy spells it, ``shape`` as a list, ``codec`` and ``bytes`` in C order.

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
    head = {"dtype": _dtype_name(array.dtype), "shape": list(array.shape)}
    data = _data(array)
    if codec == "auto":
        codec = "lz4" if _pays(data) else "raw"
    return head | {"codec": codec, "bytes": _compress(data, codec)}


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
    try:
        dtype = _dtype(document["dtype"])
        shape = tuple(document["shape"])
        length = _length(dtype, shape)
        data = _decompress(document["bytes"], document["codec"], length)
    except KeyError as error:
        raise Corrupt(f"array: the field {error} is missing in the stored document.") from error
    except (TypeError, ValueError, lz4.block.LZ4BlockError, zstandard.ZstdError) as error:
        raise Corrupt(f"array: the stored bytes cannot be decoded: {error}.") from error
    return _array(bytearray(data), dtype, shape)


def _dtype_name(dtype: np.dtype) -> str:
    if dtype.name in _NARROW_FLOATS:
        return dtype.name
    if dtype.kind in _KINDS:
        return dtype.str
    raise InvalidArgument(
        f"array of dtype {dtype}: only numbers, text, bytes and times can be stored, no Python "
        "objects and no records. Convert it, for example with astype(np.float32)."
    )


def _dtype(name: str) -> np.dtype:
    if name in _NARROW_FLOATS:
        import ml_dtypes  # a dependency of TensorFlow, needed for nothing else

        return np.dtype(getattr(ml_dtypes, name))
    dtype = np.dtype(name) if isinstance(name, str) else None
    if dtype is None or dtype.kind not in _KINDS or dtype.str != name:
        raise ValueError(f"unknown dtype {name!r}")
    return dtype


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
        dict (with str keys) of those. NaN, infinity and integers of any size survive; a time keeps
        its microseconds, and an aware one comes back in UTC.
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
    document, _ = packer.pack(value, "value")
    return document, packer.ids


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
    if isinstance(document, list):
        return [unpack(each, blobs) for each in document]
    if isinstance(document, Int64):
        return int(document)
    if not isinstance(document, Mapping):
        return document
    tag = next(iter(document), "")
    if not tag.startswith("~"):
        return {key: unpack(each, blobs) for key, each in document.items()}
    if tag not in _READERS or len(document) != 1:
        raise Corrupt(f"packed value: unknown tag {tag!r}; was it written by a newer version?")
    try:
        return _READERS[tag](document[tag], blobs)
    except (KeyError, TypeError, ValueError, InvalidBSON) as error:
        raise Corrupt(f"packed value: {tag!r} cannot be decoded: {error!r}.") from error


class _Packer:
    """One value on its way into a document: where it is in the value, and what went to blobs."""

    def __init__(self, blobs: Blobs, owner: str) -> None:
        self._blobs, self._owner = blobs, owner
        self.ids: list[ObjectId] = []

    def pack(self, value: Any, place: str) -> tuple[Any, int]:
        """Return the packed value and about how many bytes it takes in the document."""
        match value:
            case None | bool() | float() if not isinstance(value, np.generic):
                return value, _SCALAR_BYTES
            case int() if not isinstance(value, np.generic):
                small = -(2**63) <= value < 2**63
                return (value if small else {"~int": str(value)}), _SCALAR_BYTES
            case str() if not isinstance(value, np.generic):
                return self._inline_or_blob(value, _utf8(value, place), "~str")
            case bytes() if not isinstance(value, np.generic):
                return self._inline_or_blob(value, value, "~bytes")
            case datetime.datetime():
                return _pack_time(value), _SCALAR_BYTES
            case np.ndarray() | np.generic():
                return self._array(value)
            case list() | tuple():
                return self._sequence(value, place)
            case Mapping():
                return self._mapping(value, place)
        raise InvalidArgument(
            f"{place}: a {type(value).__name__} cannot be stored. Use None, bool, int, float, str, "
            "bytes, datetime, a NumPy array, or a list, tuple or dict of those."
        )

    def _array(self, value: np.ndarray | np.generic) -> tuple[Any, int]:
        tag = "~array" if isinstance(value, np.ndarray) else "~scalar"
        array = np.asarray(value)
        if array.nbytes <= INLINE_BYTES:
            document = encode(array)
            return {tag: document}, len(document["bytes"]) + _SCALAR_BYTES
        head = {"dtype": _dtype_name(array.dtype), "shape": list(array.shape)}
        return {tag: head | {"blob": self._upload(_data(array))}}, _SCALAR_BYTES

    def _sequence(self, value: list | tuple, place: str) -> tuple[Any, int]:
        pairs = [self.pack(each, f"{place}[{n}]") for n, each in enumerate(value)]
        document = [each for each, _ in pairs]
        tagged = {"~tuple": document} if isinstance(value, tuple) else document
        return self._spilled(tagged, sum(size + _FIELD_BYTES for _, size in pairs))

    def _mapping(self, value: Mapping[str, Any], place: str) -> tuple[Any, int]:
        packed, total = {}, 0
        for key, each in value.items():
            if not isinstance(key, str):
                raise InvalidArgument(f"{place}: the key {key!r} is not a str. Use str keys only.")
            packed[key], size = self.pack(each, f"{place}[{key!r}]")
            total += size + len(_utf8(key, place)) + _FIELD_BYTES
        if not all(map(_is_plain, packed)):
            packed = {"~dict": [[key, each] for key, each in packed.items()]}
        return self._spilled(packed, total)

    def _inline_or_blob(self, value: Any, data: bytes, tag: str) -> tuple[Any, int]:
        if len(data) <= INLINE_BYTES:
            return value, len(data) + _SCALAR_BYTES
        return {tag: self._upload(data)}, _SCALAR_BYTES

    def _spilled(self, document: Any, size: int) -> tuple[Any, int]:
        """Many small values are as large as one large value, and go to a blob like it."""
        if size <= INLINE_BYTES:
            return document, size
        return {"~bson": self._upload(bson.encode({"value": document}))}, _SCALAR_BYTES

    def _upload(self, data: bytes | memoryview) -> dict[str, Any]:
        pointer = self._blobs.put(data, owner=self._owner)
        self.ids.append(pointer.id)
        return pointer.to_document()


#: A number and its overhead in BSON, and the overhead of one more field, rounded up.
_SCALAR_BYTES = 16
_FIELD_BYTES = 8


def _is_plain(key: str) -> bool:
    """Tell whether MongoDB and this module both take the key for nothing but a key."""
    return key != "" and key[0] not in "~$" and "." not in key and "\0" not in key


def _utf8(text: str, place: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument(f"{place}: the text is not valid Unicode: {error}.") from error


def _pack_time(value: datetime.datetime) -> Any:
    """BSON knows whole milliseconds in UTC; every other time is kept as text."""
    if value.tzinfo is None or value.microsecond % 1000:
        return {"~time": value.isoformat()}
    return value.astimezone(datetime.timezone.utc)


def _read_time(text: str, blobs: Blobs) -> datetime.datetime:
    value = datetime.datetime.fromisoformat(text)
    return value if value.tzinfo is None else value.astimezone(datetime.timezone.utc)


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


#: What each tag means; a tag is never used again for anything else.
_READERS: dict[str, Callable[[Any, Blobs], Any]] = {
    "~array": _read_array,
    "~scalar": lambda document, blobs: _read_array(document, blobs)[()],
    "~bson": lambda document, blobs: unpack(
        bson.decode(_content(document, blobs), _AWARE)["value"], blobs
    ),
    "~bytes": _content,
    "~dict": lambda pairs, blobs: {key: unpack(each, blobs) for key, each in pairs},
    "~int": lambda text, blobs: int(text),
    "~str": lambda document, blobs: _content(document, blobs).decode(),
    "~time": _read_time,
    "~tuple": lambda items, blobs: tuple(unpack(each, blobs) for each in items),
}

_AWARE = CodecOptions(tz_aware=True)

__all__ = ["INLINE_BYTES", "encode", "decode", "pack", "unpack"]
