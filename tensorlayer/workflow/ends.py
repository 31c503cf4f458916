"""The ways in which an attempt ends; the fence decides whether it still may.

Every write here is a compare-and-set on the *fence*: (id, owner of the lease, attempt). Who lost
the lease, because it was frozen, or cut off, or declared dead, changes nothing any more: its write
does not match, and it is told `LeaseLost`.

Each end is one transaction: the state, the notification, and for a success also all outputs that
the task staged. Ends that are ready at the same time share one, since a commit waits for the disk,
whatever it holds. What makes it fail (one that was lost, cancelled or refused, or a document that
somebody else has locked) must not become the trouble of the others: then nothing of it has
happened, and each ends alone.
"""

from __future__ import annotations

import dataclasses
import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from pymongo import UpdateOne
from pymongo.errors import OperationFailure

from tensorlayer.errors import LeaseLost, StoreUnavailable
from tensorlayer.storage.transaction import Operation
from tensorlayer.workflow import schema
from tensorlayer.workflow.tasks import DEFAULT_BACKOFF, Backoff, Status, Task

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession

    from tensorlayer.storage.connection import Store
    from tensorlayer.storage.transaction import Change, Stage

__all__ = ["End", "Ends", "Ready", "Commits"]

logger = logging.getLogger(__name__)

# Attempts that a task gives back since the database was away. Beyond it, outages follow the task.
_MAX_INTERRUPTIONS = 10

# WriteConflict and LockTimeout: somebody else has one of the documents in an open transaction.
_LOCKED = frozenset({24, 112})

# With more operations than this, the end of a task takes so long that no other should wait for it.
_SHORT_STAGE = 10

# Ends that share one transaction: a commit costs some milliseconds, and each end a fraction of one.
_MOST_TOGETHER = 64

# How long an end waits for others that are about to follow: as long as a commit takes on a disk.
_GATHER_SECONDS = 0.01

# Ends that are written alone at the same time.
_ALONE = 4

# The outputs of an end that has none.
_NOTHING = Operation(lambda session: None)


@dataclasses.dataclass(frozen=True, kw_only=True)
class End:
    """One end of one attempt, ready to be written."""

    #: the attempt
    held: Task
    #: the state that follows
    status: Status
    #: what the history says of it
    event: Mapping[str, Any]
    #: expressions for other fields of the task
    changes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    #: what becomes visible with it
    outputs: Change = _NOTHING
    #: more that must hold
    fence: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def update(self) -> list[dict[str, Any]]:
        """Return the pipeline that changes the document of the task."""
        ended = {"finished": "$$NOW"} if self.status.is_final else {}
        state = {"state": self.status.value, "lease": None, "history": schema.logged(self.event)}
        return [{"$set": {**self.changes, **ended, **state}}]


class _Apart(Exception):
    """Ends that were to share a transaction cannot."""


