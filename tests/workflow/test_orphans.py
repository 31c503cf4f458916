from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tensorlayer.workflow.orphans import Guardian, marked, sweep

PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], str(os.getpid())], stdout=1)
time.sleep(100)
"""

CHILD = """
import signal, sys, time
from tensorlayer.workflow.orphans import die_with
die_with(int(sys.argv[1]), signal.SIGKILL)
import os
print(os.getpid(), flush=True)
time.sleep(100)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux does this")
def test_a_child_ends_with_a_parent_that_is_killed(eventually, is_gone):
    command = [sys.executable, "-c", PARENT, CHILD]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())

    parent.kill()
    parent.wait()
    parent.stdout.close()

    assert eventually(lambda: is_gone(child))


def test_a_child_whose_parent_is_gone_already_ends_at_once():
    child = subprocess.run([sys.executable, "-c", CHILD, "1"], capture_output=True, check=False)

    assert child.returncode == -9
    assert child.stdout == b""


SLEEP = [sys.executable, "-c", "import time; time.sleep(100)"]


@pytest.fixture
def sleeper():
    """Return a function that starts a process with a mark, in a session of its own."""
    started = []

    def start(*marks, command=SLEEP):
        environment = marked(dict(os.environ), *marks)
        started.append(subprocess.Popen(command, env=environment, start_new_session=True))
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.wait()


def test_what_carries_the_mark_is_ended_and_nothing_else(sleeper, eventually):
    mark = uuid.uuid4().hex
    mine, other = sleeper("outer", mark, f"{mark}.1"), sleeper(f"{mark}.1")

    assert eventually(lambda: sweep(mark)) == 1

    assert mine.wait(5) == -9
    assert other.poll() is None
    assert sweep(f"{mark}.1") == 1


def test_the_server_is_spared(sleeper, tmp_path, eventually):
    mark = uuid.uuid4().hex
    file = tmp_path / "storage" / "supervisor.py"
    file.parent.mkdir()
    file.write_text("import subprocess, sys\nsubprocess.run(sys.argv[1:])\n")
    server = sleeper(mark, command=[sys.executable, str(file), *SLEEP])
    child = f"/proc/{server.pid}/task/{server.pid}/children"
    [pid] = eventually(lambda: Path(child).read_text().split())

    assert sweep(mark) == 0

    assert server.poll() is None
    os.kill(int(pid), 9)


def test_the_guardian_acts_when_it_is_left_alone(sleeper):
    mark = uuid.uuid4().hex
    with Guardian(mark):
        mine = sleeper(mark)
        assert mine.poll() is None

    assert mine.wait(5) == -9
