"""The two doors of a task, with real agents that are killed, frozen and cancelled."""

import os
import signal

import numpy as np
import pytest

from tensorlayer.errors import TaskFailed


def test_a_kill_keeps_what_was_published_and_nothing_that_was_staged(
    hub, start_agent, tasks, started, tmp_path, eventually
):
    first = start_agent(hub)
    handle = hub.workflow.submit(tasks.publishes, str(tmp_path))
    started()
    assert [each.step for each in hub.models.list("mlp")] == [1]  # others see it at once
    assert hub.models.keys() == ["mlp"]
    assert len(hub.datasets["out"]) == 0
    start_agent(hub)

    first.send(signal.SIGKILL)
    started("started-2")
    (tmp_path / "go").touch()

    assert handle.wait(30) == ([1, 2], 1)  # the second attempt went on where the first was
    versions = hub.models.list("mlp")
    assert [(each.number, each.step, each.attempt) for each in versions] == [(1, 1, 1), (2, 2, 2)]
    assert [each.step for each in hub.models.list("final")] == [2]
    np.testing.assert_array_equal(hub.datasets["out"].where().arrays()[0], np.arange(20_000))
    hub.store.presence.clean()
    assert hub.database["samples"].count_documents({}) == 20_000


def test_who_lost_the_task_publishes_nothing(
    hub, start_agent, tasks, started, tmp_path, eventually
):
    first = start_agent(hub)
    handle = hub.workflow.submit(tasks.publishes_late, str(tmp_path))
    started()
    first.send(signal.SIGSTOP)
    start_agent(hub)
    started("started-2")

    (tmp_path / "go-1").touch()  # the child of the frozen agent goes on, and is refused
    eventually(lambda: "LeaseLost" in first.text())
    assert hub.models.keys() == []
    (tmp_path / "go-2").touch()
    handle.wait(30)
    assert [each.attempt for each in hub.models.list("late")] == [2]


def test_a_cancelled_task_leaves_what_it_published_and_no_trace_of_the_rest(
    hub, start_agent, tasks, started, tmp_path, eventually
):
    start_agent(hub)
    handle = hub.workflow.submit(tasks.publishes, str(tmp_path))
    started()
    handle.cancel()
    eventually(lambda: handle.status().value == "cancelled", 30)

    assert hub.models.keys() == ["mlp"]
    assert hub.database["samples"].count_documents({}) == 0
    assert hub.database["datasets"].find_one({"_id": "out"})["pending"] == []


def test_connecting_inside_a_task_joins_it_or_says_that_it_does_not(hub, start_agent, tasks):
    agent = start_agent(hub)
    project = f"{hub.store.project}-own"
    handle = hub.workflow.submit(tasks.connects, project, max_attempts=1)
    with pytest.raises(TaskFailed, match="ValueError: the same: True"):
        handle.wait(60)

    assert hub.models.keys() == []  # it failed
    assert hub.store.client[project]["versions"].count_documents({}) == 1
    hub.store.client.drop_database(project)
    assert "opens a connection of its own: what it writes is visible at once" in agent.text()
    assert os.environ.get("TENSORLAYER_PROJECT") is None
