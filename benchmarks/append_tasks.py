"""Tasks of the memory benchmark: each appends many samples and tells what it started from."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np

import tensorlayer as tl

_MEGABYTES = 1 / 1024  # the system counts in kilobytes


@tl.workflow.task(max_attempts=1)
def append(name: str, shape: list[int], dtype: str) -> dict[str, float]:
    """Append an array that is in memory already; return pid and megabytes before it began."""
    dataset = tl.connect().datasets.create(name)
    values = (255 * np.random.default_rng(0).random(shape, np.float32)).astype(dtype)
    dataset.append(values[:64], progress=False)  # load all modules, start all threads
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts from here
    before = memory("VmRSS")
    dataset.append(values, labels=np.arange(len(values)), progress=False)
    return {"pid": os.getpid(), "before": before}


def memory(what: str, pid: int | str = "self") -> float:
    """Return ``VmRSS``, what a process has in memory, or ``VmHWM``, its peak, in megabytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) * _MEGABYTES


if __name__ == "__main__":
    begun = append(*json.loads(sys.argv[1]))
    print(memory("VmHWM") - begun["before"])
