"""Taking tasks from the queue.

Of several agents that want the same task exactly one gets it, by one atomic update; what it writes
from then on has to pass the fence, see `ends`. The update succeeds whatever the document holds, so
that what is no task can be set aside and blocks nobody.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pymongo import ASCENDING, ReturnDocument
from pymongo.errors import OperationFailure

from tensorlayer.workflow import schema
from tensorlayer.workflow.ends import End
from tensorlayer.workflow.lease import Leases
from tensorlayer.workflow.tasks import Status, Task

if TYPE_CHECKING:
    from tensorlayer.storage.connection import Store

__all__ = ["Claims", "Taking"]


class Claims(Leases):
    """What one process does with the tasks that it claims. Thread safe, as the store is.

    Parameters
    ----------
    store : Store
        Where the tasks are.
    owner, host : str
        Identity of the agent, and where it runs.
    **more
        What `Ends` takes.
    """

    def __init__(self, store: Store, *, owner: str, host: str, **more: Any) -> None:
        super().__init__(store, owner=owner, host=host, **more)
        self._taking = Taking(store, self._event("claimed"))

    def claim(self, queues: Sequence[str], **how: Any) -> Task | None:
        """Take one task, or return None; see `claim_some`."""
        return next(iter(self.claim_some(queues, 1, **how)), None)

    def claim_some(
        self,
        queues: Sequence[str],
        n_tasks: int,
        *,
        lease_seconds: float,
        modules: Sequence[str] | None = None,
        session: str | None = None,
        is_ahead: bool = False,
    ) -> list[Task]:
        """Take the tasks that have waited longest in some queues. Oldest first.

        Of several agents exactly one gets a task. That raises the attempt and starts the lease by
        the server's clock. After a lost connection a claim is recognised by its token, so no task
        is held by an agent that does not know it.

        What is in the queue but is no task becomes a dead letter; the next one follows. There may
        be more than what is returned; there is none only if none is returned.

        Parameters
        ----------
        queues : sequence of str
            Where to take them from.
        n_tasks : int
            At most so many.
        lease_seconds : float
            How long nobody else takes them, unless there are beats.
        modules : sequence of str, optional
            Only tasks whose function is in one of these; by default any.
        session : str, optional
            The session in which they will be ended; see `abort`.
        is_ahead : bool
            Whether others are in the process that will run them.
        """
        wanted = schema.waiting(queues, modules or ())
        if modules is None:
            del wanted["module"]
        while documents := self._taking.take_some(
            wanted, n_tasks, lease_seconds, session, is_shared=is_ahead
        ):
            decoded = [task for each in documents if (task := self._decoded(each)) is not None]
            found = [task for task in decoded if modules is None or task.module in modules]
            for task in decoded:
                if task not in found:  # stored by somebody who did not say where its function is
                    self._say_module(task)
            if found:
                return found
        return []

    def _say_module(self, task: Task) -> None:
        event, changes = self._event("released"), {"module": task.module}
        self.end(End(held=task, status=Status.WAITING, event=event, changes=changes))

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


# The server's ways to say that a document has no room left for a lease and an event.
_TOO_LARGE = frozenset({10334, 17419, 17420})

# What it says besides when several are too large for its memory.
_TOO_LARGE_TOGETHER = frozenset({388})

# Others may be faster again and again, and what has an odd id is never found by it. Then one task
# is taken in one step.
_MOST_LOOKS = 3

# Who runs a task does not need what was before; for a single one, to leave it out gains nothing.
_NEEDED = {"history": 0, "result": 0, "blobs": 0}

_OLDEST = [("not_before", ASCENDING)]


class Taking:
    """How one owner takes documents. Thread safe, as the store is.

    Parameters
    ----------
    store : Store
        Where the tasks are.
    event : mapping
        What the history says of it: the event, by whom, and on which host.
    """

    def __init__(self, store: Store, event: Mapping[str, Any]) -> None:
        self._store = store
        self._tasks = schema.tasks(store)
        self._event = dict(event)

    def take_some(
        self,
        wanted: Mapping[str, Any],
        n_tasks: int,
        lease_seconds: float,
        session: str | None,
        *,
        is_shared: bool = False,
    ) -> list[dict[str, Any]]:
        """Return the documents that have waited longest among those that match, now leased.

        At most so many. None means that none matches: where others were faster, it looks again.
        """
        if n_tasks == 1:
            one = self.take(wanted, lease_seconds, session, is_shared=is_shared)
            return [] if one is None else [one]
        for _ in range(_MOST_LOOKS):
            if not (ids := self._oldest(wanted, n_tasks)):
                return []
            token = uuid.uuid4().hex
            changes = self._changes(
                token, lease_seconds, session, is_shared=is_shared or len(ids) > 1
            )
            is_refused = not self._lease(ids, wanted, changes)
            mine = {"_id": {"$in": ids}, "state": Status.RUNNING.value, "lease.token": token}
            if found := self._store.call(lambda mine=mine: list(self._tasks.find(mine, _NEEDED))):
                return _in_order(found, ids)
            if is_refused:
                break
        return self.take_some(wanted, 1, lease_seconds, session, is_shared=is_shared)

    def _oldest(self, wanted: Mapping[str, Any], n_tasks: int) -> list[Any]:
        """Return the ids of those that have waited longest.

        One that may have taken a process or an agent with it is claimed alone, so that nobody
        suffers for it again.
        """
        fields = {"crashes": 1, "interruptions": 1}
        look = self._tasks.find(wanted, fields, sort=_OLDEST, hint=schema.WAITING).limit(n_tasks)
        found = self._store.call(lambda: list(look.clone()))
        calm = list(itertools.takewhile(_is_calm, found))
        return [each["_id"] for each in calm or found[:1]]

    def _lease(
        self, ids: list[Any], wanted: Mapping[str, Any], changes: list[dict[str, Any]]
    ) -> bool:
        """Take those that still match; repeating it takes none twice. False if one is too large."""
        query = {**wanted, "_id": {"$in": ids}}
        try:
            self._store.call(lambda: self._tasks.update_many(query, changes, hint="_id_"))
        except OperationFailure as error:
            if error.code not in _TOO_LARGE | _TOO_LARGE_TOGETHER:
                raise
            return False
        return True

    def take(
        self,
        wanted: Mapping[str, Any],
        lease_seconds: float,
        session: str | None,
        *,
        is_shared: bool = False,
    ) -> dict[str, Any] | None:
        """Return the document that has waited longest among those that match, now leased."""
        token = uuid.uuid4().hex
        is_retry = False
        mine = {"state": Status.RUNNING.value, "lease.token": token}

        def operation() -> dict[str, Any] | None:
            nonlocal is_retry
            if is_retry and (held := self._tasks.find_one(mine)):
                return held
            is_retry = True
            return self._tasks.find_one_and_update(
                wanted,
                self._changes(token, lease_seconds, session, is_shared=is_shared),
                sort=_OLDEST,
                hint=schema.WAITING,
                return_document=ReturnDocument.AFTER,
            )

        while True:
            try:
                return self._store.call(operation)
            except OperationFailure as error:
                if error.code not in _TOO_LARGE:
                    raise
                self._set_aside(wanted)

    def _changes(
        self, token: str, lease_seconds: float, session: str | None, *, is_shared: bool
    ) -> list[dict[str, Any]]:
        lease = {
            "owner": self._event["by"],
            "host": self._event["host"],
            "token": token,
            "seconds": lease_seconds,
            "session": session,
            "is_shared": is_shared,
            **schema.lease_times(lease_seconds),
        }
        taken = {
            "state": Status.RUNNING.value,
            "attempt": {"$add": [{"$cond": [{"$isNumber": "$attempt"}, "$attempt", 0]}, 1]},
            "lease": {"$mergeObjects": [lease]},  # which replaces whatever was there
            "progress": None,
        }
        return [{"$set": taken}, {"$set": {"history": schema.logged(self._event)}}]

    def _set_aside(self, wanted: Mapping[str, Any]) -> None:
        """Make a dead letter of the head of the queue, without what makes it so large."""
        reason = "the document is not a task: it has no room left for a lease"
        event = {**self._event, "event": "refused", "reason": reason}
        dead = {"state": Status.DEAD.value, "lease": None, "history": [event]}
        change = {"$set": dead, "$unset": {"arguments": ""}}
        self._store.call(
            lambda: self._tasks.find_one_and_update(
                wanted, change, sort=_OLDEST, hint=schema.WAITING, projection={"_id": 1}
            )
        )


def _in_order(documents: list[dict[str, Any]], ids: list[Any]) -> list[dict[str, Any]]:
    """Return documents in the order of these ids."""
    places = {repr(each): place for place, each in enumerate(ids)}
    return sorted(documents, key=lambda each: places.get(repr(each["_id"]), len(ids)))


def _is_calm(document: Mapping[str, Any]) -> bool:
    return not (document.get("crashes") or document.get("interruptions"))
