"""Events: buffered, folded, never doubled."""

import gc
import math
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from bson import ObjectId
from pymongo.errors import WriteConcernError
from pymongo.write_concern import WriteConcern

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, InvalidName, StoreError, StoreUnavailable
from tensorlayer.models import events as module
from tensorlayer.models.events import EventLog


def _wait_until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def _values(events):
    return [(each.name, each.step, each.value) for each in events]


def _n_blocks(hub):
    return hub.database["events"].count_documents({})


def test_events_come_back_by_name_and_step(hub):
    hub.models.log("mlp", {"loss": 0.5, "accuracy": np.float32(0.25)}, step=2)
    hub.models.log("mlp", {"loss": 1}, step=np.int64(1))
    hub.models.log("other", {"loss": 9.0}, step=1)
    assert _values(hub.models.events("mlp", "loss")) == [("loss", 1, 1.0), ("loss", 2, 0.5)]
    assert _values(hub.models.events("mlp"))[0] == ("accuracy", 2, 0.25)
    assert hub.models.events("mlp", "missing") == hub.models.events("missing") == []
    [event] = hub.models.events("other")
    assert (event.model, event.run) == ("other", hub.models.run)
    assert abs(hub.store.now().timestamp() - event.written.timestamp()) < 60


def test_nan_and_infinity_survive(hub):
    hub.models.log("mlp", {"nan": math.nan, "inf": math.inf, "minus": -math.inf}, step=0)
    values = {each.name: each.value for each in hub.models.events("mlp")}
    assert math.isnan(values.pop("nan"))
    assert values == {"inf": math.inf, "minus": -math.inf}


def test_the_last_value_of_a_step_counts(hub):
    for value in (1.0, 2.0):
        hub.models.log("mlp", {"loss": value}, step=1)
    hub.models.flush()
    hub.models.log("mlp", {"loss": 3.0}, step=1)
    assert _values(hub.models.events("mlp")) == [("loss", 1, 3.0)]


