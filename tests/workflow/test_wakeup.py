"""What wakes: changes, signals, and rings from inside."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from types import SimpleNamespace

import pytest
from pymongo.errors import OperationFailure

from tensorlayer.errors import LeaseLost, StoreUnavailable
from tensorlayer.workflow import schema
from tensorlayer.workflow.wakeup import Bell, Errands, Wakeup


def test_a_change_wakes(store):
    things = store.database["things"]
    threading.Timer(0.1, lambda: things.insert_one({"n": 1})).start()

    with Wakeup(things, []) as wakeup:
        began = time.monotonic()
        change = wakeup.wait(10.0)

    assert change["fullDocument"]["n"] == 1
    assert time.monotonic() - began < 2.0


def test_other_changes_do_not_wake(store):
    things = store.database["things"]

    with Wakeup(things, [{"$match": {"fullDocument.n": 2}}]) as wakeup:
        things.insert_one({"n": 1})
        assert wakeup.wait(0.2) is None
        things.insert_one({"n": 2})
        assert wakeup.wait(5.0) is not None


def test_without_a_stream_it_says_that_something_may_be_missed(store):
    with Wakeup(store.database["things"], [{"$noSuchStage": {}}]) as wakeup:
        assert wakeup.wait(5.0) == {}


@pytest.fixture
def bell(store):
    with Bell(schema.tasks(store), ["default"]) as bell:
        yield bell


def rings(bell, seconds=5.0):
    return bool(select.select([bell], [], [], seconds)[0])


def test_a_stop_signal_rings_and_is_counted(bell):
    os.kill(os.getpid(), signal.SIGTERM)

    assert rings(bell)
    assert not bell.heard()
    assert bell.n_stops == 1


def test_signals_are_given_back(store):
    before = signal.getsignal(signal.SIGTERM)

    with Bell(schema.tasks(store), ["default"]):
        assert signal.getsignal(signal.SIGTERM) is not before

    assert signal.getsignal(signal.SIGTERM) is before


def test_a_waiting_task_rings(bell, hub, tasks, eventually):
    # The stream opens in the thread of the bell: what came before it rings no more.
    eventually(lambda: hub.workflow.submit(tasks.add, 1, rerun=True) and rings(bell, 0.2))

    assert not bell.heard()


def test_a_task_that_waits_again_is_no_cancel(bell, hub, store, tasks, eventually):
    handle = hub.workflow.submit(tasks.add, 1)
    change = store.database["tasks"].update_one

    def release():
        change({"_id": handle.id}, {"$set": {"state": "running"}})
        change({"_id": handle.id}, {"$set": {"state": "waiting"}})
        return rings(bell, 0.2)

    eventually(release)
    assert not bell.heard()


def test_a_cancelled_task_says_so(bell, hub, store, tasks, eventually):
    handle = hub.workflow.submit(tasks.add, 1)
    change = store.database["tasks"].update_one

    def cancel():
        change({"_id": handle.id}, {"$set": {"cancel": False}})
        change({"_id": handle.id}, {"$set": {"cancel": True}})
        return rings(bell, 0.2) and bell.heard()

    assert eventually(cancel)


def test_other_queues_do_not_ring(bell, hub, tasks, eventually):
    eventually(lambda: hub.workflow.submit(tasks.add, 1, rerun=True) and rings(bell, 0.2))
    while rings(bell, 0.3):
        bell.heard()

    hub.workflow.submit(tasks.add, 1, queue="gpu")

    assert not rings(bell, 0.5)


def test_who_rests_hears_of_no_change_and_wakes_with_a_ring(bell, hub, tasks, eventually):
    eventually(lambda: hub.workflow.submit(tasks.add, 1, rerun=True) and rings(bell, 0.2))
    bell.rest()
    assert bell.is_resting
    hub.workflow.submit(tasks.add, 2)  # the last that is heard of
    while rings(bell, 0.5):
        bell.heard()

    hub.workflow.submit(tasks.add, 3)
    assert not rings(bell, 0.5)

    bell.wake()
    assert rings(bell)
    bell.heard()
    assert bell.has_news
    eventually(lambda: hub.workflow.submit(tasks.add, 1, rerun=True) and rings(bell, 0.2))


def test_a_ring_from_inside_is_no_news(bell, eventually):
    assert rings(bell)  # it watches from now on
    bell.heard()
    bell.has_news = False

    bell.ring()

    assert rings(bell)
    assert not bell.heard()
    assert not bell.has_news


@pytest.fixture
def rung():
    return threading.Event()


@pytest.fixture
def errands(rung):
    errands = Errands(rung.set)
    yield errands
    errands.close()


def test_what_others_ask_for_is_done_by_whoever_heeds(errands, rung):
    done = []
    errands.claim(lambda: errands.tell(lambda: done.append(threading.current_thread())))

    assert rung.wait(5)
    assert done == []
    errands.heed()
    assert done == [threading.current_thread()]


@pytest.mark.parametrize(
    "error", [LeaseLost("gone"), StoreUnavailable("away"), OperationFailure("refused", 1)]
)
def test_an_end_that_cannot_be_written_is_no_end_of_the_agent(errands, rung, error):
    steps = []

    def fail():
        raise error

    errands.record(
        [SimpleNamespace(id="a")], lambda: steps.append(1), fail, lambda: steps.append(2)
    )

    assert rung.wait(5)
    assert steps == [1]
    assert errands.recorded()
    assert not errands.recorded()


def test_one_slow_end_holds_up_no_claim(errands, rung):
    gate, claimed = threading.Event(), threading.Event()
    for _ in range(10):
        errands.record([SimpleNamespace(id="a")], gate.wait)

    errands.claim(claimed.set)

    assert claimed.wait(5)
    assert errands.is_recording("a")
    assert not errands.is_recording("b")
    gate.set()


def test_what_is_still_being_done_is_not_begun_anew(errands):
    gate, begun = threading.Event(), []

    def look():
        begun.append(1)
        gate.wait(5)

    errands.send("look", look)
    errands.send("look", look)
    gate.set()
    errands.close()

    assert begun == [1]
