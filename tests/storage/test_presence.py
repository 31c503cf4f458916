"""Presence: who is gone is found, who lives is spared, and what is left is removed once."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tensorlayer.storage import presence as module
from tensorlayer.storage.presence import Presence


@pytest.fixture
def writers(hub):
    return hub.database["writers"]


@pytest.fixture
def presence(hub):
    presence = Presence(hub.store)
    yield presence
    presence.close()


def aged(writers, id_, seconds, **changes):
    """Let the last beat of a writer lie back, and move it to another machine if told."""
    old = {"beat": {"$subtract": ["$$NOW", 1000 * seconds]}, **changes}
    writers.update_one({"_id": id_}, [{"$set": old}], upsert=True)


def other_process(hub, then):
    """Register a writer in a process of its own; return its id when `then` was done there."""
    code = (
        "import os, signal, tensorlayer as tl\n"
        f"hub = tl.connect()\nprint(hub.store.presence.register(), flush=True)\n{then}"
    )
    environment = {**os.environ, **hub.environment()}
    return subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True
    )


def test_registering_is_lazy_and_happens_once(writers, presence):
    assert writers.count_documents({}) == 0
    assert presence.register() == presence.register()
    document = writers.find_one({"_id": presence.register()})
    assert document["pid"] == os.getpid()
    assert writers.count_documents({}) == 1


def test_a_living_process_is_not_gone(hub, presence):
    process = other_process(hub, "import time; time.sleep(60)")
    id_ = process.stdout.readline().strip()
    try:
        assert len(id_) == 32
        assert presence.gone() == []
    finally:
        process.kill()
        process.wait()


def test_a_killed_process_is_gone_at_once(hub, presence):
    process = other_process(hub, "os.kill(os.getpid(), signal.SIGKILL)")
    id_ = process.stdout.readline().strip()
    assert process.wait() == -signal.SIGKILL
    assert presence.gone() == [id_]


def test_a_zombie_is_gone(hub, presence):
    process = other_process(hub, "os.kill(os.getpid(), signal.SIGKILL)")
    id_ = process.stdout.readline().strip()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # ended, not reaped
    assert presence.gone() == [id_]
    process.wait()


def test_a_closed_store_is_gone_though_its_process_lives(hub, presence):
    other = Presence(hub.store)
    id_ = other.register()
    assert presence.gone() == []
    other.close()
    assert presence.gone() == [id_]


def test_a_number_that_was_given_to_another_process_does_not_hide_the_end(writers, presence):
    id_ = Presence(presence._store).register()
    writers.update_one({"_id": id_}, {"$set": {"started": "1"}})
    assert presence.gone() == [id_]


def test_the_name_of_a_process_does_not_hide_when_it_was_started():
    name = Path("/proc/self/comm")
    before, started = name.read_bytes(), module._started(os.getpid())
    try:
        name.write_bytes(b"\xff) Z 1 2")
        assert module._started(os.getpid()) == started
    finally:
        name.write_bytes(before)
    assert started.isdigit()
    assert module._started(2**22 + 1) is None


def test_a_lease_is_six_beats_and_an_observer_waits_for_two_more():
    beats = (module.BEAT_SECONDS, module.LEASE_SECONDS, module.OBSERVED_SECONDS)
    assert beats == (10.0, 60.0, 20.0)


def test_on_another_machine_only_silence_counts(writers, presence):
    aged(writers, "recent", 59, place="elsewhere", pid=1, started="1")
    aged(writers, "silent", 61, place="elsewhere", pid=1, started="1")
    assert presence.gone() == []  # nobody has watched yet
    assert presence.gone(observe_seconds=0.1) == ["silent"]


def test_without_watching_only_those_whose_process_has_ended_are_cleaned(writers, presence):
    aged(writers, "silent", 61, place="elsewhere", pid=1, started="1")
    writers.insert_one({"_id": "closed", "closed": True})
    assert presence.clean() == 1
    assert writers.distinct("_id") == ["silent"]


def test_a_beat_while_somebody_watches_saves_the_writer(writers, presence, monkeypatch):
    aged(writers, "waking", 3600, place="elsewhere", pid=1, started="1")
    monkeypatch.setattr(
        presence._closed, "wait", lambda seconds: aged(writers, "waking", 3000) and False
    )
    assert presence.gone(observe_seconds=20.0) == []


def test_cleaning_calls_every_cleaner_once_and_forgets_the_writer(writers, presence):
    aged(writers, "silent", 61, place="elsewhere", pid=1, started="1")
    seen = []
    presence.on_gone(lambda id_: seen.append(("first", id_)))
    presence.on_gone(lambda id_: seen.append(("second", id_)))
    assert presence.clean(observe_seconds=0.1) == 1
    assert seen == [("second", "silent"), ("first", "silent")]
    assert presence.clean(observe_seconds=0.1) == 0
    assert writers.find_one({"_id": "silent"}) is None


def test_a_cleaner_that_fails_is_called_again_the_next_time(writers, presence):
    aged(writers, "silent", 61, place="elsewhere", pid=1, started="1")
    calls = []

    def cleaner(id_):
        calls.append(id_)
        if len(calls) == 1:
            raise RuntimeError("killed in the middle")

    presence.on_gone(cleaner)
    with pytest.raises(RuntimeError, match="killed in the middle"):
        presence.clean(observe_seconds=0.1)
    assert presence.clean(observe_seconds=0.1) == 1
    assert calls == ["silent", "silent"]


def test_the_own_process_is_never_gone(writers, presence):
    aged(writers, presence.register(), 3600)
    assert presence.gone(observe_seconds=0.1) == []


def test_a_registered_process_beats_and_cleans_by_itself(writers, presence, monkeypatch):
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.05)
    aged(writers, "dead", 0, place=module._place(), pid=2**22 + 1, started="1")
    seen = []
    presence.on_gone(seen.append)
    first = writers.find_one({"_id": presence.register()})["beat"]
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if seen and writers.find_one({"_id": presence.register()})["beat"] > first:
            break
        time.sleep(0.05)
    assert seen == ["dead"]
    assert writers.find_one({"_id": presence.register()})["beat"] > first


def test_who_registers_looks_for_what_the_dead_have_left_at_once(hub, writers, presence):
    writers.insert_one({"_id": "dead", "closed": True})
    found = threading.Event()
    presence.on_gone(lambda id_: found.set())
    assert presence.register()
    assert found.wait(module.BEAT_SECONDS / 2)


def test_where_processes_of_others_are_hidden_only_silence_counts(writers, presence, monkeypatch):
    aged(writers, "hidden", 0, place=module._place(), pid=2**22 + 1, started="1")
    assert presence.gone() == ["hidden"]
    monkeypatch.setattr(module.Path, "exists", lambda path: str(path) != "/proc/1/stat")
    assert module._place() is None
    assert presence.gone() == []


def test_closing_does_not_wait_for_a_server_that_is_away(hub, presence, monkeypatch):
    assert presence.register()

    def refuse(*arguments, **options):
        raise module.pymongo.errors.AutoReconnect("gone")

    monkeypatch.setattr(presence._writers, "update_one", refuse)
    began = time.monotonic()
    presence.close()
    assert time.monotonic() - began < 3
    assert socket.gethostname() not in repr(presence)
