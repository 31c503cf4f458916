"""The agent's side of a task: claim, beat, and the ways in which an attempt ends.

Every write here is a compare-and-set on the *fence*: (id, owner of the lease, attempt). Who lost
the lease, because it was frozen, or cut off, or declared dead, changes nothing any more: its write
does not match, and it is told `LeaseLost`.

Each end of an attempt is one transaction: the state, the notification, and for a success also all
outputs that the task staged.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bson.binary import UUID_SUBTYPE, Binary
from pymongo import ReturnDocument
from pymongo.errors import OperationFailure

from tensorlayer.errors import Corrupt, LeaseLost
from tensorlayer.workflow import notifications, schema
from tensorlayer.workflow.lease import Sighting
from tensorlayer.workflow.retry import DEFAULT_BACKOFF, Backoff
from tensorlayer.workflow.taking import Taking
from tensorlayer.workflow.tasks import Status, Task

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession

    from tensorlayer.storage.connection import Store
    from tensorlayer.storage.transaction import Stage

__all__ = ["Claims"]

logger = logging.getLogger(__name__)

# Leases looked at in one round. Beyond it the oldest come first and the others follow a round
# later.
_SUSPECTS_PER_LOOK = 1000

# Attempts that a task gives back since the database was away. Beyond it, outages follow the task.
_MAX_INTERRUPTIONS = 10

_WITHOUT_PAYLOAD = {"arguments": 0, "result": 0}


class Claims:
    """What one process does with the tasks that it claims. Thread safe, as the store is.

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
        self._taking = Taking(store, self._event("claimed"))

    def claim(
        self,
        queues: Sequence[str],
        *,
        lease_seconds: float,
        modules: Sequence[str] | None = None,
        session: str | None = None,
    ) -> Task | None:
        """Take the task that has waited longest in one of the queues, or return None.

        One atomic update: of several agents exactly one gets the task. It raises the attempt and
        starts the lease by the server's clock. After a lost connection the claim is recognised by
        its token, so a task is not held by an agent that does not know it.

        What is in the queue but is no task becomes a dead letter; the next one follows.

        Parameters
        ----------
        queues : sequence of str
            Where to take it from.
        lease_seconds : float
            How long nobody else takes it, unless there are beats.
        modules : sequence of str, optional
            Only tasks whose function is in one of these; by default any.
        session : str, optional
            The session in which the task will be ended; see `abort`.
        """
        wanted = schema.waiting(queues, modules or ())
        if modules is None:
            del wanted["module"]
        while (document := self._taking.take(wanted, lease_seconds, session)) is not None:
            task = self._decoded(document)
            if task is not None and (modules is None or task.module in modules):
                return task
            if task is not None:  # stored by somebody who did not say where its function is
                self._end(task, Status.WAITING, self._event("released"), {"module": task.module})
        return None

    def _decoded(self, document: dict[str, Any]) -> Task | None:
        try:
            return Task.from_document(document)
        except Corrupt as error:
            self.refuse(document, error)
            return None

    def refuse(self, document: Mapping[str, Any], error: Corrupt) -> None:
        """Make a dead letter of a running document that is no task.

        It was written by somebody else, and must neither stop an agent nor come back to the queue.
        """
        logger.warning("%s", error)
        fence = {"_id": {"$eq": document["_id"]}, "state": Status.RUNNING.value}
        event = self._event("refused", reason=f"the document is not a task: {error}")
        dead = {"state": Status.DEAD.value, "lease": None, "finished": "$$NOW"}
        change = [{"$set": {**dead, "history": schema.logged(event)}}]
        self._store.call(lambda: self._tasks.update_one(fence, change))

    def read(self, task_id: str, attempt: int) -> Task:
        """Return a claimed task with its arguments.

        Raises
        ------
        LeaseLost
            The agent does not hold this attempt of the task any more.
        """
        document = self._store.call(lambda: self._tasks.find_one(self._fence(task_id, attempt)))
        task = None if document is None else self._decoded(document)
        if task is None:
            raise self._lost(task_id, attempt)
        return task

    def beat(
        self, held: Task, progress: dict[str, Any] | None = None, *, session: str | None = None
    ) -> Task | None:
        """Prolong the lease, store the progress, and return the task; its ``cancel`` is the reply.

        None means that the attempt has ended by a write of this agent, whose report is on its way.

        Raises
        ------
        LeaseLost
            Another agent took the task, or declared this one dead.
        """
        times = {
            f"lease.{name}": end for name, end in schema.lease_times(held.lease.seconds).items()
        }
        if session is not None:
            times["lease.session"] = session
        changes = {**times, **({"progress": {"$literal": progress}} if progress else {})}
        document = self._store.call(
            lambda: self._tasks.find_one_and_update(
                self._fence(held.id, held.attempt),
                [{"$set": changes}],
                projection=_WITHOUT_PAYLOAD,
                return_document=ReturnDocument.AFTER,
            )
        )
        if document is None:
            self._store.call(lambda: self._settled(held))
            return None
        if (task := self._decoded(document)) is None:
            raise self._lost(held.id, held.attempt)
        return task

    def finish(self, held: Task, stage: Stage, result: Any, blobs: Sequence[Any] = ()) -> Status:
        """Make the outputs, the result, the state and the notification visible at once.

        Returns
        -------
        Status
            ``DONE``; or ``CANCELLED`` if that was asked for in time, and no output is visible then.

        Raises
        ------
        LeaseLost
            The attempt belongs to another agent; nothing became visible.
        """
        changes = {
            "result": {"$literal": result},
            "blobs": {"$concatArrays": [schema.listed("$blobs"), {"$literal": list(blobs)}]},
        }
        return self._end(held, Status.DONE, self._event("done"), changes, stage)

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
        counts = {"errors": held.errors + 1, "crashes": held.crashes}
        return self._retry(held, self._event("failed", reason=reason, **details), counts, is_final)

    def crash(self, held: Task, reason: str, **details: Any) -> Status:
        """Record that the process of the attempt died: it waits for the next, or is dead."""
        counts = {"errors": held.errors, "crashes": held.crashes + 1}
        return self._retry(held, self._event("crashed", reason=reason, **details), counts, False)

    def release(self, held: Task, reason: str | None = None) -> Status:
        """Give the task back; neither an error nor a crash is counted.

        Parameters
        ----------
        held : Task
            What was claimed.
        reason : str, optional
            What was not available. Then the task waits before its next attempt, and is dead when
            that has happened too often. Without a reason it waits again at once.
        """
        if reason is None:
            return self._end(held, Status.WAITING, self._event("released"), {"not_before": "$$NOW"})
        count = {"interruptions": held.interruptions + 1}
        event = self._event("released", reason=reason)
        if held.interruptions >= _MAX_INTERRUPTIONS:
            return self._end(held, Status.DEAD, event, count)
        delay = self._backoff.delay(held.interruptions + 1, self._rng)
        changes = {**count, "not_before": schema.later(delay)}
        return self._end(held, Status.WAITING, event, changes)

    def abort(self, session: str) -> None:
        """End a session that a dead process may have left open, with its transaction.

        Without that, what it has touched stays locked until the server gives the transaction up.
        """
        command = {"killSessions": [{"id": Binary(bytes.fromhex(session), UUID_SUBTYPE)}]}
        try:
            self._store.call(lambda: self._store.client.admin.command(command))
        except OperationFailure as error:
            logger.warning("cannot end session %s: code %s", session, error.code)

    def suspects(self) -> list[tuple[Task, Sighting]]:
        """Return all tasks whose lease was not prolonged for half its length, whoever holds it.

        What is no task becomes a dead letter instead.
        """
        query = {
            "state": Status.RUNNING.value,
            "$expr": {"$lte": ["$lease.suspect", "$$NOW"]},
        }
        fields = {
            **dict.fromkeys(("function", "output", "created", "not_before", "identity"), 1),
            **dict.fromkeys(("state", "attempt", "lease", "errors", "crashes", "cancel"), 1),
            **dict.fromkeys(("max_attempts", "max_crashes"), 1),
            "is_expired": {"$lte": ["$lease.expires", "$$NOW"]},
        }
        documents = self._store.call(
            lambda: list(
                self._tasks.find(query, fields).sort("lease.suspect").limit(_SUSPECTS_PER_LOOK)
            )
        )
        decoded = [(self._decoded(each), each) for each in documents]
        return [
            (task, Sighting.of(task, is_expired=each["is_expired"]))
            for task, each in decoded
            if task is not None
        ]

    def is_quiet(self, queues: Sequence[str]) -> bool:
        """Whether no task runs anywhere, and none waits in these queues, now or later."""
        one = [{"$limit": 1}, {"$project": {"_id": 1}}]
        waits = {"state": Status.WAITING.value, "queue": {"$in": list(queues)}}
        pipeline = [
            {"$match": {"state": Status.RUNNING.value}},
            {"$sort": {"lease.suspect": 1}},  # by the index of what runs
            *one,
            {"$unionWith": {"coll": self._tasks.name, "pipeline": [{"$match": waits}, *one]}},
        ]
        return not self._store.call(lambda: list(self._tasks.aggregate(pipeline)))

    def expire(self, seen: Task) -> Status:
        """Take the task away from an agent that has not prolonged the lease since it was ``seen``.

        Counts as a crash: the agent died, or was cut off for a whole lease. The next attempt may
        start at once; the lease was waiting enough.

        Raises
        ------
        LeaseLost
            The agent has beaten after all, or somebody else was faster.
        """
        if seen.lease.session is not None:
            self.abort(seen.lease.session)
        silent = f"agent {seen.lease.owner} on {seen.lease.host} fell silent"
        counts = {"errors": seen.errors, "crashes": seen.crashes + 1}
        unchanged = {"lease.owner": seen.lease.owner, "lease.expires": seen.lease.expires}
        event = self._event("expired", reason=silent, host=seen.lease.host)
        if seen.is_exhausted_by(**counts):
            return self._end(seen, Status.DEAD, event, counts, fence=unchanged)
        changes = {**counts, "not_before": "$$NOW"}
        return self._end(seen, Status.WAITING, event, changes, fence=unchanged)

    def _retry(
        self, held: Task, event: dict[str, Any], counts: dict[str, int], is_final: bool
    ) -> Status:
        if is_final or held.is_exhausted_by(**counts):
            return self._end(held, Status.DEAD, event, counts)
        delay = self._backoff.delay(sum(counts.values()), self._rng)
        changes = {**counts, "not_before": schema.later(delay)}
        return self._end(held, Status.WAITING, event, changes)

    def _end(
        self,
        held: Task,
        status: Status,
        event: dict[str, Any],
        changes: dict[str, Any],
        outputs: Stage | None = None,
        fence: dict[str, Any] | None = None,
    ) -> Status:
        """End the attempt in one transaction; whatever the end, a cancelled task is cancelled."""

        def operation(session: ClientSession) -> Status:
            self._tell(session)
            if self._move(session, held, status, event, changes, fence, cancel=False):
                if outputs is not None:
                    outputs.apply(session)
                return status
            cancelled = {**event, "event": "cancelled"}
            if self._move(session, held, Status.CANCELLED, cancelled, {}, fence, cancel=True):
                return Status.CANCELLED
            return self._settled(held, session)

        if outputs is None:
            return self._store.transact(operation)
        return self._store.conclude(outputs, operation)

    def _tell(self, session: ClientSession) -> None:
        if self._on_session is not None:
            self._on_session(session.session_id["id"].hex())

    def _move(
        self,
        session: ClientSession,
        held: Task,
        status: Status,
        event: dict[str, Any],
        changes: dict[str, Any],
        fence: dict[str, Any] | None,
        *,
        cancel: bool,
    ) -> bool:
        ended = {"finished": "$$NOW"} if status.is_final else {}
        state = {"state": status.value, "lease": None, "history": schema.logged(event)}
        matched = self._tasks.update_one(
            {
                **self._fence(held.id, held.attempt),
                **(fence or {}),
                "cancel": True if cancel else {"$ne": True},
            },
            [{"$set": {**changes, **ended, **state}}],
            session=session,
        ).matched_count
        if matched and status.is_final:
            notifications.post(self._store, session, held, status)
        return bool(matched)

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
