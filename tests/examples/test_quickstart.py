"""The quickstart as a user runs it: twice in a row, and with the server killed under it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import tensorlayer as tl
from tests.examples.running import run_here

SCRIPT = Path(__file__).parents[2] / "examples" / "quickstart.py"


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), "--epochs", "10"],
        cwd=folder,
        env={**os.environ, "TENSORLAYER_HOME": str(folder / "home")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, float]:
    """Return the best version and its test accuracy, as the script prints them."""
    shown = process.communicate(timeout=120)[0]
    assert process.returncode == 0, shown
    found = re.search(r"version (\d+): test accuracy ([\d.]+)%", shown)
    assert found, shown
    assert f"359 predictions of version {found[1]} in 'digits-predictions'" in shown
    return int(found[1]), float(found[2])


def servers(folder: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] == "mongod"
        and any(str(folder) in part for part in process.info["cmdline"] or ())
    ]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_quickstart(tmp_path):
    first, accuracy = finish(start(tmp_path))
    assert accuracy >= 96
    assert 1 <= first <= 10
    assert (tmp_path / "quickstart.png").read_bytes()[:4] == b"\x89PNG"

    second, accuracy = finish(start(tmp_path))  # adds versions 11 to 20
    assert accuracy >= 96
    assert 1 <= second <= 20

    running = start(tmp_path)
    deadline = time.monotonic() + 60
    while not servers(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(3)  # in the middle of the training
    for server in servers(tmp_path):
        server.kill()
    third, accuracy = finish(running)
    assert accuracy >= 96
    assert 1 <= third <= 30


def children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the processes that run tasks for a script."""
    every = psutil.Process(process.pid).children(recursive=True)
    return [each for each in every if "tensorlayer.workflow.child" in each.cmdline()]


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_a_training_that_is_killed_goes_on_after_the_latest_version(tmp_path):
    running = start(tmp_path)
    deadline = time.monotonic() + 60
    with connected(tmp_path) as hub:
        while time.monotonic() < deadline and n_versions(hub) < 3:
            time.sleep(0.05)
        assert n_versions(hub) >= 3
        before = children(running)
        for child in before:
            child.kill()

        _, accuracy = finish(running)

        assert before
        assert accuracy >= 96
        versions = hub.models.list("digits")
        assert [each.step for each in versions] == list(range(1, 11))
        assert {each.attempt for each in versions} == {1, 2}
        steps = [each.step for each in hub.models.events("digits") if each.name == "loss"]
        assert sorted(steps) == list(range(1, 11))


def connected(folder: Path) -> tl.hub.Hub:
    """Join the private server of a script as soon as it has one."""
    return tl.connect(project="quickstart", home=folder / "home")


def n_versions(hub: tl.hub.Hub) -> int:
    return len(hub.models.list("digits")) if "digits" in set(hub.models.keys()) else 0


def test_a_hub_that_cannot_be_had_is_a_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit, match=r"^Store: a URI starts with 'mongodb://'"):
        run_here("quickstart.py", "--uri", "hello")
