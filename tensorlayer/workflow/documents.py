"""What others have written is checked in one place, before anybody relies on it.

A document may come from another version of the library or from another program, and a message from
a process in which a user's code runs. Fields that we do not know are ignored, missing ones take
their defaults, and whatever is left that breaks a rule is one error: `Corrupt`.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
import reprlib
from collections.abc import Callable, Mapping
from typing import Any

from tensorlayer.errors import Corrupt

__all__ = [
    "SCHEMA",
    "Rule",
    "TEXT",
    "WHOLE",
    "POSITIVE",
    "SECONDS",
    "SHARE",
    "FLAG",
    "TIME",
    "MAPPING",
    "MAPPINGS",
    "LIST",
    "optional",
    "checked",
    "printable",
]

#: Written into each new document, so that a later version knows what it reads.
SCHEMA = 1

# Beyond 2**53 a number loses its last digits on its way through a double, and a fence its meaning.
_LARGEST = 2**53

# Some three hundred years: more is no waiting time, and cannot be added to a date.
_LONGEST_SECONDS = 1e10


@dataclasses.dataclass(frozen=True)
class Rule:
    """What a field has to be."""

    #: in the words of an error message
    words: str
    #: whether a value obeys
    holds: Callable[[Any], bool]


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


TEXT = Rule("a text", lambda value: isinstance(value, str))
WHOLE = Rule("a whole number from 0 to 2**53", _is_whole)
POSITIVE = Rule("a whole number from 1 to 2**53", lambda value: _is_whole(value) and value > 0)
SECONDS = Rule(
    "a positive number of seconds", lambda value: _is_number(value) and 0 < value < _LONGEST_SECONDS
)
SHARE = Rule("a number from 0 to 1", lambda value: _is_number(value) and 0 <= value <= 1)
FLAG = Rule("true or false", lambda value: isinstance(value, bool))
TIME = Rule("a time", lambda value: isinstance(value, datetime.datetime))
MAPPING = Rule("a document", lambda value: isinstance(value, Mapping))
LIST = Rule("a list", lambda value: isinstance(value, list | tuple))
MAPPINGS = Rule(
    "a list of documents",
    lambda value: LIST.holds(value) and all(isinstance(each, Mapping) for each in value),
)


def optional(rule: Rule) -> Rule:
    """Return the rule that allows null besides.

    Examples
    --------
    >>> optional(TEXT).holds(None), optional(TEXT).holds(3)
    (True, False)
    """
    return Rule(f"{rule.words} or null", lambda value: value is None or rule.holds(value))


def checked(
    document: Any, cls: type, rules: Mapping[str, Rule | None], what: str
) -> dict[str, Any]:
    """Return the fields of a document with which a dataclass can be made.

    Parameters
    ----------
    document : Any
        What was read.
    cls : type
        The dataclass; its defaults stand for what is missing or null.
    rules : mapping
        A rule for each field of the class; None where anything goes.
    what : str
        The beginning of a message.

    Raises
    ------
    Corrupt
        It is no document, a field is missing, or breaks its rule.

    Examples
    --------
    >>> @dataclasses.dataclass
    ... class Point:
    ...     x: int
    ...     y: int = 0
    >>> checked({"x": 3, "colour": "red"}, Point, {"x": WHOLE, "y": WHOLE}, "point")
    {'x': 3}
    >>> checked({"x": "3"}, Point, {"x": WHOLE, "y": WHOLE}, "point")
    Traceback (most recent call last):
    tensorlayer.errors.Corrupt: point: 'x' must be a whole number from 0 to 2**53, got '3'.
    """
    if not isinstance(document, Mapping):
        raise Corrupt(f"{what}: must be a document, got {_shown(document)}.")
    values = {}
    for field in dataclasses.fields(cls):
        if field.name not in rules:
            continue
        has_default = not (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        value, rule = document.get(field.name), rules[field.name]
        if value is None and has_default:
            continue
        if field.name not in document:
            raise Corrupt(f"{what}: {field.name!r} is missing.")
        if rule is not None and not rule.holds(value):
            raise Corrupt(f"{what}: {field.name!r} must be {rule.words}, got {_shown(value)}.")
        values[field.name] = value
    return values


def _shown(value: Any) -> str:
    return printable(reprlib.repr(value))


def printable(text: str) -> str:
    r"""Return a text that can be stored and printed: what is no Unicode is shown as an escape.

    Names of files that are not UTF-8 reach Python as such texts.

    Examples
    --------
    >>> printable("caf\udce9.png")
    'caf\\udce9.png'
    """
    return text.encode("utf-8", "backslashreplace").decode()
