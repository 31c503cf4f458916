"""When a lease is lost, and when an attempt is repeated."""

from __future__ import annotations

import datetime
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo.errors import OperationFailure

from tensorlayer.errors import LeaseLost, StoreUnavailable
from tensorlayer.workflow.agents import AgentSettings, tell
from tensorlayer.workflow.claims import Claims
from tensorlayer.workflow.lease import BEATS_PER_LEASE, LeaseWatch, Pulse, Sighting
from tensorlayer.workflow.tasks import Lease, Status, Task


def seen(task="t", mark=0, seconds=10.0, is_expired=True):
    return Sighting(task=task, mark=mark, seconds=seconds, is_expired=is_expired)


def test_an_expired_lease_is_lost_after_half_its_length():
    watch = LeaseWatch(max_gap_seconds=3.0)

    lost = [watch.look([seen()], now=now) for now in (0.0, 2.5, 4.9, 5.0)]

    assert lost == [[], [], [], ["t"]]


def test_a_lease_that_has_not_expired_is_never_lost():
    watch = LeaseWatch(max_gap_seconds=3.0)

    assert not any(watch.look([seen(is_expired=False)], now=now) for now in range(30))


def test_it_is_lost_as_soon_as_it_expires_if_it_was_suspect_long_enough():
    watch = LeaseWatch(max_gap_seconds=3.0)
    for now in range(8):
        watch.look([seen(is_expired=False)], now=now)

    assert watch.look([seen()], now=8.0) == ["t"]


