"""Files and folders that appear whole or not at all."""

import ctypes
import errno
import fcntl
import os
import signal
import stat
import subprocess
import sys
import threading

import pytest

from tensorlayer.errors import InvalidArgument
from tensorlayer.whole import whole_file, whole_folder


def test_the_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "new" / "newer" / "a.txt"
    with whole_file(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
        assert temporary.suffix == ".txt"
    assert path.read_text() == "whole"
    assert os.listdir(path.parent) == ["a.txt"]


def test_a_block_that_raises_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError), whole_file(path) as temporary:
        temporary.write_text("half of it \udc80", encoding="utf-8")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize(("umask", "mode"), [(0o027, 0o640), (0, 0o666)])
def test_others_may_read_it_as_far_as_the_umask_says(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        with whole_file(tmp_path / "a") as temporary:
            temporary.write_text("")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode


def test_the_rights_of_a_file_of_another_thread_are_its_own(tmp_path):
    """The mask belongs to the process: who sets it to read it sets it for all."""
    is_over, modes = threading.Event(), set()

    def write():
        while not is_over.is_set():
            with whole_file(tmp_path / "a"):
                pass

    before = os.umask(0o077)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for index in range(2000):
            (tmp_path / f"b{index}").touch()
            modes.add(stat.S_IMODE((tmp_path / f"b{index}").stat().st_mode))
    finally:
        is_over.set()
        writer.join()
        os.umask(before)
    assert modes == {0o600}


def test_a_folder_takes_the_place_of_another_as_a_whole(tmp_path):
    path = tmp_path / "new" / "a"
    for name in ("one", "two"):
        with whole_folder(path) as temporary:
            (temporary / name).write_text(name)
        assert os.listdir(path) == [name]
    assert os.listdir(path.parent) == ["a"]


def test_a_block_that_raises_leaves_the_old_folder_and_nothing_else(tmp_path):
    path = tmp_path / "a"
    with whole_folder(path) as temporary:
        (temporary / "old").write_text("old")
    with pytest.raises(UnicodeEncodeError), whole_folder(path) as temporary:
        (temporary / "half").write_text("half of it \udc80", encoding="utf-8")
    assert os.listdir(path) == ["old"]
    assert os.listdir(tmp_path) == ["a"]


def test_a_folder_that_cannot_take_its_place_leaves_the_old_one(tmp_path):
    path = tmp_path / "a"
    with whole_folder(path) as temporary:
        (temporary / "old").write_text("old")
    with pytest.raises(FileNotFoundError), whole_folder(path) as temporary:
        temporary.rmdir()
    assert os.listdir(path) == ["old"]
    assert os.listdir(tmp_path) == ["a"]


def test_a_link_to_a_folder_stays_one(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with whole_folder(tmp_path / "link") as temporary:
        (temporary / "new").write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert os.listdir(tmp_path / "real") == ["new"]


@pytest.mark.parametrize(("umask", "mode"), [(0o027, 0o750), (0, 0o777)])
def test_others_may_read_a_folder_as_far_as_the_umask_says(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        with whole_folder(tmp_path / "a"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode


#: Replaces a folder where two cannot be exchanged; is killed instead of the nth renaming.
KILLED_RENAMING = """
import ctypes, os, pathlib, signal, sys
from tensorlayer.whole import whole_folder

ctypes.CDLL = lambda *given, **options: object()
path, at = pathlib.Path(sys.argv[1]), int(sys.argv[2])
rename, count = pathlib.Path.rename, 0

def killing(self, target):
    global count
    count += 1
    if count == at:
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(self, target)

pathlib.Path.rename = killing
with whole_folder(path) as temporary:
    (temporary / "new").write_text("new")
"""
WITHOUT_LOCKS = """
import errno, fcntl

def refuse(*given):
    raise OSError(errno.ENOLCK, "No locks available")

fcntl.flock = refuse
"""
#: Replaces a folder, and is killed before two are exchanged, or when they just were.
KILLED_EXCHANGING = """
import ctypes, os, pathlib, signal, sys
from tensorlayer.whole import whole_folder

load, path, is_before = ctypes.CDLL, pathlib.Path(sys.argv[1]), sys.argv[2] == "before"

class System:
    def __init__(self, *given, **options):
        self.system = load(*given, **options)

    def __getattr__(self, name):
        function = getattr(self.system, name)

        def killing(*given):
            if not is_before:
                assert function(*given) == 0
            os.kill(os.getpid(), signal.SIGKILL)

        return killing

ctypes.CDLL = System
with whole_folder(path) as temporary:
    (temporary / "new").write_text("new")
"""


def refuse(*_):
    """Be a file system that has no locks."""
    raise OSError(errno.ENOLCK, "No locks available")


def killed(code, path, when):
    """Have a process killed that replaces a folder."""
    with whole_folder(path) as temporary:
        (temporary / "old").write_text("old")
    done = subprocess.run([sys.executable, "-c", code, str(path), str(when)])
    assert done.returncode == -signal.SIGKILL
    assert len(os.listdir(path.parent)) == 1 + path.exists()  # with what it has left


def replaced(path, before):
    """Replace what was there before once more, and look that nothing else is left."""
    with whole_folder(path) as temporary:
        assert os.listdir(path) == [before]
        (temporary / "next").write_text("next")
    assert os.listdir(path) == ["next"]
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("at", [1, 2])
def test_a_kill_between_two_folders_costs_neither(at, tmp_path):
    path = tmp_path / "a"
    killed(KILLED_RENAMING, path, at)

    assert path.exists() == (at == 1)
    replaced(path, "old")


@pytest.mark.parametrize("at", [1, 2])
def test_without_locks_a_kill_between_two_folders_costs_neither(at, tmp_path, monkeypatch):
    path = tmp_path / "a"
    monkeypatch.setattr(fcntl, "flock", refuse)
    killed(WITHOUT_LOCKS + KILLED_RENAMING, path, at)

    assert path.exists() == (at == 1)
    with whole_folder(path) as temporary:
        assert os.listdir(path) == ["old"]
        (temporary / "next").write_text("next")
    assert os.listdir(path) == ["next"]


@pytest.mark.skipif(not sys.platform.startswith(("linux", "darwin")), reason="cannot exchange")
@pytest.mark.parametrize(("when", "there"), [("before", "old"), ("after", "new")])
def test_a_kill_around_the_exchange_leaves_one_of_two_folders_whole(when, there, tmp_path):
    path = tmp_path / "a"
    killed(KILLED_EXCHANGING, path, when)

    assert os.listdir(path) == [there]
    replaced(path, there)


def test_what_a_living_one_or_somebody_else_has_beside_it_stays(tmp_path):
    path, mine = tmp_path / "a[1]", tmp_path / ".a[1].my_backup"
    named_alike = tmp_path / ".a[1].12345678"
    for folder in (mine, named_alike):
        folder.mkdir()
        (folder / "old").write_text("a backup")
    with whole_folder(path) as first:
        (first / "first").write_text("first")
        with whole_folder(path) as second:
            (second / "second").write_text("second")
        assert os.listdir(path) == ["second"]
    assert os.listdir(path) == ["first"]
    assert sorted(os.listdir(tmp_path)) == [".a[1].12345678", ".a[1].my_backup", "a[1]"]
    assert (named_alike / "old").read_text() == "a backup"


@pytest.mark.parametrize("can_exchange", [True, False])
@pytest.mark.parametrize("can_lock", [True, False])
def test_of_two_at_the_same_time_the_last_one_stays(can_exchange, can_lock, tmp_path, monkeypatch):
    if not can_exchange:
        monkeypatch.setattr(ctypes, "CDLL", lambda *given, **options: object())
    if not can_lock:
        monkeypatch.setattr(fcntl, "flock", refuse)
    errors = []

    def replace(name):
        try:
            for _ in range(50):
                with whole_folder(tmp_path / "a") as temporary:
                    (temporary / name).write_text(name)
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=replace, args=[name]) for name in ("one", "two")]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert errors == []
    assert os.listdir(tmp_path / "a") in (["one"], ["two"])
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.skipif(not sys.platform.startswith(("linux", "darwin")), reason="cannot exchange")
def test_there_is_always_one(tmp_path):
    path, is_over, missing = tmp_path / "a", threading.Event(), []

    def watch():
        while not is_over.is_set():
            if not os.path.exists(path):
                missing.append(1)

    with whole_folder(path):
        pass
    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(300):
        with whole_folder(path):
            pass
    is_over.set()
    watcher.join()
    assert missing == []


def test_a_link_to_a_file_stays_one(tmp_path):
    (tmp_path / "link.txt").symlink_to("real")
    with whole_file(tmp_path / "link.txt") as temporary:
        temporary.write_text("new")
        assert temporary.suffix == ".txt"
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


@pytest.mark.parametrize("whole", [whole_file, whole_folder])
def test_an_address_is_no_path(whole, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with (
        pytest.raises(InvalidArgument, match="'gs://bucket/a' is an address, and files are writte"),
        whole("gs://bucket/a"),
    ):
        pass
    assert os.listdir(tmp_path) == []


FORKED = """
import os, sys
from tensorlayer.whole import whole_folder
with whole_folder(sys.argv[1]) as new:
    (new / "a").touch()
    child = os.fork()
    if child == 0:
        sys.exit(3)  # which unwinds the block
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 3, status
"""


def test_a_forked_process_that_ends_in_the_block_leaves_it_alone(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FORKED, str(tmp_path / "new")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert os.listdir(tmp_path) == ["new"]
    assert os.listdir(tmp_path / "new") == ["a"]
