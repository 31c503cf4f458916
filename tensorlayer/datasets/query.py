"""The query language of views: MongoDB's own, as much of it as is safe.

A condition names ``label``, ``key`` or a tag, and gives a plain value or a document of operators:

    where(split="train", label={"$in": [1, 2]}, width={"$gte": 32, "$lt": 64})
    where(any=[{"split": "train"}, {"score": {"$gt": 0.9}}])

Conditions of one call must all hold; of the alternatives in ``any`` at least one must. Everything
here is a pure function. Nothing reaches a query that is not on the lists of this file, so a
condition can be taken from a configuration file or a request without a thought.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import re
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import bson
import numpy as np

from tensorlayer.datasets import patterns
from tensorlayer.errors import InvalidArgument, InvalidName, did_you_mean
from tensorlayer.storage.names import check_field

__all__ = [
    "FIELDS",
    "MAX_REGEX",
    "OPERATORS",
    "canonical",
    "check_known",
    "check_tag",
    "compile_query",
    "path",
]

#: Names in a condition that are not tags. ``any`` holds alternatives.
FIELDS = ("label", "key", "any")

#: Characters in a regular expression: enough for names, too few for an expression that runs for
#: hours.
MAX_REGEX = 200

#: Members of one list: a query document must stay far below MongoDB's 16 MB.
MAX_LIST = 100_000

#: Of all conditions together: half of what MongoDB takes, since a view joins several.
MAX_BYTES = 8 * 2**20

#: Alternatives inside alternatives, at most.
MAX_DEPTH = 4

_SCALARS = (str, bool, int, float, type(None), datetime.datetime)


def check_tag(name: str) -> str:
    """Return ``name`` if a tag may be called so.

    Raises
    ------
    InvalidName
        The name is not a field name (it holds ``$``, ``.`` or NUL, or is empty), or a view gives it
        another meaning (``label``, ``key``, ``any``).

    Examples
    --------
    >>> check_tag("split")
    'split'
    """
    if name in FIELDS:
        raise InvalidName(
            f"A tag cannot be called {name!r}: where({name}=...) has another meaning in a view. "
            f"Choose another name."
        )
    check_field(name, "tag")
    return name


def unfit(value: Any) -> str | None:
    """Return why MongoDB cannot hold or compare a number or a text; None if it can.

    Examples
    --------
    >>> unfit(2**63)
    '9223372036854775808 needs more than 64 bits. Store and ask for it as a string.'
    """
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return f"{value} needs more than 64 bits. Store and ask for it as a string."
    if isinstance(value, datetime.datetime):
        try:
            value.astimezone(datetime.timezone.utc)
        except OverflowError:
            return f"the time {value} cannot be told in UTC. Use one between 1 and 9999."
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            return (
                f"{value!a:.80} is not valid Unicode: {error.reason} at position {error.start}. "
                "Decode it with errors='replace'."
            )
    return None


def path(name: str) -> str:
    """Return the path in a sample's document that a condition on ``name`` looks at.

    Examples
    --------
    >>> path("label"), path("split")
    ('label', 'tags.split')
    """
    return name if name in ("label", "key") else f"tags.{check_tag(name)}"


def compile_query(conditions: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """Return the MongoDB filter that a mapping of conditions stands for.

    Parameters
    ----------
    conditions
        Name to value or operators.
    depth
        How many ``any`` this one is inside of; callers leave it alone.

    Raises
    ------
    InvalidName
        A name must not reach a query.
    InvalidArgument
        An operator is not on the list, or its operand is not of its kind.

    Examples
    --------
    >>> compile_query({"split": "train", "label": {"$in": [1, 2]}})
    {'tags.split': {'$eq': 'train'}, 'label': {'$in': [1, 2]}}
    >>> compile_query({"any": [{"split": "train"}, {"label": None}]})
    {'$or': [{'tags.split': {'$eq': 'train'}}, {'label': {'$eq': None}}]}
    """
    compiled: dict[str, Any] = {}
    for name, value in conditions.items():
        if name == "any":
            compiled["$or"] = _alternatives(value, depth)
        else:
            compiled |= patterns.checked(path(name), _operators(name, value), compiled)
    if depth == 0 and (size := len(bson.encode(compiled))) > MAX_BYTES:
        raise InvalidArgument(
            f"The conditions take {size} bytes; {MAX_BYTES} are allowed. Mark the samples with a "
            "tag and ask for the tag."
        )
    return compiled


def check_known(conditions: Mapping[str, Any], tags: Collection[str], where: str) -> None:
    """Raise if a condition asks for a tag that no sample has: most likely a typo.

    ``None`` and ``{"$exists": ...}`` ask whether a tag is there, so they may name any.

    Raises
    ------
    InvalidArgument
        A name is not among ``tags``; the message holds the closest ones.

    Examples
    --------
    >>> check_known({"split": "train"}, {"split"}, "Dataset 'digits'")
    >>> check_known({"splt": "train"}, {"split"}, "Dataset 'digits'")
    Traceback (most recent call last):
    tensorlayer.errors.InvalidArgument: Dataset 'digits': no sample has a tag 'splt'. Did you ...
    """
    for name, value in conditions.items():
        if name == "any":
            for each in value:
                check_known(each, tags, where)
        elif name not in FIELDS and name not in tags and not _asks_for_absence(value):
            raise InvalidArgument(
                f"{where}: no sample has a tag {name!r}. {did_you_mean(name, tags)} "
                'To ask whether a tag is there, write {"$exists": True}.'
            )


def _asks_for_absence(value: Any) -> bool:
    return value is None or (isinstance(value, Mapping) and set(value) == {"$exists"})


def canonical(value: Any) -> str:
    """Return the one JSON spelling of a compiled filter, whatever order it was written in.

    Examples
    --------
    >>> canonical({"b": 1, "a": 2})
    '{"a":2,"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_date_to_json)


