"""What one child does with one attempt; whole processes are tested with the agent."""

from __future__ import annotations

import socket
import threading

import pytest

from tensorlayer.errors import StoreUnavailable
from tensorlayer.workflow.child import Executor
from tensorlayer.workflow.claims import Claims
from tensorlayer.workflow.process import Channel


@pytest.fixture
def line():
    """Return both ends of a line."""
    ends = [Channel(each) for each in socket.socketpair()]
    yield ends
    for each in ends:
        each.close()


@pytest.fixture
def executor(hub, line):
    return Executor(hub, ["sample_tasks"], line[0], owner="a", host="h")


@pytest.fixture
def claim(store):
    return lambda owner="a": Claims(store, owner=owner, host="h").claim(
        ["default"], lease_seconds=60.0
    )


def test_an_attempt_is_executed(hub, tasks, executor, claim):
    handle = hub.workflow.submit(tasks.add, 1)
    task = claim()

    assert executor.run(task.id, task.attempt) == "done"
    assert handle.wait(1) == 2


def test_events_are_written_before_the_task_is_done(hub, store, tasks, executor, claim):
    hub.workflow.submit(tasks.logs)
    task = claim()

    assert executor.run(task.id, task.attempt) == "done"
    assert store.database["events"].count_documents({}) == 1


def test_what_another_agent_holds_is_not_executed(hub, tasks, executor, claim, tmp_path):
    hub.workflow.submit(tasks.polite, str(tmp_path))
    task = claim("b")

    assert executor.run(task.id, task.attempt) == "lost"
    assert list(tmp_path.iterdir()) == []


def test_an_order_for_an_older_attempt_is_not_executed(hub, store, tasks, executor, claim):
    hub.workflow.submit(tasks.add, 1)
    Claims(store, owner="a", host="h").release(claim())
    task = claim()

    assert executor.run(task.id, task.attempt - 1) == "lost"


def test_a_cancel_that_came_early_is_not_forgotten(hub, tasks, executor, claim, tmp_path):
    handle = hub.workflow.submit(tasks.polite, str(tmp_path))
    task = claim()
    handle.cancel()
    executor.cancel(task.id, task.attempt)

    worker = threading.Thread(target=executor.run, args=(task.id, task.attempt))
    worker.start()
    worker.join(10)

    assert handle.status().value == "cancelled"


def test_a_cancel_holds_for_one_attempt(hub, tasks, executor, claim):
    handle = hub.workflow.submit(tasks.was_cancelled)
    first = claim()
    handle.cancel()
    executor.cancel(first.id, first.attempt)
    assert executor.run(first.id, first.attempt) == "cancelled"

    handle.requeue()
    again = claim()

    assert executor.run(again.id, again.attempt) == "done"
    assert handle.wait(1) is False


def test_a_task_that_came_with_the_order_is_not_read(hub, store, tasks, executor, claim):
    handle = hub.workflow.submit(tasks.add, 1)
    task = claim()
    nothing = {"arguments": {"args": ["changed"], "kwargs": {}}}
    store.database["tasks"].update_one({"_id": task.id}, {"$set": nothing})

    assert executor.run(task.id, task.attempt, task) == "done"
    assert handle.wait(1) == 2


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"args": {"a": 1}, "kwargs": {}}, "must hold a list 'args'"),
        ({"args": [1, 2, 3], "kwargs": {}}, "cannot be called like this"),
        ({"args": [{"~magic": 1}], "kwargs": {}}, "unknown tag '~magic'"),
    ],
)
def test_arguments_that_never_fit_are_tried_once(
    hub, store, tasks, executor, claim, arguments, reason
):
    handle = hub.workflow.submit(tasks.add, 1)
    store.database["tasks"].update_one({"_id": handle.id}, {"$set": {"arguments": arguments}})
    task = claim()

    assert executor.run(task.id, task.attempt) == "dead"
    assert reason in handle.task().last_failure["reason"]


def test_a_cancel_of_another_task_changes_nothing(hub, tasks, executor, claim):
    handle = hub.workflow.submit(tasks.add, 1)
    task = claim()
    executor.cancel("f" * 32, task.attempt)

    assert executor.run(task.id, task.attempt) == "done"
    assert handle.wait(1) == 2


def test_the_session_of_the_commit_is_told_before_it(hub, tasks, executor, claim, line):
    hub.workflow.submit(tasks.add, 1)
    task = claim()
    executor.run(task.id, task.attempt)

    messages = line[1].receive_all()

    assert [each["kind"] for each in messages] == ["ending", "session"]
    message = messages[1]
    assert len(bytes.fromhex(message["id"])) == 16


def test_an_outage_at_the_end_is_said(hub, tasks, executor, claim, monkeypatch):
    hub.workflow.submit(tasks.add, 1)
    task = claim()

    def away(*_, **__):
        raise StoreUnavailable("away")

    monkeypatch.setattr(executor._claims, "end_together", away)
    monkeypatch.setattr(executor._claims, "fail", away)

    assert executor.run(task.id, task.attempt) == "unavailable"
