"""Staged commits: what a task writes becomes visible in the transaction that marks it done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from pymongo.client_session import ClientSession


class Stage:
    """Operations that were committed inside ``with store.staged()``, kept in their order.

    Nothing of them is visible until somebody calls `apply` inside a transaction; then all of it
    becomes visible with that transaction, or none. A stage that is never applied has no effect.
    Operations may be added from several threads that run in a copy of the stage's context; a plain
    new thread has an empty context, so what it commits is committed at once.

    Parameters
    ----------
    run
        Identity of the training run or task whose outputs are staged, for lineage.

    Examples
    --------
    >>> stage = Stage(run="task-7")
    >>> stage.add(lambda session: print("version 1"))
    >>> stage.add(lambda session: print("event 1"))
    >>> stage.apply(session=None)
    version 1
    event 1
    """

    def __init__(self, *, run: str | None = None) -> None:
        #: Identity of the task whose outputs these are.
        self.run = run
        self._operations: list[Callable[[ClientSession], Any]] = []

    def add(self, operation: Callable[[ClientSession], Any]) -> None:
        """Keep one operation for `apply`; it must have no effect outside of its session."""
        self._operations.append(operation)

    def apply(self, session: ClientSession) -> None:
        """Run what was kept, in order, in the transaction of ``session``.

        May be called again when the transaction is retried; every call runs everything again.
        """
        for operation in self._operations:
            operation(session)

    def __len__(self) -> int:
        return len(self._operations)

    def __repr__(self) -> str:
        return f"<Stage run={self.run!r} with {len(self)} operations>"


#: The stages that are open in this context, each with the store it belongs to; the last is active.
_OPEN: ContextVar[tuple[tuple[object, Stage], ...]] = ContextVar("tensorlayer_stages", default=())


def active(store: object) -> Stage | None:
    """Return the innermost stage of ``store`` that is open in this context, if there is one."""
    return next((stage for owner, stage in reversed(_OPEN.get()) if owner is store), None)


@contextmanager
def opened(store: object, *, run: str | None = None) -> Iterator[Stage]:
    """Open a stage of ``store`` for the body of the ``with`` statement, in this context only.

    Examples
    --------
    >>> store = object()
    >>> with opened(store, run="task-7") as stage:
    ...     active(store) is stage
    True
    >>> active(store) is None
    True
    """
    stage = Stage(run=run)
    token = _OPEN.set((*_OPEN.get(), (store, stage)))
    try:
        yield stage
    finally:
        _OPEN.reset(token)


__all__ = ["Stage", "active", "opened"]
