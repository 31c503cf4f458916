from __future__ import annotations

import subprocess
import sys

import pytest

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
