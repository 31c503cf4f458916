"""Functions that run as tasks: how they are marked, found again by their name, and called.

The database holds names of functions, never code. A name is ``module:function``; an agent runs it
only if the module is one that the agent was told to import *and* the function is marked with
[`task`][]. Whoever can write to the database can therefore choose among marked functions, and
nothing else.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, overload

from tensorlayer.errors import InvalidArgument, TaskNotFound, did_you_mean

__all__ = [
    "TaskOptions",
    "task",
    "options_of",
    "name_of",
    "find",
    "load",
    "modules",
    "module_name",
    "bind",
]

F = TypeVar("F", bound=Callable[..., Any])

_MARK = "__tensorlayer_task__"
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaskOptions:
    """What the author of a task function decided about its runs."""

    #: attempts that may raise or take too long; 3 outlasts a passing fault, and stops a wrong
    #: program
    max_attempts: int = 3
    #: attempts whose process may die; 3 outlasts a machine that was switched off twice
    max_crashes: int = 3
    #: longest run of one attempt; None: no limit, since a training may take days
    run_timeout_seconds: float | None = None
    #: errors worth another attempt; any other is final
    retry_on: tuple[type[Exception], ...] = (Exception,)

    def __post_init__(self) -> None:
        for name in ("max_attempts", "max_crashes"):
            if getattr(self, name) < 1:
                raise InvalidArgument(
                    f"task: {name} must be at least 1, got {getattr(self, name)}."
                )
        if self.run_timeout_seconds is not None and self.run_timeout_seconds <= 0:
            raise InvalidArgument(
                f"task: run_timeout_seconds must be positive, got {self.run_timeout_seconds}. "
                "Leave it out for no limit."
            )


@overload
def task(function: F) -> F: ...
@overload
def task(
    *,
    max_attempts: int = ...,
    max_crashes: int = ...,
    run_timeout_seconds: float | None = ...,
    retry_on: tuple[type[Exception], ...] = ...,
) -> Callable[[F], F]: ...
def task(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Mark a function at the top level of a module as one that agents may run.

    The function itself is returned: calling it directly runs it here and now, as before.

    Other Parameters
    ----------------
    max_attempts : int
        Attempts that may raise or take too long before the task is dead. 3 by default.
    max_crashes : int
        Attempts whose process may die before the task is dead. 3 by default.
    run_timeout_seconds : float, optional
        Longest run of one attempt; then its whole process group is ended. No limit by default.
    retry_on : tuple of exception classes
        Errors after which another attempt makes sense; any other makes the task dead at once.
        All by default.

    Raises
    ------
    InvalidArgument
        The function is nested or a method, so that no agent could find it.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> @tl.workflow.task(max_attempts=5)
    ... def double(x):
    ...     return 2 * x
    >>> double(4)
    8
    """
    if function is None:
        chosen = TaskOptions(**options)
        return lambda each: _mark(each, chosen)
    return _mark(function, TaskOptions(**options))


def _mark(function: F, options: TaskOptions) -> F:
    name = getattr(function, "__name__", None)
    if not callable(function) or name is None or name != function.__qualname__:
        raise InvalidArgument(
            "task: only a function at the top level of a module can be a task, got "
            f"{getattr(function, '__qualname__', function)!r}. Agents find it by its import path; "
            "move it out of the function or class around it."
        )
    setattr(function, _MARK, options)
    return function


def options_of(function: Callable[..., Any]) -> TaskOptions:
    """Return the options with which a function was marked.

    Raises
    ------
    InvalidArgument
        The function is not marked.
    """
    options = getattr(function, _MARK, None)
    if not isinstance(options, TaskOptions):
        raise InvalidArgument(
            f"submit: {getattr(function, '__qualname__', function)!r} is not a task. Write "
            "@tl.workflow.task above its definition."
        )
    return options


def name_of(function: Callable[..., Any] | str) -> str:
    """Return ``module:function``, the name under which agents find a task.

    A function of the running script is known under the stem of the script's file, since an agent
    that is told to import the file imports it under that name.

    Raises
    ------
    InvalidArgument
        It is not a marked function, or not a well-formed name of one.
    """
    if isinstance(function, str):
        return _check_name(function)
    options_of(function)
    module = function.__module__
    if module == "__main__":
        module = _main_name(function.__qualname__)
    return f"{module}:{function.__qualname__}"


