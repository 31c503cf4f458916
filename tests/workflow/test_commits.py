"""Ends that share a transaction, and what happens when one of them cannot."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from types import SimpleNamespace

import pytest

from tensorlayer.errors import StoreUnavailable
from tensorlayer.workflow import ends
from tensorlayer.workflow.child import Within
from tensorlayer.workflow.claims import Claims
from tensorlayer.workflow.ends import Commits, Ready
from tensorlayer.workflow.tasks import Status


class Gated(Claims):
    """Holds the first commit back until the gate is open, and counts what shares each."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.gate, self.sizes = threading.Event(), []

    def end_together(self, ends):
        self.sizes.append(len(ends))
        if len(self.sizes) == 1:
            self.gate.wait(30)
        return super().end_together(ends)


@pytest.fixture
def claims(store):
    store.database.create_collection("outputs")
    return Gated(store, owner="a", host="h")


@pytest.fixture
def told():
    return {}


@pytest.fixture
def ready(hub, store, claims, told):
    """Return a function that brings a task to the point where its end is to be written."""

    def make(n, *changes, is_followed=False):
        hub.workflow.submit("my.tasks:train", n)
        task = claims.claim(["default"], lease_seconds=60.0)
        with store.staged(fence=claims.fence(task)) as stage:
            output = {"n": n}
            outputs = store.database["outputs"]
            store.commit(lambda session: outputs.insert_one(dict(output), session=session))
            for change in changes:
                store.commit(change)
        within = Within(stage, contextvars.copy_context())
        return Ready(
            end=claims.success(task, within, n),
            stage=stage,
            is_followed=is_followed,
            failed=lambda error: claims.fail(task, f"{type(error).__name__}", is_final=True),
            tell=lambda state: told.__setitem__(n, state),
        )

    return make


@pytest.fixture
def visible(store):
    return lambda: sorted(each["n"] for each in store.database["outputs"].find())


@pytest.fixture
def write(claims, ready, told, eventually):
    """Return a function that has a first end written, and others that come meanwhile."""

    def run(*others):
        commits = Commits(claims)
        commits.add(ready(0))
        eventually(lambda: claims.sizes)
        for each in others:
            commits.add(each)
        claims.gate.set()
        eventually(lambda: len(told) == 1 + len(others))

    return run


def test_what_became_ready_meanwhile_shares_one_transaction(
    hub, claims, ready, write, told, visible
):
    others = [ready(n) for n in range(1, 6)]

    write(*others)

    assert claims.sizes == [1, 5]
    assert set(told.values()) == {"done"}
    assert visible() == list(range(6))
    for each in others:
        [message] = hub.workflow.notifications(each.end.held.id)
        assert message.state is Status.DONE
        assert hub.workflow.handle(each.end.held.id).wait(1) == each.end.held.arguments["args"][0]


def test_one_whose_output_is_refused_fails_alone(store, ready, write, told, visible):
    twice = store.database["twice"]
    twice.insert_one({"_id": 1})
    refused = ready(2, lambda session: twice.insert_one({"_id": 1}, session=session))

    write(ready(1), refused, ready(3))

    assert told == {0: "done", 1: "done", 2: "dead", 3: "done"}
    assert visible() == [0, 1, 3]
    assert store.database["tasks"].find_one({"state": "dead"})["errors"] == 1


def test_one_whose_lease_was_lost_is_told_so_alone(store, ready, write, told, visible):
    lost = ready(2)
    Claims(store, owner="b", host="h").expire(lost.end.held)

    write(ready(1), lost, ready(3))

    assert told == {0: "done", 1: "done", 2: "lost", 3: "done"}
    assert visible() == [0, 1, 3]


def test_one_that_was_cancelled_is_cancelled_alone(hub, ready, write, told, visible):
    cancelled = ready(2)
    hub.workflow.cancel(cancelled.end.held.id)

    write(ready(1), cancelled, ready(3))

    assert told == {0: "done", 1: "done", 2: "cancelled", 3: "done"}
    assert visible() == [0, 1, 3]


def test_what_was_written_for_a_task_that_was_cancelled_is_removed_at_once(
    hub, store, ready, write
):
    cancelled = ready(2)
    cancelled.stage.add(Upload(store.database["uploads"]))
    hub.workflow.cancel(cancelled.end.held.id)

    write(ready(1), cancelled)

    assert store.database["uploads"].count_documents({}) == 0


