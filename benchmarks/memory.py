"""How much memory an append needs besides its samples, alone and as the output of a task.

Run with ``python -m benchmarks.memory``; ``--quick`` takes a minute, ``--check`` exits with 1 if a
bar is missed. The peak of the process that appends counts, up to the commit of the task, over what
it had in memory when it began, the samples included.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile

import tensorlayer as tl
from benchmarks import append_tasks, harness
from benchmarks.dispatch import QUEUE, agents
from benchmarks.harness import Bar, Case, Samples, Spread
from tensorlayer.hub import Hub
from tensorlayer.storage.server import PrivateServer

PACKAGES = ("numpy", "pymongo")

#: Shape and type of the samples of one append.
_KINDS: dict[str, tuple[list[int], str]] = {
    "1,000 x 224x224x3": ([1_000, 224, 224, 3], "uint8"),
    "1,000,000 x 16 floats": ([1_000_000, 16], "float64"),
}

BARS = {
    f"append {kind}, {where}, extra MB": Bar(256.0, is_upper=True)
    for kind in _KINDS
    for where in ("alone", "as output of a task")
}


def append(hub: Hub, is_quick: bool) -> Case:
    """Append in a process of its own, and in the task of an agent."""
    samples: Samples = {}
    for kind, ([n, *shape], dtype) in _KINDS.items():
        n = n // 10 if is_quick else n
        for index in range(1 if is_quick else 3):
            name = f"{math.prod(shape)}-{index}"
            taken = {
                "alone": _alone(hub, f"alone-{name}", [n, *shape], dtype),
                "as output of a task": _task(hub, f"task-{name}", [n, *shape], dtype),
            }
            for where, megabytes in taken.items():
                samples.setdefault(f"append {kind}, {where}, extra MB", []).append(megabytes)
    figures = {name: Spread.of(taken) for name, taken in samples.items()}
    return Case(name="append", unit="MB", samples=samples, figures=figures)


def _alone(hub: Hub, *arguments: object) -> float:
    command = [sys.executable, "-m", append_tasks.__name__, json.dumps(arguments)]
    environment = {**os.environ, **hub.environment()}
    return float(subprocess.check_output(command, env=environment))


def _task(hub: Hub, *arguments: object) -> float:
    with agents(hub, 1, 1, append_tasks.__file__):
        handle = hub.workflow.submit("append_tasks:append", *arguments, queue=QUEUE)
        begun = handle.wait(progress=False)
        return append_tasks.memory("VmHWM", begun["pid"]) - begun["before"]


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the results, and return 1 if ``--check`` finds a bar missed."""
    options = harness.options(__doc__, arguments)
    with tempfile.TemporaryDirectory() as home:
        with tl.connect(home=home) as hub:
            cases = [append(hub, options.quick)]
        PrivateServer(home).stop()
    return harness.report("memory", "Memory", cases, BARS, options, packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
