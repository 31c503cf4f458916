"""Writes the ends of tasks while the next one runs: what is ready together is committed together.

An end that nothing follows is committed at once. If the agent has sent word that more tasks wait
for this process, the first end waits a few milliseconds for theirs; and whatever becomes ready
while a commit is on its way shares the next one. So a lone task waits for nobody, and many share
the cost of a commit that waits for the disk.

If a shared transaction is refused, each of its ends is written alone, by threads of its own, so
that one which has to wait for a lock holds nobody else up.
"""

from __future__ import annotations

import dataclasses
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from typing import TYPE_CHECKING, Any

from tensorlayer.errors import LeaseLost, StoreUnavailable
from tensorlayer.workflow.tasks import Status

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession

    from tensorlayer.storage.transaction import Stage
    from tensorlayer.workflow.ends import End, Ends

__all__ = ["Commits", "Ready", "Within"]

logger = logging.getLogger(__name__)

# With more operations than this, the end of a task takes so long that no other should wait for it.
_SHORT_STAGE = 10

# Ends that share one transaction: a commit costs some milliseconds, and each end a fraction of one.
_MOST_TOGETHER = 64

# How long an end waits for others that are about to follow: as long as a commit takes on a disk.
_GATHER_SECONDS = 0.01

# Ends that are written alone at the same time.
_ALONE = 4


@dataclasses.dataclass(frozen=True)
class Within:
    """A stage whose changes are prepared and applied in the context of the task that made them."""

    stage: Stage
    context: Context

    def prepare(self) -> None:
        """Do what may take long."""
        self.context.run(self.stage.prepare)

    def apply(self, session: ClientSession) -> None:
        """Make all of it visible."""
        self.context.run(self.stage.apply, session)

    def abandon(self) -> None:
        """Remove what was written."""
        self.context.run(self.stage.abandon)


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
    """Writes ends in threads of its own. Thread safe.

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
            return self._ends.end(ready.end)
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
