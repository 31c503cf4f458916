"""Arrays as documents ``{dtype, shape, codec, bytes, check}``: typed bytes, nothing is executed.

What was stored before there was ``check`` has ``crc``, the CRC-32 of its bytes, or neither.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import lz4.block
import numpy as np
import zstandard

from tensorlayer.errors import Corrupt, InvalidArgument
from tensorlayer.storage.checksums import checksum
from tensorlayer.storage.walk import NARROW_FLOATS, Refused, dtype_name

__all__ = [
    "data_of",
    "decode",
    "decode_all",
    "dtype_of",
    "encode",
    "filled",
    "head_of",
    "length_of",
    "pays",
]

#: What decoding raises when bytes, type and shape do not belong together.
_DAMAGE = (
    TypeError,
    ValueError,
    OverflowError,
    MemoryError,
    lz4.block.LZ4BlockError,
    zstandard.ZstdError,
)

#: Compression has to save a fifth, or decoding costs more than the bytes it spares.
_WORTHWHILE = 0.8
#: Below this, the header of a compressed block eats what compression gains.
_SMALLEST_COMPRESSED = 512
#: A large array is judged by this much of its middle.
_PROBE_BYTES = 64 * 1024


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
        ``check``, the checksum of what is stored.

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
    head = head_of(array)
    if codec in ("auto", "raw") and array.nbytes < _SMALLEST_COMPRESSED:
        codec, stored = "raw", array.tobytes()
    else:
        data = data_of(array)
        if codec == "auto":
            codec = "lz4" if pays(data) else "raw"
        stored = _compress(data, codec)
    return head | {"codec": codec, "bytes": stored, "check": checksum(stored)}


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
        dtype, shape = dtype_of(first["dtype"]), tuple(first["shape"])
        length = length_of(dtype, shape)
        parts = (_stored(each, first, length) for each in documents)
        if dtype.itemsize == 0:
            return filled(b"".join(parts), dtype, (len(documents), *shape))
        joined = np.empty((len(documents), *shape), dtype)
        content = memoryview(joined.reshape(-1).view(np.uint8))
        for n, part in enumerate(parts):
            content[n * length : (n + 1) * length] = part
    except KeyError as error:
        raise Corrupt(f"array: the field {error} is missing in the stored document.") from error
    except _DAMAGE as error:
        raise Corrupt(f"array: the stored bytes cannot be decoded: {error}.") from error
    return joined


def _stored(document: Mapping[str, Any], first: Mapping[str, Any], length: int) -> bytes:
    """Return the bytes of an array that is like the first one."""
    if document["dtype"] != first["dtype"] or document["shape"] != first["shape"]:
        raise ValueError(f"{document['dtype']} of shape {document['shape']} among others")
    data = document["bytes"]
    if not _is_intact(data, document):
        raise ValueError("their checksum differs")
    return _decompress(data, document["codec"], length)


def _is_intact(data: bytes, document: Mapping[str, Any]) -> bool:
    if "check" in document:
        return checksum(data) == document["check"]
    return "crc" not in document or zlib.crc32(data) == document["crc"]


def head_of(array: np.ndarray) -> dict[str, Any]:
    """Return type and shape of an array, as they are stored."""
    try:
        return {"dtype": dtype_name(array.dtype), "shape": list(array.shape)}
    except Refused as refused:
        raise InvalidArgument(refused.reason) from None


def dtype_of(name: str) -> np.dtype:
    """Return the type of that name; ValueError if it is none that can be stored."""
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


def length_of(dtype: np.dtype, shape: tuple[int, ...]) -> int:
    """Return how many bytes an array takes; ValueError if no array has that shape."""
    if not all(type(each) is int and each >= 0 for each in shape):
        raise ValueError(f"impossible shape {shape!r}")
    return math.prod(shape) * dtype.itemsize


def data_of(array: np.ndarray) -> memoryview:
    """Return the bytes of an array in C order, without a copy where there is one already."""
    flat = np.ascontiguousarray(array).reshape(-1)
    return memoryview(flat.view(np.uint8)) if flat.size and flat.itemsize else memoryview(b"")


def filled(data: bytearray | memoryview, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    """Return the array whose bytes are ``data``, without a copy."""
    if dtype.itemsize == 0:
        return np.empty(shape, dtype)
    return np.frombuffer(data, dtype).reshape(shape)


def pays(data: memoryview) -> bool:
    """Tell whether bytes of an array are worth compressing, after a look at their middle."""
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
