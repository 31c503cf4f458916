"""Context variables that hold a value for the time of a block."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

__all__ = ["setting"]


class setting:  # noqa: N801 - it reads as a function: with setting(variable, value)
    """Let a context variable have this value within the block; ``with`` gives the value.

    Python 3.14 has the same as ``with variable.set(value)``. Not a generator: every evaluation of a
    layer enters some of these.

    Examples
    --------
    >>> name = ContextVar("name", default="outside")
    >>> with setting(name, "inside") as value:
    ...     value, name.get()
    ('inside', 'inside')
    >>> name.get()
    'outside'
    """

    def __init__(self, variable: ContextVar[Any], value: Any) -> None:
        self._variable, self._value = variable, value

    def __enter__(self) -> Any:
        self._token = self._variable.set(self._value)
        return self._value

    def __exit__(self, *raised: object) -> None:
        self._variable.reset(self._token)
