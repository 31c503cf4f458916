"""Staged commits: what a task writes becomes visible in the transaction that marks it done."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from pymongo.client_session import ClientSession

from tensorlayer.errors import StoreUnavailable

_logger = logging.getLogger(__name__)


class Outdated(Exception):
    """Others have committed so much that a change has to be prepared again."""


class Change(Protocol):
    """Something that becomes visible in a transaction, however much was written for it before."""

    def prepare(self) -> object:
        """Do outside of the transaction what may take long; called before each one."""

    def apply(self, session: ClientSession) -> Any:
        """Make it visible: a few small writes, which may run again with another session.

        Raises
        ------
        Outdated
            It has to be prepared again, since that would be more than a few small writes.
        """

    def abandon(self) -> object:
        """Remove what was written, since it will not become visible. No-op if it has."""


@dataclasses.dataclass(frozen=True)
class Operation:
    """A change that consists of its transaction alone.

    Parameters
    ----------
    apply
        Takes the session and has no effect outside of it.
    """

    apply: Callable[[ClientSession], Any]

    def prepare(self) -> None:
        """Do nothing."""

    def abandon(self) -> None:
        """Do nothing: nothing was written."""


#: Raises in a transaction of whoever must not write any more.
Fence = Callable[[ClientSession], object]


class Stage:
    """Changes that were committed inside ``with store.staged()``, kept in their order.

    Nothing of them is visible until somebody calls `prepare` and then `apply` inside a transaction;
    then all of it becomes visible with that transaction, or none. A stage that is never applied has
    no effect. Changes may be added from several threads that run in a copy of the stage's context;
    a plain new thread has an empty context, so what it commits is committed at once.

    Parameters
    ----------
    run
        Identity of the training run or task whose outputs are staged, for lineage.
    attempt
        Which execution of the task it is: part of the identity of what is published from it.
    fence
        Called in each transaction that publishes something before the stage is applied; raises if
        this process has lost the right to.

    Examples
    --------
    >>> stage = Stage(run="task-7")
    >>> stage.add(Operation(lambda session: print("version 1")))
    >>> stage.add(Operation(lambda session: print("event 1")))
    >>> stage.prepare()
    >>> stage.apply(session=None)
    version 1
    event 1
    """

    def __init__(
        self, *, run: str | None = None, attempt: int = 0, fence: Fence | None = None
    ) -> None:
        #: Identity of the task whose outputs these are.
        self.run = run
        #: Number of its execution.
        self.attempt = attempt
        #: What each transaction that publishes something has to pass.
        self.fence = fence
        #: What was committed in it, in order.
        self.changes: list[Change] = []

    def add(self, change: Change) -> None:
        """Keep one change for `apply`."""
        self.changes.append(change)

    def prepare(self) -> None:
        """Do what may take long and needs no transaction; call it right before the transaction."""
        for change in self.changes:
            change.prepare()

    def publish(self, change: Change, session: ClientSession) -> Any:
        """Make a change visible that does not wait for the stage, if that is still allowed."""
        if self.fence is not None:
            self.fence(session)
        return change.apply(session)

    def apply(self, session: ClientSession) -> None:
        """Run what was kept, in order, in the transaction of ``session``.

        May be called again when the transaction is retried; every call runs everything again.
        """
        for change in self.changes:
            change.apply(session)

    def abandon(self) -> None:
        """Remove what was written for changes that will not become visible.

        What goes wrong meanwhile is logged: why they were abandoned matters more, and what is left
        is removed when this process has ended.
        """
        for change in self.changes:
            give_up(change)

    def __len__(self) -> int:
        return len(self.changes)

    def __repr__(self) -> str:
        return f"<Stage run={self.run!r} with {len(self)} changes>"


def give_up(change: Change) -> None:
    """Abandon a change, and log what goes wrong with that."""
    try:
        change.abandon()
    except Exception:
        _logger.warning("What was written in vain is removed later", exc_info=True)


#: The stages that are open in this context, each with the store it belongs to; the last is active.
_OPEN: ContextVar[tuple[tuple[object, Stage], ...]] = ContextVar("tensorlayer_stages", default=())


def active(store: object) -> Stage | None:
    """Return the innermost stage of ``store`` that is open in this context, if there is one."""
    return next((stage for owner, stage in reversed(_OPEN.get()) if owner is store), None)


@contextmanager
def opened(store: object, **about: Any) -> Iterator[Stage]:
    """Open a stage of ``store`` for the body of the ``with`` statement, in this context only.

    ``about`` is what `Stage` takes. If the body fails, what was written for the stage is removed.

    Examples
    --------
    >>> store = object()
    >>> with opened(store, run="task-7") as stage:
    ...     active(store) is stage
    True
    >>> active(store) is None
    True
    """
    outer = active(store)
    if outer is not None:  # inside a task, whatever is published passes the task's fence
        about["fence"] = about.get("fence") or outer.fence
    stage = Stage(**about)
    token = _OPEN.set((*_OPEN.get(), (store, stage)))
    try:
        yield stage
    except StoreUnavailable:  # what was written is removed when this process has ended
        raise
    except BaseException:
        stage.abandon()
        raise
    finally:
        _OPEN.reset(token)


__all__ = ["Change", "Fence", "Operation", "Outdated", "Stage", "active", "give_up", "opened"]
