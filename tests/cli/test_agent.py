"""`tl agent` as a user types it."""

from __future__ import annotations

import subprocess
import sys


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
