"""Real processes for tests: killed after a chosen operation of the store, or many at once.

Run as a script: ``python -m tests.forked crash|together N module function``, in the environment of
a hub. It imports the function once and forks, since a fork costs milliseconds and a new interpreter
half a second. The function takes a hub and a number.

``crash`` calls ``function(hub, n)`` in one process after another; process n is killed by SIGKILL as
soon as the server has answered its n-th command, until one of them reaches its end. ``together``
calls it in N processes at once. Both print the signals and exit codes as one JSON list.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import traceback
from itertools import count

from pymongo import monitoring

import tensorlayer as tl


class KillAfter(monitoring.CommandListener):
    """Kill this process when the server has answered a command for the n-th time."""

    def __init__(self, n):
        self.left = n

    def started(self, event):
        """Do nothing: the command has no effect yet."""

    def succeeded(self, event):
        """Count, and perhaps never return."""
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def failed(self, event):
        """Count it like a success: the server has answered."""
        self.succeeded(event)


def run(hub, mode, function, n=0):
    """Run this script for a function of a test; return the signals (negative) and exit codes."""
    done = subprocess.run(
        [sys.executable, "-m", __name__, mode, str(n), function.__module__, function.__name__],
        cwd=pathlib.Path(__file__).parents[1],
        env=os.environ | hub.environment(),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextlib.contextmanager
def impatient_server(hub):
    """Let the server end transactions of dead processes after 1 s; MongoDB waits for 60 s.

    Until then whoever meets the locks of such a transaction waits, within the budget of its store.
    """
    admin, name = hub.store.client.admin, "transactionLifetimeLimitSeconds"
    before = admin.command("getParameter", 1, **{name: 1})[name]
    admin.command("setParameter", 1, **{name: 1})
    try:
        yield
    finally:
        admin.command("setParameter", 1, **{name: before})


def _fork(function, n, kill_after):
    pid = os.fork()
    if pid:
        return pid
    try:
        with tl.connect() as hub:  # indexes are made before the counting starts
            hub.models, hub.datasets.create("indexed"), hub.store.blobs.put(b"", owner="samples")
        if kill_after:
            monitoring.register(KillAfter(kill_after))
        with tl.connect() as hub:
            function(hub, n)
        os._exit(0)
    except BaseException:  # noqa: BLE001 - the exit code and the traceback tell
        traceback.print_exc()
        os._exit(1)


def _wait(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main(mode, n, module, name):
    """Run the script."""
    function = getattr(importlib.import_module(module), name)
    if mode == "together":
        pids = [_fork(function, each, 0) for each in range(int(n))]
        codes = [_wait(pid) for pid in pids]
    else:
        codes = []
        for each in count(1):
            codes.append(_wait(_fork(function, each, each)))
            if codes[-1] >= 0:
                break
    sys.stdout.write(json.dumps(codes))


if __name__ == "__main__":
    main(*sys.argv[1:])
