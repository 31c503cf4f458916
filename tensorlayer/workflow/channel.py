"""Messages between an agent and its child processes: JSON lines over a socket pair."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from typing import Any

__all__ = ["Channel"]

# Read at most this much at once; messages are a few hundred bytes.
_CHUNK_BYTES = 65536


class Channel:
    """One end of the line. Any thread may send, one thread receives.

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

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
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
        """Return the messages that one read brings, possibly none; blocks as the socket does."""
        try:
            chunk = self._socket.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return []
        except OSError:
            chunk = b""
        if not chunk:
            self.is_closed = True
            return []
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return [json.loads(line) for line in lines]

    def receive_all(self) -> list[dict[str, Any]]:
        """Return all messages that are there now, without blocking."""
        messages = []
        self._socket.setblocking(False)
        try:
            while read := self.receive():
                messages += read
        finally:
            with contextlib.suppress(OSError):
                self._socket.setblocking(True)
        return messages

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
