"""The agent's side of one child process: start it, talk to it, stop it, learn how it died."""

from __future__ import annotations

import contextlib
import enum
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

from tensorlayer.workflow.channel import FROM_CHILD, Channel
from tensorlayer.workflow.launch import IMPORTING
from tensorlayer.workflow.orphans import marked, sweep
from tensorlayer.workflow.tasks import Task

__all__ = ["Stop", "CRASHES", "Slot", "describe_death"]

logger = logging.getLogger(__name__)


# After an attempt that took no longer, the next task is claimed while one runs; and if that one
# takes longer after all, somebody else may have what was claimed.
_QUICK_SECONDS = 0.05
_HOSTAGE_SECONDS = 0.25

# From the end of the line to the end of a process that dies.
_DYING_SECONDS = 1.0


class Stop(enum.Enum):
    """Why the agent stops the process of a task."""

    #: somebody cancelled the task; it is asked first
    CANCEL = "cancelled"
    #: the attempt took longer than its time-out
    TIMEOUT = "timed out"
    #: the agent is told to go
    DRAIN = "released"
    #: another agent owns the task now
    LOST = "lost"
    #: what it says is no message
    GARBLED = "garbled"
    #: somebody has stopped the process, and it was not continued
    FROZEN = "frozen"
    #: its task has ended, but not so well that another one should run there
    RETIRED = "retired"


#: reasons to end a process that count as a crash of its task
CRASHES = {
    Stop.GARBLED: "what its process told the agent is no message",
    Stop.FROZEN: "its process was stopped (SIGSTOP) and not continued",
}