class Upload:
    """A change for which something large was written before."""

    def __init__(self, uploads):
        self._uploads = uploads
        uploads.insert_one({})

    def prepare(self):
        pass

    def apply(self, session):
        pass

    def abandon(self):
        self._uploads.delete_many({})


def test_one_that_is_locked_holds_nobody_up(store, claims, ready, told, visible, eventually):
    """Somebody has the document in an open transaction."""
    locked, others = ready(1), [ready(n) for n in (0, 2, 3, 4)]
    claims.gate.set()
    commits = Commits(claims)
    with store.client.start_session() as session:
        session.start_transaction()
        change = {"$set": {"touched": True}}
        store.database["tasks"].update_one({"_id": locked.end.held.id}, change, session=session)
        for each in (others[0], locked, *others[1:]):
            commits.add(each)
        eventually(lambda: len(told) == 4)
        assert visible() == [0, 2, 3, 4]
        session.abort_transaction()
    eventually(lambda: told.get(1) == "done")


@pytest.mark.parametrize("error", [SystemExit, asyncio.CancelledError, GeneratorExit])
def test_a_task_that_wants_to_leave_in_its_commit_stays(ready, write, told, visible, error):
    def leave(session):
        raise error("enough")

    write(ready(1), ready(2, leave))

    assert told == {0: "done", 1: "done", 2: "dead"}
    assert visible() == [0, 1]


def test_an_outage_is_said_to_all(claims, ready, told, eventually, monkeypatch):
    def away(ends):
        raise StoreUnavailable("away")

    monkeypatch.setattr(claims, "end_together", away)
    commits = Commits(claims)
    for n in range(3):
        commits.add(ready(n))

    eventually(lambda: told == dict.fromkeys(range(3), "unavailable"))


class Noted:
    """Ends that are written at once, and only counted."""

    def __init__(self):
        self.sizes = []

    def end_together(self, ends):
        self.sizes.append(len(ends))
        return True


@pytest.fixture
def gather(monkeypatch):
    """Return a function that makes commits which wait so long for followers, and their sizes."""

    def make(seconds):
        monkeypatch.setattr(ends, "_GATHER_SECONDS", seconds)
        noted = Noted()
        return Commits(noted), noted.sizes

    return make


def returned(*, is_followed, n_operations=1):
    """Return a task whose function has returned, with an end of no meaning."""
    end = SimpleNamespace(status=Status.DONE)
    told = {"failed": None, "tell": lambda state: None}
    return Ready(end=end, stage=[None] * n_operations, is_followed=is_followed, **told)


def test_a_lone_end_waits_for_nobody(gather, eventually):
    commits, sizes = gather(30.0)

    commits.add(returned(is_followed=False))

    eventually(lambda: sizes == [1], 0.8)


def test_an_end_that_is_followed_waits_for_the_next(gather, eventually):
    commits, sizes = gather(30.0)

    commits.add(returned(is_followed=True))
    time.sleep(0.1)
    assert sizes == []
    commits.add(returned(is_followed=False))

    eventually(lambda: sizes == [2], 0.8)


def test_nobody_waits_long_for_a_follower_that_does_not_come(gather, eventually):
    commits, sizes = gather(0.4)

    commits.add(returned(is_followed=True))
    time.sleep(0.1)
    assert sizes == []

    eventually(lambda: sizes == [1], 0.6)


def test_no_more_than_64_share_a_transaction(gather, eventually):
    commits, sizes = gather(30.0)

    for _ in range(65):
        commits.add(returned(is_followed=True))

    assert eventually(lambda: sizes) == [64]


def test_an_end_of_more_than_ten_operations_is_no_short_one():
    assert returned(is_followed=False, n_operations=10).is_short
    assert not returned(is_followed=False, n_operations=11).is_short


def test_a_long_end_is_written_alone(claims, ready, write, told, visible):
    def nothing(session):
        pass

    write(ready(1), ready(2, *[nothing] * 20), ready(3))

    assert claims.sizes == [1, 2]
    assert set(told.values()) == {"done"}
    assert visible() == [0, 1, 2, 3]