class Ends:
    """How one process ends the attempts that its agent holds. Thread safe, as the store is.

    Parameters
    ----------
    store : Store
        Where the tasks are.
    owner : str
        Identity of the agent; unique for each agent process.
    host : str
        Where the agent runs, for those who look for the reason of a crash.
    backoff : Backoff
        How long a failed attempt waits for the next one.
    rng : random.Random, optional
        Source of the jitter.
    on_session : callable, optional
        Told the id of each session before a transaction writes with it, so that somebody can
        `abort` what this process leaves open when it is killed.
    """

    def __init__(
        self,
        store: Store,
        *,
        owner: str,
        host: str,
        backoff: Backoff = DEFAULT_BACKOFF,
        rng: random.Random | None = None,
        on_session: Callable[[str], None] | None = None,
    ) -> None:
        self.owner = owner
        self._host = host
        self._store = store
        self._tasks = schema.tasks(store)
        schema.notifications(store)  # its index exists before a transaction writes to it
        self._backoff = backoff
        self._rng = rng
        self._on_session = on_session

    def success(self, held: Task, stage: Change, result: Any, blobs: Sequence[Any] = ()) -> End:
        """Return the end that makes outputs, result, state and notification visible at once."""
        changes: dict[str, Any] = {"result": {"$literal": result}}
        if blobs:
            more = {"$literal": list(blobs)}
            changes["blobs"] = {"$concatArrays": [schema.listed("$blobs"), more]}
        event = self._event("done")
        return End(held=held, status=Status.DONE, event=event, changes=changes, outputs=stage)

    def end_together(self, ends: Sequence[End]) -> bool:
        """Write several ends in one transaction; False if that cannot be, and none is written.

        Each has to pass its own fence. Nobody waits here for a document that somebody else has
        locked: whoever is told False should `end` each alone, without one waiting for another.

        Raises
        ------
        StoreUnavailable
            The database was away for longer than the budget.
        """
        try:
            for each in ends:
                each.outputs.prepare()
            self._store.transact(lambda session: self._end_all(session, ends))
        except StoreUnavailable:
            raise
        except BaseException as error:  # noqa: BLE001  # a user's output; each alone tells why
            logger.debug("%d ends apart: %s: %s", len(ends), type(error).__name__, error)
            return False
        return True

    def _end_all(self, session: ClientSession, ends: Sequence[End]) -> None:
        self._tell(session)
        updates = [UpdateOne(self._condition(each, cancel=False), each.update()) for each in ends]
        final = [(each.held, each.status) for each in ends if each.status.is_final]
        try:
            matched = self._tasks.bulk_write(updates, session=session).matched_count
            if matched != len(ends):
                raise _Apart(f"{len(ends) - matched} do not pass their fence")
            schema.post(self._store, session, *final)
            for each in ends:
                each.outputs.apply(session)
        except OperationFailure as error:
            if error.code in _LOCKED:
                raise _Apart("one is locked") from error
            raise

    def end(self, end: End) -> Status:
        """Write one end in a transaction; whatever the end, a cancelled task is cancelled.

        Raises
        ------
        LeaseLost
            The attempt belongs to another agent; nothing became visible.
        """

        def operation(session: ClientSession) -> Status:
            self._tell(session)
            if self._move(session, end, cancel=False):
                end.outputs.apply(session)
                return end.status
            cancelled = {**end.event, "event": "cancelled"}
            instead = End(held=end.held, status=Status.CANCELLED, event=cancelled, fence=end.fence)
            if self._move(session, instead, cancel=True):
                return Status.CANCELLED
            return self._settled(end.held, session)

        return self._store.conclude(end.outputs, operation)

    def fence(self, held: Task) -> Callable[[ClientSession], None]:
        """Return what lets a transaction go on only while this agent holds the attempt.

        It writes into the task: of this transaction and one that takes the task away one succeeds.
        """

        def check(session: ClientSession) -> None:
            self._tell(session)
            query, change = self._fence(held.id, held.attempt), {"$inc": {"n_published": 1}}
            if not self._tasks.update_one(query, change, session=session).matched_count:
                raise self._lost(held.id, held.attempt)

        return check

    def fail(self, held: Task, reason: str, *, is_final: bool = False, **details: Any) -> Status:
        """Record that the attempt raised or took too long: it waits for the next, or is dead."""
        event = self._event("failed", reason=reason, **details)
        return self._retry(held, event, is_final=is_final, errors=held.errors + 1)

    def crash(self, held: Task, reason: str, **details: Any) -> Status:
        """Record that the process of the attempt died: it waits for the next, or is dead."""
        event = self._event("crashed", reason=reason, **details)
        return self._retry(held, event, crashes=held.crashes + 1)

    def release(self, held: Task, reason: str | None = None) -> Status:
        """Give the task back; neither an error nor a crash is counted.

        Parameters
        ----------
        held : Task
            What was claimed.
        reason : str, optional
            Why it could not be brought to an end. Then the task waits before its next attempt, and
            is dead when that has happened too often. Without a reason it keeps its place among
            those that wait.
        """
        if reason is None:
            return self.end(self._released(held))
        event = self._event("released", reason=reason)
        is_final = held.interruptions >= _MAX_INTERRUPTIONS
        return self._retry(held, event, is_final=is_final, interruptions=held.interruptions + 1)

    def release_all(self, held: Sequence[Task]) -> None:
        """Give tasks back that have not begun; one that is lost or cancelled hinders no other."""
        ends = [self._released(each) for each in held]
        if self.end_together(ends):
            return
        for each in ends:
            try:
                self.end(each)
            except LeaseLost as error:
                logger.warning("LeaseLost: %s", error)

    def _released(self, held: Task) -> End:
        return End(held=held, status=Status.WAITING, event=self._event("released"))

    def _retry(
        self, held: Task, event: dict[str, Any], *, is_final: bool = False, **counts: int
    ) -> Status:
        """End an attempt without success; the counts that have risen say how long it waits now."""
        after = dataclasses.replace(held, **counts)
        if is_final or after.is_exhausted:
            return self.end(End(held=held, status=Status.DEAD, event=event, changes=counts))
        n_times = counts.get("interruptions", after.errors + after.crashes)
        changes = {**counts, "not_before": schema.later(self._backoff.delay(n_times, self._rng))}
        return self.end(End(held=held, status=Status.WAITING, event=event, changes=changes))

    def _tell(self, session: ClientSession) -> None:
        if self._on_session is not None:
            self._on_session(session.session_id["id"].hex())

    def _move(self, session: ClientSession, end: End, *, cancel: bool) -> bool:
        condition = self._condition(end, cancel=cancel)
        matched = self._tasks.update_one(condition, end.update(), session=session).matched_count
        if matched and end.status.is_final:
            schema.post(self._store, session, (end.held, end.status))
        return bool(matched)

    def _condition(self, end: End, *, cancel: bool) -> dict[str, Any]:
        asked = {"cancel": True if cancel else {"$ne": True}}
        return {**self._fence(end.held.id, end.held.attempt), **end.fence, **asked}

    def _settled(self, held: Task, session: ClientSession | None = None) -> Status:
        """Return how this agent itself has ended the attempt: a repeated write finds that."""
        fields = {"state": 1, "attempt": 1, "history": {"$slice": -1}}
        document = self._tasks.find_one({"_id": held.id}, fields, session=session)
        if document is not None and document.get("attempt") == held.attempt:
            history = document.get("history")
            last = history[-1] if isinstance(history, list) and history else {}
            if last.get("by") == self.owner and last.get("event") != "claimed":
                return Status(document["state"])
        raise self._lost(held.id, held.attempt)

    def _fence(self, task_id: str, attempt: int) -> dict[str, Any]:
        return {
            "_id": task_id,
            "state": Status.RUNNING.value,
            "attempt": attempt,
            "lease.owner": self.owner,
        }

    def _event(self, event: str, **details: Any) -> dict[str, Any]:
        return {"event": event, "by": self.owner, "host": self._host, **details}

    def _lost(self, task_id: str, attempt: int) -> LeaseLost:
        return LeaseLost(
            f"task {task_id[:12]}: attempt {attempt} no longer belongs to agent {self.owner}. "
            "Nothing that it writes now takes effect; the task runs elsewhere or has ended."
        )


