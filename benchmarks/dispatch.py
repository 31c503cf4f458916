"""What it costs to have tasks run by agents, against the bare updates of the database.

Run with ``python -m benchmarks.dispatch``; ``--quick`` takes a minute, ``--check`` exits with 1
if a bar is missed. The raw loop claims a document and marks it as done, as many loops at once as
the agent has slots: two acknowledged writes for each task and nothing else, so neither leases nor
processes nor exactly-once outputs.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
from pymongo import ASCENDING, IndexModel

import tensorlayer as tl
from benchmarks import empty_tasks, harness
from benchmarks.harness import Bar, Case, Samples, Spread
from tensorlayer.hub import Hub
from tensorlayer.storage.server import PrivateServer
from tensorlayer.workflow import schema
from tensorlayer.workflow.claims import Claims
from tensorlayer.workflow.tasks import Task

PACKAGES = ("pymongo",)
QUEUE = "dispatch"
N_SLOTS = (1, 4)

BARS = {
    "dispatch, 1 slot / raw loop": Bar(1.0, is_upper=False),
    "dispatch, 4 slots / raw loops": Bar(1.0, is_upper=False),
    "idle, 25 agents, percent of a core": Bar(5.0, is_upper=True),
    "claim p90, many finished / none": Bar(2.0, is_upper=True),
}


def documents(hub: Hub, n_tasks: int, **changes: Any) -> list[dict[str, Any]]:
    """Return the documents of tasks that wait."""
    now = hub.store.now()
    return [
        Task(
            id=uuid.uuid4().hex,
            identity="",
            function=f"{empty_tasks.__name__.rpartition('.')[2]}:nothing",
            arguments={"args": [number], "kwargs": {}},
            queue=QUEUE,
            created=now,
            not_before=now,
        ).to_document()
        | changes
        for number in range(n_tasks)
    ]


# -- 1. empty tasks


def raw(hub: Hub, n_tasks: int, n_loops: int) -> float:
    """Return how many documents a second bare loops claim and mark as done."""
    index = IndexModel(
        [("queue", ASCENDING), ("not_before", ASCENDING)],
        partialFilterExpression={"state": "waiting"},
    )
    tasks = hub.store.indexes("raw", index)
    waiting = {"state": "waiting", "queue": QUEUE}

    def loop(number: int) -> None:
        mine = {"$set": {"state": "running", "owner": number}, "$inc": {"attempt": 1}}
        done = {"$set": {"state": "done", "result": number}}
        while taken := tasks.find_one_and_update(waiting, mine, sort=[("not_before", 1)]):
            tasks.update_one({"_id": taken["_id"], "owner": number}, done)

    waits = documents(hub, n_tasks)
    with ThreadPoolExecutor(n_loops) as pool:
        started = time.perf_counter()
        tasks.insert_many(waits)
        list(pool.map(loop, range(n_loops)))
        return n_tasks / (time.perf_counter() - started)


def ours(hub: Hub, n_tasks: int) -> float:
    """Return how many tasks a second the agents that run now bring to their end."""
    tasks = schema.tasks(hub.store)
    waits = documents(hub, n_tasks)
    started = time.perf_counter()
    tasks.insert_many(waits)
    for state in ("waiting", "running"):
        while tasks.find_one({"state": state, "queue": QUEUE}, {"_id": 1}):
            time.sleep(0.02)
    return n_tasks / (time.perf_counter() - started)


@contextlib.contextmanager
def agents(
    hub: Hub, n_agents: int, n_slots: int, tasks: str = empty_tasks.__file__
) -> Iterator[list[subprocess.Popen]]:
    """Run agents as long as the statement lasts; it is entered when all are ready."""
    command = [sys.executable, "-m", "tensorlayer.cli.agent", "--queues", QUEUE]
    command += ["--slots", str(n_slots), "--import", tasks]
    environment = {**os.environ, **hub.environment()}
    environment["PYTHONPATH"] = str(Path(__file__).parents[1])
    started = [
        subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        for _ in range(n_agents)
    ]
    try:
        ready = {"ready": n_slots, "pid": {"$in": [each.pid for each in started]}}
        while hub.database["agents"].count_documents(ready) < n_agents:
            if any(each.poll() is not None for each in started):
                sys.exit("an agent has ended")
            time.sleep(0.1)
        yield started
    finally:
        for each in started:
            each.terminate()
        for each in started:
            each.wait()


def dispatch(hub: Hub, is_quick: bool) -> Case:
    """Run empty tasks and bare loops in turns."""
    n_rounds, n_tasks = (3, 200) if is_quick else (5, 600)
    samples: Samples = {}
    figures = {}
    for n_slots in N_SLOTS:
        names = [f"agent with {n_slots}", f"raw with {n_slots}"]
        with agents(hub, 1, n_slots):
            ours(hub, n_tasks // 4)  # warm up
            for _ in range(n_rounds):
                samples.setdefault(names[0], []).append(ours(hub, n_tasks))
                samples.setdefault(names[1], []).append(raw(hub, n_tasks, n_slots))
        slots = "1 slot / raw loop" if n_slots == 1 else f"{n_slots} slots / raw loops"
        figures[f"dispatch, {slots}"] = Spread.of_ratios(*(samples[name] for name in names))
    return Case(name="dispatch", unit="tasks per second", samples=samples, figures=figures)


# -- 2. a new process after a failure


def renewing(hub: Hub, is_quick: bool) -> Case:
    """Wait for a task in a warm process, and for one that has to wait for a new process."""
    n_rounds = 3 if is_quick else 10
    samples: Samples = {"warm process": [], "new process": []}
    name = f"{empty_tasks.__name__.rpartition('.')[2]}"
    with agents(hub, 1, 1):
        for number in range(n_rounds):
            for contestant, taken in samples.items():
                if contestant == "new process":
                    failed = hub.workflow.submit(f"{name}:fail", number, queue=QUEUE)
                    while not failed.status().is_final:
                        time.sleep(0.002)
                started = time.perf_counter()
                again = hub.workflow.submit(f"{name}:nothing", number, queue=QUEUE, rerun=True)
                again.wait(30)
                taken.append((time.perf_counter() - started) * 1e3)
    return Case(name="renewing", unit="ms from submit to result", samples=samples, figures={})


# -- 3. agents that have nothing to do


def idle(hub: Hub, is_quick: bool) -> Case:
    """Add up the processor time of all processes of idle agents."""
    n_agents, n_seconds = (5, 20.0) if is_quick else (25, 30.0)
    shares = []
    with agents(hub, n_agents, 1) as started:
        time.sleep(15.0)  # what a start leaves to be done
        processes = [psutil.Process(each.pid) for each in started]
        processes += [child for each in list(processes) for child in each.children(recursive=True)]
        for _ in range(1 if is_quick else 5):
            before = _processor_seconds(processes)
            time.sleep(n_seconds)
            used = _processor_seconds(processes) - before
            shares.append(100 * used / n_seconds * 25 / n_agents)
    figures = {"idle, 25 agents, percent of a core": Spread.of(shares)}
    return Case(
        name="idle", unit="percent of a core", samples={"25 agents": shares}, figures=figures
    )


def _processor_seconds(processes: list[psutil.Process]) -> float:
    return sum(sum(each.cpu_times()[:2]) for each in processes)


# -- 4. claims beside finished tasks


def claiming(hub: Hub, is_quick: bool) -> Case:
    """Claim one task after the other, with and without many finished ones in the collection."""
    n_claims, n_finished = (200, 20_000) if is_quick else (500, 1_000_000)
    tasks = schema.tasks(hub.store)
    claims = Claims(hub.store, owner="benchmark", host="here")
    modules = ["empty_tasks"]
    samples: Samples = {}
    tasks.delete_many({})
    for what, n_more in (("none", 0), ("many finished", n_finished)):
        for begin in range(0, n_more, 20_000):
            n_batch = min(20_000, n_more - begin)
            tasks.insert_many(documents(hub, n_batch, state="done"), ordered=False)
        tasks.insert_many(documents(hub, n_claims))
        samples[what] = [
            1e3
            * harness.seconds(lambda: claims.claim([QUEUE], lease_seconds=600.0, modules=modules))
            for _ in range(n_claims)
        ]
    spreads = {what: Spread.of(taken) for what, taken in samples.items()}
    ratio = spreads["many finished"].p90 / spreads["none"].p90
    figures = {"claim p90, many finished / none": Spread.of([ratio])}
    return Case(name="claiming", unit="ms per claim", samples=samples, figures=figures)


CASES = (dispatch, renewing, idle, claiming)


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the results, and return 1 if ``--check`` finds a bar missed."""
    options = harness.options(__doc__, arguments)
    with tempfile.TemporaryDirectory() as home:
        with tl.connect(home=home) as hub:
            cases = [case(hub, options.quick) for case in CASES]
        PrivateServer(home).stop()
    return harness.report("dispatch", "Dispatching tasks", cases, BARS, options, packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
