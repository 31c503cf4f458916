"""What the networks of Table 1 learn from real input: ours, and the native ones.

Run with ``python -m benchmarks.learning``; ``--quick`` trains a tenth, ``--check`` exits with 1 if
ours learns something else than the native one. Without ``--cifar10``, ``--ptb`` and ``--text8``,
which are folders of the official files, images are crops of ten photographs and texts are Python's
own reference. Each is trained with some seeds; what counts is the cost of batches held out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

import tensorlayer as tl
from benchmarks import harness
from benchmarks.harness import Bar, Case, Samples, Spread
from benchmarks.workloads import cifar10, ptb, real, skipgram
from benchmarks.workloads.contestant import Contestant, Workload

PACKAGES = ("keras", "numpy", "scikit-image", "tensorflow")
SEEDS = (0, 1, 2)
WHO = ("native", "TensorLayer")


class Course(NamedTuple):
    """What is learned from what, and how long."""

    workload: Workload
    option: str
    batches: Callable[..., tuple[real.Batches, real.Batches]]
    n_batches: int
    part: float  #: of the cost at first, which has to be left at most


COURSES = (
    Course(cifar10.WORKLOAD, "cifar10", real.images, 200, 0.5),
    Course(ptb.WORKLOAD, "ptb", real.text, 200, 0.75),
    Course(skipgram.WORKLOAD, "text8", real.neighbours, 6000, 0.5),
)


def learned(
    contestant: Contestant, train: real.Batches, held_out: real.Batches
) -> tuple[float, float]:
    """Train, and return the cost of what is held out before and after."""
    measure = tf.function(contestant.cost)

    def cost() -> float:
        return float(np.mean([measure(*map(tf.constant, batch)) for batch in held_out]))

    before = cost()
    data = tf.data.Dataset.from_generator(
        lambda: iter(train),
        output_signature=tuple(tf.TensorSpec(a.shape, a.dtype) for a in train[0]),
    )
    tl.train.run(contestant.step, data, progress=False)
    return before, cost()


def measured(course: Course, data: Path | None, n_batches: int) -> Case:
    """Train both with every seed."""
    samples: Samples = {f"{who}, {when}": [] for who in WHO for when in ("before", "after")}
    for seed in SEEDS:
        train, held_out = course.batches(data, n_batches, seed)
        for who in WHO:
            tf.random.set_seed(seed)
            found = learned(course.workload.contestants[who](), train, held_out)
            for when, cost in zip(("before", "after"), found, strict=True):
                samples[f"{who}, {when}"].append(cost)
    name = course.workload.name
    after = {who: samples[f"{who}, after"] for who in WHO}
    part = np.mean(after["TensorLayer"]) / np.mean(samples["TensorLayer, before"])
    apart = abs(np.mean(after["TensorLayer"]) - np.mean(after["native"]))
    # Two means of three seeds each: most of the time they are not further apart than this.
    noise = 2 * np.sqrt(
        (np.var(after["native"], ddof=1) + np.var(after["TensorLayer"], ddof=1)) / 3
    )
    figures = {
        f"{name}: part of the first cost that is left": Spread.of([part]),
        f"{name}: difference to native / that of seeds": Spread.of([apart / max(noise, 1e-12)]),
    }
    return Case(name=name, unit="cost, held out", samples=samples, figures=figures)


def bars() -> dict[str, Bar]:
    """Return what each figure may be at most."""
    found = {}
    for course in COURSES:
        name = course.workload.name
        found[f"{name}: part of the first cost that is left"] = Bar(course.part, is_upper=True)
        found[f"{name}: difference to native / that of seeds"] = Bar(1.5, is_upper=True)
    return found


def options(arguments: list[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the batches")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a bar is missed")
    parser.add_argument("--workload", choices=[each.workload.name for each in COURSES])
    for course in COURSES:
        parser.add_argument(f"--{course.option}", type=Path, help="a folder of its files")
    parser.add_argument("--output", type=Path, default=harness.RESULTS, help="of the results")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Train, write the results, and return 1 if ``--check`` finds a bar missed."""
    chosen = options(arguments)
    cases = [
        measured(
            course, getattr(chosen, course.option), course.n_batches // (10 if chosen.quick else 1)
        )
        for course in COURSES
        if chosen.workload in (None, course.workload.name)
    ]
    return harness.report(
        "learning", "What is learned from real input", cases, bars(), chosen, packages=PACKAGES
    )


if __name__ == "__main__":
    sys.exit(main())
