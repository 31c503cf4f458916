"""An append as the output of a task whose process is killed, in real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TASKS = Path(__file__).with_name("append_tasks.py")


def eventually(condition, seconds=60.0):
    """Return the first true value of the condition."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {condition}"
        time.sleep(0.02)
    return value


@pytest.fixture
def start_agent(hub):
    """Return a function that starts an agent; they end with the test."""
    started = []

    def start():
        command = [sys.executable, "-m", "tensorlayer.cli.agent", "--import", str(TASKS)]
        environment = {**os.environ, **hub.environment(), "PYTHONPATH": str(ROOT)}
        started.append(subprocess.Popen(command, env=environment))

    yield start
    for each in started:
        each.terminate()
    for each in started:
        each.wait()


@pytest.mark.slow
def test_a_task_killed_in_the_middle_of_an_append_leaves_nothing(hub, start_agent, tmp_path):
    """Nothing of it is ever visible, and the next attempt sweeps samples and blobs."""
    dataset = hub.datasets.create("digits")
    samples, files = hub.database["samples"], hub.database["blobs.files"]
    start_agent()
    handle = hub.workflow.submit("append_tasks:append", str(tmp_path))
    marker = tmp_path / "pid"
    eventually(marker.exists)
    assert samples.count_documents({}) >= 60
    assert files.count_documents({}) >= 60
    assert (dataset.revision, len(dataset), len(dataset.where())) == (0, 0, 0)

    os.kill(int(marker.read_text()), signal.SIGKILL)

    handle.wait(60, progress=False)
    assert handle.task().interruptions + handle.task().crashes == 1
    assert [int(each.sample) for each in dataset] == [0, 1, 2]
    eventually(lambda: samples.count_documents({}) == 3)
    eventually(
        lambda: files.count_documents({}) == hub.database["blobs.chunks"].count_documents({}) == 0
    )
    assert [int(each.sample) for each in dataset] == [0, 1, 2]