@given(st.floats(0, 1), st.integers(1, 200))
def test_a_jump_of_the_server_clock_takes_no_lease_of_a_living_agent(phase, looks):
    """Every lease looks expired, but each beat changes it."""
    watch = LeaseWatch(max_gap_seconds=3.0)
    beat_seconds = 10.0 / BEATS_PER_LEASE

    for look in range(looks):
        now = look * 1.0
        mark = int((now + phase * beat_seconds) // beat_seconds)
        assert watch.look([seen(mark=mark)], now=now) == []


def test_a_gap_starts_the_observation_anew():
    watch = LeaseWatch(max_gap_seconds=3.0)
    watch.look([seen()], now=0.0)

    assert watch.look([seen()], now=100.0) == []
    assert watch.look([seen()], now=102.5) == []
    assert watch.look([seen()], now=105.0) == ["t"]


def test_a_lease_that_was_beaten_meanwhile_is_forgotten():
    watch = LeaseWatch(max_gap_seconds=3.0)
    watch.look([seen()], now=0.0)
    watch.look([], now=2.5)

    assert watch.look([seen()], now=5.0) == []


def test_leases_of_several_lengths_are_judged_apart():
    watch = LeaseWatch(max_gap_seconds=9.0)
    both = [seen("short", seconds=2.0), seen("long", seconds=20.0)]
    watch.look(both, now=0.0)

    assert watch.look(both, now=1.0) == ["short"]


@pytest.fixture
def agent(store):
    """Return a function that makes one side of claims for each name."""
    return lambda owner="a": Claims(store, owner=owner, host="here")


def submit(hub, n=0):
    return hub.workflow.submit("my.tasks:train", n)


def test_a_beat_prolongs_the_lease_and_brings_news(hub, agent):
    handle = submit(hub)
    claims = agent()
    task = claims.claim(["default"], lease_seconds=10.0)

    answer = claims.beat(task, {"fraction": 0.25, "message": "$half way"})

    assert answer.lease.expires > task.lease.expires
    assert not answer.cancel
    assert handle.task().progress == {"fraction": 0.25, "message": "$half way"}
    handle.cancel()
    assert claims.beat(task).cancel


def test_a_beat_after_the_own_end_is_no_loss(hub, agent):
    submit(hub)
    claims = agent()
    task = claims.claim(["default"], lease_seconds=10.0)
    claims.fail(task, "reason")

    assert claims.beat(task) is None


def test_a_beaten_lease_is_not_taken(hub, agent, store, eventually):
    submit(hub)
    claims = agent()
    seen = claims.claim(["default"], lease_seconds=10.0)
    claimed_at = seen.lease.expires - datetime.timedelta(seconds=10)
    # The server's clock has milliseconds: a beat within the same one prolongs nothing.
    assert eventually(lambda: store.now() > claimed_at, 5)
    claims.beat(seen)

    with pytest.raises(LeaseLost):
        agent("b").expire(seen)


def test_only_silent_leases_are_suspect(hub, agent, store):
    submit(hub, 1)
    silent = submit(hub, 2)
    claims = agent()
    claims.claim(["default"], lease_seconds=60.0)
    claims.claim(["default"], lease_seconds=60.0)
    past = {"lease.suspect": store.now(), "lease.expires": store.now()}
    store.database["tasks"].update_one({"_id": silent.id}, {"$set": past})

    [(task, sighting)] = agent("b").suspects()

    assert (task.id, sighting.is_expired, sighting.seconds) == (silent.id, True, 60.0)


def test_what_a_living_agent_says_of_a_locked_task_keeps_its_lease(hub, store, agent):
    """While the end of a task is committed, no beat passes."""
    submit(hub)
    task = agent().claim(["default"], lease_seconds=60.0)
    past = {"lease.suspect": store.now(), "lease.expires": store.now()}
    store.database["tasks"].update_one({}, {"$set": past})
    about = AgentSettings(imports=("my.tasks",)).about
    watch = LeaseWatch(max_gap_seconds=100.0)

    def look(running, now):
        tell(store, "a", about(running, n_ready=1, modules=()))
        [(_, sighting)] = agent("b").suspects()
        return watch.look([sighting], now=now)

    assert [look([task.id], now) for now in (0.0, 29.0, 58.0, 87.0)] == [[]] * 4
    assert [look([], now) for now in (90.0, 119.0)] == [[], []], "it has forgotten the task"
    assert look([], 120.0) == [task.id]


@pytest.mark.parametrize("code", [1, 13, 8000])
def test_a_server_that_lets_nobody_end_sessions_keeps_no_task(hub, store, agent, monkeypatch, code):
    submit(hub)
    lost = agent().claim(["default"], lease_seconds=60.0, session="0" * 32)
    other = agent("b")

    def refused(command):
        raise OperationFailure("not allowed", code)

    client = SimpleNamespace(admin=SimpleNamespace(command=refused))
    monkeypatch.setattr(store, "client", _InsteadOf(store.client, client))

    assert other.expire(lost) is Status.WAITING


class _InsteadOf:
    """An object of which some parts are replaced."""

    def __init__(self, whole, parts):
        self._whole, self._parts = whole, parts

    def __getattr__(self, name):
        return getattr(self._parts if hasattr(self._parts, name) else self._whole, name)


def test_an_operation_that_an_administrator_ends_is_tried_again(hub, store, agent, eventually):
    submit(hub)
    claims = agent()
    task = claims.claim(["default"], lease_seconds=60.0)
    beats = {"ns": f"{store.project}.tasks", "command.findAndModify": "tasks"}
    admin = store.client.admin

    def running():
        found = admin.aggregate([{"$currentOp": {}}, {"$match": beats}])
        return [each["opid"] for each in found]

    with ThreadPoolExecutor(1) as pool, store.client.start_session() as session:
        session.start_transaction()
        touch = {"$set": {"touched": True}}
        store.database["tasks"].update_one({"_id": task.id}, touch, session=session)
        answer = pool.submit(claims.beat, task)
        [opid] = eventually(running)
        admin.command("killOp", op=opid)
        eventually(lambda: answer.done() or running() not in ([], [opid]))
        session.abort_transaction()

    assert answer.result(10).lease.expires > task.lease.expires


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
