"""Agents that a script starts for itself and that end with it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tensorlayer.errors import TaskError
from tensorlayer.workflow import registry, schema

if TYPE_CHECKING:
    from tensorlayer.storage.connection import Store

__all__ = ["agent", "IMPORTING"]

#: Set in the environment of a process that imports modules for an agent.
IMPORTING = "TENSORLAYER_IMPORTING"

# Importing TensorFlow takes some five seconds, from a cold network disk a minute.
_START_SECONDS = 180.0

# Between two questions whether the agent is ready; a start takes seconds.
_POLL_SECONDS = 0.05

# The agent's own limits for its tasks (ten seconds to end, five from TERM to KILL) and some more.
_END_SECONDS = 30.0


@contextlib.contextmanager
def agent(
    store: Store,
    environment: Mapping[str, str],
    imports: Sequence[str],
    *,
    queues: Sequence[str],
    slots: int,
) -> Iterator[int]:
    """Start an agent process, give its id when it is ready, and drain it at the end.

    Credentials travel through the environment, never on a command line.
    """
    if IMPORTING in os.environ:
        raise TaskError(
            "agent: the module that starts this agent is being imported by it, so there would be "
            "no end of agents. Start it below `if __name__ == '__main__':`."
        )
    for target in imports:
        registry.module_name(target)
    command = [sys.executable, "-m", "tensorlayer.cli.agent", "--parent", str(os.getpid())]
    command += ["--slots", str(slots)]
    for name, values in (("--queues", queues), ("--import", imports)):
        for value in values:
            command += [name, value]
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL)
    try:
        _await_ready(store, process)
        yield process.pid
    finally:
        _end(process)


def _await_ready(store: Store, process: subprocess.Popen) -> None:
    agents = schema.agents(store)
    about = {"pid": process.pid, "host": socket.gethostname(), "ready": {"$gt": 0}}
    deadline = time.monotonic() + _START_SECONDS
    while store.call(lambda: agents.find_one(about, {"_id": 1})) is None:
        if process.poll() is not None:
            raise TaskError(
                f"agent: it ended with exit code {process.returncode} before it was ready. It has "
                "said why on stderr."
            )
        if time.monotonic() > deadline:
            raise TaskError(
                f"agent: it was not ready within {_START_SECONDS:g} s. See what its imports "
                "wait for."
            )
        time.sleep(_POLL_SECONDS)


def _end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()  # its children die with it
        process.wait()
