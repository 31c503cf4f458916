"""`tl tasks` as a user types it, on real tasks."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from tensorlayer.cli.tasks import app
from tensorlayer.errors import TaskError, TaskNotFound
from tensorlayer.workflow.claims import Claims
from tensorlayer.workflow.tasks import Backoff


@pytest.fixture
def tl(hub, monkeypatch):
    """Return a function that runs `tl tasks ...` on the project of the test."""
    for name, value in hub.environment().items():
        monkeypatch.setenv(name, value)

    def run(*arguments, columns=200):
        result = CliRunner().invoke(app, arguments, env={"COLUMNS": str(columns)})
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

    assert handle.id[:8] in shown
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


def test_the_table_fits_into_80_columns(tl, hub):
    for n in range(3):
        name = "a.long.package.with.many.parts:and_a_function_with_a_long_name"
        hub.workflow.submit(name, n, queue="a-queue-of-some-length")

    lines = tl(columns=80).splitlines()

    assert max(map(len, lines)) <= 80
    assert sum("waiting" in line for line in lines) == 3
    assert len(lines) <= 3 + 5, "one line for each task"


def test_what_nobody_runs_says_why(tl, hub):
    hub.workflow.submit("my.tasks:train", queue="gpu")

    assert "no agent serves the q" in tl()
    assert json.loads(tl("--json"))[0]["broken"] is None


def test_a_broken_document_is_listed(tl, hub):
    hub.database["tasks"].insert_one({"_id": "ab" * 16, "state": "waiting", "function": 3})
    hub.workflow.submit("my.tasks:train")

    assert "broken" in tl()
    rows = json.loads(tl("--json"))
    assert {row["id"]: row["broken"] is not None for row in rows}["ab" * 16]


def test_arguments_and_result_are_shown_and_no_old_traceback(tl, hub, store):
    claims = Claims(store, owner="host:7:x", host="host", backoff=Backoff(base_seconds=0.0))
    handle = hub.workflow.submit("my.tasks:train", 0.125, text="x" * 2000)
    claims.fail(claims.claim(["default"], lease_seconds=9.0), "KeyError", traceback="TRACE\n")
    assert "TRACE" in tl("show", handle.id)

    with store.staged() as stage:
        held = claims.claim(["default"], lease_seconds=9.0)
        claims.end(claims.success(held, stage, {"loss": 0.5}))

    shown = tl("show", handle.id)
    assert "0.125" in shown
    assert "{'loss': 0.5}" in shown
    assert "x" * 300 not in shown.replace("\n", "").replace(" ", "") or "…" in shown
    assert "TRACE" not in shown
    assert "host:7" in shown


def test_a_state_that_does_not_exist_names_those_that_do(tl):
    with pytest.raises(SystemExit) as ended:
        tl("--state", "x")

    assert ended.value.code == 2


def test_the_message_names_the_states(hub):
    result = CliRunner().invoke(app, ["--state", "x"], env={**hub.environment(), "COLUMNS": "200"})

    assert result.exit_code == 2
    assert "a state is one of waiting, running, done, dead, cancelled, got 'x'" in result.output


def test_delete_says_what_and_asks(tl, hub):
    handle = hub.workflow.submit("my.tasks:train", 1)
    handle.cancel()
    hub.workflow.submit("my.tasks:train", 2)

    refused = CliRunner().invoke(app, ["delete", handle.id[:8]], input="n\n")
    assert refused.exit_code == 1
    assert f"Delete task {handle.id[:8]} (my.tasks:train, cancelled)?" in refused.output
    assert len(hub.workflow.tasks()) == 2

    assert json.loads(tl("delete", handle.id[:8], "-y", "--json")) == {"deleted": handle.id}
    [left] = hub.workflow.tasks()
    with pytest.raises(TaskError, match="is waiting"):
        tl("delete", left.id, "-y")


def test_a_broken_task_is_deleted_by_its_id(tl, hub):
    handle = hub.workflow.submit("my.tasks:train", 1)
    hub.database["tasks"].update_one({"_id": handle.id}, {"$set": {"state": "dead", "queue": 7}})
    refused = CliRunner().invoke(app, ["delete", handle.id[:8]], input="n\n")
    assert "(broken)" in refused.output
    tl("delete", handle.id[:8], "-y")
    assert hub.workflow.tasks() == []
