"""The supervisor of a private server: a small process that ends mongod when nobody needs it.

It is run as a program of its own, with the standard library only, and costs next to nothing:

    python -I -S supervisor.py HOME mongod --flags ...

It starts the server as its child and holds `SUPERVISOR_LOCK`. Every client holds a shared lock on
`CLIENTS_LOCK` for as long as it is connected; the kernel releases it when the client dies, however
it dies. When the supervisor gets that lock for itself for longer than the grace, nobody is left: it
stops the server, still holding the lock, so that whoever comes meanwhile waits and finds it gone.
While the file `KEEP` exists, the server runs on without clients. When a server dies that has served
and is needed, it is started again at once, long before its clients have found out; one that dies
before it has served is not, and the supervisor ends: whoever started it says why. When the
supervisor dies, the kernel asks the server to end.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

SUPERVISOR_LOCK = "supervisor.lock"
CLIENTS_LOCK = "clients.lock"
KEEP = "keep"
LOG = "mongod.log"

#: How long a server without clients waits for the next one: a script that is started again, a
#: test run that opens and closes.
GRACE_SECONDS = 2.0
#: How often is looked; two system calls each time.
_LOOK_SECONDS = 0.5
#: A server that does not end by itself in this time is killed: its journal keeps what it
#: acknowledged.
_STOP_SECONDS = 30.0

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    """Detach, run the server and watch it until it ends or is not needed any more."""
    home, command = Path(arguments[0]), arguments[1:]
    lock = open_lock(home / SUPERVISOR_LOCK)
    if not try_lock(lock, fcntl.LOCK_EX):
        return 1
    # The lock passes to the child: whoever started this program finds it held when it returns.
    if os.fork():
        return 0
    os.setsid()
    wakeups = _catch_signals()
    while True:
        server = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_parent(),
        )
        # The server's own lock file tells its number only after it has recovered.
        os.truncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n{server.pid}\n".encode(), 0)
        if not _watch(home, server, wakeups, _port(command)):
            break
        with contextlib.suppress(OSError):
            os.replace(home / LOG, home / f"{LOG}.1")
    _stop(server)
    return 0


def open_lock(path: Path) -> int:
    """Return a descriptor of a lock file, which no program that is started inherits."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(descriptor: int, operation: int) -> bool:
    """Lock without waiting and tell whether it worked."""
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _catch_signals() -> socket.socket:
    """Return a socket that becomes readable when a child ended or a signal asks to stop."""
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    signal.set_wakeup_fd(sender.detach(), warn_on_full_buffer=False)
    for each in (*_SIGNALS, signal.SIGCHLD):
        signal.signal(each, lambda *_: None)
    return receiver


def _end_with_parent() -> Callable[[], None] | None:
    """Return what makes the kernel stop the server when this process is killed; Linux only."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGTERM) and None


def _port(command: list[str]) -> int | None:
    return int(command[command.index("--port") + 1]) if "--port" in command else None


def _listens(port: int | None) -> bool:
    if port is None:
        return False
    with socket.socket() as probe:
        probe.settimeout(_LOOK_SECONDS)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _watch(home: Path, server: subprocess.Popen, wakeups: socket.socket, port: int | None) -> bool:
    """Return when the server has ended, when a signal came, or when no client is left.

    True means that it died although it had served and is needed.
    """
    clients = open_lock(home / CLIENTS_LOCK)
    try:
        idle_since: float | None = None
        has_served = False
        while server.poll() is None:
            has_served = has_served or _listens(port)
            readable, _, _ = select.select([wakeups], [], [], _LOOK_SECONDS)
            if readable and set(wakeups.recv(64)) & set(_SIGNALS):
                return False
            if not try_lock(clients, fcntl.LOCK_EX):
                idle_since = None
                continue
            idle_since = idle_since or time.monotonic()
            is_kept = (home / KEEP).exists()
            if time.monotonic() - idle_since >= GRACE_SECONDS and not is_kept:
                return False
            fcntl.flock(clients, fcntl.LOCK_UN)
        is_needed = idle_since is None or (home / KEEP).exists()
        return server.returncode != 0 and has_served and is_needed
    finally:
        os.close(clients)


def _stop(server: subprocess.Popen) -> None:
    server.terminate()
    try:
        server.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
