"""What tests of examples share: a script, run as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, folder: Path, *arguments: str, seconds: float = 300) -> str:
    """Run an example in a folder of its own, and return what it prints."""
    finished = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        cwd=folder,
        env={**os.environ, "TENSORLAYER_HOME": str(folder / "home")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
    )
    assert finished.returncode == 0, finished.stdout
    return finished.stdout


def kill_when(path: Path, name: str, folder: Path, *arguments: str, seconds: float = 200) -> None:
    """Start an example, and kill it without a warning as soon as there is a file."""
    with subprocess.Popen(
        [sys.executable, str(EXAMPLES / name), *arguments],
        cwd=folder,
        env={**os.environ, "TENSORLAYER_HOME": str(folder / "home")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        deadline = time.monotonic() + seconds
        while not path.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        was_running = process.poll() is None
        process.kill()
    assert was_running, f"{name} ended before there was {path}"
    assert path.exists(), f"{name} has not written {path} in {seconds} s"
