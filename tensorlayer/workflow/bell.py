"""What ends the sleep of an agent: a signal, a dead child, a change in the database."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tensorlayer.workflow.tasks import Status
from tensorlayer.workflow.wakeup import Wakeup

if TYPE_CHECKING:
    from pymongo.collection import Collection

__all__ = ["Bell"]

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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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
