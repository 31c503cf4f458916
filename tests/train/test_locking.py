"""A folder is for one run at a time, whoever is killed."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys

import pytest

from tensorlayer.errors import InvalidArgument
from tensorlayer.train.locking import locked

# A process that holds the lock, has a child that was forked, and says so.
_HOLDING = """
import os, sys, time
from tensorlayer.train.locking import locked
with locked(sys.argv[1], who="training"):
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    print(child, flush=True)
    time.sleep(60)
"""


def is_free(folder):
    try:
        with locked(folder, who="training"):
            return True
    except InvalidArgument:
        return False


def test_a_folder_is_free_again_afterwards(tmp_path):
    def fail():
        with locked(tmp_path / "new", who="training"):
            assert not is_free(tmp_path / "new")
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        fail()

    assert is_free(tmp_path / "new")


def test_whoever_is_killed_leaves_it_though_what_was_forked_lives_on(tmp_path):
    command = [sys.executable, "-c", _HOLDING, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        child = int(process.stdout.readline())
        try:
            assert not is_free(tmp_path)
            process.kill()
            process.wait()
            os.kill(child, 0)  # it is there
            assert is_free(tmp_path)
        finally:
            os.kill(child, signal.SIGKILL)


def test_what_was_forked_does_not_free_it(tmp_path):
    with locked(tmp_path, who="training"):
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        assert not is_free(tmp_path)


def test_without_locks_there_is_a_warning(tmp_path, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)

    assert is_free(tmp_path)
    assert "cannot be locked ([Errno 37] No locks available): let one run use it" in caplog.text
