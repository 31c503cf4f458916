"""Agents that scripts start for themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tensorlayer.errors import InvalidArgument, TaskError

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
