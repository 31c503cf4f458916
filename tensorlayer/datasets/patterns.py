"""Regular expressions in conditions, so that one that takes too long is an error.

MongoDB gives up on an expression after a number of steps. As a condition on a field that counts as
"does not match", and samples would be missing without a word; in an expression it is an error. Only
what cannot take long, plain text with or without its beginning fixed, stays a condition, for which
an index can be used.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pymongo.errors import OperationFailure

from tensorlayer.errors import InvalidArgument

__all__ = ["checked", "told"]

_PLAIN = re.compile(r"\^?[\w\s/,:;=@#%&~<>!'\"-]*")

#: The server's code for an expression that went wrong, which is only ever by its limits here: the
#: syntax was checked.
_GAVE_UP = 51156
#: It cannot be compiled: as a condition, and in an expression.
_REFUSED = (51091, 51111)


def checked(
    where: str, operators: Mapping[str, Any], others: Mapping[str, Any] = {}
) -> dict[str, Any]:
    """Return the filter for the operators on one field.

    Parameters
    ----------
    where
        Path of the field.
    operators
        Checked operators, as MongoDB knows them.
    others
        The filter that this one is merged into; its list ``$and`` is kept.

    Examples
    --------
    >>> checked("key", {"$regex": "^train/"})
    {'key': {'$regex': '^train/'}}
    >>> list(checked("key", {"$regex": "(a+)+$", "$gt": "b"}))
    ['key', '$and']
    """
    clauses = [*others.get("$and", ())]
    plain = dict(operators)
    if _takes_long(plain.get("$regex")):
        clauses.append(_matches(where, plain.pop("$regex")))
    negated = plain.get("$not", {})
    if _takes_long(negated.get("$regex")):
        del plain["$not"]
        clauses.append({"$nor": [checked(where, negated)]})
    return ({where: plain} if plain else {}) | ({"$and": clauses} if clauses else {})


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Turn the server's giving up into an error that says what to do.

    Raises
    ------
    InvalidArgument
        A regular expression took too many steps on some sample.
    """
    try:
        yield
    except OperationFailure as error:
        if error.code not in (_GAVE_UP, *_REFUSED):
            raise
        if error.code in _REFUSED:
            raise InvalidArgument(
                "A regular expression of this view is one of Python, but not one of the database, "
                f"which knows the syntax of PCRE (code {error.code}). Write it differently."
            ) from error
        raise InvalidArgument(
            "A regular expression of this view takes more steps on some sample than the server "
            "grants, so nobody knows whether it matches. Avoid repetitions inside repetitions, or "
            "mark the samples with a tag."
        ) from error


def _takes_long(pattern: str | None) -> bool:
    return pattern is not None and _PLAIN.fullmatch(pattern) is None


def _matches(where: str, pattern: str) -> dict[str, Any]:
    """Return what holds if the field, or a member of its list, is a text that matches."""
    field = f"${where}"
    members = {"$cond": [{"$isArray": field}, field, [field]]}
    is_text = {"$eq": [{"$type": "$$this"}, "string"]}
    matches = {"$regexMatch": {"input": "$$this", "regex": {"$literal": pattern}}}
    found = {"$map": {"input": members, "in": {"$and": [is_text, matches]}}}
    return {"$expr": {"$anyElementTrue": [found]}}
