"""What agents tell, and that each runs only what it has imported."""

from __future__ import annotations

import dataclasses
import datetime

import pytest

from tensorlayer.errors import Corrupt, TaskTimeout
from tensorlayer.workflow.agents import AgentInfo, why_nobody
from tensorlayer.workflow.tasks import Task

NOW = datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.timezone.utc)
AGENT = AgentInfo(
    id="a", host="h", pid=1, queues=("default",), modules=("my.tasks",), ready=1, beat=NOW
)
TASK = Task(id="ab" * 16, function="my.tasks:train", created=NOW, not_before=NOW)

MODULE = """
import tensorlayer as tl

@tl.workflow.task
def whose(n):
    return __name__
"""


def test_agents_take_only_what_they_have_imported(hub, start_agent, tmp_path):
    for name in ("ours", "yours"):
        file = tmp_path / f"{name}.py"
        file.write_text(MODULE)
        start_agent(hub, imports=(file,))

    handles = [
        (name, hub.workflow.submit(f"{name}:whose", n))
        for n in range(20)
        for name in ("ours", "yours")
    ]

    assert [handle.wait(20) for _, handle in handles] == [name for name, _ in handles]
    assert {handle.task().attempt for _, handle in handles} == {1}


def test_a_document_without_a_module_is_handed_on(hub, start_agent, tmp_path, eventually):
    for name in ("ours", "yours"):
        (tmp_path / f"{name}.py").write_text(MODULE)
    start_agent(hub, imports=(tmp_path / "ours.py",))
    handle = hub.workflow.submit("yours:whose", 1, queue="elsewhere")
    change = {"$unset": {"module": ""}, "$set": {"queue": "default"}}
    hub.database["tasks"].update_one({"_id": handle.id}, change)

    stored = {"_id": handle.id, "module": "yours", "state": "waiting"}
    eventually(lambda: hub.database["tasks"].count_documents(stored))
    start_agent(hub, imports=(tmp_path / "yours.py",))

    assert handle.wait(10) == "yours"


def test_who_waits_in_vain_is_told_why(hub, start_agent, tasks):
    nobody = hub.workflow.submit(tasks.add, 1, queue="gpu")
    with pytest.raises(TaskTimeout, match="no agent serves the queue 'gpu'"):
        nobody.wait(0.1)


def test_agents_tell_what_they_do(hub, start_agent, tasks, tmp_path, eventually):
    agent = start_agent(hub, "--slots", 2)
    handle = hub.workflow.submit(tasks.gated, str(tmp_path))

    [about] = eventually(lambda: [each for each in hub.workflow.agents() if each.running])

    assert (about.pid, about.slots, about.queues) == (agent.pid, 2, ("default",))
    assert about.modules == about.imports == ("sample_tasks",)
    assert about.running == (handle.id,)
    assert not about.is_silent(hub.store.now())


def test_what_is_no_agent_is_not_listed(hub):
    hub.database["agents"].insert_many([{"_id": 1}, {"_id": "x", "host": "h", "beat": "now"}])

    assert hub.workflow.agents() == []
    with pytest.raises(Corrupt, match="of 'agents'"):
        AgentInfo.from_document({"_id": "x", "host": "h", "pid": 1, "beat": "now"})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"queues": ("gpu",)}, "no agent serves the queue 'default'"),
        ({"modules": ("your.tasks",)}, "no agent imports the module 'my.tasks'"),
        ({"ready": 0}, "no agent imports the module 'my.tasks'"),
        ({"lease_seconds": 4.0}, "no agent serves the queue 'default'"),
    ],
)
def test_why_nobody_runs_a_task(changes, why):
    agent = dataclasses.replace(AGENT, **changes)

    assert why_nobody(TASK, [agent], NOW + datetime.timedelta(seconds=5)) == why
