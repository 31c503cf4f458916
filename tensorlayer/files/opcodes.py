"""What a pickle consists of, looked through before anything is decoded.

A pickle is a row of operations for a small machine. Arrays and plain values need few of them; the
others, which make instances, sets, persistent and out-of-band objects, are refused here. So are
numbers by which a few bytes would make Python reserve gigabytes: lengths beyond the end, and places
in the machine's memory that nothing can have filled.
"""

from __future__ import annotations

import pickletools
import re
from collections.abc import Iterable

__all__ = ["check"]

# All that Python's picklers write for arrays, text, numbers, lists, tuples and dictionaries.
_ADMITTED = frozenset({
    "PROTO", "FRAME", "STOP", "MARK", "POP", "POP_MARK", "NONE", "NEWTRUE", "NEWFALSE",
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
    "BYTEARRAY8", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
    "EMPTY_LIST", "APPEND", "APPENDS", "LIST", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3",
    "EMPTY_DICT", "DICT", "SETITEM", "SETITEMS", "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD",
    "PUT", "BINPUT", "LONG_BINPUT", "GET", "BINGET", "LONG_BINGET", "MEMOIZE",
})  # fmt: skip
_CODES = {op.name: op.code.encode("latin-1") for op in pickletools.opcodes}
_BYTES_AFTER = {op.name: op.arg.n if op.arg else 0 for op in pickletools.opcodes}

#: How many bytes say the length of what follows, by pickletools' name for the kind of length.
_LENGTH_BYTES = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
_SIZED = {
    _CODES[name]: _LENGTH_BYTES[_BYTES_AFTER[name]]
    for name in _ADMITTED
    if _BYTES_AFTER[name] in _LENGTH_BYTES
}
_STOP, _PUT, _LONG_BINPUT = _CODES["STOP"], _CODES["PUT"], _CODES["LONG_BINPUT"]

#: Operations matched at a time: a bound on what the regular expression has to remember.
_RUN = 1000


def _any_of(names: Iterable[str]) -> bytes:
    return b"[" + b"".join(re.escape(_CODES[name]) for name in names) + b"]"


def _patterns() -> Iterable[bytes]:
    """Yield expressions for the operations in which there is nothing to check."""
    unchecked = _ADMITTED - {"STOP", "PUT", "LONG_BINPUT", "GLOBAL"}
    for n in (0, 1, 2, 4, 8):
        yield _any_of(name for name in unchecked if _BYTES_AFTER[name] == n) + b".{%d}" % n
    yield (
        _any_of(n for n in unchecked if _BYTES_AFTER[n] == pickletools.UP_TO_NEWLINE) + rb"[^\n]*\n"
    )
    yield _CODES["GLOBAL"] + rb"[^\n]*\n[^\n]*\n"


_UNCHECKED = re.compile(b"(?:" + b"|".join(_patterns()) + b"){0,%d}" % _RUN, re.DOTALL)


def check(data: bytes) -> None:
    r"""Raise unless ``data`` starts with a pickle of admitted operations and possible numbers.

    The time is proportional to the length, and nothing is made of it.

    Raises
    ------
    ValueError
        It does not; for [`tensorlayer.files.pickled.load`][].

    Examples
    --------
    >>> check(b"(lp0\nI1\na.")
    >>> check(b"Nr\xff\xff\xff\x7f.")
    Traceback (most recent call last):
    ValueError: place 2147483647 is filled, after 1 bytes
    """
    place = 0
    while True:
        start, place = place, _UNCHECKED.match(data, place).end()
        if start == place:
            if data[place : place + 1] == _STOP:
                return
            place = _after(data, place)


def _after(data: bytes, place: int) -> int:
    """Return where the operation ends that is at this place, if its number is possible."""
    code = data[place : place + 1]
    if code in _SIZED:
        first = place + 1 + _SIZED[code]
        last = first + int.from_bytes(data[place + 1 : first], "little")
        if last > len(data):
            raise ValueError(f"{last - first} bytes are to follow byte {place}, and do not")
        return last
    if code == _LONG_BINPUT:
        return _filled(int.from_bytes(data[place + 1 : place + 5], "little"), place, place + 5)
    if code == _PUT:
        line = data[place + 1 : place + 20].partition(b"\n")
        return _filled(int(line[0] if line[1] else b""), place, place + 2 + len(line[0]))
    raise ValueError(f"the operation {code!r} at byte {place}" if code else "it has no end")


def _filled(number: int, place: int, end: int) -> int:
    # Places are filled one after the other, each by a value of at least one byte.
    if not 0 <= number <= place:
        raise ValueError(f"place {number} is filled, after {place} bytes")
    return end
