"""Where in a config something is, and what is wrong there.

A config may have been cut off, edited or made up. Whatever is wrong with it is a
[`tensorlayer.errors.BrokenConfig`][] that names the place as one would write it in Python.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tensorlayer.errors import BrokenConfig, TensorLayerError

__all__ = ["MAX_DEPTH", "check_depth", "item", "reading"]

#: How deep lists and dictionaries may be nested: twenty models within each other. Python's stack
#: holds a few times that.
MAX_DEPTH = 128

_KINDS = {
    Mapping: "an object",
    list: "a list",
    str: "text",
    int: "an integer",
    bool: "true or false",
}


@contextmanager
def reading(place: str) -> Iterator[None]:
    """Raise what goes wrong within as a ``BrokenConfig`` of this place, or of one further in.

    Examples
    --------
    >>> with reading("config['layers']"):
    ...     [][3]
    Traceback (most recent call last):
    tensorlayer.errors.BrokenConfig: config['layers']: IndexError: list index out of range
    """
    try:
        yield
    except BrokenConfig:
        raise
    except Exception as error:  # constructors, TensorFlow and Keras raise anything
        kind = "" if isinstance(error, TensorLayerError) else f"{type(error).__name__}: "
        raise BrokenConfig(f"{place}: {kind}{error}") from error


def item(config: Any, key: str, kind: type | tuple[type, ...], place: str) -> Any:
    """Return ``config[key]``, which has to be there and to be of this kind.

    Raises
    ------
    BrokenConfig
        It is not.

    Examples
    --------
    >>> item({"class": "Model"}, "class", str, "config")
    'Model'
    >>> item({"class": 3}, "class", str, "config")
    Traceback (most recent call last):
    tensorlayer.errors.BrokenConfig: config['class']: it has to be text, got 3.
    """
    if not isinstance(config, Mapping):
        raise BrokenConfig(f"{place}: it has to be an object, got {reprlib.repr(config)}.")
    if key not in config:
        raise BrokenConfig(f"{place}: {key!r} is missing. There is {reprlib.repr(list(config))}.")
    value = config[key]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
        wanted = _KINDS.get(kind, "something else")
        raise BrokenConfig(f"{place}[{key!r}]: it has to be {wanted}, got {reprlib.repr(value)}.")
    return value


def check_depth(config: Any, place: str) -> None:
    """Raise ``BrokenConfig`` if the config is nested deeper than `MAX_DEPTH`, or within itself."""
    level = [config]
    for _ in range(MAX_DEPTH):
        below = [part for each in level for part in _parts(each)]
        level = list({id(part): part for part in below}.values())  # a cycle stays of one size
        if not level:
            return
    raise BrokenConfig(f"{place}: it is nested deeper than {MAX_DEPTH} levels, or within itself.")


def _parts(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        value = list(value.values())
    inside = value if isinstance(value, (list, tuple)) else ()
    return [part for part in inside if isinstance(part, (Mapping, list, tuple))]
