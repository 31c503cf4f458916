"""`tl agent` as a user types it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from tensorlayer.cli.main import app


def run(*arguments):
    command = [sys.executable, "-m", "tensorlayer.cli.agent", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_help_teaches_with_examples():
    result = run("--help")

    assert result.returncode == 0
    assert "tl agent --import train.py" in result.stdout
    assert "--parent" not in result.stdout


def test_settings_that_cannot_work_are_one_line():
    result = run("--import", "missing.py")

    assert result.returncode == 1
    assert result.stderr == "tl agent: import: there is no file 'missing.py'.\n"


def test_help_loads_no_driver_and_no_tensorflow():
    program = (
        "import sys, tensorlayer.cli.agent, tensorlayer.cli.tasks\n"
        "print([name for name in ('pymongo', 'tensorflow', 'numpy') if name in sys.modules])"
    )

    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert result.stdout.strip() == "[]"


def test_agent_and_workflow_load_no_tensorflow():
    program = (
        "import sys, tensorlayer.workflow.agent, tensorlayer.workflow.child\n"
        "print('tensorflow' in sys.modules)"
    )

    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert result.stdout.strip() == "False"


@pytest.fixture
def listed(hub):
    """Return a function that runs `tl agents`."""

    def run(*options):
        environment = {**hub.environment(), "COLUMNS": "80"}
        result = CliRunner().invoke(app, ["agents", *options], env=environment)
        assert result.exit_code == 0, result.output
        return result.output

    return run


def test_agents_are_listed(listed, hub):
    assert json.loads(listed("--json")) == []
    about = {"host": "box", "pid": 71, "queues": ["gpu"], "imports": ["mine"], "slots": 2}
    agents = hub.database["agents"]
    agents.insert_one({"_id": "a", **about, "running": ["ab" * 16], "beat": hub.store.now()})
    agents.insert_one({"_id": "b", "nonsense": True})

    shown = listed()

    for word in ("box", "71", "gpu", "mine", "abababab", "s ago"):
        assert word in shown
    assert "silent" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    [row] = json.loads(listed("--json"))
    assert (row["running"], row["silent"]) == (["ab" * 16], False)
