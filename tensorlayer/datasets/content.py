"""What makes two samples the same: a digest of their content, and the key that follows from it."""

from __future__ import annotations

import datetime
import functools
import hashlib
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from tensorlayer.errors import InvalidArgument, InvalidName

__all__ = ["MAX_KEY", "check_sample_key", "default_keys", "digest"]

#: Characters of a sample's key: a path in an archive fits, and so does an index entry of MongoDB.
MAX_KEY = 512


def digest(*values: Any) -> str:
    """Return the SHA-256 of values, as 64 hexadecimal digits.

    Equal content gives the same digest in every process and on every machine: the order of a
    mapping and the byte order of an array do not count, type and shape do. A NumPy scalar counts as
    its number.

    Raises
    ------
    InvalidArgument
        A value is of a kind that a sample cannot hold.

    Examples
    --------
    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    >>> digest(1) == digest("1")
    False
    """
    state = hashlib.sha256()
    for value in values:
        _feed(state.update, value)
    return state.hexdigest()


def default_keys(digests: Iterable[str]) -> list[str]:
    """Return a key for each sample: its digest, and how many equal ones came before it.

    Examples
    --------
    >>> default_keys(["ab", "cd", "ab"])
    ['ab-0', 'cd-0', 'ab-1']
    """
    seen: Counter[str] = Counter()
    keys = []
    for each in digests:
        keys.append(f"{each}-{seen[each]}")
        seen[each] += 1
    return keys


def check_sample_key(key: Any) -> str:
    """Return ``key`` if a sample may be called so: a printable string of 1 to `MAX_KEY` characters.

    A key is only ever compared, never a path or a field, so ``/`` and ``$`` are fine.

    Raises
    ------
    InvalidName
        It is not.
    """
    if isinstance(key, str) and 0 < len(key) <= MAX_KEY and key.isprintable():
        return key
    raise InvalidName(
        f"Sample key {key!r:.80}: must be a printable string of 1 to {MAX_KEY} characters. "
        "Give another key, or none: then the content is the key."
    )


def _feed(update: Callable[[Any], None], value: Any) -> None:
    """Add one value; every kind starts with its own letter and says its length."""
    if isinstance(value, np.generic) and value.dtype.kind in "biufSU":
        value = value.item()
    if isinstance(value, np.ndarray | np.generic):
        _feed_array(update, np.asarray(value))
    elif isinstance(value, list | tuple):
        update(b"l%d;" % len(value))
        for each in value:
            _feed(update, each)
    elif isinstance(value, Mapping):
        _check_names(value)
        update(b"m%d;" % len(value))
        for name in sorted(value):
            _feed(update, name)
            _feed(update, value[name])
    else:
        data = _plain(value)
        update(data[:1] + b"%d;" % len(data))
        update(data[1:])


def _check_names(value: Mapping[Any, Any]) -> None:
    wrong = next((name for name in value if not isinstance(name, str)), None)
    if wrong is not None:
        raise InvalidArgument(
            f"A sample holds a dict with the key {wrong!r}. Keys must be strings."
        )


def _feed_array(update: Callable[[Any], None], array: np.ndarray) -> None:
    if array.dtype.hasobject:
        raise InvalidArgument(
            "A sample holds an array of Python objects, which cannot be stored without executing "
            "anything on reading. Give a list, or an array of numbers."
        )
    if array.dtype.byteorder == ">":
        array = array.astype(array.dtype.newbyteorder("<"))
    array = np.asarray(array, order="C")
    update(_array_head(array.dtype, array.shape))
    update(array.reshape(-1).view(np.uint8) if array.size else b"")


@functools.lru_cache(maxsize=1024)  # the name of a dtype costs as much as the hash of a small image
def _array_head(dtype: np.dtype, shape: tuple[int, ...]) -> bytes:
    return f"a{dtype.name}{shape};".encode()


def _plain(value: Any) -> bytes:
    if value is None:
        return b"n"
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, int):
        return b"i%d" % value
    if isinstance(value, float):
        return b"d" + struct.pack("<d", value)
    if isinstance(value, str):
        return b"s" + value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes | bytearray | memoryview):
        return b"b" + bytes(value)
    if isinstance(value, datetime.datetime):
        return b"c" + value.isoformat().encode()
    raise InvalidArgument(
        f"A sample cannot hold a {type(value).__name__}. Give arrays, numbers, strings, bytes, "
        "booleans, times, None, or lists and dicts of them."
    )
