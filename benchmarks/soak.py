"""An hour's worth of writes and kills in ten minutes, and whether anything acknowledged was lost.

Run with ``python -m benchmarks.soak --minutes 10``; ``--quick`` takes a minute, ``--check`` exits
with 1 if a bar is missed. Writers append samples, save models, log events and submit tasks, an
agent executes the tasks, and now and then the server, its supervisor, a writer or the agent is
killed.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import dataclasses
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

import tensorlayer as tl
from benchmarks import harness
from benchmarks.harness import Bar, Spread
from benchmarks.soak_tasks import note
from tensorlayer.storage.server import PrivateServer

PACKAGES = ("numpy", "pymongo")
PROJECT = "soak"
MEGABYTE = 2**20
LOOK_SECONDS = 1.0
#: Between two kills, at random.
PAUSE_SECONDS = (2.0, 8.0)
#: The writers may not be stopped by an outage that the server recovers from.
BUDGET_SECONDS = 120.0
#: Of a hundred kills.
VICTIMS = {"server": 45, "supervisor": 10, "supervisor and server": 10, "writer": 35}
#: Samples in one call, and events before one flush.
SAMPLES, EVENTS = 200, 100
IMAGE_BYTES, WEIGHTS_BYTES = 32 * 32 * 3, 256 * 512 * 8
#: After so many calls (1.8 GB), the writer of samples slows down.
MANY_BATCHES = 3000
KINDS = ("samples", "models", "events", "tasks")

BARS = {
    "acknowledged and lost": Bar(0, is_upper=True),
    "writers that failed": Bar(0, is_upper=True),
    "folder above 2x live data, MB": Bar(512, is_upper=True),
    "slowest start, s": Bar(10, is_upper=True),
}


# -- writers, each a process of its own: a line on stdout is what was acknowledged


class Net:
    """What a model needs to be saved: a megabyte of weights."""

    config = {"class": "soak.Net"}  # noqa: RUF012
    structure_digest = "0" * 64

    def __init__(self, number: int) -> None:
        self.number = number

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return weights that differ from version to version."""
        return {"w": np.random.default_rng(self.number).random((256, 512))}


def write(kind: str, home: str, writer: int, first: int) -> None:
    """Write until killed, and print the number of what was acknowledged."""
    with tl.connect(home=home, project=PROJECT, outage_budget_seconds=BUDGET_SECONDS) as hub:
        number = first
        while True:
            WRITE[kind](hub, writer, number)
            print(number, flush=True)
            number += 1


def _write_samples(hub: tl.Hub, writer: int, number: int) -> None:
    if number > MANY_BATCHES:
        time.sleep(1)
    images = np.random.default_rng((writer, number)).integers(
        0, 256, (SAMPLES, 32, 32, 3), np.uint8
    )
    keys = [f"{writer}-{number}-{n}" for n in range(len(images))]
    hub.datasets["images"].append(images, list(range(SAMPLES)), keys=keys, progress=False)


def _write_models(hub: tl.Hub, writer: int, number: int) -> None:
    hub.models.save(f"net-{writer}", Net(number), step=number)


def _write_events(hub: tl.Hub, writer: int, number: int) -> None:
    for n in range(EVENTS):
        hub.models.log(f"run-{writer}", {"loss": 1 / (n + 1)}, step=EVENTS * number + n)
    hub.models.flush()


def _write_tasks(hub: tl.Hub, writer: int, number: int) -> None:
    hub.workflow.submit(note, writer, number)
    time.sleep(0.1)  # one agent has to execute them all


WRITE = {
    "samples": _write_samples,
    "models": _write_models,
    "events": _write_events,
    "tasks": _write_tasks,
}


class Writer:
    """One writing process after the other, as they are killed, and what they acknowledged."""

    def __init__(self, kind: str, number: int, home: Path) -> None:
        self.kind, self.number, self.home = kind, number, home
        self.acknowledged: list[int] = []
        self.n_failed = 0
        self.is_over = False
        self.process: subprocess.Popen[str] | None = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        while not self.is_over:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.words()],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL if self.kind == "agent" else None,
                text=True,
            )
            assert self.process.stdout is not None
            for line in self.process.stdout:
                if line.endswith("\n"):
                    self.acknowledged.append(int(line))
            self.n_failed += self.process.wait() != -signal.SIGKILL

    def words(self) -> list[str]:
        """Return what to run."""
        first = self.acknowledged[-1] + 1 if self.acknowledged else 0
        numbers = [str(self.number), str(first)]
        return ["benchmarks.soak", "--write", self.kind, str(self.home), *numbers]

    def live_bytes(self) -> int:
        """Return the bytes of samples and weights alone: what the server counts, a kill spoils."""
        sizes = {"samples": SAMPLES * IMAGE_BYTES, "models": WEIGHTS_BYTES}
        return len(self.acknowledged) * sizes.get(self.kind, 0)

    def kill(self) -> None:
        """Kill the process; the next one goes on."""
        if self.process is not None:
            self.process.kill()

    def end(self) -> None:
        """Kill the process, and be over."""
        self.is_over = True
        self.kill()
        self.thread.join()


