"""What tests of examples share: a script, run as a user runs it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import runpy
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

EXAMPLES = Path(__file__).parents[2] / "examples"


def begin(
    name: str | Path, folder: Path, *arguments: str, stdout: int = subprocess.DEVNULL
) -> subprocess.Popen[str]:
    """Start an example, or another script, in a folder of its own."""
    return subprocess.Popen(
        [sys.executable, str(EXAMPLES / name), *arguments],
        cwd=folder,
        env={**os.environ, "TENSORLAYER_HOME": str(folder / "home")},
        stdout=stdout,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(
    name: str | Path, folder: Path, *arguments: str, seconds: float = 300, code: int = 0
) -> str:
    """Run an example to its end, which has this exit code, and return what it prints."""
    with begin(name, folder, *arguments, stdout=subprocess.PIPE) as process:
        try:
            shown = process.communicate(timeout=seconds)[0]
        finally:
            process.kill()
    assert process.returncode == code, shown
    return shown


def kill_when(path: Path, name: str, folder: Path, *arguments: str, seconds: float = 200) -> None:
    """Start an example, and kill it without a warning as soon as there is a file."""
    with begin(name, folder, *arguments) as process:
        deadline = time.monotonic() + seconds
        while not path.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        was_running = process.poll() is None
        process.kill()
    assert was_running, f"{name} ended before there was {path}"
    assert path.exists(), f"{name} has not written {path} in {seconds} s"


def help_of(name: str) -> str:
    """Return what an example prints for ``--help``, in this process, where TensorFlow is there."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit):
        run_here(name, "--help")
    return shown.getvalue()


def run_within(name: str, folder: Path, *arguments: str) -> str:
    """Do what [`run`][] does, in this process: of a program that another test runs as users do."""
    shown, before = io.StringIO(), Path.cwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(shown):
            run_here(name, *arguments)
    finally:
        os.chdir(before)
    return shown.getvalue()


def run_here(name: str, *arguments: str) -> None:
    """Run an example in this process: one that refuses what it is told, before any work."""
    path = str(EXAMPLES / name)
    beside = [str(EXAMPLES), *sys.path]  # as Python does for a script
    with mock.patch.object(sys, "argv", [path, *arguments]), mock.patch.object(sys, "path", beside):
        runpy.run_path(path, run_name="__main__")


def last_event(folder: Path) -> dict[str, float]:
    """Return what a run logged last, but for the name of the run."""
    line = (folder / "events.jsonl").read_text().splitlines()[-1]
    return {name: value for name, value in json.loads(line).items() if name != "run"}
