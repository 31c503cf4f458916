"""Runs the scripts after ``disable_v2_behavior()``, in a process of its own.

Prints a line of JSON for each: its name, and the error if there was one.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
import runpy
import sys
import tempfile
import traceback

HERE = pathlib.Path(__file__).parent


def names() -> list[str]:
    """Return the names of the scripts."""
    others = {"__init__", "run", "checks", "conftest"}
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in others)


def run(name: str, folder: str | os.PathLike[str]) -> str:
    """Run a script in a folder and check what it found; return what it printed."""
    from tests.layers.scripts_of_1x import checks

    printed, before = io.StringIO(), pathlib.Path.cwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(printed):
            found = runpy.run_path(str(HERE / f"{name}.py"))
            getattr(checks, name)(found)
    finally:
        os.chdir(before)
    return printed.getvalue()


def main() -> None:
    """Run all, or those that are named on the command line."""
    import tensorflow as tf

    tf.compat.v1.disable_v2_behavior()
    for name in sys.argv[1:] or names():
        error = ""
        with tf.Graph().as_default(), tempfile.TemporaryDirectory() as folder:
            tf.compat.v1.set_random_seed(1)
            try:
                run(name, folder)
            except Exception:  # noqa: BLE001 - the test shows it
                error = traceback.format_exc()
        print(json.dumps({"name": name, "error": error}), flush=True)


if __name__ == "__main__":
    main()
