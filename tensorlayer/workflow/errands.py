"""Threads that wait for the database, so that the thread that decides does not have to."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from pymongo.errors import PyMongoError

from tensorlayer.errors import LeaseLost, StoreUnavailable, TensorLayerError

if TYPE_CHECKING:
    from tensorlayer.workflow.tasks import Task

__all__ = ["Errands"]

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
