"""Agents in lists, and agents that scripts start for themselves."""

from __future__ import annotations

import dataclasses
import datetime
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tensorlayer.errors import Corrupt, InvalidArgument, TaskError, TaskTimeout
from tensorlayer.workflow import agents
from tensorlayer.workflow.agents import AgentInfo, AgentSettings, why_nobody
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


ROOT = Path(__file__).parents[2]
TASKS = Path(__file__).with_name("sample_tasks.py")

SCRIPT = """
import os, sys, time
import tensorlayer as tl

@tl.workflow.task
def triple(x):
    return 3 * x

if __name__ == "__main__":
    with tl.connect() as hub, hub.workflow.agent([__file__]) as pid:
        print(hub.workflow.submit(triple, 14).wait(20), pid, flush=True)
        if "stay" in sys.argv:
            time.sleep(100)
"""


@pytest.fixture
def script(hub, tmp_path):
    """Return a function that starts a script which runs its own tasks."""
    path = tmp_path / "quick.py"
    path.write_text(SCRIPT)
    environment = {**os.environ, **hub.environment(), "PYTHONPATH": str(ROOT)}

    def start(*arguments):
        command = [sys.executable, str(path), *arguments]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    return start


def test_an_agent_lasts_as_long_as_the_statement(hub, tasks, is_gone, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with hub.workflow.agent([str(TASKS)], slots=2) as pid:
        assert hub.workflow.submit(tasks.add, 1).wait(10) == 2
        assert not is_gone(pid)

    assert is_gone(pid)
    assert hub.database["agents"].count_documents({}) == 0


def test_a_script_runs_the_functions_it_defines(hub, script):
    process = script()

    out, _ = process.communicate(timeout=60)

    assert out.split()[0] == "42"
    assert [task.function for task in hub.workflow.tasks()] == ["quick:triple"]


def test_the_agent_ends_with_a_script_that_is_killed(script, eventually, is_gone):
    process = script("stay")
    pid = int(process.stdout.readline().split()[1])

    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()

    assert eventually(lambda: is_gone(pid))


def test_an_agent_that_does_not_start_is_an_error(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    broken = tmp_path / "broken_tasks.py"
    broken.write_text("1 / 0")

    with (
        pytest.raises(TaskError, match="ended with exit code 1 before it was ready"),
        hub.workflow.agent([str(broken)]),
    ):
        pass


def test_a_script_that_starts_an_agent_while_it_is_imported_is_refused(hub, start_agent, tmp_path):
    endless = tmp_path / "endless.py"
    endless.write_text(
        "import tensorlayer as tl\nwith tl.connect() as hub, hub.workflow.agent([__file__]): pass\n"
    )

    agent = start_agent(hub, wait=False, imports=(endless,))

    assert agent.process.wait(20) == 1
    assert "Start it below `if __name__ == '__main__':`" in agent.text()


def test_a_missing_file_is_an_error_at_once(hub):
    with (
        pytest.raises(InvalidArgument, match=r"there is no file 'missing\.py'"),
        hub.workflow.agent(["missing.py"]),
    ):
        pass


def test_credentials_are_on_no_command_line(hub, tasks, monkeypatch):
    import psutil

    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with hub.workflow.agent([str(TASKS)]) as pid:
        agent = psutil.Process(pid)
        lines = " ".join(" ".join(each.cmdline()) for each in [agent, *agent.children()])

    assert "mongodb://" not in lines


def test_what_a_dead_agent_of_the_same_number_said_is_not_believed(store, eventually):
    """A container gives the same numbers to its processes each time it starts."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    about = AgentSettings(imports=("my.tasks",)).about((), n_ready=1, modules=())
    agents.tell(store, "old", {**about, "pid": ended.pid})
    told = store.now()
    assert eventually(lambda: store.now() > told)

    with pytest.raises(TaskError, match="exit code 0 before it was ready"):
        agents._await_ready(store, ended, store.now())
