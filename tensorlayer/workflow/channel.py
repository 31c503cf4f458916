"""Messages between an agent and its child processes: JSON lines over a socket pair.

What a child says is checked like a document: a user's code runs there, and may write to any
descriptor.
"""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Mapping
from typing import Any

import bson
from bson.codec_options import CodecOptions

from tensorlayer.errors import Corrupt
from tensorlayer.workflow.documents import FLAG, LIST, SHARE, TEXT, WHOLE, Rule, printable
from tensorlayer.workflow.tasks import Status, Task, is_session

__all__ = ["Channel", "FROM_CHILD", "to_text", "from_text"]

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
