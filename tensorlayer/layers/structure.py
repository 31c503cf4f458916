"""Nested lists, tuples and dictionaries, in the order in which they were written.

``tf.nest`` sorts the keys of dictionaries; people do not, and ``{"z": z, "a": a}`` has to come back
as it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["leaves", "rebuild"]


def leaves(structure: Any) -> list[Any]:
    """Return what is no list, tuple or dictionary, in order.

    Examples
    --------
    >>> leaves({"z": [1, (2,)], "a": 3})
    [1, 2, 3]
    """
    found: list[Any] = []
    rebuild(structure, found.append)
    return found


def rebuild(structure: Any, change: Callable[[Any], Any]) -> Any:
    """Return the structure with ``change(leaf)`` in the place of every leaf.

    Examples
    --------
    >>> rebuild({"z": [1, (2,)], "a": 3}, str)
    {'z': ['1', ('2',)], 'a': '3'}
    """
    if isinstance(structure, Mapping):
        return {key: rebuild(value, change) for key, value in structure.items()}
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):  # a named tuple
        # By __class__: a tf.Module hides its tuples behind proxies.
        return structure.__class__(*(rebuild(value, change) for value in structure))
    if isinstance(structure, (list, tuple)):
        kind = list if isinstance(structure, list) else tuple
        return kind([rebuild(value, change) for value in structure])
    return change(structure)
