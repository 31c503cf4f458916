"""What users may call things: checked here, before a name reaches a query or a path."""

from __future__ import annotations

import re

from tensorlayer.errors import InvalidArgument, InvalidName

#: Long enough for a dotted path of a function, short enough for an index entry and a file name.
MAX_NAME_LENGTH = 120
#: MongoDB allows 63 bytes for the name of a database.
MAX_PROJECT_LENGTH = 63

_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@+=-]*")
_PROJECT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")

#: Databases of the server itself: a project of that name would write into them.
_RESERVED_PROJECTS = frozenset({"admin", "config", "local"})


def check_key(name: str, what: str) -> str:
    """Return ``name`` if it may identify something stored: a model, a dataset, a queue, a task.

    A key is safe in a query, in a file name and on a command line: ASCII letters, digits and
    ``_ . : @ + = -``, starting with a letter, a digit or ``_``, without ``..``, at most 120 long.

    Parameters
    ----------
    name
        The name that a user chose.
    what
        What it names, for the message: ``"model key"``.

    Raises
    ------
    InvalidName
        When the name breaks the rule; it is also a ``ValueError``.

    Examples
    --------
    >>> check_key("mnist.train-v2", "dataset key")
    'mnist.train-v2'
    >>> check_key("../secret", "dataset key")
    Traceback (most recent call last):
    tensorlayer.errors.InvalidName: dataset key '../secret': ...
    """
    if _is_text(name, MAX_NAME_LENGTH) and _KEY.fullmatch(name) and ".." not in name:
        return name
    raise InvalidName(
        f"{what} {_shown(name)}: must be 1 to {MAX_NAME_LENGTH} ASCII letters, digits or any of "
        "'_.:@+=-', start with a letter, a digit or '_', and hold no '..'. Choose such a name."
    )


def check_field(name: str, what: str) -> str:
    """Return ``name`` if it may be the name of a field: a tag, a metric, a hyper-parameter.

    A field name never changes the meaning of a query: it is printable, not empty, does not start
    with ``$`` and holds no ``.``, and it is at most 120 long.

    Parameters
    ----------
    name
        The name that a user chose.
    what
        What it names, for the message: ``"tag"``.

    Raises
    ------
    InvalidName
        When the name breaks the rule; it is also a ``ValueError``.

    Examples
    --------
    >>> check_field("train/loss", "metric")
    'train/loss'
    >>> check_field("$where", "tag")
    Traceback (most recent call last):
    tensorlayer.errors.InvalidName: tag '$where': ...
    """
    is_short = _is_text(name, MAX_NAME_LENGTH)
    if is_short and name.isprintable() and not name.startswith("$") and "." not in name:
        return name
    raise InvalidName(
        f"{what} {_shown(name)}: must be 1 to {MAX_NAME_LENGTH} printable characters, not start "
        "with '$' and hold no '.', since MongoDB reads those as operators and paths. Rename it."
    )


def check_project(name: str) -> str:
    """Return ``name`` if it may be a project, which is also the name of a database.

    Raises
    ------
    InvalidName
        When the name is no database name, or belongs to the server itself.

    Examples
    --------
    >>> check_project("image-net")
    'image-net'
    """
    is_short = _is_text(name, MAX_PROJECT_LENGTH)
    if is_short and _PROJECT.fullmatch(name) and name not in _RESERVED_PROJECTS:
        return name
    raise InvalidName(
        f"project {_shown(name)}: must be 1 to {MAX_PROJECT_LENGTH} ASCII letters, digits, '_' or "
        "'-', and none of 'admin', 'config', 'local', which are the server's. Choose such a name."
    )


def check_int(value: int, what: str) -> int:
    """Return ``value`` if MongoDB can hold it: an integer of 64 bits with a sign.

    Raises
    ------
    InvalidArgument
        It is larger.

    Examples
    --------
    >>> check_int(2**63 - 1, "step")
    9223372036854775807
    >>> check_int(2**70, "step")
    Traceback (most recent call last):
    tensorlayer.errors.InvalidArgument: step: must be an integer of at most 64 bits, ...
    """
    if -(2**63) <= value < 2**63:
        return value
    raise InvalidArgument(
        f"{what}: must be an integer of at most 64 bits, got {value.bit_length() + 1}. Count "
        "in larger units, or keep it as a string."
    )


def _is_text(name: object, longest: int) -> bool:
    return isinstance(name, str) and 0 < len(name) <= longest


def _shown(name: object) -> str:
    """Return a repr that fits into a message, whatever was given."""
    shown = repr(name)
    return shown if len(shown) <= MAX_NAME_LENGTH else f"{shown[:MAX_NAME_LENGTH]}..."


__all__ = [
    "MAX_NAME_LENGTH",
    "MAX_PROJECT_LENGTH",
    "check_field",
    "check_int",
    "check_key",
    "check_project",
]
