"""Threads that wait for the database, so that the thread that decides does not have to.

`Errands` looks for tasks, writes ends and looks at the leases of others. `Pulse` beats, in threads
of its own: no lease waits for anything else.
"""

from __future__ import annotations

import dataclasses
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

from pymongo.errors import PyMongoError

from tensorlayer.errors import LeaseLost, StoreUnavailable, TensorLayerError
from tensorlayer.workflow.lease import BEATS_PER_LEASE
from tensorlayer.workflow.tasks import Task

if TYPE_CHECKING:
    from tensorlayer.workflow.tasks import Task

__all__ = ["Errands", "Pulse"]

logger = logging.getLogger(__name__)

# Ends of attempts, and claims, that are on their way at the same time.
_RECORDERS = 4
_CLAIMERS = 4


class Errands:
    """What one agent has others do. Each kind has its own threads: none waits for another.

    Parameters
    ----------
    ring : callable
        Wakes the deciding thread, from any thread.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._recorder = ThreadPoolExecutor(_RECORDERS, thread_name_prefix="tensorlayer-recorder")
        self._claimer = ThreadPoolExecutor(_CLAIMERS, thread_name_prefix="tensorlayer-claimer")
        self._upkeep = ThreadPoolExecutor(2, thread_name_prefix="tensorlayer-upkeep")
        self._records: dict[Future[None], set[str]] = {}
        self._regular: dict[str, Future[None]] = {}

    def tell(self, news: Callable[[], None]) -> None:
        """Have the deciding thread do something. Any thread."""
        self._inbox.put(news)
        self._ring()

    def heed(self) -> None:
        """Do what the others asked for. The deciding thread."""
        while not self._inbox.empty():
            self._inbox.get()()

    def claim(self, step: Callable[[], None]) -> None:
        """Have a thread look for a task."""
        self._claimer.submit(step)

    def record(self, tasks: Sequence[Task], *steps: Callable[[], Any]) -> None:
        """Have a thread write how attempts of tasks ended.

        What a dead process has left open may lock the task for a while.
        """
        record = self._recorder.submit(_do, steps)
        self._records[record] = {task.id for task in tasks}
        record.add_done_callback(lambda _: self._ring())

    def recorded(self) -> bool:
        """Whether an end was written since the last call."""
        done = [each for each in self._records if each.done()]
        for record in done:
            del self._records[record]
        return bool(done)

    def is_recording(self, task_id: str) -> bool:
        """Whether the end of this task is on its way."""
        return any(task_id in ids for ids in self._records.values())

    def send(self, name: str, step: Callable[[], Any]) -> None:
        """Have a thread do something now and then; what is still being done is not begun anew."""
        if name not in self._regular or self._regular[name].done():
            self._regular[name] = self._upkeep.submit(_do, [step])

    def close(self) -> None:
        """Wait for all of it."""
        self._claimer.shutdown()
        self.heed()  # what was claimed is given back
        self._recorder.shutdown()
        self._upkeep.shutdown()


def _do(steps: Sequence[Callable[[], Any]]) -> None:
    try:
        for step in steps:
            step()
    except (LeaseLost, StoreUnavailable) as error:  # then the lease runs out instead
        logger.warning("%s: %s", type(error).__name__, error)
    except (PyMongoError, TensorLayerError):
        logger.exception("what an agent wanted to write was refused")


# Progress is stored with a beat; more beats than this a second would only load the database.
_PROGRESS_SECONDS = 0.5


class Beat(Protocol):
    """What prolongs one lease; see `Claims.beat`."""

    def __call__(
        self, held: Task, progress: dict[str, Any] | None = None, *, session: str | None = None
    ) -> Task | None:
        """Prolong it."""


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

    def __init__(self, beat: Beat, tell: Callable[[Task, str], None], *, n_threads: int) -> None:
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
        except (StoreUnavailable, PyMongoError) as error:
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