def test_a_task_that_runs_again_replaces_its_events(hub):
    """Visible at once although the stage is dropped, and not doubled by the second attempt."""
    for attempt in (1, 2):
        with hub.store.staged(run="task-1"):
            for step in range(5 // attempt):
                hub.models.log("mlp", {"loss": attempt}, step=step)
            hub.models.flush()
    hub.models.log("mlp", {"loss": 7.0}, step=0)
    events = hub.models.events("mlp")
    assert _values(e for e in events if e.run == "task-1") == [
        ("loss", step, 2.0 if step < 2 else 1.0) for step in range(5)
    ]
    assert len(events) == 6


def test_a_value_is_written_without_a_flush(hub):
    hub.models.log("mlp", {"loss": 1.0}, step=1)
    assert _n_blocks(hub) == 0
    start = time.monotonic()
    _wait_until(lambda: _n_blocks(hub) == 1)
    assert time.monotonic() - start < 1.0


def test_many_values_make_few_documents(hub):
    for step in range(2500):
        hub.models.log("mlp", {"loss": step}, step=step)
    hub.models.flush()
    assert _n_blocks(hub) <= 6
    assert [each.value for each in hub.models.events("mlp")] == list(range(2500))


def test_a_full_buffer_is_written_by_the_caller(hub, monkeypatch):
    monkeypatch.setattr(module, "MAX_BUFFERED", 10)
    for step in range(10):
        hub.models.log("mlp", {"loss": 1.0}, step=step)
    assert _n_blocks(hub) >= 1
    assert len(hub.models.events("mlp")) == 10


@pytest.mark.parametrize("name", ["$set", "a.b", "", "a\0b", "x" * 1000, 3, None])
def test_hostile_metrics_are_refused(hub, name):
    with pytest.raises(InvalidName, match="metric"):
        hub.models.log("mlp", {"fine": 1.0, name: 1.0}, step=1)
    assert hub.models.events("mlp") == []
    if name is not None:
        with pytest.raises(InvalidName, match="metric"):
            hub.models.events("mlp", name)


@pytest.mark.parametrize("key", ["", "../x", {"$gt": ""}, "$where"])
def test_hostile_keys_are_refused(hub, key):
    with pytest.raises(InvalidName, match="model key"):
        hub.models.log(key, {"loss": 1.0}, step=1)
    with pytest.raises(InvalidName, match="model key"):
        hub.models.events(key)


@pytest.mark.parametrize("value", ["1.0", b"1", None, [1, 2], np.zeros(2), {}, 1j])
def test_what_is_no_number_is_refused(hub, value):
    with pytest.raises(InvalidArgument, match="Metric 'loss' must be"):
        hub.models.log("mlp", {"loss": value}, step=1)


@pytest.mark.parametrize("step", [1.0, "1", None, True])
def test_a_step_is_an_integer(hub, step):
    with pytest.raises(InvalidArgument, match="step must be an integer"):
        hub.models.log("mlp", {"loss": 1.0}, step=step)


def test_threads_log_together(hub):
    def log(thread):
        for step in range(500):
            hub.models.log("mlp", {f"loss-{thread}": step}, step=step)

    threads = [threading.Thread(target=log, args=(each,)) for each in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(hub.models.events("mlp")) == 2000


def test_blocks_whose_answer_was_lost_are_not_doubled(store):
    """The same blocks are written again, as after a lost answer; a new one beside them is kept."""
    log = EventLog(store)
    log.log("mlp", {"loss": 1.0}, step=1, run="r")
    log.flush()
    [block] = store.database["events"].find({})
    log._unwritten = [block, {**block, "_id": ObjectId(), "steps": [2]}]
    log.flush()
    assert [each.step for each in log.read("mlp")] == [1, 2]
    assert store.database["events"].count_documents({}) == 2


def test_an_outage_loses_nothing(store, monkeypatch):
    """A flush that fails keeps what it could not write for the next one."""
    log = EventLog(store)
    log.log("mlp", {"loss": 1.0}, step=1, run="r")
    with monkeypatch.context() as patched:

        def away(operation):
            raise StoreUnavailable("away")

        patched.setattr(store, "call", away)
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="away"):
                log.flush()
            log.log("mlp", {"loss": 2.0}, step=2, run="r")
    assert [each.value for each in log.read("mlp")] == [1.0, 2.0]


def test_a_log_that_is_forgotten_ends_its_thread(store):
    log = EventLog(store)
    log.log("mlp", {"loss": 1.0}, step=1, run="r")
    log.flush()
    writer = log._writer
    del log
    gc.collect()
    writer.join(timeout=10)
    assert not writer.is_alive()


def test_close_writes_and_ends_the_thread(store):
    log = EventLog(store)
    log.log("mlp", {"loss": 1.0}, step=1, run="r")
    log.close()
    assert store.database["events"].count_documents({}) == 1
    log._writer.join(timeout=10)
    assert not log._writer.is_alive()


ENDING = """
import tensorlayer as tl, os, signal, sys
hub = tl.connect()
for step in range(100):
    hub.models.log("mlp", {"loss": step}, step=step)
if sys.argv[1] == "kill":
    hub.models.flush()
    hub.models.log("mlp", {"loss": 0.0}, step=100)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("how", "code"), [("exit", 0), ("kill", -9)])
def test_what_was_logged_survives_the_end_of_the_process(hub, how, code):
    """At a normal end everything is written; after a flush everything survives SIGKILL, too."""
    environment = os.environ | hub.environment()
    done = subprocess.run(
        [sys.executable, "-c", ENDING, how], env=environment, timeout=60, check=False
    )
    assert done.returncode == code
    assert len(hub.models.events("mlp")) >= 100


def test_closing_the_hub_writes_what_was_logged(hub, server_home):
    with tl.connect(home=server_home, project=hub.store.project) as other:
        other.models.log("mlp", {"loss": 1.0}, step=1)
    assert _n_blocks(hub) == 1


def _in_need_of_two_servers(collection):
    """Return the collection with a write concern that one server cannot fulfil."""
    return collection.with_options(write_concern=WriteConcern(w=2, wtimeout=100))


def test_a_flush_that_no_majority_has_is_no_success(store):
    log = EventLog(store)
    log.log("mlp", {"loss": 1.0}, step=1, run="r")
    collection, log._collection = log._collection, _in_need_of_two_servers(log._collection)
    with pytest.raises(WriteConcernError, match="Not enough data-bearing nodes"):
        log.flush()
    log._collection = collection
    log.flush()
    assert _values(log.read("mlp")) == [("loss", 1, 1.0)]


@pytest.mark.parametrize("bits", [63, 70, 20_000])
def test_a_step_beyond_64_bits_is_refused_and_nothing_else_is_lost(hub, bits):
    hub.models.log("mlp", {"loss": 1.0}, step=1)
    with pytest.raises(InvalidArgument, match="step: must be an integer of at most 64 bits"):
        hub.models.log("mlp", {"loss": 1.0}, step=2**bits)
    hub.models.log("mlp", {"loss": 2.0}, step=2**63 - 1)
    _wait_until(lambda: _n_blocks(hub) >= 1)
    assert [each.value for each in hub.models.events("mlp")] == [1.0, 2.0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"loss": 10**400}, "Metric 'loss' must be one number"),
        ({"loss\ud800": 1.0}, "metric .*printable"),
    ],
)
def test_what_the_database_cannot_hold_is_refused_where_it_is_logged(hub, values, message):
    with pytest.raises(InvalidArgument, match=message):
        hub.models.log("mlp", values, step=1)


@pytest.mark.parametrize("run", ["r\ud800", None, 3])
def test_a_run_is_text(store, run):
    with pytest.raises(InvalidArgument, match="run must be a string"):
        EventLog(store).log("mlp", {"loss": 1.0}, step=1, run=run)


def _refuse(hub, name):
    """Let the server refuse every block of a metric."""
    hub.database.command("collMod", "events", validator={"name": {"$ne": name}})


def test_a_block_that_is_refused_holds_up_no_other_and_is_told_once(hub):
    hub.models.log("mlp", {"first": 0.0}, step=0)
    hub.models.flush()
    _refuse(hub, "bad")
    for step in range(3):
        hub.models.log("mlp", {"bad": 1.0, "loss": step, "other": 1.0}, step=step)
    with pytest.raises(StoreError, match=r"refused 1 blocks.*'mlp', 'bad', steps 0 to 2: "):
        hub.models.flush()
    hub.models.flush()
    assert {each.name for each in hub.models.events("mlp")} == {"first", "loss", "other"}


def test_the_writer_survives_a_refused_block_and_the_next_flush_tells(hub):
    hub.models.log("mlp", {"first": 0.0}, step=0)
    hub.models.flush()
    _refuse(hub, "bad")
    hub.models.log("mlp", {"bad": 1.0}, step=1)
    _wait_until(lambda: hub.models._log._set_aside)
    hub.models.log("mlp", {"loss": 1.0}, step=2)
    _wait_until(lambda: _n_blocks(hub) == 2)
    assert hub.models._log._writer.is_alive()
    with pytest.raises(StoreError, match="'mlp', 'bad', steps 1 to 1"):
        hub.models.flush()


def test_what_the_driver_cannot_encode_is_set_aside(store):
    log = EventLog(store)
    for name, step in {"good": 1, "bad": 2**70, "fine": 2}.items():
        log._buffered["mlp", "r", name] = ([step], [1.0])
    with pytest.raises(StoreError, match="'mlp', 'bad'"):
        log.flush()
    assert [each.name for each in log.read("mlp")] == ["fine", "good"]
