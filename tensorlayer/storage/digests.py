"""Digests of values: two values have one digest if they are read back as the same value.

The order of a dict, the byte order and the memory layout of an array and the zone of an aware time
do not count; type, shape and the bits of a number do: ``1``, ``1.0``, ``True`` and ``"1"`` differ,
a list and a tuple differ, 0.0 and -0.0 differ. All NaN that Python has are one; in an array, its
bits count. A digest is the same in every process and on every machine.
"""

from __future__ import annotations

import functools
import hashlib
import math
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from tensorlayer.storage.walk import Refused, dtype_name, fold, in_utc, utf8

__all__ = ["digest", "digest_rows"]

#: What is larger is hashed where it is, without a copy.
_COPIED_BYTES = 64 * 1024

#: One value is a list of pieces: kind, length and content, so that no two values share an encoding.
_Pieces = list[bytes | memoryview]

_NAN = b"d" + struct.pack("<d", math.nan)
_PLAIN_KINDS = "biufSU"


def digest(values: Iterable[tuple[str, Any]], *, by_number: bool = False) -> str:
    """Return the SHA-256 of values in their order, as 64 hexadecimal digits.

    Parameters
    ----------
    values
        The place of each value, for the message, and the value.
    by_number
        A NumPy scalar counts as the number or text of Python that equals it. Otherwise it counts as
        an array of no dimensions does, but is not the same as one.

    Raises
    ------
    InvalidArgument
        A value is of a kind that cannot be stored; the message says where.

    Examples
    --------
    >>> digest([("sample", {"a": 1, "b": 2})]) == digest([("sample", {"b": 2, "a": 1})])
    True
    >>> digest([("label", np.int8(1))], by_number=True) == digest([("label", 1)])
    True
    """
    leaf, short = (_leaf_by_number, _SHORT_BY_NUMBER) if by_number else (_leaf, _SHORT)
    pieces: _Pieces = []
    for place, value in values:
        encode = short.get(type(value))
        data = None if encode is None else encode(value)
        if data is None:
            pieces += fold(value, leaf, _branch, place)
        else:
            pieces.append(data)
    if memoryview not in map(type, pieces):
        return hashlib.sha256(b"".join(pieces)).hexdigest()
    state = hashlib.sha256()
    for piece in pieces:
        state.update(piece)
    return state.hexdigest()


def digest_rows(columns: Sequence[Sequence[Any]]) -> list[str] | None:
    """Return what `digest` returns ``by_number`` for each row, or None if that has to be asked.

    Of what a column has in common, it is encoded once: the type and shape of its arrays, or all of
    one object.

    Parameters
    ----------
    columns
        Of one length.

    Examples
    --------
    >>> found = digest_rows([[np.ones(2), np.zeros(2)], [1, 2], ["a", "b"]])
    >>> found[1] == digest([("x", np.zeros(2)), ("y", 2), ("z", "b")], by_number=True)
    True
    """
    pieces = []
    for column in columns:
        found = _column(column)
        if found is None:
            return None
        pieces.append(found)
    joined = map(b"".join, zip(*pieces, strict=True))
    return [hashlib.sha256(each).hexdigest() for each in joined]


def _column(values: Sequence[Any]) -> list[bytes] | None:
    kinds = set(map(type, values))
    if kinds == {np.ndarray}:
        return _arrays(values)
    encoders = [_SHORT_BY_NUMBER.get(kind) for kind in kinds]
    if len(encoders) != 1 or encoders[0] is None:
        return None
    (encode,) = encoders
    if all(each is values[0] for each in values):
        found = [encode(values[0])] * len(values)
    else:
        found = list(map(encode, values))
    return None if None in found else found


def _arrays(arrays: Sequence[np.ndarray]) -> list[bytes] | None:
    first = arrays[0]
    dtype, shape = first.dtype, first.shape
    if first.nbytes > _COPIED_BYTES:
        return None
    if not all(each.dtype == dtype and each.shape == shape for each in arrays):
        return None
    try:
        head, is_native = _head(dtype, shape)
    except Refused:
        return None
    return [head + each.tobytes() for each in arrays] if is_native else None


