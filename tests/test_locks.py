"""A lock is its holder's alone, and ends with it, whoever is killed."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading

import pytest

from tensorlayer.locks import held, one_at_a_time

# A process that holds the lock, and has a child that was forked, which says so.
_HOLDING = """
import os, sys, time
from tensorlayer.locks import held
with held(sys.argv[1]):
    child = os.fork()
    if child == 0:
        print(os.getpid(), flush=True)
    time.sleep(60)
    os._exit(0)
"""


def is_free(path):
    with held(path) as is_held:
        return is_held


def test_a_lock_is_free_again_afterwards(tmp_path):
    def fail():
        with held(tmp_path / "lock") as is_held:
            assert is_held is True
            assert is_free(tmp_path / "lock") is False
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        fail()

    assert is_free(tmp_path / "lock") is True


def test_whoever_is_refused_frees_nothing(tmp_path):
    with held(tmp_path / "lock"):
        assert is_free(tmp_path / "lock") is False
        assert is_free(tmp_path / "lock") is False


def test_whoever_is_killed_leaves_it_though_what_was_forked_lives_on(tmp_path):
    command = [sys.executable, "-c", _HOLDING, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        child = int(process.stdout.readline())
        try:
            assert not is_free(tmp_path / "lock")
            process.kill()
            process.wait()
            os.kill(child, 0)  # it is there
            assert is_free(tmp_path / "lock")
        finally:
            os.kill(child, signal.SIGKILL)


def test_what_was_forked_does_not_free_it(tmp_path):
    with held(tmp_path / "lock"):
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        assert not is_free(tmp_path / "lock")


def test_a_lock_that_was_removed_meanwhile_is_none_of_this_path(tmp_path, monkeypatch):
    lock = fcntl.flock

    def removing(file, operation):
        (tmp_path / "lock").unlink(missing_ok=True)
        lock(file, operation)

    monkeypatch.setattr(fcntl, "flock", removing)

    assert is_free(tmp_path / "lock") is False


def test_a_file_is_made_unless_it_has_to_be_there(tmp_path):
    with pytest.raises(FileNotFoundError), held(tmp_path / "lock", is_made=False):
        pass
    assert is_free(tmp_path / "lock")
    (tmp_path / "lock").write_text("mine")
    with held(tmp_path / "lock", is_made=False) as is_held:
        assert is_held
    assert (tmp_path / "lock").read_text() == "mine"


def test_where_there_are_no_locks_nobody_knows(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)

    assert is_free(tmp_path / "lock") is None


def test_who_comes_second_waits(tmp_path):
    order = []

    def second():
        with one_at_a_time(tmp_path):
            order.append("second")

    with one_at_a_time(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join()

    assert order == ["first", "second"]
