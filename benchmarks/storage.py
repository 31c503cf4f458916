"""What storing costs, against MongoDB's own driver doing the same by hand.

Run with ``python -m benchmarks.storage``; ``--only blobs`` measures one section, ``--quick`` takes
seconds, ``--check`` exits with 1 if a bar is missed. A private server is started for it.
"""

from __future__ import annotations

import argparse
import functools
import gc
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gridfs
import numpy as np

import tensorlayer as tl
from benchmarks import harness
from benchmarks.dispatch import BARS as DISPATCH_BARS
from benchmarks.dispatch import dispatch
from benchmarks.harness import Bar, Case, Samples, Spread
from tensorlayer.datasets import View
from tensorlayer.datasets.append import INDEXES
from tensorlayer.hub import Hub

PACKAGES = ("numpy", "pymongo")

BARS = {
    "blobs, save 100 MB, ours / gridfs": Bar(1.5, is_upper=False),
    "blobs, save 300 MB, ours / gridfs": Bar(1.5, is_upper=False),
    "blobs, load 100 MB, ours / gridfs": Bar(2.0, is_upper=False),
    "blobs, load 300 MB, ours / gridfs": Bar(2.0, is_upper=False),
    "events, logged and flushed / inserted one by one": Bar(20.0, is_upper=False),
    "append, 16 floats, ours / insert_many": Bar(0.9, is_upper=False),
    "append, 64x64x3, ours / insert_many": Bar(0.9, is_upper=False),
    "append, 224x224x3, ours / insert_many": Bar(0.9, is_upper=False),
    "stream, 16 floats, ours / find": Bar(0.9, is_upper=False),
    "stream, 64x64x3, ours / find": Bar(0.9, is_upper=False),
    "stream, 224x224x3, ours / find": Bar(0.9, is_upper=False),
    **{name: bar for name, bar in DISPATCH_BARS.items() if name.startswith("dispatch")},
}


# -- blobs: large contents, in MB/s


def blobs(hub: Hub, is_quick: bool) -> Case:
    """Save and load what cannot be compressed, as weights are."""
    samples: Samples = {}
    figures = {}
    for size in (10,) if is_quick else (100, 300):
        data = np.random.default_rng(0).bytes(size * 2**20)
        taken = _blob_rounds(hub, data, 3 if is_quick else 5)
        for what, contestants in taken.items():
            rates = {name: [size / each for each in times] for name, times in contestants.items()}
            samples |= {f"{what} {size} MB, {name}": each for name, each in rates.items()}
            ratio = Spread.of_ratios(rates["ours"], rates["gridfs"])
            figures[f"blobs, {what} {size} MB, ours / gridfs"] = ratio
    return Case(name="blobs", unit="MB/s", samples=samples, figures=figures)


def _blob_rounds(hub: Hub, data: bytes, n_rounds: int) -> dict[str, Samples]:
    """Save, load and delete in each round, so that the database stays as large as it is."""
    stock, ours = gridfs.GridFS(hub.database, "stock"), hub.store.blobs
    saves: dict[str, Callable[[], Any]] = {
        "gridfs": lambda: stock.put(data),
        "ours": lambda: ours.put(data, owner="benchmark"),
    }
    loads: dict[str, Callable[[Any], bytes | memoryview]] = {
        "gridfs": lambda id_: stock.get(id_).read(),
        "ours": ours.read,
    }
    samples: dict[str, Samples] = {"save": {n: [] for n in saves}, "load": {n: [] for n in loads}}
    for index in range(-1, n_rounds):  # one round to warm up
        stored: dict[str, Any] = {}
        times: dict[str, dict[str, float]] = {"save": {}, "load": {}}
        names = list(saves) if index % 2 else list(saves)[::-1]
        for name in names:
            times["save"][name], stored[name] = _timed(saves[name])
        for name in names:
            times["load"][name], found = _timed(functools.partial(loads[name], stored[name]))
            if found != data:
                sys.exit(f"{name} has lost something")
        stock.delete(stored["gridfs"])
        ours.sweep(grace_seconds=-60)
        for what in times if index >= 0 else ():
            for name in names:
                samples[what][name].append(times[what][name])
    return samples


def _timed(function: Callable[[], Any]) -> tuple[float, Any]:
    results: list[Any] = []
    seconds = harness.seconds(lambda: results.append(function()))
    return seconds, results[0]


# -- events: small values, in values/s


def events(hub: Hub, is_quick: bool) -> Case:
    """Log ten metrics of many steps and flush; insert one document for each value."""
    n_steps, n_inserted = (1_000, 100) if is_quick else (10_000, 1_000)
    values = {f"metric-{n}": n / 10 for n in range(10)}
    collection = hub.database["plain"]
    collection.create_index([("model", 1), ("name", 1)])
    counter = iter(range(10**9))

    def log() -> None:
        start = next(counter) * n_steps
        for step in range(start, start + n_steps):
            hub.models.log("benchmark", values, step=step)
        hub.models.flush()

    def one_by_one() -> None:
        for step in range(n_inserted):
            event = {"model": "benchmark", "run": "r", "name": "metric", "step": step, "value": 0.5}
            collection.insert_one(event)

    taken = harness.rounds({"ours": log, "one by one": one_by_one}, 3 if is_quick else 5)
    rates = {
        "logged and flushed": [n_steps * len(values) / each for each in taken["ours"]],
        "inserted one by one": [n_inserted / each for each in taken["one by one"]],
    }
    ratio = Spread.of_ratios(rates["logged and flushed"], rates["inserted one by one"])
    figures = {"events, logged and flushed / inserted one by one": ratio}
    return Case(name="events", unit="values/s", samples=rates, figures=figures)


