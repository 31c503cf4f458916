"""Leases: how they are kept, when one counts as lost, and how a task is taken away then.

The server's clock alone is not enough to take a lease away: if it jumps ahead by an hour, every
lease of every agent looks expired at once. So a lease counts as lost only if two things hold:

- by the server's clock it has expired, and
- an observer saw it *unchanged* for half its length, by the observer's own monotonic clock, without
  a gap in its watching.

A living agent beats every third of a lease, so it changes what the observer sees in time whatever
the clocks say. A gap (the observer was stopped, or the server was away so that nobody could beat)
starts the observation anew.

While the end of a task is committed, its document is locked, and no beat passes. Therefore what the
agent says about itself, in a document of its own, counts as well: as long as it goes on saying that
it has the task, the lease is not lost.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bson.binary import UUID_SUBTYPE, Binary
from pymongo import ReturnDocument
from pymongo.errors import OperationFailure, PyMongoError

from tensorlayer.errors import AccessDenied, Corrupt, LeaseLost, TensorLayerError
from tensorlayer.workflow import schema
from tensorlayer.workflow.ends import End, Ends
from tensorlayer.workflow.tasks import Status, Task

__all__ = [
    "BEATS_PER_LEASE",
    "Sighting",
    "LeaseWatch",
    "Leases",
    "Pulse",
]

logger = logging.getLogger(__name__)

# Leases looked at in one round. Beyond it the oldest come first and the others follow a round
# later.
_SUSPECTS_PER_LOOK = 1000

_WITHOUT_PAYLOAD = {"arguments": 0, "result": 0}

# Three beats a lease: two may be lost before half of it has passed unchanged.
BEATS_PER_LEASE = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sighting:
    """What an observer saw of one lease."""

    #: id of the task
    task: str
    #: changes with each claim, each beat, and each time the agent says that it has the task
    mark: Hashable
    #: length of the lease
    seconds: float
    #: whether the server's clock has passed its end
    is_expired: bool

    @classmethod
    def of(cls, task: Task, *, is_expired: bool, said: Hashable = None) -> Sighting:
        """Return what is seen of a running task, whose agent has ``said`` last that it has it."""
        lease = task.lease
        mark = (task.attempt, lease.token, lease.expires, said)
        return cls(task=task.id, mark=mark, seconds=lease.seconds, is_expired=is_expired)


class LeaseWatch:
    """One observer's memory of the leases that it suspects. Not for use by several threads.

    Parameters
    ----------
    max_gap_seconds : float
        Two looks that lie further apart are no continuous observation. It should be a small
        multiple of the time between looks.

    Examples
    --------
    >>> watch = LeaseWatch(max_gap_seconds=6.0)
    >>> seen = Sighting(task="t", mark=1, seconds=10.0, is_expired=True)
    >>> watch.look([seen], now=0.0), watch.look([seen], now=4.9), watch.look([seen], now=5.0)
    ([], [], ['t'])
    """

    def __init__(self, *, max_gap_seconds: float) -> None:
        self._max_gap_seconds = max_gap_seconds
        self._last_look = float("-inf")
        self._since: dict[tuple[str, Hashable], float] = {}

    def look(self, sightings: Iterable[Sighting], *, now: float) -> list[str]:
        """Take in all leases that are suspect now and return the tasks whose lease is lost.

        Parameters
        ----------
        sightings : iterable of Sighting
            *All* suspect leases; one that is left out was beaten in time and is forgotten.
        now : float
            Seconds of the observer's monotonic clock.
        """
        known = self._since if now - self._last_look <= self._max_gap_seconds else {}
        self._last_look = now
        self._since, lost = {}, []
        for seen in sightings:
            since = known.get((seen.task, seen.mark), now)
            self._since[seen.task, seen.mark] = since
            if seen.is_expired and now - since >= schema.OBSERVED_SHARE * seen.seconds:
                lost.append(seen.task)
        return lost


class Leases(Ends):
    """How one process keeps its leases, and takes those of agents that fell silent. Thread safe.

    What it takes is what `Ends` takes.
    """

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
            "said": "$said.beat",
        }
        stages = [
            {"$match": query},
            {"$sort": {"lease.suspect": 1}},
            {"$limit": _SUSPECTS_PER_LOOK},
            schema.said_by_its_agent("said"),
            {"$project": fields},
        ]
        documents = self._store.call(lambda: list(self._tasks.aggregate(stages)))
        decoded = [(self._decoded(each), each) for each in documents]
        return [
            (task, Sighting.of(task, is_expired=each["is_expired"], said=str(each["said"])))
            for task, each in decoded
            if task is not None
        ]

    def expire(self, seen: Task) -> Status:
        """Take the task away from an agent that has not prolonged the lease since it was ``seen``.

        Counts as a crash: the agent died, or was cut off for a whole lease. The first time, a task
        that was claimed together with others is only interrupted: most of them had not begun. The
        next attempt may start at once; the lease was waiting enough.

        Raises
        ------
        LeaseLost
            The agent has beaten after all, or somebody else was faster.
        """
        if seen.lease.session is not None:
            self.abort(seen.lease.session)
        silent = f"agent {seen.lease.owner} on {seen.lease.host} fell silent"
        event = self._event("expired", reason=silent, host=seen.lease.host)
        blamed = not seen.lease.is_shared or bool(seen.interruptions)
        after = dataclasses.replace(seen, crashes=seen.crashes + blamed)
        changes = {"crashes": after.crashes, "interruptions": seen.interruptions + (not blamed)}
        status = Status.DEAD if after.is_exhausted else Status.WAITING
        unchanged = {"lease.owner": seen.lease.owner, "lease.expires": seen.lease.expires}
        return self.end(
            End(held=seen, status=status, event=event, changes=changes, fence=unchanged)
        )

    def abort(self, *sessions: str) -> None:
        """End sessions that a dead process may have left open, with their transactions.

        Without that, what they have touched stays locked until the server gives them up.
        """
        ids = [{"id": Binary(bytes.fromhex(each), UUID_SUBTYPE)} for each in sessions]
        try:
            self._store.call(lambda: self._store.client.admin.command({"killSessions": ids}))
        except (OperationFailure, AccessDenied) as error:  # then the server gives them up itself
            logger.warning("cannot end sessions %s: %s", ", ".join(sessions), error)

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


# Progress is stored with a beat; more beats than this a second would only load the database.
_PROGRESS_SECONDS = 0.5


@dataclasses.dataclass
class _Held:
    """One lease that is kept."""

    task: Task
    #: when the next beat is due, on the monotonic clock
    due: float
    session: str | None
    #: when it was claimed
    since: float
    progress: dict[str, Any] | None = None
    #: whether a beat is on its way
    is_beating: bool = False


class Pulse:
    """Prolongs leases until they are forgotten. Thread safe; its methods never wait for a beat.

    A beat that has to wait, since somebody has locked its task, keeps no other from being sent.

    Parameters
    ----------
    beat : callable
        Prolongs one lease; `Claims.beat`.
    tell : callable
        Takes a task, and ``"lost"``, ``"cancel"``, or ``"ended"`` if the end was written already;
        called in any thread.
    n_threads : int
        As many beats at the same time; as there may be leases.
    """

    def __init__(
        self, beat: Callable[..., Task | None], tell: Callable[[Task, str], None], *, n_threads: int
    ) -> None:
        self._beat, self._tell = beat, tell
        self._held: dict[tuple[str, int], _Held] = {}
        self._changed = threading.Condition()
        self._is_over = False
        self._wakes_at = float("-inf")
        self._pool = ThreadPoolExecutor(n_threads, thread_name_prefix="tensorlayer-beat")
        self._thread = threading.Thread(target=self._run, daemon=True, name="tensorlayer-pulse")
        self._thread.start()

    def keep(self, task: Task, session: str | None) -> None:
        """Prolong the lease of a task that was claimed just now."""
        now = time.monotonic()
        due = now + task.lease.seconds / BEATS_PER_LEASE
        with self._changed:
            self._held[task.id, task.attempt] = _Held(task, due, session, now)
            self._wake(due)

    def forget(self, task: Task) -> None:
        """Do not prolong the lease any more."""
        with self._changed:
            self._held.pop((task.id, task.attempt), None)

    def report(self, who: tuple[str, int], progress: dict[str, Any]) -> None:
        """Store the progress of an attempt (its id and number) soon."""
        with self._changed:
            if (held := self._held.get(who)) is not None:
                held.progress = progress
                held.due = min(held.due, time.monotonic() + _PROGRESS_SECONDS)
                self._wake(held.due)

    def tell_session(self, task: Task, session: str) -> None:
        """Let the next beat say in which session the task will be ended."""
        with self._changed:
            if (held := self._held.get((task.id, task.attempt))) is not None:
                held.session = session

    def hurry(self, age_seconds: float = 0.0) -> None:
        """Beat now for what was claimed so long ago: the reply tells which task was cancelled."""
        with self._changed:
            latest = time.monotonic() - age_seconds
            for held in self._held.values():
                if held.since <= latest:
                    held.due = 0.0
                    self._wake(0.0)

    def close(self) -> None:
        """Stop; beats that are on their way are waited for."""
        with self._changed:
            self._is_over = True
            self._changed.notify()
        self._thread.join()
        self._pool.shutdown()

    def _wake(self, due: float) -> None:
        if due < self._wakes_at:
            self._changed.notify()

    def _run(self) -> None:
        with self._changed:
            while not self._is_over:
                now = time.monotonic()
                idle = [held for held in self._held.values() if not held.is_beating]
                for held in [each for each in idle if each.due <= now]:
                    held.is_beating = True
                    self._pool.submit(self._beat_once, held)
                waiting = [held.due for held in idle if not held.is_beating]
                self._wakes_at = min(waiting, default=float("inf"))
                left = None if not waiting else self._wakes_at - now
                self._changed.wait(left)

    def _beat_once(self, held: _Held) -> None:
        with self._changed:
            progress, held.progress = held.progress, None
            session = held.session
            held.due = time.monotonic() + held.task.lease.seconds / BEATS_PER_LEASE
        try:
            task = self._beat(held.task, progress, session=session)
        except LeaseLost as error:
            logger.warning("LeaseLost: %s", error)
            self._tell(held.task, "lost")
        except (PyMongoError, TensorLayerError) as error:
            logger.warning("%s could not be prolonged: %s", held.task, error)
        else:
            if task is None:
                self._tell(held.task, "ended")
            elif task.cancel:
                self._tell(held.task, "cancel")
        finally:
            with self._changed:
                held.is_beating = False
                self._wake(held.due)
