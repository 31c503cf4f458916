"""What declaring and evaluating networks costs, against TensorFlow by hand and Keras.

Run with ``python -m benchmarks.layers``; ``--quick`` takes a minute, ``--check`` exits with 1
if a bar is missed. Before anything is measured, what the contestants compute is compared.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

import tensorlayer as tl
from benchmarks import harness
from benchmarks.harness import Bar, Case, Samples, Spread
from benchmarks.resnet50 import N_LAYERS, Keras, Ours, resnet50
from tensorlayer.layers import Concat, Dense, Elementwise, Input, Network
from tests.operations import operations

PACKAGES = ("keras", "numpy", "tensorflow")
WIDTH, BATCH, DEPTH = 64, 32, 20

BARS = {
    "evaluating, network / TensorFlow": Bar(1.3, is_upper=True),
    "declaring, TensorLayer / Keras": Bar(2.0, is_upper=True),
    "joining, Elementwise, longest / shortest chain": Bar(1.3, is_upper=True),
    "joining, Concat, longest / shortest chain": Bar(1.3, is_upper=True),
    "joining, network and new input, longest / shortest chain": Bar(1.3, is_upper=True),
    "joining, new input and network, longest / shortest chain": Bar(1.3, is_upper=True),
    "constructing, us without a name": Bar(50, is_upper=True),
    "constructing, us with name and act": Bar(50, is_upper=True),
    "training, operations that differ": Bar(0, is_upper=True),
}


def scaled(samples: Samples, factor: float) -> Samples:
    """Return the samples in another unit."""
    return {name: [each * factor for each in taken] for name, taken in samples.items()}


def repeated(function: Callable[[Any], Any], value: Any, n_times: int) -> Callable[[], None]:
    """Return a function that calls this one many times; call it once, to warm up."""

    def run() -> None:
        for _ in range(n_times):
            function(value)

    run()
    return run


# -- 1. eager evaluation of stacked layers


class Stack(tl.models.Model):
    """The layers one after the other, as a model of one's own."""

    def __init__(self, layers: Sequence[Dense]) -> None:
        super().__init__()
        self.stacked = list(layers)

    def forward(self, x: tf.Tensor) -> tf.Tensor:
        """Apply the layers."""
        for layer in self.stacked:
            x = layer(x)
        return x


def keras_stack(weights: Sequence[tf.Variable]) -> tf.keras.Sequential:
    """Return the same with Keras."""
    layers = [tf.keras.layers.Dense(WIDTH, activation="relu") for _ in range(DEPTH)]
    model = tf.keras.Sequential([tf.keras.Input([WIDTH]), *layers])
    model.set_weights([variable.numpy() for variable in weights])
    return model


def evaluating(is_quick: bool) -> Case:
    """Evaluate 20 stacked Dense layers eagerly."""
    n_rounds, n_times = (10, 5) if is_quick else (40, 10)
    layers = [Dense(WIDTH, act=tf.nn.relu, in_channels=WIDTH) for _ in range(DEPTH)]
    network = Input([None, WIDTH])
    for layer in layers:
        network = layer(network)
    pairs = [tuple(layer.trainable_weights) for layer in layers]

    def by_hand(x: tf.Tensor) -> tf.Tensor:
        for weights, biases in pairs:
            x = tf.nn.relu(tf.nn.bias_add(tf.matmul(x, weights), biases))
        return x

    contestants = {
        "TensorFlow": by_hand,
        "network": functools.partial(network, is_train=False),
        "model of one's own": functools.partial(Stack(layers), is_train=False),
        "Keras": functools.partial(
            keras_stack([each for pair in pairs for each in pair]), training=False
        ),
    }
    x = tf.random.stateless_normal([BATCH, WIDTH], seed=[0, 0])
    for name, function in contestants.items():
        np.testing.assert_allclose(function(x), by_hand(x), rtol=1e-4, atol=1e-6, err_msg=name)
    runs = {name: repeated(function, x, n_times) for name, function in contestants.items()}
    samples = scaled(harness.rounds(runs, n_rounds), 1e3 / n_times)
    figures = {
        f"evaluating, {name} / TensorFlow": Spread.of_ratios(samples[name], samples["TensorFlow"])
        for name in contestants
        if name != "TensorFlow"
    }
    return Case(name="evaluating", unit="ms per evaluation", samples=samples, figures=figures)


