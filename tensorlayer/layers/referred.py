"""What a function refers to: by what it is bound to, and by the names in its code."""

from __future__ import annotations

import contextlib
import dis
import functools
import inspect
import types
from collections.abc import Callable, Iterator
from typing import Any

from tensorlayer.layers.structure import leaves

__all__ = ["imports", "referred"]

_GLOBALS = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})


def referred(function: Callable[..., Any]) -> list[Any]:
    """Return what a function computes with, maybe; nothing of what it calls.

    Examples
    --------
    >>> factor = [2.0]
    >>> referred(functools.partial(lambda x, y: x * factor[0] + y, y=3.0))
    [3.0, 2.0]
    """
    plain, given = _unwrapped(function)
    if not isinstance(plain, types.FunctionType):
        return leaves(given)
    for cell in plain.__closure__ or ():
        with contextlib.suppress(ValueError):  # it is empty
            given.append(cell.cell_contents)
    named = dict.fromkeys(_names(plain.__code__, _GLOBALS))
    given += [plain.__globals__[name] for name in named if name in plain.__globals__]
    return leaves(given)


def imports(function: Callable[..., Any], module: str) -> bool:
    """Whether the code of a function imports a module, or a part of it.

    Examples
    --------
    >>> def late():
    ...     from os import path
    >>> imports(late, "os"), imports(late, "sys")
    (True, False)
    """
    plain, _ = _unwrapped(function)
    if not isinstance(plain, types.FunctionType):
        return False
    names = _names(plain.__code__, frozenset({"IMPORT_NAME"}))
    return any(name.partition(".")[0] == module for name in names)


def _unwrapped(function: Callable[..., Any]) -> tuple[Any, list[Any]]:
    """Return the function with the code, and what the others around it are bound to."""
    plain, given = inspect.unwrap(function), []
    if isinstance(plain, functools.partial):
        plain, given = inspect.unwrap(plain.func), [plain.args, plain.keywords]
    if inspect.ismethod(plain):
        plain, given = plain.__func__, [*given, getattr(plain.__self__, "__dict__", {})]
    return plain, given


def _names(code: types.CodeType, kinds: frozenset[str]) -> Iterator[str]:
    """Yield the names in instructions of some kinds, also of the code within this one."""
    yield from (each.argval for each in dis.get_instructions(code) if each.opname in kinds)
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield from _names(each, kinds)
