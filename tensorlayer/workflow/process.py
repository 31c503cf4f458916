"""A child process as its agent sees it, and the line between the two.

The line is a socket pair with JSON lines; they say who is free, never how a task ended: that is in
the database. What a child says is checked like a document: a user's code runs there, and may write
to any descriptor.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

import bson
from bson.codec_options import CodecOptions

from tensorlayer.errors import Corrupt
from tensorlayer.workflow.agents import IMPORTING
from tensorlayer.workflow.documents import FLAG, LIST, SHARE, TEXT, WHOLE, Rule, printable
from tensorlayer.workflow.orphans import marked, sweep
from tensorlayer.workflow.tasks import Status, Task, is_session

__all__ = ["ChildProcess", "describe_death", "Channel", "FROM_CHILD", "to_text", "from_text"]


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


# Read at most this much at once; messages are a few hundred bytes.
_CHUNK_BYTES = 65536

# No message is longer: larger arguments do not travel here.
_LONGEST_BYTES = 2**20

# A task beyond this size is read by the child itself: a socket holds some 200 KB, and the agent
# must not wait for a child.
_LARGEST_TASK_BYTES = 64 * 1024

# What a process has to know of its task.
_TRAVELLING = (
    *("id", "function", "arguments", "input", "model", "output", "queue", "created", "not_before"),
    *("attempt", "errors", "crashes", "interruptions", "max_attempts", "max_crashes", "cancel"),
)

_AWARE: CodecOptions = CodecOptions(tz_aware=True)

# Reads in a row: who never stops talking must not keep the agent from anything else.
_MOST_READS = 16

_SESSION = Rule("32 hexadecimal digits", is_session)
_WHO = {"id": TEXT, "attempt": WHOLE}

#: What a child may say, and the fields that go with it.
FROM_CHILD: Mapping[str, Mapping[str, Rule]] = {
    "ready": {"session": _SESSION, "modules": LIST},
    "broken": {"reason": TEXT},
    "session": {"id": _SESSION},
    "progress": {**_WHO, "fraction": SHARE, "message": TEXT},
    "ending": _WHO,
    "ended": {**_WHO, "state": TEXT, "is_clean": FLAG},
}


class Channel:
    """One end of the line. Any thread may send, one thread receives.

    Parameters
    ----------
    end : socket.socket
        One of a pair.
    known : mapping, optional
        The messages that may come, by kind, with the rule of each field; by default any.

    Examples
    --------
    >>> ours, theirs = (Channel(each) for each in socket.socketpair())
    >>> ours.send("run", id="t1")
    True
    >>> theirs.receive()
    [{'kind': 'run', 'id': 't1'}]
    >>> ours.close(); theirs.receive(), theirs.is_closed
    ([], True)
    >>> theirs.close()
    """

    def __init__(
        self, end: socket.socket, known: Mapping[str, Mapping[str, Rule]] | None = None
    ) -> None:
        self._socket = end
        self._known = known
        self._lock = threading.Lock()
        self._rest = b""
        #: whether the other side has hung up
        self.is_closed = False

    def fileno(self) -> int:
        """Return the descriptor, for a selector."""
        return self._socket.fileno()

    def send(self, kind: str, **fields: Any) -> bool:
        """Send one message; False if nobody listens any more."""
        line = json.dumps({"kind": kind, **fields}).encode() + b"\n"
        try:
            with self._lock:
                self._socket.sendall(line)
        except OSError:
            self.is_closed = True
        return not self.is_closed

    def receive(self) -> list[dict[str, Any]]:
        """Return the messages that one read brings, possibly none; waits until there is something.

        Raises
        ------
        Corrupt
            What came is no message.
        """
        return self._decoded_all(self._read(0) or b"")

    def receive_all(self) -> list[dict[str, Any]]:
        """Return the messages that are there now, without waiting; more of them the next time."""
        messages = []
        for _ in range(_MOST_READS):
            chunk = self._read(socket.MSG_DONTWAIT)
            if chunk is None:
                break
            messages += self._decoded_all(chunk)
            if len(chunk) < _CHUNK_BYTES:
                break
        return messages

    def _read(self, flags: int) -> bytes | None:
        """Return what is there; None if that is nothing."""
        try:
            chunk = self._socket.recv(_CHUNK_BYTES, flags)
        except BlockingIOError:
            return None
        except OSError:
            chunk = b""
        self.is_closed = self.is_closed or not chunk
        return chunk

    def _decoded_all(self, chunk: bytes) -> list[dict[str, Any]]:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _LONGEST_BYTES:
            raise Corrupt(f"message: longer than {_LONGEST_BYTES} bytes.")
        return [self._decoded(line) for line in lines]

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _decoded(self, line: bytes) -> dict[str, Any]:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Corrupt(f"message: not JSON: {error}.") from error
        if not isinstance(message, dict) or not isinstance(message.get("kind"), str):
            raise Corrupt("message: must be a document with a 'kind'.")
        if self._known is None:
            return message
        kind = message["kind"]
        if kind not in self._known:
            raise Corrupt(f"message: there is no kind {printable(kind[:20])!r}.")
        for name, rule in self._known[kind].items():
            if not rule.holds(message.get(name)):
                raise Corrupt(f"message {kind!r}: {name!r} must be {rule.words}.")
        return {
            name: printable(value) if isinstance(value, str) else value
            for name, value in message.items()
        }


def to_text(task: Task) -> str | None:
    """Return a task as a part of a message; None if it is too large for that.

    Lease and history stay behind: who runs the task needs neither.
    """
    document = {name: getattr(task, name) for name in _TRAVELLING}
    encoded = bson.encode({**document, "state": task.state.value})
    if len(encoded) > _LARGEST_TASK_BYTES:
        return None
    return base64.b64encode(encoded).decode()


def from_text(text: str | None) -> Task | None:
    """Return the task that was made a part of a message, if there was one.

    Whoever sent it has read it as a task, so nothing is checked here.
    """
    if text is None:
        return None
    fields = bson.decode(base64.b64decode(text), _AWARE)
    return Task(**{**fields, "state": Status(fields["state"])})