# -- 2. declaring ResNet-50: 53 convolutions with batch normalisation, 16 additions


def declaring(is_quick: bool) -> Case:
    """Declare ResNet-50, with weights of zero, so that random numbers are not what is measured."""
    normal = functools.partial(tf.keras.initializers.TruncatedNormal, stddev=0.02, seed=0)
    parts = {
        "TensorLayer": Ours(tl.initializers.Constant(0.0)),
        "Keras": Keras("zeros"),
        "TensorLayer, random weights": Ours(tl.initializers.TruncatedNormal(stddev=0.02)),
        "Keras, random weights": Keras(normal()),
    }
    net = resnet50(parts["TensorLayer"])
    other = tf.keras.Model(*_ends(resnet50(parts["Keras"])))
    sizes = [net.count_params(), other.count_params()]
    if len(net.all_layers) != N_LAYERS or sizes[0] != sizes[1]:
        sys.exit(f"the networks differ: {len(net.all_layers)} layers, {sizes} parameters")
    del net, other
    runs = {name: functools.partial(resnet50, each) for name, each in parts.items()}
    samples = scaled(harness.rounds(runs, 5 if is_quick else 15), 1e3 / N_LAYERS)
    figures = {
        f"declaring, TensorLayer / Keras{more}": Spread.of_ratios(
            samples[f"TensorLayer{more}"], samples[f"Keras{more}"]
        )
        for more in ("", ", random weights")
    }
    return Case(name="declaring", unit="ms per layer", samples=samples, figures=figures)


def _ends(net: Any) -> tuple[Any, Any]:
    """Return the input below a Keras tensor, and the tensor."""
    return tf.keras.utils.get_source_inputs(net)[0], net


# -- 3. chains of joins


def _new_input() -> Network:
    return Input([None, 8])


#: How one more network is joined to a chain; the chain or the new one comes first.
JOINS: dict[str, Callable[[Network], Network]] = {
    "Elementwise": lambda net: Elementwise([net, Dense(net, 8)], combine_fn=tf.add),
    "Concat": lambda net: Concat([net, Dense(net, 1)]),
    "network and new input": lambda net: Elementwise([net, _new_input()], combine_fn=tf.add),
    "new input and network": lambda net: Elementwise([_new_input(), net], combine_fn=tf.add),
}


def chain(join: Callable[[Network], Network], lengths: Sequence[int]) -> list[float]:
    """Join one after the other; return the seconds per join of a chain of each length."""
    times = []
    net = _new_input()
    started = time.perf_counter()
    for count in range(1, lengths[-1] + 1):
        net = join(net)
        if count in lengths:
            times.append((time.perf_counter() - started) / count)
    return times


def joining(is_quick: bool) -> Case:
    """Join networks in long chains: a join has to cost the same, however much it joins."""
    lengths = (50, 100, 200) if is_quick else (250, 500, 1000)
    samples: Samples = {f"{name}, {n} joins": [] for name in JOINS for n in lengths}
    figures = {}
    for join in JOINS.values():
        chain(join, (20,))  # warm up
    for _ in range(3):
        for name, join in JOINS.items():
            for n, taken in zip(lengths, chain(join, lengths), strict=True):
                samples[f"{name}, {n} joins"].append(taken * 1e3)
    for name in JOINS:
        longest, shortest = (samples[f"{name}, {n} joins"] for n in (lengths[-1], lengths[0]))
        figures[f"joining, {name}, longest / shortest chain"] = Spread.of_ratios(longest, shortest)
    return Case(name="joining", unit="ms per join", samples=samples, figures=figures)


# -- 4. constructing without applying