def _main_name(function: str) -> str:
    main = sys.modules["__main__"]
    if (spec := getattr(main, "__spec__", None)) is not None:  # python -m package.module
        return spec.name
    if getattr(main, "__file__", None) is None:
        raise InvalidArgument(
            f"submit: {function!r} was defined in an interactive session, where no agent can find "
            "it. Put it into a file and import it from there."
        )
    return module_name(main.__file__)


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise InvalidArgument(f"A task is named 'module:function', got {name!r}.")
    module = name.partition(":")[0]
    if module in sys.modules:
        find(name, [module])
    return name


def module_name(target: str | os.PathLike[str]) -> str:
    """Return the module under which an import target (a module or a ``.py`` file) is known.

    Raises
    ------
    InvalidArgument
        It is neither, or the file is not there.

    Examples
    --------
    >>> module_name("my.tasks")
    'my.tasks'
    """
    target = os.fspath(target)
    path = Path(target)
    if path.suffix == ".py":
        if not path.is_file():
            raise InvalidArgument(f"import: there is no file {target!r}.")
        target = path.stem
    if not _MODULE.fullmatch(target):
        raise InvalidArgument(
            f"import: give a module such as 'my.tasks' or a file such as 'tasks.py', "
            f"got {target!r}."
        )
    return target


def load(target: str | os.PathLike[str]) -> ModuleType:
    """Import a module, or a ``.py`` file under its stem with its folder in front of ``sys.path``.

    Raises
    ------
    InvalidArgument
        The stem of the file is the name of another module that is loaded already.
    """
    name = module_name(target)
    path = Path(os.fspath(target))
    if path.suffix != ".py":
        return importlib.import_module(name)
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    module = importlib.import_module(name)
    if Path(getattr(module, "__file__", None) or "").resolve() != path.resolve():
        raise InvalidArgument(
            f"import: {str(path)!r} cannot be imported as {name!r}, which is already the module of "
            f"{getattr(module, '__file__', None) or 'the interpreter'}. Rename the file."
        )
    return module


def find(name: str, modules: Iterable[str]) -> Callable[..., Any]:
    """Return the marked function of that name from one of the given modules, which are loaded.

    Parameters
    ----------
    name : str
        ``module:function``, as it comes from the database. Nothing is imported for it.
    modules : iterable of str
        The modules that may be used, each with the modules inside it.

    Raises
    ------
    TaskNotFound
        The module is not among them, or it has no such marked function.
    """
    modules = sorted(modules)
    module, _, attribute = name.partition(":")
    if not any(module == each or module.startswith(f"{each}.") for each in modules):
        raise TaskNotFound(
            f"task {name!r}: the module {module!r} is not one that this agent was told to import "
            f"({', '.join(modules) or 'none'}). Start it with --import {module}."
        )
    marked = _marked(module)
    if attribute not in marked:
        raise TaskNotFound(
            f"task {name!r}: {module!r} has no function {attribute!r} that is marked with "
            f"@tl.workflow.task. {did_you_mean(attribute, marked)}"
        )
    return getattr(sys.modules[module], attribute)


def modules(imported: Iterable[str]) -> list[str]:
    """Return the modules, of those that are imported and what is inside them, that have tasks."""
    imported = set(imported)
    inside = tuple(f"{each}." for each in imported)
    found = {name for name in list(sys.modules) if name.startswith(inside) and _marked(name)}
    return sorted(imported | found)


def _marked(module: str) -> set[str]:
    """Return the names of the marked functions in a loaded module."""
    return {
        name
        for name, value in getattr(sys.modules.get(module), "__dict__", {}).items()
        if isinstance(getattr(value, _MARK, None), TaskOptions)
    }


def bind(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    keys: Mapping[str, str | None],
) -> inspect.BoundArguments:
    """Match arguments with the parameters of a function.

    The keys ``input``, ``model`` and ``output`` are given to a function that has parameters of
    these names, and only to such a one; any function can read them from the current context.

    Raises
    ------
    InvalidArgument
        They do not fit.

    Examples
    --------
    >>> def train(rate, model): ...
    >>> bind(train, [0.1], {}, {"model": "mlp", "input": "mnist"}).arguments
    {'rate': 0.1, 'model': 'mlp'}
    """
    signature = inspect.signature(function)
    wanted = {
        name: key for name, key in keys.items() if key is not None and name in signature.parameters
    }
    try:
        return signature.bind(*args, **{**kwargs, **wanted})
    except TypeError as error:
        raise InvalidArgument(
            f"submit: {function.__qualname__}{signature} cannot be called like this: {error}. "
            "Give the arguments that it takes."
        ) from error