@dataclasses.dataclass(frozen=True)
class Ready:
    """A task whose function has returned: only its end has to be written."""

    end: End
    stage: Stage
    #: whether the next task is about to start
    is_followed: bool
    #: records an error of the task, and returns its state then
    failed: Callable[[BaseException], Status]
    #: told how the attempt ended; any thread
    tell: Callable[[str], Any]

    @property
    def is_short(self) -> bool:
        """Whether another task may start, and other ends be written, while this one is."""
        return len(self.stage) <= _SHORT_STAGE


class Commits:
    """Writes ends in threads of its own, while the next task runs. Thread safe.

    An end that nothing follows is written at once. If the agent has sent word that more tasks wait
    for this process, the first end waits a few milliseconds for theirs; and whatever becomes ready
    while a commit is on its way shares the next one.

    Parameters
    ----------
    ends : Ends
        Writes them.
    """

    def __init__(self, ends: Ends) -> None:
        self._ends = ends
        self._ready: queue.SimpleQueue[Ready] = queue.SimpleQueue()
        self._alone = ThreadPoolExecutor(_ALONE, thread_name_prefix="tensorlayer-end")
        threading.Thread(target=self._run, daemon=True, name="tensorlayer-commits").start()

    def add(self, ready: Ready) -> None:
        """Have an end written soon."""
        self._ready.put(ready)

    def _run(self) -> None:
        while True:
            together = self._gathered()
            self._write([each for each in together if each.is_short])
            for each in together:
                if not each.is_short:
                    self._alone.submit(self._write_alone, each)

    def _gathered(self) -> list[Ready]:
        """Wait for an end, and return it with those that are there, or will be in a moment."""
        together = [self._ready.get()]
        until = time.monotonic() + _GATHER_SECONDS
        while len(together) < _MOST_TOGETHER:
            left = until - time.monotonic() if together[-1].is_followed else 0.0
            try:
                together.append(self._ready.get(block=left > 0, timeout=max(left, 0.0)))
            except queue.Empty:
                break
        return together

    def _write(self, together: list[Ready]) -> None:
        if not together:
            return
        try:
            is_written = self._ends.end_together([each.end for each in together])
        except StoreUnavailable as error:
            for each in together:
                self._unavailable(each, error)
            return
        for each in together:
            if is_written:
                each.tell(each.end.status.value)
            else:
                self._alone.submit(self._write_alone, each)

    def _write_alone(self, ready: Ready) -> None:
        try:
            ready.tell(self._state_of(ready).value)
        except LeaseLost as error:
            logger.warning("LeaseLost: %s", error)
            ready.tell("lost")
        except StoreUnavailable as error:
            self._unavailable(ready, error)
        except Exception:
            logger.exception("the end of %s was refused", ready.end.held)
            ready.tell("refused")

    def _state_of(self, ready: Ready) -> Status:
        try:
            status = self._ends.end(ready.end)
            if status is not ready.end.status:  # it was cancelled meanwhile
                ready.stage.abandon()
            return status
        except StoreUnavailable:  # what was written is removed when this process has ended
            raise
        except LeaseLost:
            ready.stage.abandon()
            raise
        except BaseException as error:  # noqa: BLE001  # the task's own fault
            ready.stage.abandon()
            return ready.failed(error)

    def _unavailable(self, ready: Ready, error: StoreUnavailable) -> None:
        task = ready.end.held.id[:12]
        logger.error("the end of task %s could not be recorded: %s", task, error)
        ready.tell("unavailable")
