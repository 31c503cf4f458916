"""A child process as its agent sees it: start it, signal it, learn how it died."""

from __future__ import annotations

import contextlib
import json
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

__all__ = ["ChildProcess", "describe_death"]


class ChildProcess:
    """A process that is renewed when it has died. For one thread.

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
        Marks what these children start; unique for each slot.
    """

    def __init__(
        self, order: Mapping[str, Any], environment: Mapping[str, str], *, mark: str
    ) -> None:
        self._order = dict(order)
        self._environment = {**environment, IMPORTING: "1"}
        self._mark = mark
        self._n_spawned = 0
        self._stopped_since: float | None = None
        self._signals: list[tuple[float, signal.Signals]] = []
        self.spawn()

    def spawn(self) -> None:
        """Start the process, and the line to it."""
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
        self._signals, self._stopped_since = [], None
        #: the line to the process
        self.channel = Channel(ours, FROM_CHILD)

    @property
    def pid(self) -> int:
        """Process id of the child, which is also its process group."""
        return self._process.pid

    @property
    def has_signals(self) -> bool:
        """Whether signals are planned."""
        return bool(self._signals)

    @property
    def deadline(self) -> float:
        """When the next signal is due."""
        return min((when for when, _ in self._signals), default=float("inf"))

    def plan(self, *signals: tuple[float, signal.Signals]) -> None:
        """Send signals at these times, instead of what was planned."""
        self._signals = list(signals)

    def enforce(self) -> None:
        """Send the signals that are due."""
        while self._signals and time.monotonic() >= self._signals[0][0]:
            self.send(self._signals.pop(0)[1])

    def stopped_seconds(self) -> float:
        """Return for how long it has been stopped (SIGSTOP); one that is only busy never is."""
        options = os.WSTOPPED | os.WNOHANG | os.WNOWAIT
        try:
            stopped = os.waitid(os.P_PID, self._process.pid, options)
        except ChildProcessError:  # it has died, which is another matter
            stopped = None
        if stopped is None:
            self._stopped_since = None
            return 0.0
        now = time.monotonic()
        self._stopped_since = self._stopped_since or now
        return now - self._stopped_since

    def died(self) -> int | None:
        """Return the exit code, once, when the child has died (negative: a signal). End its group.

        The group is ended before the child is reaped: until then nobody else can have its number.
        """
        if self._process.returncode is not None:
            return None
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        if os.waitid(os.P_PID, self._process.pid, options) is None:
            return None
        self.send(signal.SIGKILL)
        self._signals = []
        code = self._process.wait()
        sweep(f"{self._mark}.{self._n_spawned}")
        return code

    def kill(self) -> None:
        """End the child and all it has started, if it lives, and wait for it. For good."""
        if self._process.returncode is None:
            self.send(signal.SIGKILL)
            self._process.wait()
        sweep(self._mark)
        self.channel.close()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the whole group."""
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
