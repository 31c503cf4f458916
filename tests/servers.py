"""What tests of private servers share."""

from __future__ import annotations

import time

import psutil

from tensorlayer.storage.server import PrivateServer

#: Far more than anything here takes; reached only by what never happens.
DEADLINE_SECONDS = 40


def wait_until(condition):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def processes_of(home):
    """Return every process whose command line names the home."""
    found = []
    for each in psutil.process_iter(["cmdline", "status"]):
        named = any(str(home) in word for word in each.info["cmdline"] or [])
        if named and each.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(each)
    return found


def pids(home):
    server = PrivateServer(home).home
    return server.server_pid(), server.supervisor_pid()