def _short_array(array: np.ndarray) -> bytes | None:
    try:
        head, is_native = _head(array.dtype, array.shape)
    except Refused:
        return None
    return head + array.tobytes() if is_native and array.nbytes <= _COPIED_BYTES else None


def _short_text(text: str) -> bytes | None:
    if not text.isascii() or len(text) > _COPIED_BYTES:
        return None
    return b"s%d;%b" % (len(text), text.encode())


def _short_int(value: int) -> bytes | None:
    digits = b"%x" % value
    return b"i%d;%b" % (len(digits), digits) if len(digits) <= _COPIED_BYTES else None


def _short_number(value: np.generic) -> bytes:
    return _short_int(value.item())


#: The same encoding without a walk, of what most samples and labels are; None if it is more than
#: that. What is refused is refused by the walk, which knows the place.
_SHORT: dict[type, Callable[[Any], bytes | None]] = {
    np.ndarray: _short_array,
    str: _short_text,
    int: _short_int,
    type(None): lambda value: b"n",
}
_INTEGERS = (np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64)
_SHORT_BY_NUMBER = _SHORT | dict.fromkeys(_INTEGERS, _short_number)


def _leaf(kind: str, value: Any) -> _Pieces:
    match kind:
        case "array":
            return _array(value)
        case "text":
            return _framed(b"s", utf8(value))
        case "int":
            # Not in decimal digits: that takes a time that grows with their square.
            return _framed(b"i", b"%x" % value)
        case "float":
            return [_NAN if value != value else b"d" + struct.pack("<d", value)]
        case "none":
            return [b"n"]
        case "bool":
            return [b"t" if value else b"f"]
        case "bytes":
            head = b"b%d;" % len(value)
            return [head, value if len(value) <= _COPIED_BYTES else memoryview(value)]
        case "time":
            return _framed(b"c", in_utc(value).isoformat().encode())
    return [b"x", *_array(np.asarray(value))]


def _leaf_by_number(kind: str, value: Any) -> _Pieces:
    if kind == "scalar" and value.dtype.kind in _PLAIN_KINDS:
        number = value.item()
        if not isinstance(number, np.generic):  # as that of a long double is
            return _leaf(_ITEMS[type(number)], number)
    return _leaf(kind, value)


_ITEMS = {bool: "bool", int: "int", float: "float", str: "text", bytes: "bytes"}


def _branch(kind: str, keys: list[str] | None, parts: list[_Pieces]) -> _Pieces:
    if keys is None:
        pieces: _Pieces = [b"%b%d;" % (b"l" if kind == "list" else b"u", len(parts))]
        for each in parts:
            pieces += each
        return pieces
    pieces = [b"m%d;" % len(parts)]
    for key, each in sorted(zip(keys, parts, strict=True), key=lambda pair: pair[0]):
        pieces += _framed(b"s", key.encode())
        pieces += each
    return pieces


def _framed(tag: bytes, data: bytes) -> _Pieces:
    return [b"%b%d;" % (tag, len(data)), data]


def _array(array: np.ndarray) -> _Pieces:
    head, is_native = _head(array.dtype, array.shape)
    if not is_native:
        array = array.astype(array.dtype.newbyteorder("<"))
    if array.nbytes <= _COPIED_BYTES:
        return [head, array.tobytes()]
    return [head, memoryview(np.ascontiguousarray(array).reshape(-1).view(np.uint8))]


@functools.lru_cache(maxsize=1024)  # its text costs as much as the hash of a small image
def _head(dtype: np.dtype, shape: tuple[int, ...]) -> tuple[bytes, bool]:
    name = dtype_name(dtype)
    is_native = not name.startswith(">")
    return f"a{name.replace('>', '<', 1)}{shape};".encode(), is_native