# -- samples: many documents, in samples/s

#: Shape and type of a sample, and how many of them.
_KINDS: dict[str, tuple[tuple[int, ...], str, int]] = {
    "16 floats": ((16,), "float64", 50_000),
    "64x64x3": ((64, 64, 3), "uint8", 4_000),
    "224x224x3": ((224, 224, 3), "uint8", 600),
}


def append(hub: Hub, is_quick: bool) -> Case:
    """Append arrays to a dataset; insert the very documents of such an append by hand."""
    samples: Samples = {}
    figures = {}
    for kind, (shape, dtype, n) in _KINDS.items():
        n = n // 10 if is_quick else n
        rng = np.random.default_rng(0)
        taken: Samples = {"append": [], "insert_many": []}
        for index in range(4 if is_quick else 6):  # the first one warms up
            values = (255 * rng.random((n, *shape))).astype(dtype)
            times = _append_round(hub, values, index)
            for name in taken if index else ():
                taken[name].append(n / times[name])
        samples |= {f"{kind}, {name}": rates for name, rates in taken.items()}
        ratio = Spread.of_ratios(taken["append"], taken["insert_many"])
        figures[f"append, {kind}, ours / insert_many"] = ratio
    return Case(name="append", unit="samples/s", samples=samples, figures=figures)


def _append_round(hub: Hub, values: np.ndarray, index: int) -> dict[str, float]:
    dataset = hub.datasets.create(f"round-{index}")
    _empty(hub, "plain")
    seconds = harness.seconds(
        lambda: dataset.append(values, labels=np.arange(len(values)), progress=False)
    )
    plain = hub.store.indexes("plain", *INDEXES)
    documents = list(hub.database["samples"].find({"dataset": dataset.key}))
    _empty(hub, "samples")
    by_hand = harness.seconds(lambda: plain.insert_many(documents, ordered=False))
    return {"append": seconds, "insert_many": by_hand}


def _empty(hub: Hub, collection: str) -> None:
    """Delete what the other one has stored, and wait until the server has cleaned up after it."""
    hub.database[collection].delete_many({})
    hub.store.client.admin.command("fsync")


def stream(hub: Hub, is_quick: bool) -> Case:
    """Read all batches of a dataset; read the documents with a cursor, decoding nothing."""
    samples: Samples = {}
    figures = {}
    for kind, (shape, dtype, n) in _KINDS.items():
        n = n // 10 if is_quick else n
        values = (255 * np.random.default_rng(0).random((n, *shape))).astype(dtype)
        dataset = hub.datasets.create(kind.replace(" ", "-"))
        dataset.append(values, labels=np.arange(n), progress=False)
        view = dataset.where()
        contestants = {
            "batches": functools.partial(_read_batches, view),
            "find": functools.partial(_read_documents, hub, view),
        }
        times = harness.rounds(contestants, 3 if is_quick else 9)
        rates = {name: [n / each for each in taken] for name, taken in times.items()}
        samples |= {f"{kind}, {name}": each for name, each in rates.items()}
        ratio = Spread.of_ratios(rates["batches"], rates["find"])
        figures[f"stream, {kind}, ours / find"] = ratio
    return Case(name="stream", unit="samples/s", samples=samples, figures=figures)


def _read_batches(view: View) -> None:
    for _ in view.batches(128):
        pass


def _read_documents(hub: Hub, view: View) -> None:
    for _ in hub.database["samples"].find(view.filter):
        pass


#: Every section takes a hub on an empty project, and whether it should be quick.
SECTIONS: tuple[Callable[[Hub, bool], Case], ...] = (blobs, events, append, stream, dispatch)


def measured(sections: Sequence[Callable[[Hub, bool], Case]], is_quick: bool) -> Iterator[Case]:
    """Run sections, each in a project of its own, on a server of its own."""
    with tempfile.TemporaryDirectory() as home:
        for section in sections:
            with tl.connect(home=home, project=f"benchmark-{section.__name__}") as hub:
                yield section(hub, is_quick)
                hub.store.client.drop_database(hub.store.project)
            gc.collect()


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the results, and return 1 if ``--check`` finds a bar missed."""
    by_name = {section.__name__: section for section in SECTIONS}
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--only", action="append", choices=list(by_name))
    chosen, rest = parser.parse_known_args(arguments)
    options = harness.options(__doc__, rest)
    cases = list(measured([by_name[name] for name in chosen.only or by_name], options.quick))
    return harness.report("storage", "Storing", cases, BARS, options, packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
