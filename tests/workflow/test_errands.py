"""What others do for the thread of an agent that decides; beats wait for nothing but their call."""

from __future__ import annotations

import datetime
import threading
import time
from types import SimpleNamespace

import pytest
from pymongo.errors import OperationFailure

from tensorlayer.errors import LeaseLost, StoreUnavailable
from tensorlayer.workflow.errands import Errands, Pulse
from tensorlayer.workflow.tasks import Lease, Status, Task


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


NOW = datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.timezone.utc)


def make_task(name, seconds=0.3, **changes):
    lease = Lease(owner="a", host="h", token="t", seconds=seconds, expires=NOW, suspect=NOW)
    fields = {"function": "m:f", "created": NOW, "not_before": NOW, "state": Status.RUNNING}
    return Task(id=name, lease=lease, **fields, **changes)


class Database:
    """Takes beats, and answers as it is told."""

    def __init__(self):
        self.beats, self.told = [], []
        self.answers = {}
        self.gate = threading.Event()

    def beat(self, held, progress=None, *, session=None):
        self.beats.append((held.id, progress, session))
        answer = self.answers.get(held.id, held)
        if answer == "slow":
            self.gate.wait(10)
            return held
        if isinstance(answer, Exception):
            raise answer
        return answer

    def tell(self, task, what):
        self.told.append((task.id, what))

    def count(self, name):
        return sum(each == name for each, _, _ in self.beats)


@pytest.fixture
def database():
    return Database()


@pytest.fixture
def pulse(database):
    pulse = Pulse(database.beat, database.tell, n_threads=4)
    yield pulse
    database.gate.set()
    pulse.close()


def test_leases_are_prolonged_until_they_are_forgotten(pulse, database, eventually):
    task = make_task("a")
    pulse.keep(task, "s")

    eventually(lambda: database.count("a") >= 3)
    pulse.forget(task)
    eventually(lambda: database.beats[-1] == ("a", None, "s"))
    before = database.count("a")
    time.sleep(0.3)

    assert database.count("a") <= before + 1  # one may have been on its way


def test_a_beat_that_waits_delays_no_other(pulse, database, eventually):
    database.answers["stuck"] = "slow"
    pulse.keep(make_task("stuck"), None)
    pulse.keep(make_task("b"), None)

    eventually(lambda: database.count("b") >= 5)
    assert database.count("stuck") == 1


def test_progress_comes_soon_and_once(pulse, database, eventually):
    task = make_task("a", seconds=60.0)
    pulse.keep(task, None)
    pulse.tell_session(task, "new")
    pulse.report((task.id, task.attempt), {"fraction": 0.5, "message": ""})

    eventually(lambda: database.beats == [("a", {"fraction": 0.5, "message": ""}, "new")], 5)


def test_who_hurries_learns_of_a_cancel(pulse, database, eventually):
    task = make_task("a", seconds=60.0)
    database.answers["a"] = make_task("a", cancel=True)
    pulse.keep(task, None)

    pulse.hurry()

    eventually(lambda: database.told == [("a", "cancel")], 5)


def test_an_end_that_was_written_is_told(pulse, database, eventually):
    database.answers["a"] = None
    pulse.keep(make_task("a"), None)

    eventually(lambda: ("a", "ended") in database.told)


def test_a_lost_lease_is_told(pulse, database, eventually):
    database.answers["a"] = LeaseLost("gone")
    pulse.keep(make_task("a"), None)

    eventually(lambda: ("a", "lost") in database.told)


@pytest.mark.parametrize("error", [StoreUnavailable("away"), OperationFailure("no", 1)])
def test_a_beat_that_fails_is_tried_again(pulse, database, eventually, error):
    database.answers["a"] = error
    pulse.keep(make_task("a"), None)

    eventually(lambda: database.count("a") >= 2)
    assert database.told == []


def test_a_slow_claim_costs_no_lease(hub, store, start_agent, tasks, tmp_path, eventually):
    """The head of the queue is locked by somebody for three leases."""
    first = start_agent(hub, "--slots", 2)
    handle = hub.workflow.submit(tasks.gated, str(tmp_path))
    eventually((tmp_path / "started-1").exists)
    start_agent(hub, "--queues", "other")  # which would take what is lost
    head = hub.workflow.submit(tasks.add, 2, queue="later")
    change = hub.database["tasks"].update_one
    soon = store.now() + datetime.timedelta(seconds=1)
    change({"_id": head.id}, {"$set": {"queue": "default", "not_before": soon}})

    with store.client.start_session() as session, session.start_transaction():
        change({"_id": head.id}, {"$set": {"touched": True}}, session=session)
        time.sleep(1 + 3 * first.LEASE_SECONDS)
        assert head.status() is Status.WAITING

    (tmp_path / "go").touch()
    assert handle.wait(10) == 1
    assert handle.task().crashes == 0
    assert head.wait(10) == 3


def test_who_hurries_may_leave_out_what_was_claimed_just_now(pulse, database, eventually):
    pulse.keep(make_task("old", seconds=60.0), None)
    time.sleep(0.05)
    pulse.keep(make_task("young", seconds=60.0), None)
    pulse._held["young", 0].since += 60.0

    pulse.hurry(age_seconds=0.04)

    eventually(lambda: database.count("old") == 1, 5)
    assert database.count("young") == 0
