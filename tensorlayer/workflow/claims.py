"""The agent's side of a task: take it from the queue, keep its lease, look at those of others.

Of several agents that want the same task exactly one gets it; what it writes from then on has to
pass the fence, see `ends`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pymongo import ReturnDocument

from tensorlayer.errors import Corrupt
from tensorlayer.workflow import schema
from tensorlayer.workflow.ends import End, Ends
from tensorlayer.workflow.lease import Sighting
from tensorlayer.workflow.taking import Taking
from tensorlayer.workflow.tasks import Status, Task

if TYPE_CHECKING:
    from tensorlayer.storage.connection import Store

__all__ = ["Claims"]

logger = logging.getLogger(__name__)

# Leases looked at in one round. Beyond it the oldest come first and the others follow a round
# later.
_SUSPECTS_PER_LOOK = 1000

_WITHOUT_PAYLOAD = {"arguments": 0, "result": 0}


class Claims(Ends):
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
        found = self.claim_some(
            queues, 1, lease_seconds=lease_seconds, modules=modules, session=session
        )
        return found[0] if found else None

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
        """Take those that have waited longest, at most so many; see `claim`. Oldest first.

        There may be more than what is returned; there is none only if none is returned. ``is_ahead``
        says that others are in the process that will run them.
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
            **dict.fromkeys(("max_attempts", "max_crashes", "interruptions"), 1),
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
