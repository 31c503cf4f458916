"""No process of ours outlives the one that started it, nor does what a task has started.

An agent marks the environment of its children; whatever they start inherits the mark, also in a
session of its own. When a child ends, the agent ends what carries the child's mark. When the agent
itself is killed, a small process that holds the other end of a pipe does the same for all of it.

This file runs alone too, as that process: it imports nothing but the standard library.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path

__all__ = ["die_with", "marked", "sweep", "Guardian"]

_PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>

# Holds the marks of all agents above a process, separated by blanks.
_VARIABLE = "TENSORLAYER_STARTED_BY"

# What is found in one look may have started another before it was killed.
_MOST_LOOKS = 50

# A dying process needs a moment to disappear.
_LOOK_SECONDS = 0.02

# The server belongs to all of its clients, also if a task happened to bring it back.
_SPARED = b"storage/supervisor.py"


def die_with(parent: int, number: signal.Signals) -> None:
    """Have the kernel send this process a signal when its parent dies.

    On Linux only; elsewhere it does nothing, and the process has to notice by other means. The
    signal comes when the *thread* ends that started this process, so that has to be one that lasts.

    Parameters
    ----------
    parent : int
        The process id of the parent. If it is dead already, the signal comes at once.
    number : signal.Signals
        The signal.
    """
    if platform.system() == "Linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


def marked(environment: dict[str, str], *marks: str) -> dict[str, str]:
    """Return an environment in which a process, and all that it starts, carries these marks.

    Examples
    --------
    >>> marked(marked({}, "a"), "b", "b.1")
    {'TENSORLAYER_STARTED_BY': 'a b b.1'}
    """
    above = environment.get(_VARIABLE, "").split()
    return {**environment, _VARIABLE: " ".join([*above, *marks])}


def sweep(mark: str) -> int:
    """End all processes that carry a mark, and return how many there were.

    On Linux only; elsewhere there is no way to find them. The server of a home is spared: it
    belongs to everybody.
    """
    n_ended = 0
    for _ in range(_MOST_LOOKS):
        found = [pid for pid in _processes() if _carries(pid, mark) and not _is_spared(pid)]
        if not found:
            break
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        n_ended += len(found)
        time.sleep(_LOOK_SECONDS)
    return n_ended


def _processes() -> list[int]:
    try:
        names = os.listdir("/proc")
    except OSError:
        return []
    return [int(name) for name in names if name.isdecimal() and int(name) != os.getpid()]


def _carries(pid: int, mark: str) -> bool:
    prefix = f"{_VARIABLE}=".encode()
    for entry in _of(pid, "environ").split(b"\0"):
        if entry.startswith(prefix):
            return mark.encode() in entry[len(prefix) :].split()
    return False


def _is_spared(pid: int) -> bool:
    if _SPARED in _of(pid, "cmdline"):
        return True
    fields = _of(pid, "stat").rpartition(b")")[2].split()  # the state and the parent come first
    return len(fields) > 1 and _SPARED in _of(int(fields[1]), "cmdline")


def _of(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:  # it is gone, or somebody else's
        return b""


class Guardian:
    """A process that ends what carries a mark when this process has died; a context manager.

    Parameters
    ----------
    mark : str
        The mark.
    """

    def __init__(self, mark: str) -> None:
        self._mark = mark

    def __enter__(self) -> Guardian:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, self._mark],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in the terminal is not for it
        )
        return self

    def __exit__(self, *error: object) -> None:
        self._process.stdin.close()
        self._process.wait()


def _main(mark: str) -> None:
    os.read(0, 1)  # nobody writes: it ends when the agent has
    sweep(mark)


if __name__ == "__main__":
    _main(sys.argv[1])
