"""What a task says, raises or holds, and what others write into the database, kills no agent."""

from __future__ import annotations

import datetime

import bson.datetime_ms
import pytest

from tensorlayer.errors import Corrupt, TaskFailed
from tensorlayer.workflow.claims import Claims


@pytest.fixture
def good(hub):
    """Return a function that gives the document of a task that could run."""

    def make():
        now = hub.store.now()
        return {
            "_id": "f" * 32,
            "schema": 1,
            "identity": "i",
            "function": "sample_tasks:add",
            "module": "sample_tasks",
            "arguments": {"args": [1], "kwargs": {}},
            "queue": "default",
            "state": "waiting",
            "created": now,
            "not_before": now - datetime.timedelta(days=1),
        }

    return make


WRONG = {
    "no function": {"function": None},
    "a number for a function": {"function": 3},
    "a list for a function": {"function": ["sample_tasks:add"]},
    "no time": {"created": None},
    "a text for a time": {"created": "yesterday", "not_before": "yesterday"},
    "a year that Python lacks": {"created": bson.datetime_ms.DatetimeMS(2**61)},
    "arguments that are a list": {"arguments": [1]},
    "arguments of another shape": {"arguments": {"args": {"a": 1}, "kwargs": []}},
    "arguments that are missing": {"arguments": None},
    "arguments of another function": {"arguments": {"args": [1, 2, 3], "kwargs": {}}},
    "arguments with an unknown tag": {"arguments": {"args": [{"~magic": 1}], "kwargs": {}}},
    "a lease that is a text": {"lease": "mine", "errors": "many"},
    "a lease that is a list": {"lease": [], "attempt": -7},
    "a history that is a document": {"history": {"event": "claimed"}, "crashes": True},
    "a history of numbers": {"history": [1, 2]},
    "an attempt that is a text": {"attempt": "first", "max_attempts": 0},
    "a huge attempt": {"attempt": 2**63 - 1},
    "a limit that is not finite": {"run_timeout_seconds": float("inf")},
    "a limit that is no number": {"max_crashes": float("nan")},
    "a cancel that is a text": {"cancel": "no"},
    "a queue that is a list": {"queue": ["default"]},
    "a document that is as large as can be": {"more": b"x" * (16 * 2**20 - 500)},
}


#: These can be claimed; the process that binds them finds out.
ARGUMENTS = {name for name in WRONG if "arguments " in name and "a list" not in name}


@pytest.mark.parametrize("name", sorted(WRONG.keys() - ARGUMENTS))
def test_a_broken_document_is_a_dead_letter_and_blocks_nobody(hub, store, good, name):
    changed = good() | WRONG[name]
    document = {field: value for field, value in changed.items() if value is not None}
    hub.database["tasks"].insert_one(document)
    handle = hub.workflow.submit("sample_tasks:add", 1)
    claims = Claims(store, owner="a", host="h")

    assert claims.claim(["default"], lease_seconds=60.0).id == handle.id
    found = hub.database["tasks"].find_one({"_id": document["_id"]}, {"state": 1, "history": 1})
    assert found["state"] == "dead"
    assert "the document is not a task" in found["history"][-1]["reason"]


def test_agents_outlive_all_of_them(hub, start_agent, tasks, good, eventually):
    agent = start_agent(hub)
    for number, wrong in enumerate(WRONG.values()):
        changed = good() | {"_id": f"{number:032x}"} | wrong
        document = {name: value for name, value in changed.items() if value is not None}
        hub.database["tasks"].insert_one(document)
    running = {"state": "running", "lease": "nobody's", "_id": "e" * 32}
    hub.database["tasks"].insert_one(good() | running)
    of_nobody = {"state": "dreaming", "_id": "d" * 32}
    hub.database["tasks"].insert_one(good() | of_nobody)

    assert hub.workflow.submit(tasks.add, 41).wait(30) == 42

    alive = {"state": {"$in": ["waiting", "running"]}}
    eventually(lambda: not hub.database["tasks"].count_documents(alive))
    assert agent.process.poll() is None
    for document in hub.database["tasks"].find({"state": "dead"}, {"history": 1}):
        assert document["history"][-1]["reason"]
    listed = {task.id: task for task in hub.workflow.tasks()}
    assert len(listed) == len(WRONG) + 3
    assert "'state' must be one of waiting" in listed["d" * 32].broken
    with pytest.raises(Corrupt, match="'state' must be one of waiting"):
        hub.workflow.handle("d" * 32).status()


def test_a_message_that_is_no_unicode_reaches_the_database(hub, start_agent, tasks, eventually):
    agent = start_agent(hub)
    handle = hub.workflow.submit(tasks.reports_a_file)

    progress = eventually(lambda: handle.task().progress)

    assert progress["message"] == "caf\\udce9.png"
    assert handle.wait(10) == "reported"
    assert agent.process.poll() is None


@pytest.mark.parametrize(
    ("line", "times"),
    [
        (b"nonsense\n", 1),
        (b"[" * 100_000 + b"\n", 1),
        (b'{"no": "kind"}\n', 1),
        (b'{"kind": "dance"}\n', 1),
        (b'{"kind": ["ended"]}\n', 1),
        (b'{"kind": "progress", "id": 5, "attempt": 1, "fraction": 2, "message": 3}\n', 1),
        (b'{"kind": "session", "id": "zz"}\n', 1),
        (b"x" * 2**20, 100),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_child_that_talks_nonsense_is_ended(hub, start_agent, tasks, line, times):
    agent = start_agent(hub)

    with pytest.raises(TaskFailed, match=r"1 crashes.*what its process told the agent is no mess"):
        hub.workflow.submit(tasks.talks, line, times).wait(20)

    assert hub.workflow.submit(tasks.add, 1).wait(10) == 2
    assert agent.process.poll() is None


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("surrogate", r"ValueError: caf\\udce9.png"),
        ("unprintable", r"Unprintable: \(its text could not be made: RuntimeError\)"),
    ],
)
def test_an_error_without_proper_words_is_recorded(hub, start_agent, tasks, what, words):
    agent = start_agent(hub)

    with pytest.raises(TaskFailed, match=rf"1 errors and 0 crashes(?s:.*){words}"):
        hub.workflow.submit(tasks.raises, what).wait(10)

    assert agent.process.poll() is None
