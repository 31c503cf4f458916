"""A folder is for one run at a time; what a lock outlives is in tests/test_locks.py."""

from __future__ import annotations

import errno
import fcntl

import pytest

from tensorlayer.errors import InvalidArgument
from tensorlayer.train.locking import locked


def test_a_folder_is_made_and_free_again_afterwards(tmp_path):
    def fail():
        with locked(tmp_path / "new", who="training"):
            with (
                pytest.raises(InvalidArgument, match=r"training: another run is using .*new'"),
                locked(tmp_path / "new", who="training"),
            ):
                pass
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        fail()

    with locked(tmp_path / "new", who="training"):
        pass


def test_without_locks_there_is_a_warning(tmp_path, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)

    with locked(tmp_path, who="training"):
        assert "cannot be locked, its file system has no locks: let one run use it" in caplog.text
