"""Starts of the private server that take long, fail, or come after a kill, and what it shows."""

from __future__ import annotations

import importlib
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import tensorlayer as tl
from tensorlayer.errors import StoreUnavailable
from tensorlayer.storage.server import PrivateServer
from tests.servers import pids, processes_of, wait_until


def recovery_seconds(home: Path, n_documents: int) -> float:
    """Write without a checkpoint, kill the server, and return how long the next start takes."""
    with tl.connect(home=home) as hub:
        notes = hub.database["notes"]
        before = notes.estimated_document_count()
        padding = "x" * 300
        for _ in range(n_documents // 10_000):
            notes.insert_many([{"padding": padding} for _ in range(10_000)])
        for pid in reversed(pids(home)):
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not processes_of(home))
    begun = time.monotonic()
    with tl.connect(home=home) as hub:
        took = time.monotonic() - begun
        assert hub.database["notes"].count_documents({}) == before + n_documents
    return took


@pytest.mark.slow
def test_a_start_takes_as_long_as_the_server_gets_on(home, monkeypatch):
    """What was written since a checkpoint is recovered for longer than one may be silent."""
    from tensorlayer.storage import limits, server

    monkeypatch.setattr(limits, "CHECKPOINT_SECONDS", 3600)
    usual = recovery_seconds(home, 300_000)
    silent = usual / 3  # as fast as this machine is
    monkeypatch.setattr(server, "START_SECONDS", silent)
    assert recovery_seconds(home, 300_000) > silent, "otherwise nothing was tested"


def test_a_start_that_fails_is_an_outage_and_the_servers_words_are_in_the_error(home):
    with tl.connect(home=home, outage_budget_seconds=4) as hub:
        hub.database["notes"].insert_one({"_id": 1})
        hub.store.call(hub.database.list_collection_names)
        turtle = home / "data" / "WiredTiger.turtle"
        PrivateServer(home).stop()
        kept = turtle.read_bytes()
        turtle.write_bytes(b"nonsense")
        begun = time.monotonic()
        with pytest.raises(
            StoreUnavailable, match=r"budget of 4 s.* It says: .*WiredTiger"
        ) as told:
            hub.store.call(lambda: hub.database["notes"].find_one())
        assert time.monotonic() - begun >= 4
        assert "disk" not in str(told.value)
        turtle.write_bytes(kept)
        assert hub.store.call(lambda: hub.database["notes"].find_one()) == {"_id": 1}


def test_a_start_that_fails_and_then_works_is_waited_for(home):
    """Somebody repairs it within the budget."""
    with tl.connect(home=home) as hub:
        hub.database["notes"].insert_one({"_id": 1})
        turtle = home / "data" / "WiredTiger.turtle"
        PrivateServer(home).stop()
        kept = turtle.read_bytes()
        turtle.write_bytes(b"nonsense")
        timer = threading.Timer(2.0, turtle.write_bytes, [kept])
        timer.start()
        assert hub.store.call(lambda: hub.database["notes"].find_one()) == {"_id": 1}
        timer.join()


def test_a_full_disk_is_told_by_the_servers_own_words(home):
    """A limit for the size of files is how a process meets a full disk."""
    with tl.connect(home=home):
        pass
    PrivateServer(home).stop()
    program = """
import resource, sys, tensorlayer as tl
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    tl.connect(home=sys.argv[1])
except tl.errors.ServerFailed as error:
    sys.exit(str(error))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(home)], capture_output=True, text=True, check=False
    )
    assert "ended at once. It says: " in done.stderr
    assert "All it says is in" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(home.glob("server.json.*"))
    tl.connect(home=home).close()


def test_the_log_of_operations_stays_small_while_much_is_written(home):
    with tl.connect(home=home) as hub:
        images = hub.database["images"]
        sizes = []
        for _ in range(40):
            images.insert_many([{"image": os.urandom(3000)} for _ in range(4_000)])
            stats = hub.store.client["local"].command("collStats", "oplog.rs")
            sizes.append(stats["storageSize"] // 2**20)
        assert max(sizes) < 400, "the promise is four times 64 MB"


def test_a_killed_server_is_back_within_two_seconds(home):
    with tl.connect(home=home) as hub:
        notes, taken = hub.database["notes"], []
        for n in range(5):
            hub.store.call(lambda n=n: notes.insert_one({"_id": n}))
            # The supervisor looks twice a second whether a server has begun to serve.
            quiet_until = time.monotonic() + 1
            wait_until(lambda until=quiet_until: time.monotonic() > until)
            server, supervisor = pids(home)
            begun = time.monotonic()
            os.kill(server, signal.SIGKILL)
            assert hub.store.call(lambda n=n: notes.find_one({"_id": n})) == {"_id": n}
            taken.append(time.monotonic() - begun)
            assert pids(home)[1] == supervisor
    assert statistics.median(taken) < 3.5, "the promise is 2 s on an idle machine"


def test_no_attribute_shows_the_password(home):
    with tl.connect(home=home) as hub:
        server = PrivateServer(home)
        password = server.home.read().password
        for each in (hub, hub.store, server, server.home, hub.store._server):
            assert password not in repr(vars(each))
            assert password not in repr(each)
        pickle = importlib.import_module("pickle")
        for each in (hub, hub.store, server):
            with pytest.raises(TypeError):
                pickle.dumps(each)
