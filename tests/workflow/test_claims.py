"""Who takes which task, on a real database."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import bson
import pytest
from pymongo.errors import AutoReconnect, OperationFailure

from tensorlayer.workflow import schema
from tensorlayer.workflow.claims import Claims, Taking
from tensorlayer.workflow.tasks import Backoff, Status

AT_ONCE = Backoff(base_seconds=0.0, cap_seconds=0.0)


@pytest.fixture
def agent(store):
    """Return a function that makes one side of claims for each name."""

    def make(owner="a"):
        return Claims(store, owner=owner, host="here", backoff=AT_ONCE, rng=random.Random(0))

    return make


def submit(hub, n=0, **options):
    return hub.workflow.submit("my.tasks:train", n, **options)


def test_a_claim_raises_the_attempt_and_starts_the_lease(hub, store, agent):
    handle = submit(hub)

    task = agent().claim(["default"], lease_seconds=10.0)

    assert (task.id, task.state, task.attempt) == (handle.id, Status.RUNNING, 1)
    assert (task.lease.owner, task.lease.host) == ("a", "here")
    assert (task.lease.expires - task.lease.suspect).total_seconds() == 5.0
    assert agent("b").claim(["default"], lease_seconds=10.0) is None


def test_the_oldest_is_claimed_first(hub, agent):
    handles = [submit(hub, n) for n in range(5)]
    claims = agent()

    claimed = [claims.claim(["default"], lease_seconds=10.0).id for _ in handles]

    assert claimed == [handle.id for handle in handles]


def test_each_attempt_has_one_holder(hub, agent):
    handles = [submit(hub, n) for n in range(30)]

    def work(owner):
        claims, mine = agent(owner), []
        while (task := claims.claim(["default"], lease_seconds=10.0)) is not None:
            mine.append(task.id)
        return mine

    with ThreadPoolExecutor(8) as pool:
        claimed = [each for mine in pool.map(work, "abcdefgh") for each in mine]

    assert sorted(claimed) == sorted(handle.id for handle in handles)
    for handle in handles:
        events = [(each["event"], each["attempt"]) for each in handle.task().history]
        assert events == [("claimed", 1)]


def test_only_tasks_of_imported_modules_are_taken(hub, agent):
    submit(hub)
    mine = hub.workflow.submit("your.tasks:train")
    claims = agent()

    def claim(*modules):
        return claims.claim(["default"], lease_seconds=10.0, modules=modules)

    assert claim() is None
    assert claim("my", "tasks") is None
    assert claim("your.tasks").id == mine.id


def test_what_others_hold_costs_a_claim_nothing(hub, agent, store):
    """Neither finished tasks nor those of other modules are looked at."""
    template = submit(hub).task().to_document()
    others = [
        {**template, "_id": str(n), "identity": str(n), "module": "your.tasks"} for n in range(500)
    ]
    ended = [{**each, "_id": f"e{each['_id']}", "state": "done"} for each in others]
    store.database["tasks"].insert_many(others + ended)

    query = {
        "state": "waiting",
        "queue": {"$in": ["default"]},
        "module": {"$in": ["my.tasks", None]},
        "$expr": {"$lte": ["$not_before", "$$NOW"]},
    }
    plan = store.database["tasks"].find(query).sort("not_before").limit(1).explain()

    assert plan["executionStats"]["totalKeysExamined"] <= 3
    assert agent().claim(["default"], lease_seconds=10.0, modules=["my.tasks"]) is not None


def test_claims_use_the_index_of_what_waits(hub, agent, store):
    for n in range(3):
        submit(hub, n)
    query = {
        "state": "waiting",
        "queue": {"$in": ["default", "gpu"]},
        "module": {"$in": ["my.tasks", "your.tasks", None]},
        "$expr": {"$lte": ["$not_before", "$$NOW"]},
    }

    plan = store.database["tasks"].find(query).sort("not_before").hint(schema.WAITING).explain()

    stages = str(plan["queryPlanner"]["winningPlan"])
    assert "'indexName': 'waiting_of_module'" in stages
    assert "COLLSCAN" not in stages
    assert "'stage': 'SORT'" not in stages


def test_it_is_quiet_when_nothing_waits_and_nothing_runs(hub, agent):
    claims = agent()
    assert claims.is_quiet(["default"])

    hub.workflow.submit("my.tasks:train", queue="gpu")
    assert claims.is_quiet(["default"])
    assert not claims.is_quiet(["default", "gpu"])

    task = claims.claim(["gpu"], lease_seconds=10.0)
    assert not claims.is_quiet(["default"])
    claims.fail(task, "reason", is_final=True)
    assert claims.is_quiet(["default", "gpu"])


EVENT = {"event": "claimed", "by": "a", "host": "h"}
WANTED = schema.waiting(["default"], ["my.tasks"])


def test_what_was_there_is_replaced(hub, store):
    handle = hub.workflow.submit("my.tasks:train")
    left = {"lease": {"owner": "old", "more": 1}, "attempt": "none", "history": "none"}
    store.database["tasks"].update_one({"_id": handle.id}, {"$set": left})

    taken = Taking(store, EVENT).take(WANTED, 10.0, "s")

    assert (taken["_id"], taken["attempt"]) == (handle.id, 1)
    assert (taken["lease"]["owner"], taken["lease"]["session"]) == ("a", "s")
    assert "more" not in taken["lease"]
    assert [event["event"] for event in taken["history"]] == ["claimed"]


def test_a_claim_whose_answer_was_lost_is_found_again(hub, store, monkeypatch):
    first, _ = hub.workflow.submit("my.tasks:train", 1), hub.workflow.submit("my.tasks:train", 2)
    taking = Taking(store, EVENT)
    real, answers = taking._tasks.find_one_and_update, []

    class Tasks:
        find_one = taking._tasks.find_one

        def find_one_and_update(self, *args, **kwargs):
            answers.append(real(*args, **kwargs))
            raise AutoReconnect("the answer was lost")

    monkeypatch.setattr(taking, "_tasks", Tasks())

    assert taking.take(WANTED, 10.0, None)["_id"] == first.id
    assert len(answers) == 1


def test_other_refusals_are_not_hidden(store, monkeypatch):
    taking = Taking(store, EVENT)
    monkeypatch.setattr(taking, "_changes", lambda *_, **__: [{"$set": {"x": {"$nonsense": 1}}}])

    with pytest.raises(OperationFailure):
        taking.take(WANTED, 10.0, None)


def submit_some(hub, n_tasks):
    return [hub.workflow.submit("my.tasks:train", n).id for n in range(n_tasks)]


def test_several_are_taken_oldest_first(hub, store):
    ids = submit_some(hub, 5)
    taking = Taking(store, EVENT)

    first, second = (taking.take_some(WANTED, 3, 10.0, "s") for _ in range(2))

    assert [each["_id"] for each in first + second] == ids
    for each in first:
        assert (each["state"], each["attempt"]) == ("running", 1)
        assert (each["lease"]["owner"], each["lease"]["is_shared"]) == ("a", True)
    assert taking.take_some(WANTED, 3, 10.0, None) == []


def test_some_whose_answer_was_lost_are_taken_once(hub, store, monkeypatch):
    ids = submit_some(hub, 5)
    taking = Taking(store, EVENT)
    real, answers = taking._tasks.update_many, []

    class Tasks:
        find = taking._tasks.find

        def update_many(self, *args, **kwargs):
            answers.append(real(*args, **kwargs).matched_count)
            if len(answers) == 1:
                raise AutoReconnect("the answer was lost")

    monkeypatch.setattr(taking, "_tasks", Tasks())

    assert [each["_id"] for each in taking.take_some(WANTED, 3, 10.0, None)] == ids[:3]
    assert answers == [3, 0]
    running = store.database["tasks"].find({"state": "running"})
    assert {each["_id"]: each["attempt"] for each in running} == dict.fromkeys(ids[:3], 1)


def test_who_was_slower_looks_again(hub, store, monkeypatch):
    ids = submit_some(hub, 4)
    taking, faster = Taking(store, EVENT), Taking(store, {**EVENT, "by": "b"})
    oldest, looks = taking._oldest, []

    def beaten(wanted, n_tasks):
        looks.append(oldest(wanted, n_tasks))
        if len(looks) == 1:
            faster.take_some(WANTED, 2, 10.0, None)
        return looks[-1]

    monkeypatch.setattr(taking, "_oldest", beaten)

    assert [each["_id"] for each in taking.take_some(WANTED, 2, 10.0, None)] == ids[2:]
    assert looks == [ids[:2], ids[2:]]


def test_who_is_always_slower_takes_one(hub, store, monkeypatch):
    [id_] = submit_some(hub, 1)
    taking = Taking(store, EVENT)
    monkeypatch.setattr(taking, "_oldest", lambda *_: ["gone"])

    assert [each["_id"] for each in taking.take_some(WANTED, 8, 10.0, None)] == [id_]


def test_several_owners_share_what_waits(hub, store):
    ids = submit_some(hub, 60)

    def work(owner):
        taking, mine = Taking(store, {**EVENT, "by": owner}), []
        while taken := taking.take_some(WANTED, 7, 10.0, None):
            mine += [each["_id"] for each in taken]
        return mine

    with ThreadPoolExecutor(4) as pool:
        shares = list(pool.map(work, "abcd"))

    assert sorted(id_ for share in shares for id_ in share) == sorted(ids)


def test_one_without_room_for_a_lease_holds_no_other_up(hub, store):
    first, large, last = submit_some(hub, 3)
    tasks = store.database["tasks"]
    found = tasks.find_one_and_delete({"_id": large})
    payload = b"x" * (16 * 2**20 - len(bson.encode(found)) - 50)
    tasks.insert_one({**found, "arguments": {"args": [payload], "kwargs": {}}})
    taking, taken = Taking(store, EVENT), []

    while some := taking.take_some(WANTED, 3, 10.0, None):
        taken += [each["_id"] for each in some]

    assert sorted(taken) == sorted([first, last])
    assert store.database["tasks"].find_one({"_id": large}, {"state": 1})["state"] == "dead"


@pytest.mark.parametrize("field", ["crashes", "interruptions"])
def test_who_may_have_killed_an_agent_is_taken_alone(hub, store, field):
    ids = submit_some(hub, 4)
    store.database["tasks"].update_one({"_id": ids[1]}, {"$set": {field: 1}})
    taking = Taking(store, EVENT)

    taken = [taking.take_some(WANTED, 8, 10.0, None) for _ in range(3)]

    assert [[each["_id"] for each in some] for some in taken] == [ids[:1], ids[1:2], ids[2:]]
    assert [some[0]["lease"]["is_shared"] for some in taken] == [False, False, True]
