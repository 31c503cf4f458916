from __future__ import annotations

import os
import select
import signal

import pytest

from tensorlayer.workflow import schema
from tensorlayer.workflow.bell import Bell


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
