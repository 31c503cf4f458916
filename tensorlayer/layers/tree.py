"""The variables below an object, by the path of attributes that leads to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

__all__ = ["children", "named_variables"]


def children(owner: Any) -> Iterator[tuple[str, Any]]:
    """Yield what the attributes or items of ``owner`` hold, with names, in order of definition.

    Private attributes are left out: they are references, not parts.
    """
    if isinstance(owner, Mapping):
        yield from ((str(key), value) for key, value in owner.items())
    elif isinstance(owner, (list, tuple)):
        yield from ((str(index), value) for index, value in enumerate(owner))
    else:
        yield from ((name, value) for name, value in vars(owner).items() if name[0] != "_")


def named_variables(owner: Any) -> dict[str, tf.Variable]:
    """Return the variables below ``owner``, each once, under the shortest walk of attributes.

    Layers name their own variables, and a layer or model that was named by its user goes by that
    name instead of the attribute that holds it.

    Examples
    --------
    >>> module = tf.Module()
    >>> module.scale = tf.Variable(1.0)
    >>> module.parts = [tf.Variable([1.0]), tf.Variable([2.0])]
    >>> list(named_variables(module))
    ['scale', 'parts/0', 'parts/1']
    """
    found: dict[str, tf.Variable] = {}
    seen: set[int] = {id(owner)}
    stack = [("", value, name) for name, value in reversed(list(children(owner)))]
    while stack:
        prefix, value, name = stack.pop()
        if id(value) in seen or not isinstance(
            value, (tf.Variable, tf.Module, list, tuple, Mapping)
        ):
            continue
        seen.add(id(value))
        path = prefix + (getattr(value, "given_name", None) or name)
        if isinstance(value, tf.Variable):
            found[path] = value
            continue
        own = getattr(value, "parameters", None)
        if isinstance(own, Mapping):
            fresh = {k: v for k, v in own.items() if id(v) not in seen}
            seen.update(map(id, fresh.values()))
            found.update({f"{path}/{key}": variable for key, variable in fresh.items()})
            continue
        stack.extend((f"{path}/", part, key) for key, part in reversed(list(children(value))))
    return found
