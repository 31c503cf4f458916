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

from tensorlayer.workflow.channel import Channel
from tensorlayer.workflow.launch import IMPORTING
from tensorlayer.workflow.tasks import Task

__all__ = ["Stop", "Slot", "describe_death"]

logger = logging.getLogger(__name__)


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


class Slot:
    """One child process, which is kept warm, and the task that it runs. For one thread.

    The child is the leader of its own process group and session, so a signal reaches what it has
    started, and Ctrl-C in the agent's terminal does not.

    Parameters
    ----------
    order : mapping
        What the child has to know; see ``child.main``.
    environment : mapping
        Environment of the child, with what it needs to connect.
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
        cancel_grace_seconds: float,
        kill_grace_seconds: float,
    ) -> None:
        self._order = dict(order)
        self._environment = {**environment, IMPORTING: "1"}
        self._cancel_grace_seconds = cancel_grace_seconds
        self._kill_grace_seconds = kill_grace_seconds
        #: the attempt that runs, or None
        self.held: Task | None = None
        #: newest progress that was not stored yet
        self.progress: dict[str, Any] | None = None
        #: when the lease has to be prolonged, on the monotonic clock
        self.beat_at = 0.0
        #: why the child is being stopped
        self.stopping: Stop | None = None
        #: the session of the database in which the child ends its tasks
        self.session: str | None = None
        #: whether the child has imported everything
        self.is_ready = False
        self._timeout_at = float("inf")
        self._signals: list[tuple[float, signal.Signals]] = []
        self._spawn()

    def _spawn(self) -> None:
        ours, theirs = socket.socketpair()
        order = {**self._order, "parent": os.getpid(), "descriptor": theirs.fileno()}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tensorlayer.workflow.child", json.dumps(order)],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self.channel = Channel(ours)

    @property
    def pid(self) -> int:
        """Process id of the child, which is also its process group."""
        return self._process.pid

    @property
    def is_free(self) -> bool:
        """Whether a task could start here now."""
        return self.is_ready and self.held is None and self.stopping is None

    @property
    def deadline(self) -> float:
        """When the slot needs attention even if no message comes."""
        times = [self._timeout_at, *(when for when, _ in self._signals)]
        return min([*times, self.beat_at] if self.held is not None else times)

    def run(self, task: Task) -> None:
        """Hand a claimed task to the child."""
        self.held, self.progress = task, None
        if task.run_timeout_seconds is not None:
            self._timeout_at = time.monotonic() + task.run_timeout_seconds
        self.channel.send("run", id=task.id, attempt=task.attempt)

    def forget(self) -> Task | None:
        """Return the task that ran here and be free of it."""
        held, self.held, self.progress = self.held, None, None
        self._timeout_at = float("inf")
        if self.stopping is Stop.CANCEL:  # it stopped by itself
            self.stopping, self._signals = None, []
        return held

    def stop(self, why: Stop) -> None:
        """Begin to stop the child; a second reason does not soften the first."""
        if self.stopping not in (None, Stop.CANCEL) or why is self.stopping:
            return
        self.stopping = why
        now = time.monotonic()
        if why is Stop.LOST:
            self._signals = [(now, signal.SIGKILL)]
        else:
            asked = self._cancel_grace_seconds if why is Stop.CANCEL else 0.0
            if why is Stop.CANCEL and self.held is not None:
                self.channel.send("cancel", id=self.held.id)
            killed = now + asked + self._kill_grace_seconds
            self._signals = [(now + asked, signal.SIGTERM), (killed, signal.SIGKILL)]

    def enforce(self) -> None:
        """Send the signals that are due; an attempt beyond its time-out is stopped."""
        now = time.monotonic()
        if now >= self._timeout_at:
            self._timeout_at = float("inf")
            self.stop(Stop.TIMEOUT)
        while self._signals and now >= self._signals[0][0]:
            self._signal(self._signals.pop(0)[1])

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
        return self._process.wait()

    def renew(self) -> None:
        """Start a new child in the place of a dead one."""
        self.channel.close()
        self.is_ready, self.session = False, None
        self.stopping, self._signals = None, []
        self._spawn()

    def kill(self) -> None:
        """End the child and its group at once, if it lives, and wait for it."""
        if self._process.returncode is None:
            self._signal(signal.SIGKILL)
            self._process.wait()
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
