"""Real agents in real processes, with leases short enough for tests."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tensorlayer.workflow import functions

TASKS = Path(__file__).with_name("sample_tasks.py")


def _eventually(condition, seconds=20.0):
    """Return the first true value of the condition."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {condition}"
        time.sleep(0.01)
    return value


def _is_gone(pid):
    """Whether a process does not run any more; a zombie waits for its parent only."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class AgentProcess:
    """One agent, as `tl agent` starts it."""

    LEASE_SECONDS = 1.2
    POLL_SECONDS = 0.2

    def __init__(self, hub, log, *options, imports=(TASKS,)):
        self.log = log
        self._agents = hub.database["agents"]
        command = [sys.executable, "-m", "tensorlayer.cli.agent"]
        for target in imports:
            command += ["--import", str(target)]
        command += ["--lease-seconds", str(self.LEASE_SECONDS)]
        command += ["--poll-seconds", str(self.POLL_SECONDS)]
        root = str(Path(__file__).parents[2])
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                [*command, *map(str, options)],
                env={**os.environ, **hub.environment(), "PYTHONPATH": root},
                stderr=stream,
            )
        self.pid = self.process.pid

    def is_ready(self):
        assert self.process.poll() is None, self.text()
        return self._agents.find_one({"pid": self.pid, "ready": {"$gt": 0}})

    def send(self, number):
        self.process.send_signal(number)

    def text(self):
        return self.log.read_text()

    def end(self):
        children = []
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.pid).children(recursive=True)
        self.process.kill()
        self.process.wait()
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()


@pytest.fixture
def start_agent(tmp_path):
    """Return a function that starts an agent and waits until it is ready."""
    started = []

    def start(hub, *options, wait=True, **more):
        agent = AgentProcess(hub, tmp_path / f"agent-{len(started)}.log", *options, **more)
        started.append(agent)
        if wait:
            _eventually(agent.is_ready)
        return agent

    yield start
    for agent in started:
        with contextlib.suppress(ProcessLookupError):
            agent.send(signal.SIGCONT)
        agent.end()


@pytest.fixture
def started(tmp_path, eventually):
    """Return a function that waits until an attempt runs, and gives the process it runs in."""

    def wait_for(name="started-1"):
        file = tmp_path / name
        return int(eventually(lambda: file.exists() and file.read_text()))

    return wait_for


@pytest.fixture(scope="session")
def tasks():
    """Return the module of tasks, under the name that agents know it by."""
    return functions.load(TASKS)


@pytest.fixture
def outputs(hub):
    """Return a function that gives the attempts whose output is visible."""
    return lambda: [each["attempt"] for each in hub.database["outputs"].find()]


@pytest.fixture(scope="session")
def eventually():
    """Return a function that polls a condition until it holds, and gives its value."""
    return _eventually


@pytest.fixture(scope="session")
def is_gone():
    """Return a function that tells whether a process has ended."""
    return _is_gone
