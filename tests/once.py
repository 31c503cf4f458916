"""What is done once in a whole test run, whatever the number of its workers."""

from __future__ import annotations

import fcntl
import json
import os


def once(tmp_path_factory, name, make):
    """Return what ``make()`` gave the first worker that asked, by way of JSON."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # of this worker's folder and of the others'
    path = root / f"{name}.json"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            path.write_text(json.dumps(make()))
    return json.loads(path.read_text())
