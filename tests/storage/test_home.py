from __future__ import annotations

import os
import stat
import time

import pytest

from tensorlayer.errors import ServerFailed
from tensorlayer.storage.home import Home, ServerRecord


@pytest.fixture
def made(tmp_path):
    found = Home(tmp_path / "home")
    found.make()
    return found


def test_a_record_comes_back_and_hides_its_password(made):
    assert made.read() is None
    record = ServerRecord(port=20_001, pid=7)
    made.write(record)
    assert made.read() == record
    assert record.password not in repr(record)
    assert record.password in record.uri
    assert [each.name for each in made.path.glob("server.json*")] == ["server.json"]


def test_two_homes_have_two_secrets():
    one, other = ServerRecord(port=1), ServerRecord(port=1)
    assert one.password != other.password
    assert one.name != other.name


def test_making_a_home_again_keeps_its_secret(made):
    secret = made.keyfile.read_text()
    made.path.chmod(0o755)
    made.make()
    assert made.keyfile.read_text() == secret
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o700


def test_clients_share_and_a_starter_does_not(made):
    first, second = made.share(0), made.share(0)
    assert made.has_clients()
    os.close(first)
    assert made.has_clients()
    os.close(second)
    assert not made.has_clients()
    with made.starting(0):
        begun = time.monotonic()
        with (
            pytest.raises(ServerFailed, match=r"another process holds start\.lock"),
            made.starting(begun + 0.1),
        ):
            pytest.fail("two starters at once")
        assert time.monotonic() - begun >= 0.1
    with made.starting(0):
        pass


def test_a_number_without_a_lock_is_no_process(made):
    (made.data / "mongod.lock").write_text(str(os.getpid()))
    (made.path / "supervisor.lock").write_text(str(os.getpid()))
    assert made.server_pid() is None
    assert made.supervisor_pid() is None
