"""What a step of word2vec costs by the size of the vocabulary, against TensorFlow and Keras.

Run with ``python -m benchmarks.word2vec``; ``--quick`` takes a minute, ``--check`` exits with 1 if
a bar is missed. All train on the same batches from the same weights: skip-gram, batch 128, vectors
of 128, 64 negative samples. By hand is ``tf.Variable``, ``tf.nn.nce_loss`` and the optimizer of
TensorFlow 1 with this name, whose step is one fused operation for each table; Keras is our layer
with the optimizer of ``tf.optimizers``. Before anything is measured, what they learn is compared.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

import tensorlayer as tl
from benchmarks import harness
from benchmarks.harness import Bar, Case, Spread

PACKAGES = ("keras", "numpy", "tensorflow")
BATCH, WIDTH, SAMPLED, RATE = 128, 128, 64, 0.2
SMALL, LARGE = 10_000, 200_000
OPTIMIZERS = {
    "SGD": {
        "TensorLayer": lambda: tl.optimizers.SGD(RATE),
        "by hand": lambda: tf.compat.v1.train.GradientDescentOptimizer(RATE),
        "Keras": lambda: tf.optimizers.SGD(RATE),
    },
    "Adagrad": {
        "TensorLayer": lambda: tl.optimizers.Adagrad(RATE),
        "by hand": lambda: tf.compat.v1.train.AdagradOptimizer(RATE),
        "Keras": lambda: tf.optimizers.Adagrad(RATE),
    },
}

BARS = {
    f"{name}, {figure}": bar
    for name in OPTIMIZERS
    for figure, bar in {
        f"TensorLayer, {LARGE:,} / {SMALL:,} words": Bar(1.3, is_upper=True),
        f"words/s, TensorLayer / by hand, {SMALL:,} words": Bar(0.97, is_upper=False),
        f"words/s, TensorLayer / by hand, {LARGE:,} words": Bar(0.97, is_upper=False),
    }.items()
}

#: What takes words and their neighbours.
Step = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def words(vocabulary: int, n_batches: int) -> list[tuple[tf.Tensor, tf.Tensor]]:
    """Return batches of words and neighbours, whose frequencies fall as those of a language."""
    drawn = np.random.default_rng(0).random([n_batches, 2, BATCH])
    ids = ((vocabulary + 1.0) ** drawn - 1).astype(np.int64).clip(0, vocabulary - 1)
    return [(tf.constant(x), tf.constant(y[:, None])) for x, y in ids]


def ours(vocabulary: int) -> tuple[Step, list[tf.Variable]]:
    """Return the cost of our layer, and its weights."""
    layer = tl.layers.Word2vecEmbedding(
        vocabulary, WIDTH, SAMPLED, E_init=tl.initializers.RandomUniform(-1.0, 1.0, seed=1)
    )
    return lambda x, y: layer([x, y])[1], layer.trainable_weights


def by_hand(vocabulary: int) -> tuple[Step, list[tf.Variable]]:
    """Return the same of TensorFlow."""
    table = tf.Variable(tf.zeros([vocabulary, WIDTH]))
    weights, biases = tf.Variable(tf.zeros([vocabulary, WIDTH])), tf.Variable(tf.zeros(vocabulary))

    def cost(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        vectors = tf.nn.embedding_lookup(table, x)
        return tf.reduce_mean(tf.nn.nce_loss(weights, biases, y, vectors, SAMPLED, vocabulary))

    return cost, [table, weights, biases]


def step_of(cost: Step, weights: list[tf.Variable], optimizer: Any) -> Step:
    """Return the traced step."""
    if hasattr(optimizer, "build"):
        optimizer.build(weights)

    @tf.function
    def step(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = cost(x, y)
        gradients = tape.gradient(loss, weights)
        optimizer.apply_gradients(zip(gradients, weights, strict=True))
        return loss

    return step


def steps(vocabulary: int, optimizers: dict[str, Callable[[], Any]]) -> dict[str, Step]:
    """Return the step of each contestant, all of them from the same weights."""
    found, first = {}, None
    for name, optimizer in optimizers.items():
        cost, weights = by_hand(vocabulary) if name == "by hand" else ours(vocabulary)
        first = first or weights
        for variable, value in zip(weights, first, strict=True):
            variable.assign(value)
        found[name] = step_of(cost, weights, optimizer())
    return found


def check_that_they_learn_alike(optimizer: str) -> None:
    """Exit unless the costs fall alike; which words are sampled differs."""
    contestants = {k: v for k, v in OPTIMIZERS[optimizer].items() if k != "Keras"}
    batches = words(1000, 50)
    ends = {}
    for name, step in steps(1000, contestants).items():
        costs = [float(step(*batch)) for _ in range(8) for batch in batches]
        ends[name] = np.mean(costs[:10]), np.mean(costs[-200:])
    (begun, end), (_, other) = ends.values()
    if abs(end - other) > 0.05 * other or end > 0.7 * begun:
        sys.exit(f"the contestants learn differently with {optimizer}: {ends}")


def measured(optimizer: str, *, n_rounds: int, n_steps: int) -> Case:
    """Measure all contestants with both vocabularies, in the same rounds."""
    runs, counts = {}, {}
    for size in (SMALL, LARGE):
        for who, step in steps(size, OPTIMIZERS[optimizer]).items():
            is_slow = (optimizer, who) == ("Adagrad", "Keras")  # so a few steps will do
            name, count = f"{who}, {size:,} words", n_steps // (4 if is_slow else 1)
            runs[name], counts[name] = repeated(step, words(size, count)), count
    taken = harness.rounds(runs, n_rounds)
    samples = {name: [1e6 * each / counts[name] for each in taken[name]] for name in runs}
    mine = {size: samples[f"TensorLayer, {size:,} words"] for size in (SMALL, LARGE)}
    figures = {}
    for who in OPTIMIZERS[optimizer]:
        theirs = {size: samples[f"{who}, {size:,} words"] for size in (SMALL, LARGE)}
        growth = Spread.of_ratios(theirs[LARGE], theirs[SMALL])
        figures[f"{optimizer}, {who}, {LARGE:,} / {SMALL:,} words"] = growth
        for size in (SMALL, LARGE) if who != "TensorLayer" else ():
            name = f"{optimizer}, words/s, TensorLayer / {who}, {size:,} words"
            figures[name] = Spread.of_ratios(theirs[size], mine[size])
    return Case(name=optimizer, unit="us per step", samples=samples, figures=figures)


def repeated(step: Step, batches: list[tuple[tf.Tensor, tf.Tensor]]) -> Callable[[], None]:
    """Return a call that makes a step on each batch; call it once, to warm up."""

    def run() -> None:
        for batch in batches:
            loss = step(*batch)
        loss.numpy()

    run()
    return run


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the results, and return 1 if ``--check`` finds a bar missed."""
    options = harness.options(__doc__, arguments)
    size = {"n_rounds": 11, "n_steps": 60} if options.quick else {"n_rounds": 51, "n_steps": 60}
    cases = []
    for optimizer in OPTIMIZERS:
        check_that_they_learn_alike(optimizer)
        cases.append(measured(optimizer, **size))
    return harness.report(
        "word2vec",
        f"A step of word2vec, {BATCH} words",
        cases,
        BARS,
        options,
        packages=PACKAGES,
        **size,
    )


if __name__ == "__main__":
    sys.exit(main())