class Slot:
    """One child process, which is kept warm, and the task that it runs. For one thread.

    The child is the leader of its own process group and session, so a signal reaches what it has
    started, and Ctrl-C in the agent's terminal does not. What has left the group is found by its
    mark, see `orphans`.

    Parameters
    ----------
    order : mapping
        What the child has to know; see ``child.main``.
    environment : mapping
        Environment of the child, with what it needs to connect.
    mark : str
        Marks what the children of this slot start; unique for each slot.
    frozen_seconds : float
        How long a child may be stopped (SIGSTOP) before it is replaced.
    cancel_grace_seconds : float
        Between asking a task to stop and TERM.
    kill_grace_seconds : float
        Between TERM and KILL.
    """

    def __init__(
        self,
        order: Mapping[str, Any],
        environment: Mapping[str, str],
        *,
        mark: str,
        frozen_seconds: float,
        cancel_grace_seconds: float,
        kill_grace_seconds: float,
    ) -> None:
        self._order = dict(order)
        self._environment = {**environment, IMPORTING: "1"}
        self._mark = mark
        self._n_spawned = 0
        self._frozen_seconds = frozen_seconds
        self._frozen_since: float | None = None
        self._cancel_grace_seconds = cancel_grace_seconds
        self._kill_grace_seconds = kill_grace_seconds
        #: the attempt that runs, or None
        self.held: Task | None = None
        #: the attempt that runs next, claimed while the one before ends, and its document
        self.next: tuple[Task, str | None] | None = None
        #: whether a claim for this slot is on its way
        self.is_claiming = False
        #: whether the attempt that runs has only its end to write
        self.is_ending = False
        #: why the child is being stopped
        self.stopping: Stop | None = None
        #: the session of the database in which the child ends its tasks
        self.session: str | None = None
        #: whether the child has imported everything
        self.is_ready = False
        self._began_at = float("-inf")
        self._is_quick = self._is_over = False
        self._timeout_at = float("inf")
        self._signals: list[tuple[float, signal.Signals]] = []
        self._spawn()

    def _spawn(self) -> None:
        ours, theirs = socket.socketpair()
        order = {**self._order, "parent": os.getpid(), "descriptor": theirs.fileno()}
        self._n_spawned += 1
        marks = self._mark, f"{self._mark}.{self._n_spawned}"
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tensorlayer.workflow.child", json.dumps(order)],
                env=marked(self._environment, *marks),
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self.channel = Channel(ours, FROM_CHILD)

    @property
    def pid(self) -> int:
        """Process id of the child, which is also its process group."""
        return self._process.pid

    @property
    def is_free(self) -> bool:
        """Whether a task could start here now."""
        is_there = self.is_ready and not self.channel.is_closed and self.stopping is None
        return is_there and self.held is None

    @property
    def wants_task(self) -> bool:
        """Whether to claim a task for this slot: it is free, or will be in a moment."""
        is_soon_free = self.is_free or (self.is_soon_free and self.stopping is None)
        return is_soon_free and self.next is None and not self.is_claiming

    @property
    def is_soon_free(self) -> bool:
        """Whether the attempt that runs is about to end, or most likely a short one."""
        return self.held is not None and (self.is_ending or self._is_quick)

    @property
    def is_hostage(self) -> bool:
        """Whether what was claimed to run next waits for an attempt that is longer than thought."""
        is_long = time.monotonic() - self._began_at > _HOSTAGE_SECONDS
        return self.next is not None and is_long and not self.is_ending

    @property
    def deadline(self) -> float:
        """When the slot needs attention even if no message comes."""
        times = [self._timeout_at, *(when for when, _ in self._signals)]
        if self.next is not None and not self.is_ending:
            times.append(self._began_at + _HOSTAGE_SECONDS)
        return min(times)

    def runs(self, task_id: str, attempt: int) -> bool:
        """Whether this attempt runs here."""
        return self.held is not None and (self.held.id, self.held.attempt) == (task_id, attempt)

    def run(self, task: Task, document: str | None = None) -> None:
        """Hand a claimed task to the child; without its document the child reads it."""
        self.held, self._began_at, self._is_over = task, time.monotonic(), False
        if task.run_timeout_seconds is not None:
            self._timeout_at = time.monotonic() + task.run_timeout_seconds
        self.channel.send("run", id=task.id, attempt=task.attempt, document=document)

    def forget(self) -> Task | None:
        """Return the task that ran here and be free of it."""
        held, self.held, self.is_ending = self.held, None, False
        self._is_quick = time.monotonic() - self._began_at < _QUICK_SECONDS
        self._timeout_at = float("inf")
        return held

    def retire(self) -> None:
        """End the child, whose task has ended, and all that this task has left behind."""
        self.stopping = Stop.RETIRED
        self._signals = [(time.monotonic(), signal.SIGKILL)]
        self.enforce()

    def hang_up(self) -> None:
        """End a child that has closed the line; one that is dying may do so by itself."""
        if not self._signals:
            self._signals = [(time.monotonic() + _DYING_SECONDS, signal.SIGKILL)]

    def heed(self, what: str) -> None:
        """Take what the reply to a beat says: lost, cancel, or ended.

        A child whose task has ended says so at once. One that has not said it a beat later has lost
        the line, and would wait for ever.
        """
        if what != "ended":
            self.stop(Stop.LOST if what == "lost" else Stop.CANCEL)
        elif self._is_over:
            self.stop(Stop.GARBLED)
        else:
            self._is_over = True

    def stop(self, why: Stop) -> None:
        """Begin to stop the child; a second reason does not soften the first."""
        if self.stopping not in (None, Stop.CANCEL) or why is self.stopping:
            return
        self.stopping = why
        now = time.monotonic()
        if why in (Stop.LOST, Stop.GARBLED, Stop.FROZEN):
            self._signals = [(now, signal.SIGKILL)]
        else:
            asked = self._cancel_grace_seconds if why is Stop.CANCEL else 0.0
            if why is Stop.CANCEL and self.held is not None:
                self.channel.send("cancel", id=self.held.id, attempt=self.held.attempt)
            killed = now + asked + self._kill_grace_seconds
            self._signals = [(now + asked, signal.SIGTERM), (killed, signal.SIGKILL)]

    def enforce(self) -> None:
        """Send the signals that are due; an attempt beyond its time-out is stopped."""
        now = time.monotonic()
        if self._is_frozen(now):
            self.stop(Stop.FROZEN)
        if now >= self._timeout_at:
            self._timeout_at = float("inf")
            self.stop(Stop.TIMEOUT)
        while self._signals and now >= self._signals[0][0]:
            self._signal(self._signals.pop(0)[1])

    def _is_frozen(self, now: float) -> bool:
        """Whether the child has been stopped for too long; one that is only busy never is."""
        options = os.WSTOPPED | os.WNOHANG | os.WNOWAIT
        try:
            stopped = os.waitid(os.P_PID, self._process.pid, options)
        except ChildProcessError:  # it has died, which is another matter
            stopped = None
        if stopped is None:
            self._frozen_since = None
            return False
        self._frozen_since = self._frozen_since or now
        return now - self._frozen_since >= self._frozen_seconds

    def died(self) -> int | None:
        """Return the exit code, once, when the child has died (negative: a signal). End its group.

        The group is ended before the child is reaped: until then nobody else can have its number.
        """
        if self._process.returncode is not None:
            return None
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        if os.waitid(os.P_PID, self._process.pid, options) is None:
            return None
        self._signal(signal.SIGKILL)
        self._signals = []
        code = self._process.wait()
        sweep(f"{self._mark}.{self._n_spawned}")
        return code

    def renew(self) -> None:
        """Start a new child in the place of a dead one."""
        self.channel.close()
        self.is_ready, self.session = False, None
        self.stopping, self._signals, self._frozen_since = None, [], None
        self._spawn()

    def kill(self) -> None:
        """End the child and all it has started, if it lives, and wait for it. For good."""
        self.stopping = Stop.RETIRED
        if self._process.returncode is None:
            self._signal(signal.SIGKILL)
            self._process.wait()
        sweep(self._mark)
        self.channel.close()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def describe_death(code: int) -> str:
    """Return in words how a process ended.

    Examples
    --------
    >>> describe_death(-11)
    'killed by SIGSEGV'
    >>> describe_death(3)
    'exit code 3'
    """
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