def _date_to_json(value: Any) -> dict[str, str]:
    return {"$date": value.isoformat()}


def _alternatives(value: Any, depth: int) -> list[dict[str, Any]]:
    if depth >= MAX_DEPTH:
        raise InvalidArgument(f"any=[...] is nested more than {MAX_DEPTH} times. Flatten it.")
    if not isinstance(value, list | tuple) or not value:
        raise InvalidArgument(
            f"any= takes a list with at least one mapping of conditions, got {value!r}. "
            'Write any=[{"split": "train"}, {"label": 3}].'
        )
    for each in value:
        if not isinstance(each, Mapping) or not each:
            raise InvalidArgument(
                f"any=: each alternative is a mapping with conditions, got {each!r}."
            )
    return [compile_query(each, depth + 1) for each in value]


def _operators(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, list | tuple | set | frozenset | np.ndarray):
        raise InvalidArgument(
            f"where({name}=...): got a list. For one of several values write {{'$in': [...]}}, for "
            "a tag that is this very list {'$eq': [...]}."
        )
    if not isinstance(value, Mapping):
        return {"$eq": _value(name, value)}
    if not value:
        raise InvalidArgument(f"where({name}=...): an empty mapping says nothing. Give a value.")
    return {operator: _operand(name, operator, operand) for operator, operand in value.items()}


def _operand(name: str, operator: Any, operand: Any) -> Any:
    check = OPERATORS.get(operator) if isinstance(operator, str) else None
    if check is None:
        raise InvalidArgument(
            f"where({name}=...): {operator!r} is not an operator of views. "
            f"{did_you_mean(str(operator), OPERATORS)} For a value give the value itself."
        )
    return check(name, operand)


def _scalar(name: str, value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, datetime.datetime) and value.tzinfo is None:
        raise InvalidArgument(
            f"where({name}=...): a time needs a time zone, got {value!r}. "
            "Add tzinfo=datetime.timezone.utc."
        )
    if not isinstance(value, _SCALARS):
        raise InvalidArgument(
            f"where({name}=...): a value is a string, number, boolean, None or time, got "
            f"{type(value).__name__}. For one of several values write {{'$in': [...]}}."
        )
    if (reason := unfit(value)) is not None:
        raise InvalidArgument(f"where({name}=...): {reason}")
    return value


def _rounded_up(name: str, value: Any) -> Any:
    """Return the bound of what is stored in whole milliseconds; the driver would round it down."""
    value = _scalar(name, value)
    if isinstance(value, datetime.datetime) and (rest := value.microsecond % 1000):
        with contextlib.suppress(OverflowError):
            return value + datetime.timedelta(microseconds=1000 - rest)
    return value


def _value(name: str, value: Any) -> Any:
    return _list(name, value) if isinstance(value, list | tuple) else _scalar(name, value)


def _list(name: str, value: Any) -> list[Any]:
    if isinstance(value, np.ndarray) and value.ndim == 1:
        value = value.tolist()
    if isinstance(value, str | bytes) or not isinstance(value, Sequence | set | frozenset):
        raise InvalidArgument(f"where({name}=...): expected a list of values, got {value!r}.")
    if len(value) > MAX_LIST:
        raise InvalidArgument(
            f"where({name}=...): a list holds at most {MAX_LIST} values, got {len(value)}. "
            "Mark the samples with a tag and ask for the tag."
        )
    values = [_scalar(name, each) for each in value]
    return sorted(values, key=repr) if isinstance(value, set | frozenset) else values


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise InvalidArgument(f"where({name}=...): $exists takes True or False, got {value!r}.")
    return bool(value)


def _regex(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_REGEX or "\0" in value:
        raise InvalidArgument(
            f"where({name}=...): $regex takes a string of at most {MAX_REGEX} characters, "
            f"got {repr(value)[:80]}."
        )
    if (reason := unfit(value)) is not None:
        raise InvalidArgument(f"where({name}=...): {reason}")
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise InvalidArgument(
            f"where({name}=...): {value!r} is not a regular expression: {error}."
        ) from error
    return value


def _negated(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidArgument(
            f"where({name}=...): $not takes operators, got {value!r}. For another value write $ne."
        )
    if "$not" in value:
        raise InvalidArgument(f"where({name}=...): $not inside $not. Leave out both.")
    return _operators(name, value)


#: Operator to the function that checks its operand and returns it as MongoDB wants it.
OPERATORS: Mapping[str, Callable[[str, Any], Any]] = {
    "$eq": _value,
    "$ne": _value,
    "$gt": _scalar,
    "$gte": _rounded_up,
    "$lt": _rounded_up,
    "$lte": _scalar,
    "$in": _list,
    "$nin": _list,
    "$exists": _boolean,
    "$regex": _regex,
    "$not": _negated,
}
