"""Walking over a value: which values there are, and where in a value something is.

Whatever is stored, hashed or compared is one of a few kinds. They are told apart here and nowhere
else, so arguments, samples and their digests accept the same values and refuse the others with the
same words, which name the place: ``args[0]['x']``.

Subclasses count as what they are made of: a member of an ``IntEnum`` is an int, a named tuple a
tuple.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from tensorlayer.errors import InvalidArgument

__all__ = [
    "MAX_DEPTH",
    "MAX_INT_BITS",
    "NARROW_FLOATS",
    "Refused",
    "dtype_name",
    "fold",
    "in_utc",
    "utf8",
]

T = TypeVar("T")

#: Lists within lists. Deeper is no data but a cycle, or made to exhaust the stack of its reader.
MAX_DEPTH = 100
#: A larger integer is no number that anybody means: 128 KB.
MAX_INT_BITS = 2**20

#: bool, signed, unsigned, float, complex, bytes, text, time span, time.
_DTYPE_KINDS = frozenset("biufcSUmM")
#: NumPy has no letters for these; they come with TensorFlow and carry two bytes or one.
NARROW_FLOATS = frozenset({"bfloat16", "float8_e4m3fn", "float8_e5m2"})

_ACCEPTED = (
    "Use None, bool, int, float, str, bytes, datetime, a NumPy array, or a list, tuple or dict of "
    "those."
)


class Refused(Exception):
    """Something in a value is not accepted; knows where, and never leaves `fold`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = ""


def fold(
    value: Any,
    leaf: Callable[[str, Any], T],
    branch: Callable[[str, list[str] | None, list[T]], T],
    place: str,
) -> T:
    """Walk over a value from its leaves to its root.

    Parameters
    ----------
    value
        What is walked over.
    leaf
        Called with the kind and the value of what has no parts: ``"none"``, ``"bool"``, ``"int"``,
        ``"float"``, ``"text"``, ``"bytes"``, ``"time"``, ``"array"`` or ``"scalar"``; the value is
        exactly of the type that the kind says. May raise `Refused`.
    branch
        Called with ``"list"``, ``"tuple"`` or ``"dict"``, the keys of a dict and what was returned
        for the parts.
    place
        What ``value`` is, for the message.

    Returns
    -------
    T
        What ``leaf`` or ``branch`` returned for the whole value.

    Raises
    ------
    InvalidArgument
        The value, or a part of it, is of another kind, or too deep; the message says where.

    Examples
    --------
    >>> fold([1, (2, 3)], lambda kind, value: 1, lambda kind, keys, parts: sum(parts), "value")
    3
    >>> fold({"a": [{1}]}, lambda *_: None, lambda *_: None, "value")
    Traceback (most recent call last):
    tensorlayer.errors.InvalidArgument: value['a'][0]: a set cannot be stored. ...
    """
    try:
        return _fold(value, leaf, branch, MAX_DEPTH)
    except Refused as refused:
        raise InvalidArgument(f"{place}{refused.path}: {refused.reason}") from None


def utf8(text: str) -> bytes:
    """Return text in UTF-8; `Refused` if it holds half of a surrogate pair."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise Refused(
            f"the text is not valid Unicode: {error.reason} at position {error.start}. Decode it "
            "with errors='replace', or give bytes."
        ) from None


def in_utc(time: datetime.datetime) -> datetime.datetime:
    """Return an aware time in UTC, a naive one as it is; `Refused` if UTC has no such time."""
    try:
        return time if time.tzinfo is None else time.astimezone(datetime.timezone.utc)
    except OverflowError:
        raise Refused(
            f"the time {time} cannot be told in UTC. Use one between 1 and 9999."
        ) from None


@functools.lru_cache(maxsize=1024)
def dtype_name(dtype: np.dtype) -> str:
    """Return how a dtype is written, its byte order included; `Refused` if none can be stored.

    Examples
    --------
    >>> dtype_name(np.dtype(np.float32))
    '<f4'
    """
    if dtype.name in NARROW_FLOATS:
        return dtype.name
    if dtype.kind in _DTYPE_KINDS:
        return dtype.str
    raise Refused(
        f"array of dtype {dtype}: only numbers, text, bytes and times can be stored, no Python "
        "objects and no records. Convert it, for example with astype(np.float32)."
    )


def _fold(
    value: Any,
    leaf: Callable[[str, Any], T],
    branch: Callable[[str, list[str] | None, list[T]], T],
    levels: int,
) -> T:
    kind = _KINDS.get(type(value))
    if kind is None:
        kind, value = _kind_of_other(value)
    if kind == "int" and value.bit_length() > MAX_INT_BITS:
        raise Refused(f"an int of {value.bit_length()} bits. Integers have {MAX_INT_BITS} at most.")
    if kind not in _BRANCHES:
        return leaf(kind, value)
    if not levels:
        raise Refused(f"it is nested deeper than {MAX_DEPTH} levels, or contains itself.")
    keys = _checked_keys(value) if kind == "dict" else None
    parts = []
    for index, each in enumerate(value.values() if kind == "dict" else value):
        try:
            parts.append(_fold(each, leaf, branch, levels - 1))
        except Refused as refused:
            step = repr(keys[index]) if keys is not None else index
            refused.path = _shortened(f"[{step}]{refused.path}")
            raise
    return branch(kind, keys, parts)


def _checked_keys(value: Mapping[Any, Any]) -> list[str]:
    for key in value:
        if not isinstance(key, str):
            raise Refused(f"the key {key!r:.80} is not a str. Use str keys only.")
        utf8(key)
    return [key if type(key) is str else str.__str__(key) for key in value]


def _shortened(path: str) -> str:
    """Return a path that fits into a message, also that of a cycle."""
    return path if len(path) <= 200 else f"{path[:100]}...{path[-60:]}"


#: The kinds of exact types, which nearly all values have.
_KINDS: dict[type, str] = {
    type(None): "none",
    bool: "bool",
    int: "int",
    float: "float",
    str: "text",
    bytes: "bytes",
    datetime.datetime: "time",
    np.ndarray: "array",
    list: "list",
    tuple: "tuple",
    dict: "dict",
}
_BRANCHES = frozenset({"list", "tuple", "dict"})


def _kind_of_other(value: Any) -> tuple[str, Any]:
    """Return kind and value of what is of another type: a subclass, a scalar, a kind of buffer."""
    match value:
        case np.generic():  # before float and str, which some of them inherit from
            if isinstance(value, str):
                utf8(str.__str__(value))
            return "scalar", value
        case np.ma.MaskedArray():
            raise Refused("a masked array would lose its mask. Fill it, and store the mask, too.")
        case np.ndarray():
            return "array", np.asarray(value)
        case bytearray() | memoryview() | bytes():
            return "bytes", bytes(value)
        case int():
            return "int", int.__int__(value)
        case float():
            return "float", float.__float__(value)
        case str():
            return "text", str.__str__(value)
        case datetime.datetime():
            return "time", _time(value)
        case list() | tuple():
            return ("list" if isinstance(value, list) else "tuple"), value
        case Mapping():
            return "dict", value
    raise Refused(f"a {type(value).__name__} cannot be stored. {_ACCEPTED}")


def _time(value: datetime.datetime) -> datetime.datetime:
    if getattr(value, "nanosecond", 0):
        raise Refused("a time has microseconds at most, this one nanoseconds. Round it.")
    date = datetime.date(value.year, value.month, value.day)
    return datetime.datetime.combine(date, value.timetz())
