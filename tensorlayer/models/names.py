"""Functions and classes by name, and back: the only door from a config to what a program holds.

A config names

- the functions and initializers of [`tensorlayer.models.admitted`][],
- the subclasses of ``Layer`` and ``Model`` that the program has imported,
- what the program has marked with [`serializable`][].

Each is found in a table by its whole name. No module is searched by name: asking a module for an
attribute may import another one.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tensorlayer import initializers
from tensorlayer.errors import InvalidArgument, NotSerializable, did_you_mean
from tensorlayer.models.admitted import CELLS, FUNCTIONS, INITIALIZERS

__all__ = [
    "find_class",
    "find_function",
    "find_marked",
    "function_name",
    "import_path",
    "is_marked",
    "makes_values",
    "serializable",
]

T = TypeVar("T", bound=Callable[..., Any])

_MARKED: dict[str, Any] = {}
#: Classes of this library that are not imported before they are used, and where they are.
_LAZY = {
    "tensorlayer.models.VGG": "tensorlayer.models.zoo.vgg",
    "tensorlayer.models.Seq2seq": "tensorlayer.models.seq2seq",
    "tensorlayer.models.Seq2seqLuongAttention": "tensorlayer.models.seq2seq_attention",
}


def serializable(thing: T) -> T:
    """Allow a saved model to name this function or class.

    It has to stand at the top level of a module, and whoever loads the model has to import that
    module first.

    Examples
    --------
    >>> @serializable
    ... def double(x):
    ...     return 2 * x
    >>> double(2)
    4
    """
    if not hasattr(thing, "__qualname__"):
        raise InvalidArgument(
            f"serializable marks functions and classes, which have names; got {thing!r}. "
            "Define a function with def."
        )
    if "<" not in thing.__qualname__:  # within another function, nobody could find it again
        _MARKED[import_path(thing)] = thing
    return thing


def is_marked(thing: Any) -> bool:
    """Whether [`serializable`][] marked this very object."""
    return hasattr(thing, "__qualname__") and _MARKED.get(import_path(thing)) is thing


def import_path(thing: Any) -> str:
    """Return ``module.name``; a script that is being run counts as a module of its file's name."""
    module = thing.__module__ or ""
    if module.startswith("tensorlayer."):  # tensorlayer.layers.Dense, whatever file it is in
        module = ".".join(module.split(".")[:2])
    if module == "__main__":
        file = getattr(sys.modules["__main__"], "__file__", None)
        module = Path(file).stem if file else module
    return f"{module}.{thing.__qualname__}"


def function_name(function: Any, place: str) -> str:
    """Return the name by which a config finds the function again; ``place`` is named in errors.

    Raises
    ------
    NotSerializable
        It has none: a lambda, an unmarked function.
    """
    for path, admitted in {**FUNCTIONS, **CELLS}.items():
        if admitted is function:
            return path
    if is_marked(function):
        return import_path(function)
    name = getattr(function, "__name__", "")
    what = "a lambda" if name == "<lambda>" else f"the function {name or function!r}"
    raise NotSerializable(
        f"{place}: {what} has no name by which a saved model could find it again. Define it at the "
        "top level of a module and decorate it, outermost and once:\n\n"
        "    @tl.models.serializable\n    def my_function(x):\n        ..."
    )


def find_function(name: str) -> Any:
    """Return what [`function_name`][] named.

    Raises
    ------
    NotSerializable
        It is neither admitted nor marked.
    """
    known = {**FUNCTIONS, **CELLS}
    return known[name] if name in known else find_marked(name)


def find_marked(path: str) -> Any:
    """Return what an imported module defines and [`serializable`][] marks under this path."""
    if path not in _MARKED:
        raise NotSerializable(
            f"a saved model names {path!r}, which no imported module defines and marks with "
            "@tl.models.serializable. Import the module that does, then load again."
        )
    return _MARKED[path]


def find_class(base: type, path: str) -> type:
    """Return the imported subclass of ``base`` with this path."""
    if path in _LAZY:
        importlib.import_module(_LAZY[path])
    found = {import_path(cls): cls for cls in _subclasses(base)}
    if path not in found:
        raise NotSerializable(
            f"a saved model names the class {path!r}, which is not imported. Import the module "
            f"that defines it, then load again. {did_you_mean(path, found)}"
        )
    return found[path]


def _subclasses(base: type) -> list[type]:
    found, stack = [base], [base]
    while stack:
        below = stack.pop().__subclasses__()
        found += below
        stack += below
    return found


def makes_values(thing: Any) -> bool:
    """Whether a config may give this as an initializer, which is called as soon as it is known.

    A number, an array, one of the admitted initializers or its name, or what the program has
    marked. A layer or a function of tensors would compute something else.

    Examples
    --------
    >>> import tensorflow as tf
    >>> makes_values(0.5), makes_values(tf.keras.initializers.HeNormal()), makes_values(tf.one_hot)
    (True, True, False)
    """
    if isinstance(thing, str):
        thing = initializers.get(thing)
    if isinstance(thing, functools.partial):
        thing = thing.func
    is_known = type(thing) in INITIALIZERS.values() or is_marked(type(thing)) or is_marked(thing)
    return is_known or not callable(thing)
