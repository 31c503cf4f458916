from __future__ import annotations

import importlib
import os
import stat
import subprocess
import sys
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


FULL = """
import resource, sys
from tensorlayer.errors import ServerFailed
from tensorlayer.storage.home import Home, ServerRecord
home = Home(sys.argv[1])
if sys.argv[2] == "record":
    home.make()
resource.setrlimit(resource.RLIMIT_FSIZE, (8, 8))
try:
    home.write(ServerRecord(port=20_001)) if sys.argv[2] == "record" else home.make()
except ServerFailed as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize("what", ["record", "keyfile"])
def test_a_full_disk_is_told_and_leaves_no_drafts(tmp_path, what):
    home = tmp_path / "home"
    program = [sys.executable, "-c", FULL, str(home), what]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert "cannot be written: File too large. Free some space" in done.stderr
    assert "Traceback" not in done.stderr
    left = {each.name for each in home.iterdir()} - {"keyfile"} if what == "record" else None
    assert (left or {each.name for each in home.iterdir()}) == {"data"}


def test_drafts_of_a_writer_that_was_killed_are_removed(made):
    (made.path / "server.json.0011aabb").write_text("{")
    made.write(ServerRecord(port=20_001))
    assert [each.name for each in made.path.glob("server.json*")] == ["server.json"]


def test_a_folder_that_may_only_be_read_can_be_asked(made):
    assert not made.has_clients()
    assert not made.is_starting()
    assert list(made.path.glob("*.lock")) == []


def test_a_record_shows_its_password_to_nobody_who_looks_at_it(made):
    record = ServerRecord(port=20_001)
    frame = {"record": record, "uri": record.uri}
    assert record.password not in repr(frame)
    assert record.password in str(record.uri)
    with pytest.raises(TypeError, match="holds a password and is not pickled"):
        importlib.import_module("pickle").dumps(record)


def test_a_start_lock_is_waited_for_as_long_as_its_holder_gets_on(made):
    asked = []

    def gets_on():
        asked.append(1)
        return len(asked) < 5

    with (
        made.starting(0),
        pytest.raises(ServerFailed, match="another process"),
        made.starting(0, gets_on=gets_on),
    ):
        pytest.fail("two starters at once")
    assert len(asked) == 5