def constructing(is_quick: bool) -> Case:
    """Construct 10,000 Dense layers, of which none is applied."""
    n_rounds, n_times = (5, 200) if is_quick else (10, 1000)
    runs: dict[str, Callable[[], Any]] = {
        "without a name": lambda: [Dense(WIDTH) for _ in range(n_times)],
        "with name and act": lambda: [
            Dense(WIDTH, act=tf.nn.relu, name=f"dense{index}") for index in range(n_times)
        ],
        "Keras": lambda: [tf.keras.layers.Dense(WIDTH) for _ in range(n_times)],
    }
    for run in runs.values():
        run()
    samples = scaled(harness.rounds(runs, n_rounds), 1e6 / n_times)
    figures = {
        f"constructing, us {name}": Spread.of(taken)
        for name, taken in samples.items()
        if name != "Keras"
    }
    return Case(name="constructing", unit="us per layer", samples=samples, figures=figures)


# -- 5. a deep stack


def stacking(is_quick: bool) -> Case:
    """Declare 1,000 stacked Dense layers and evaluate them once."""
    n_layers = 200 if is_quick else 1000
    samples: Samples = {f"declare {n_layers} layers": [], "first evaluation": []}
    x = tf.ones([BATCH, WIDTH])
    for _ in range(3):
        network = Input([None, WIDTH])
        marks = [time.perf_counter()]
        for _ in range(n_layers):
            network = Dense(network, WIDTH, act=tf.nn.relu)
        marks.append(time.perf_counter())
        network(x, is_train=False)
        marks.append(time.perf_counter())
        for taken, each in zip(samples.values(), np.diff(marks), strict=True):
            taken.append(float(each))
    return Case(name="stacking", unit="s", samples=samples, figures={})


# -- 6. the traced train step


def train_step(forward: Callable[[tf.Tensor], tf.Tensor], weights: Sequence[tf.Variable]) -> Any:
    """Return a traced step of gradient descent."""
    optimizer = tf.optimizers.SGD(0.01)

    @tf.function
    def step(images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(
                    labels=labels, logits=forward(images)
                )
            )
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return loss

    return step


def training(is_quick: bool) -> Case:
    """Train a multilayer perceptron: what was traced is the same, so the time has to be."""
    n_rounds, n_times = (10, 5) if is_quick else (30, 10)
    net = Input([None, 784])
    for n_units in (800, 800):
        net = Dense(net, n_units, act=tf.nn.relu)
    net = Dense(net, 10)
    weights = [tf.Variable(variable) for variable in net.trainable_weights]

    def by_hand(x: tf.Tensor) -> tf.Tensor:
        w1, b1, w2, b2, w3, b3 = weights
        x = tf.nn.relu(tf.nn.bias_add(tf.matmul(x, w1), b1))
        x = tf.nn.relu(tf.nn.bias_add(tf.matmul(x, w2), b2))
        return tf.nn.bias_add(tf.matmul(x, w3), b3)

    steps = {
        "TensorFlow": train_step(by_hand, weights),
        "TensorLayer": train_step(functools.partial(net, is_train=True), net.trainable_weights),
    }
    images = tf.random.stateless_normal([128, 784], seed=[0, 0])
    labels = tf.random.stateless_uniform([128], [0, 0], 0, 10, tf.int64)
    counts = [operations(step, images, labels) for step in steps.values()]
    n_different = ((counts[0] - counts[1]) + (counts[1] - counts[0])).total()
    losses = [float(step(images, labels)) for step in steps.values()]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)
    runs = {
        name: repeated(lambda batch, step=step: step(*batch), (images, labels), n_times)
        for name, step in steps.items()
    }
    samples = scaled(harness.rounds(runs, n_rounds), 1e3 / n_times)
    figures = {
        "training, TensorLayer / TensorFlow": Spread.of_ratios(
            samples["TensorLayer"], samples["TensorFlow"]
        ),
        "training, operations that differ": Spread.of([n_different]),
    }
    return Case(name="training", unit="ms per step", samples=samples, figures=figures)


CASES = (evaluating, declaring, joining, constructing, stacking, training)


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the results, and return 1 if ``--check`` finds a bar missed."""
    options = harness.options(__doc__, arguments)
    cases = [case(options.quick) for case in CASES]
    return harness.report(
        "layers",
        "Declaring and evaluating networks",
        cases,
        BARS,
        options,
        packages=PACKAGES,
        n_layers={"evaluating": DEPTH, "declaring": N_LAYERS},
    )


if __name__ == "__main__":
    sys.exit(main())
