"""The identity of a task: one digest of what is to be done.

Two submissions with the same function, arguments and keys are the same task. The digest is taken
over a canonical encoding in which every value carries its type, so ``1``, ``1.0``, ``True`` and
``"1"`` are four different arguments, and neither the order of a dictionary nor the memory layout of
an array matters.
"""

from __future__ import annotations

import datetime
import hashlib
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from tensorlayer.errors import InvalidArgument

__all__ = ["identity"]


def identity(
    function: str,
    args: tuple[Any, ...] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    input: str | None = None,
    model: str | None = None,
    output: str | None = None,
) -> str:
    """Return the SHA-256, in hexadecimal, of what a task is.

    Raises
    ------
    InvalidArgument
        An argument is of a type that cannot be stored; the message names its place.

    Examples
    --------
    >>> identity("my:train", (1,)) == identity("my:train", (1,))
    True
    >>> identity("my:train", (1,)) == identity("my:train", (True,))
    False
    """
    digest = hashlib.sha256()
    keys = {"input": input, "model": model, "output": output}
    for what, value in {"": function, "args": args, "kwargs": kwargs or {}, "keys": keys}.items():
        for piece in _encode(value, f"{function} {what}"):
            digest.update(piece)
    return digest.hexdigest()


def _frame(tag: bytes, payload: bytes | memoryview) -> Iterator[bytes | memoryview]:
    # Tag and length in front of each payload: no two values share an encoding.
    yield tag + struct.pack("<Q", len(payload))
    yield payload


def _encode(value: Any, place: str) -> Iterator[bytes | memoryview]:
    if isinstance(value, Mapping):
        yield from _encode_mapping(value, place)
    elif isinstance(value, list | tuple):
        yield (b"l" if isinstance(value, list) else b"u") + struct.pack("<Q", len(value))
        for index, each in enumerate(value):
            yield from _encode(each, f"{place}[{index}]")
    elif isinstance(value, np.ndarray | np.generic):
        yield from _encode_array(np.asarray(value), place)
    else:
        yield from _encode_scalar(value, place)


def _encode_mapping(value: Mapping[Any, Any], place: str) -> Iterator[bytes | memoryview]:
    wrong = next((key for key in value if not isinstance(key, str)), None)
    if wrong is not None:
        raise InvalidArgument(
            f"Task arguments: keys of a dictionary must be str, got {wrong!r} in {place}."
        )
    yield b"d" + struct.pack("<Q", len(value))
    for key in sorted(value):
        yield from _frame(b"s", key.encode())
        yield from _encode(value[key], f"{place}[{key!r}]")


def _encode_array(value: np.ndarray, place: str) -> Iterator[bytes | memoryview]:
    if value.dtype.hasobject:
        raise InvalidArgument(
            f"Task arguments: an array must have a fixed dtype, got {value.dtype} in {place}. "
            "Convert it, or pass a list."
        )
    # One byte order, or the same numbers would have two identities.
    value = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<")).reshape(value.shape)
    yield from _frame(b"a", f"{value.dtype.str}{value.shape}".encode())
    yield from _frame(b"b", value.tobytes())


_SCALARS: dict[type, tuple[bytes, Callable[[Any], bytes]]] = {
    type(None): (b"n", lambda value: b""),
    bool: (b"t", lambda value: bytes([value])),
    int: (b"i", lambda value: str(value).encode()),
    float: (b"f", lambda value: struct.pack("<d", value)),
    str: (b"s", str.encode),
    bytes: (b"b", bytes),
    datetime.datetime: (b"m", lambda value: value.isoformat().encode()),
}


def _encode_scalar(value: Any, place: str) -> Iterator[bytes | memoryview]:
    try:
        tag, encoder = _SCALARS[type(value)]
    except KeyError:
        raise InvalidArgument(
            "Task arguments: a value must be an array, str, bytes, bool, int, float, None, "
            f"datetime, or a list or dict of those, got {type(value).__name__} in {place}. Pass "
            "what it is made of, or the key under which it is stored."
        ) from None
    yield from _frame(tag, encoder(value))
