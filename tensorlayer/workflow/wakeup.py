"""Waiting for something to happen: a change in the database, a signal, the end of a child.

A wake-up is a hint and nothing more. Who is woken looks at the documents; who is not woken, because
the stream broke or was refused, looks when the time is up. So a lost hint costs time, never a task.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from pymongo.errors import PyMongoError

from tensorlayer.errors import LeaseLost, StoreUnavailable, TensorLayerError
from tensorlayer.workflow.tasks import Status, Task

if TYPE_CHECKING:
    from pymongo.change_stream import CollectionChangeStream
    from pymongo.collection import Collection

__all__ = ["Wakeup", "Bell", "Errands"]

logger = logging.getLogger(__name__)

# The server holds an empty answer back this long. It bounds how late `wait` notices its own end,
# and how often an idle waiter asks.
_AWAIT_SECONDS = 0.5

# How long to go without a stream after one broke: the server may be starting.
_REOPEN_SECONDS = 1.0

# The time between looks while there is no stream.
_POLL_SECONDS = 0.2


class Wakeup:
    """A context manager that waits for changes which match a pipeline. For one thread.

    The stream is open when the ``with`` statement has been entered (if the server grants one), so
    what happens after that wakes the waiter.

    Parameters
    ----------
    collection : Collection
        What is watched.
    pipeline : sequence of mappings
        Aggregation stages that select the changes; see MongoDB's change streams.
    await_seconds : float
        How long the server holds an empty answer back; `wait` may be late by as much.
    """

    def __init__(
        self,
        collection: Collection,
        pipeline: Sequence[Mapping[str, Any]],
        *,
        await_seconds: float = _AWAIT_SECONDS,
    ) -> None:
        self._collection = collection
        self._pipeline = list(pipeline)
        self._stream: CollectionChangeStream | None = None
        self._reopen_at = float("-inf")
        self._await_ms = round(await_seconds * 1000)

    def wait(self, timeout_seconds: float) -> Mapping[str, Any] | None:
        """Return the next change, or None after the time.

        An empty change says that there was no stream, so something may have been missed.
        """
        end = time.monotonic() + timeout_seconds
        while (left := end - time.monotonic()) > 0:
            if self._stream is None and not self._open():
                time.sleep(min(_POLL_SECONDS, left))
                return {}
            if (change := self._next()) is not None:
                return change
        return None

    def _next(self) -> Mapping[str, Any] | None:
        try:
            return self._stream.try_next()
        except PyMongoError as error:
            logger.debug("a change stream broke: %s", type(error).__name__)
            self._close()
            return {}

    def _open(self) -> bool:
        now = time.monotonic()
        if now < self._reopen_at:
            return False
        self._reopen_at = now + _REOPEN_SECONDS
        try:
            self._stream = self._collection.watch(self._pipeline, max_await_time_ms=self._await_ms)
        except PyMongoError as error:
            logger.debug("there is no change stream: %s", type(error).__name__)
        return self._stream is not None

    def _close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            with contextlib.suppress(PyMongoError):
                stream.close()

    def __enter__(self) -> Wakeup:
        self._open()
        return self

    def __exit__(self, *error: object) -> None:
        self._close()


# How long the thread goes without looking whether all is over. Nobody waits for that, and an idle
# agent asks the server no more often.
_LOOK_SECONDS = 10.0

_CHANGE = b"\0"
_INSIDE = b"i"
_CANCEL = (
    b"c"  # none is the number of a signal that we handle, which the interpreter writes as a byte
)


class Bell:
    """Rings for an agent; a context manager for its main thread. A selector can wait for it.

    Signals are counted (SIGTERM, SIGINT) or only noticed (SIGCHLD). A thread waits for changes in
    the tasks of some queues: one that waits, one that is cancelled.

    Parameters
    ----------
    tasks : Collection
        The tasks.
    queues : sequence of str
        The queues of the agent.
    """

    def __init__(self, tasks: Collection, queues: Sequence[str]) -> None:
        self._tasks = tasks
        self._pipeline = _news(queues)
        #: how often somebody asked the agent to stop
        self.n_stops = 0
        #: whether anything but `ring` was heard; whoever reads it resets it
        self.has_news = False
        self._is_over = threading.Event()
        self._is_wanted = threading.Event()
        self._is_wanted.set()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="tensorlayer-bell")
        self._clapper, self._rope = socket.socketpair()
        self._clapper.setblocking(False)
        self._rope.setblocking(False)

    def fileno(self) -> int:
        """Return the descriptor, for a selector."""
        return self._clapper.fileno()

    def heard(self) -> bool:
        """Take note of all that rang; True if a running task may have been cancelled."""
        try:
            rung = self._clapper.recv(4096)
        except BlockingIOError:
            return False
        self.has_news |= bool(rung.strip(_INSIDE))
        return _CANCEL in rung

    def ring(self) -> None:
        """Wake the main thread from another one."""
        self._pull(_INSIDE)

    @property
    def is_resting(self) -> bool:
        """Whether changes in the database do not ring now."""
        return not self._is_wanted.is_set()

    def rest(self) -> None:
        """Let changes pass: whoever is busy need not be woken, and each costs the server some time.

        A rest begins with the next change, or when the server has answered that there is none.
        """
        self._is_wanted.clear()

    def wake(self) -> None:
        """Watch again; it rings as soon as it does, since something may have been missed."""
        self._is_wanted.set()

    def __enter__(self) -> Bell:
        stop = self._count_stop
        handlers = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGCHLD: lambda *_: None}
        self._handlers = {each: signal.signal(each, call) for each, call in handlers.items()}
        self._descriptor = signal.set_wakeup_fd(self._rope.fileno(), warn_on_full_buffer=False)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._is_over.set()
        self._is_wanted.set()
        signal.set_wakeup_fd(self._descriptor)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._clapper.close()
        self._rope.close()

    def _count_stop(self, number: int, frame: object) -> None:
        self.n_stops += 1

    def _watch(self) -> None:
        while not self._is_over.is_set():
            with Wakeup(self._tasks, self._pipeline, await_seconds=_LOOK_SECONDS) as wakeup:
                self._pull(_CHANGE)  # there was no stream until now
                while self._is_wanted.is_set() and not self._is_over.is_set():
                    change = wakeup.wait(_LOOK_SECONDS)
                    if change is not None:
                        self._pull(_CANCEL if _is_cancel(change) else _CHANGE)
            self._is_wanted.wait()

    def _pull(self, sound: bytes) -> None:
        with contextlib.suppress(OSError):  # full, so it rings anyway, or closed
            self._rope.send(sound)


def _is_cancel(change: Mapping[str, Any]) -> bool:
    fields = change.get("updateDescription", {}).get("updatedFields", {})
    return bool(fields.get("cancel"))


def _news(queues: Sequence[str]) -> list[dict[str, Any]]:
    """Return the pipeline for the changes that an agent of these queues wants to hear of."""
    waiting = Status.WAITING.value
    inserted = {
        "operationType": "insert",
        "fullDocument.state": waiting,
        "fullDocument.queue": {"$in": list(queues)},
    }
    again = {"updateDescription.updatedFields.state": waiting}
    cancelled = {"updateDescription.updatedFields.cancel": True}
    # Of the change itself only one field is wanted; arguments and results stay on the server.
    fields = {"_id": 1, "updateDescription.updatedFields.cancel": 1}
    return [{"$match": {"$or": [inserted, again, cancelled]}}, {"$project": fields}]


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
