"""`tl tasks` as a user types it, on real tasks."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from tensorlayer.cli.tasks import app
from tensorlayer.errors import TaskNotFound


@pytest.fixture
def tl(hub, monkeypatch):
    """Return a function that runs `tl tasks ...` on the project of the test."""
    for name, value in hub.environment().items():
        monkeypatch.setenv(name, value)

    def run(*arguments):
        result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
        if result.exception is not None:
            raise result.exception
        return result.output

    return run


def test_tasks_are_listed_newest_first(tl, hub):
    handles = [hub.workflow.submit("my.tasks:train", n) for n in range(3)]

    rows = json.loads(tl("--json"))

    assert [row["id"] for row in rows] == [handle.id for handle in reversed(handles)]
    assert rows[0]["state"] == "waiting"
    assert rows[0]["function"] == "my.tasks:train"


def test_the_table_shows_short_ids(tl, hub):
    handle = hub.workflow.submit("my.tasks:train", queue="gpu")

    shown = tl()

    assert handle.id[:12] in shown
    assert handle.id not in shown
    assert "gpu" in shown


def test_states_and_queues_select(tl, hub):
    hub.workflow.submit("my.tasks:train", 1).cancel()
    waiting = hub.workflow.submit("my.tasks:train", 2)

    assert [row["id"] for row in json.loads(tl("--state", "waiting", "--json"))] == [waiting.id]
    assert json.loads(tl("--queue", "gpu", "--json")) == []


def test_one_task_is_shown_with_its_history(tl, hub):
    handle = hub.workflow.submit("my.tasks:train", model="mlp")
    handle.cancel()

    shown = json.loads(tl("show", handle.id[:8], "--json"))

    assert shown["model"] == "mlp"
    assert [event["event"] for event in shown["history"]] == ["cancelled"]
    assert "mlp" in tl("show", handle.id[:8])


def test_cancel_and_requeue(tl, hub):
    handle = hub.workflow.submit("my.tasks:train")

    assert json.loads(tl("cancel", handle.id, "--json"))["state"] == "cancelled"
    assert handle.status().value == "cancelled"
    assert json.loads(tl("requeue", handle.id, "--json"))["state"] == "waiting"
    assert handle.status().value == "waiting"


def test_unknown_ids_are_named(tl):
    with pytest.raises(TaskNotFound, match="no id begins like this"):
        tl("show", "abcdef")