# -- what is killed, and what is looked at meanwhile


@dataclasses.dataclass
class Curve:
    """What was seen of the server, once in a while."""

    seconds: list[float] = dataclasses.field(default_factory=list)
    folder: list[float] = dataclasses.field(default_factory=list)
    live: list[float] = dataclasses.field(default_factory=list)
    oplog: list[float] = dataclasses.field(default_factory=list)

    def look(self, hub: tl.Hub, home: Path, writers: list[Writer], seconds: float) -> None:
        """Measure in megabytes: the folder, what was written, and the log of operations."""
        local = hub.store.client["local"]
        oplog = hub.store.call(lambda: local.command("collStats", "oplog.rs"))
        self.seconds.append(seconds)
        self.folder.append(folder_bytes(home / "data") / MEGABYTE)
        self.live.append(sum(each.live_bytes() for each in writers) / MEGABYTE)
        self.oplog.append(oplog["storageSize"] / MEGABYTE)

    def excess(self) -> float:
        """Return how far the folder was above twice the live data, at the worst."""
        return max(np.subtract(self.folder, np.multiply(2, self.live)))


def folder_bytes(folder: Path) -> int:
    """Return what all files take on disk; some vanish meanwhile."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += 512 * path.stat().st_blocks
    return total


class Agent(Writer):
    """One agent after the other; it acknowledges nothing."""

    def words(self) -> list[str]:
        """Return what to run."""
        target = ["--import", "benchmarks.soak_tasks", "--home", str(self.home)]
        return ["tensorlayer.cli.agent", *target, "--project", PROJECT]


def kill(what: str, home: Path, writers: list[Writer]) -> float | None:
    """Kill something; return how long the server took to be back if it was that."""
    if what == "writer":
        random.choice(writers).kill()
        return None
    server = PrivateServer(home)
    old = server.home.server_pid()
    victims = {"server": [old], "supervisor": [server.home.supervisor_pid()]}
    begun = time.monotonic()
    for pid in victims.get(what, [*victims["supervisor"], old]):
        if pid:
            os.kill(pid, signal.SIGKILL)
    while not ((found := server.status()).running and found.pid != old):
        if time.monotonic() - begun > BUDGET_SECONDS:
            sys.exit("the server did not come back")
        time.sleep(0.02)
    return time.monotonic() - begun


# -- what is found in the end


def lost(hub: tl.Hub, writer: Writer) -> int:
    """Return how many of the things that were acknowledged are not there."""
    return len(set(writer.acknowledged) - FOUND[writer.kind](hub, writer))


def _found_samples(hub: tl.Hub, writer: Writer) -> set[int]:
    found: collections.Counter[int] = collections.Counter()
    for batch in hub.datasets["images"].where().batches(1000):
        words = [key.split("-") for key in batch.keys]
        found.update(int(each[1]) for each in words if each[0] == str(writer.number))
    return {number for number, count in found.items() if count == SAMPLES}


def _found_models(hub: tl.Hub, writer: Writer) -> set[int]:
    return {each.step for each in hub.models.list(f"net-{writer.number}") if each.step is not None}


def _found_events(hub: tl.Hub, writer: Writer) -> set[int]:
    steps = {each.step for each in hub.models.events(f"run-{writer.number}")}
    found = collections.Counter(step // EVENTS for step in steps)
    return {number for number, count in found.items() if count == EVENTS}


def _found_tasks(hub: tl.Hub, writer: Writer) -> set[int]:
    """Wait for the results, and look for what the tasks wrote."""
    for number in writer.acknowledged:
        hub.workflow.submit(note, writer.number, number).wait(BUDGET_SECONDS)
    keys = {key for batch in hub.datasets["notes"].where().batches(1000) for key in batch.keys}
    return {n for n in writer.acknowledged if f"{writer.number}-{n}" in keys}


FOUND = {
    "samples": _found_samples,
    "models": _found_models,
    "events": _found_events,
    "tasks": _found_tasks,
}


def soak(home: Path, minutes: float) -> dict[str, Any]:
    """Write and kill, and return all that was measured."""
    curve, starts, kills = Curve(), [], collections.Counter()
    with tl.connect(home=home, project=PROJECT, outage_budget_seconds=BUDGET_SECONDS) as hub:
        hub.datasets.create("images")
        hub.datasets.create("notes")
        writers = [Writer(kind, number, home) for number, kind in enumerate(KINDS)]
        agent = Agent("agent", len(writers), home)
        begun = time.monotonic()
        next_kill = begun + PAUSE_SECONDS[1]
        while (now := time.monotonic()) - begun < 60 * minutes:
            curve.look(hub, home, writers, now - begun)
            if now >= next_kill:
                what = random.choices(*zip(*VICTIMS.items(), strict=True))[0]
                kills[what] += 1
                taken = kill(what, home, [*writers, agent])
                starts += [] if taken is None else [taken]
                next_kill = time.monotonic() + random.uniform(*PAUSE_SECONDS)
            time.sleep(LOOK_SECONDS)
        for each in writers:
            each.end()
        n_lost = {each.kind: lost(hub, each) for each in writers}
        agent.end()
        curve.look(hub, home, writers, time.monotonic() - begun)
    return {
        "minutes": minutes,
        "kills": dict(kills),
        "acknowledged": {each.kind: len(each.acknowledged) for each in writers},
        "lost": n_lost,
        "failed": sum(each.n_failed for each in [*writers, agent]),
        "starts": starts,
        "curve": dataclasses.asdict(curve),
    }


def figures_of(found: dict[str, Any]) -> dict[str, Spread]:
    """Return the numbers that have bars, and the others that are of interest."""
    curve = Curve(**found["curve"])
    starts = found["starts"] or [0.0]
    return {
        "acknowledged and lost": Spread.of([sum(found["lost"].values())]),
        "writers that failed": Spread.of([found["failed"]]),
        "folder above 2x live data, MB": Spread.of([curve.excess()]),
        "slowest start, s": Spread.of([max(starts)]),
        "start, s": Spread.of(starts),
        "largest log of operations, MB": Spread.of([max(curve.oplog)]),
        "folder in the end, MB": Spread.of([curve.folder[-1]]),
        "live data in the end, MB": Spread.of([curve.live[-1]]),
    }


def table(result: dict[str, Any], figures: dict[str, Spread]) -> str:
    """Return the result as Markdown tables."""
    found = result["found"]
    kills = ", ".join(f"{n} of {what}" for what, n in sorted(found["kills"].items()))
    lines = [
        f"{found['minutes']:g} minutes of writing and killing ({kills}); {harness.where(result)}.",
        "",
        "| figure | | bar |",
        "|---|---|---|",
    ]
    lines += [f"| {name} | {each} | {BARS.get(name, '')} |" for name, each in figures.items()]
    lines += ["", "| what | acknowledged | lost |", "|---|---|---|"]
    lines += [
        f"| {kind} | {n} | {found['lost'][kind]} |" for kind, n in found["acknowledged"].items()
    ]
    lines += ["", "| after s | folder, MB | live data, MB | log, MB |", "|---|---|---|---|"]
    curve = found["curve"]
    step = max(1, len(curve["seconds"]) // 12)
    columns = [curve[name][::step] for name in ("seconds", "folder", "live", "oplog")]
    lines += [
        f"| {s:.0f} | {f:,.0f} | {v:,.0f} | {o:,.0f} |" for s, f, v, o in zip(*columns, strict=True)
    ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Measure, write the results, and return 1 if ``--check`` finds a bar missed."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--write", nargs=4, metavar=("KIND", "HOME", "NUMBER", "FIRST"))
    own, others = parser.parse_known_args(arguments)
    if own.write:
        kind, home, number, first = own.write
        write(kind, home, int(number), int(first))
    options = harness.options(__doc__, others)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        found = soak(home, 1.0 if options.quick else own.minutes)
        PrivateServer(home).stop()
    figures = figures_of(found)
    result = {
        "name": "soak",
        "machine": harness.machine(*PACKAGES),
        "found": found,
        "figures": {name: dataclasses.asdict(spread) for name, spread in figures.items()},
        "bars": {name: bar.limit for name, bar in BARS.items()},
    }
    harness.keep(result, table(result, figures), options.output)
    return harness.verdict(figures, BARS, options.check)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
