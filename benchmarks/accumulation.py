"""What a batch in parts saves in memory, and what it costs in time, against the whole batch.

Run with ``python -m benchmarks.accumulation``; ``--quick`` takes half a minute, ``--check`` exits
with 1 if a bar is missed. The network is that of the CIFAR-10 tutorial, with batch normalisation
instead of local. Memory is the peak of a process of its own during a step, over what it had after
a step with two samples.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import tensorflow as tf

import tensorlayer as tl
from benchmarks import harness
from benchmarks.harness import Bar, Case, Samples, Spread

PACKAGES = ("numpy", "tensorflow")
N_SAMPLES, PARTS = 1024, (1, 8)
BARS = {
    "8 parts / whole, peak memory of a step": Bar(0.25, is_upper=True),
    "8 parts / whole, time of a step": Bar(1.2, is_upper=True),
}


def network() -> tl.layers.Layer:
    """Return two convolutions and two dense layers."""
    net = tl.layers.Input([None, 24, 24, 3])
    for name in ("one", "two"):
        net = tl.layers.Conv2d(net, 64, (5, 5), act="relu", name=f"{name}_conv")
        net = tl.layers.BatchNorm(net, name=f"{name}_norm")
        net = tl.layers.MaxPool2d(net, (3, 3), (2, 2), name=f"{name}_pool")
    net = tl.layers.Dense(tl.layers.Flatten(net), 384, act="relu", name="dense")
    return tl.layers.Dense(net, 10, name="logits")


def batch(n: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Return images and their classes."""
    random = np.random.default_rng(0)
    images = random.normal(size=[n, 24, 24, 3]).astype("float32")
    return tf.constant(images), tf.constant(random.integers(0, 10, n))


def stepping(n_parts: int) -> Callable[..., object]:
    """Return the traced step, after one with two samples."""
    optimizer = tl.optimizers.SGD(0.01)
    made = tl.train.GradientStep(
        network(), tl.cost.cross_entropy, optimizer, accumulate=n_parts, clip_norm=1.0
    )
    step = tf.function(made, reduce_retracing=True)
    traced = step.get_concrete_function(
        tf.TensorSpec([None, 24, 24, 3]), tf.TensorSpec([None], tf.int64)
    )
    traced(*batch(2))
    return traced


def peak(n_parts: int) -> float:
    """Return by how many MB a process grows in a step."""
    step, samples = stepping(n_parts), batch(N_SAMPLES)
    return harness.growth(lambda: step(*samples)) / 2**20


def memory(n_rounds: int) -> Case:
    """Measure each in processes of its own, by turns."""
    samples: Samples = {f"{n} parts": [] for n in PARTS}
    for _ in range(n_rounds):
        for n in PARTS:
            command = [sys.executable, "-m", "benchmarks.accumulation", "peak", str(n)]
            samples[f"{n} parts"].append(json.loads(subprocess.check_output(command)))
    ratio = Spread.of_ratios(samples["8 parts"], samples["1 parts"])
    figures = {"8 parts / whole, peak memory of a step": ratio}
    return Case(name="memory", unit="MB", samples=samples, figures=figures)


def time(n_rounds: int) -> Case:
    """Measure both in one process, by turns."""
    samples_of = batch(N_SAMPLES)
    steps = {f"{n} parts": functools.partial(stepping(n), *samples_of) for n in PARTS}
    for step in steps.values():
        step()
    samples = harness.rounds(steps, n_rounds)
    ratio = Spread.of_ratios(samples["8 parts"], samples["1 parts"])
    figures = {"8 parts / whole, time of a step": ratio}
    return Case(name="time", unit="s", samples=samples, figures=figures)


def main(arguments: list[str] | None = None) -> int:
    """Measure."""
    options = harness.options(__doc__, arguments)
    cases = [memory(1 if options.quick else 5), time(3 if options.quick else 11)]
    return harness.report(
        "accumulation",
        f"A step of {N_SAMPLES} images, whole and in 8 parts",
        cases,
        BARS,
        options,
        packages=PACKAGES,
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["peak"]:
        print(json.dumps(peak(int(sys.argv[2]))))
    else:
        sys.exit(main())
