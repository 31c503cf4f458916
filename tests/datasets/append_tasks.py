"""Tasks for the tests of appends that are killed: an agent imports this file."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

import tensorlayer as tl
from tensorlayer.whole import whole_file


@tl.workflow.task(max_crashes=3)
def append(folder):
    """Append without end in the first attempt, and a few samples in the next one."""
    dataset = tl.connect().datasets["digits"]
    if tl.workflow.current().attempt == 1:
        dataset.append(_endless(folder))
    return dataset.append(np.arange(3)).number


def _endless(folder):
    samples = tl.connect().database["samples"]
    for i in range(10_000):
        if i == 100:
            while samples.count_documents({}) < 60:
                time.sleep(0.01)
            with whole_file(Path(folder, "pid")) as temporary:
                temporary.write_text(str(os.getpid()))
            time.sleep(100)
        yield np.full(40_000, i)
