"""Named arrays as one block of bytes, in the safetensors format.

The format is a JSON header and the raw numbers: nothing in it can be executed. The order of the
arrays is kept in the header's metadata, since a model's parameters have an order and the format has
none.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

import numpy as np
from safetensors.numpy import save

from tensorlayer.errors import Corrupt, NotSerializable

__all__ = ["dtype_of", "from_bytes", "to_bytes"]

#: Metadata entry with the names in their order.
ORDER = "order"

_DTYPES = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "U16": "uint16",
    "I16": "int16",
    "U32": "uint32",
    "I32": "int32",
    "U64": "uint64",
    "I64": "int64",
    "F16": "float16",
    "F32": "float32",
    "F64": "float64",
    "C64": "complex64",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
}


def to_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return the safetensors file that holds ``arrays``.

    Raises
    ------
    NotSerializable
        An array has a type that safetensors does not know, such as ``complex128`` or text.

    Examples
    --------
    >>> from_bytes(to_bytes({"w": np.ones([2], np.float32)}))
    {'w': array([1., 1.], dtype=float32)}
    """
    # safetensors reads the memory as it lies there: a transposed array would come back scrambled.
    masked = next((n for n, each in arrays.items() if isinstance(each, np.ma.MaskedArray)), None)
    if masked is not None:
        raise NotSerializable(
            f"Array {masked!r} would lose its mask. Save its data and its mask under two names."
        )
    dense = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    for name, array in dense.items():
        if array.dtype.name not in _DTYPES.values():
            raise NotSerializable(
                f"Array {name!r} has dtype {array.dtype}, which safetensors cannot hold. "
                f"Cast it to one of: {', '.join(_DTYPES.values())}."
            )
    return save(dense, metadata={ORDER: json.dumps(list(dense))})


def from_bytes(data: bytes | memoryview) -> dict[str, np.ndarray]:
    """Return the arrays in their order, as read-only views of ``data``: nothing is copied.

    Raises
    ------
    Corrupt
        ``data`` is not a safetensors file, or its shapes and lengths do not fit together.
    """
    try:
        start = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(bytes(data[8:start]))
        metadata = header.pop("__metadata__", {})
        order = json.loads(metadata[ORDER]) if ORDER in metadata else list(header)
        view = memoryview(data).toreadonly()
        return {name: _array(view, start, **header[name]) for name in order}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Corrupt(f"These {len(data)} bytes are not a safetensors file: {error}.") from error


def _array(
    data: memoryview, start: int, *, dtype: str, shape: list[int], data_offsets: list[int]
) -> np.ndarray:
    first, last = data_offsets
    kind, count = dtype_of(dtype), math.prod(shape)
    if last - first != count * kind.itemsize or start + last > len(data):
        raise ValueError(f"shape {shape} of {dtype} does not fit in bytes {first} to {last}")
    return np.frombuffer(data, kind, count, start + first).reshape(shape)


def dtype_of(code: str) -> np.dtype:
    """Return NumPy's type for a name of safetensors; KeyError if there is none.

    Examples
    --------
    >>> dtype_of("F32"), dtype_of("BF16")
    (dtype('float32'), dtype(bfloat16))
    """
    name = _DTYPES[code]
    try:
        return np.dtype(name)
    except TypeError:  # a type that NumPy learns when ml_dtypes, a part of TensorFlow, is imported
        import ml_dtypes

        return np.dtype(getattr(ml_dtypes, name))
