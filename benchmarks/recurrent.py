"""What recurrent layers cost, against those of Keras with the same weights, forward and training.

Run with ``python -m benchmarks.recurrent``; ``--only LSTM`` measures one kind, ``--quick`` the
smallest shape, ``--check`` exits with 1 if a bar is missed. Both are traced by ``tf.function``;
training is a forward pass and all gradients. A ratio is the time of Keras divided by ours. Layers
are made anew several times, since the same one is faster or slower by some percent at another place
in memory.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

import tensorlayer as tl
from benchmarks import harness
from benchmarks.harness import Bar, Case, Samples, Spread

PACKAGES = ("keras", "numpy", "tensorflow")


class Shape(NamedTuple):
    """Of the inputs; there are as many channels as units."""

    steps: int
    units: int
    batch: int

    def __str__(self) -> str:
        return f"{self.steps} steps, {self.units} wide, batch {self.batch}"


SHAPES = tuple(Shape(*each) for each in itertools.product((20, 35), (200, 650), (20, 128)))
WHAT = ("forward", "training")
#: How often a pair is made anew, and for how long it is compared each time: many short rounds are
#: surer than a few long ones.
_PLACES, _SECONDS = 3, 5.0


def _lstm(units: int) -> tuple[tl.layers.Layer, Any]:
    ours = tl.layers.LSTMRNN(units, return_last_state=False, in_channels=units)
    return ours, tf.keras.layers.LSTM(units, return_sequences=True)


def _gru(units: int) -> tuple[tl.layers.Layer, Any]:
    ours = tl.layers.GRURNN(units, return_last_state=False, in_channels=units)
    return ours, tf.keras.layers.GRU(units, return_sequences=True)


def _bidirectional(units: int) -> tuple[tl.layers.Layer, Any]:
    cells = (tl.layers.LSTMCell(units) for _ in range(2))
    twin = tf.keras.layers.Bidirectional(tf.keras.layers.LSTM(units, return_sequences=True))
    return tl.layers.BiRNN(*cells, in_channels=units), twin


KINDS = {"LSTM": _lstm, "GRU": _gru, "bidirectional LSTM": _bidirectional}
BARS = {
    f"{kind}, {what}, {shape}": Bar(1.0, is_upper=False)
    for kind, what, shape in itertools.product(KINDS, WHAT, SHAPES)
}


def measured(kind: str, shapes: tuple[Shape, ...], places: int, seconds: float) -> Case:
    """Time both at all shapes; of the times, the medians at each place are kept."""
    samples: Samples = {}
    figures = {}
    for shape in shapes:
        taken = [_compared(_pair(kind, shape), seconds) for _ in range(places)]
        for what in WHAT:
            rounds = {who: [each[what][who] for each in taken] for who in taken[0][what]}
            samples |= {
                f"{what}, {shape}, {who}": [1e3 * statistics.median(each) for each in times]
                for who, times in rounds.items()
            }
            all_rounds = {who: [*itertools.chain(*times)] for who, times in rounds.items()}
            ratio = Spread.of_ratios(all_rounds["Keras"], all_rounds["TensorLayer"])
            figures[f"{kind}, {what}, {shape}"] = ratio
    return Case(name=kind, unit="ms", samples=samples, figures=figures)


def _compared(pair: Mapping[str, tuple[Any, Any, tf.Tensor]], seconds: float) -> dict[str, Samples]:
    """Return the times of all rounds, forward and training, of each of the two."""
    found = {}
    for what in WHAT:
        contestants = {who: _contestant(*pair[who], what) for who in pair}
        found[what] = harness.rounds(contestants, _n_rounds(contestants, seconds))
    return found


def _n_rounds(contestants: Mapping[str, Callable[[], Any]], seconds: float) -> int:
    """Return how many rounds take so long; at least nine."""
    once = sum(harness.seconds(each) for each in contestants.values())
    return max(9, int(seconds / once))


def _pair(kind: str, shape: Shape) -> dict[str, tuple[Any, Any, tf.Tensor]]:
    """Return both layers, their variables, and the inputs, after a look at what they give."""
    ours, twin = KINDS[kind](shape.units)
    x = tf.random.stateless_normal([shape.batch, shape.steps, shape.units], seed=(0, 1))
    twin.build(x.shape)
    twin.set_weights([weight.numpy() for weight in ours.all_weights])
    difference = np.abs(ours(x, is_train=False) - twin(x)).max()
    if difference > 1e-4:
        sys.exit(f"{kind}: the layers differ by {difference}")
    variables = [weight.value for weight in twin.weights]
    return {
        "TensorLayer": (ours, ours.all_weights, x),
        "Keras": (lambda x, is_train: twin(x, training=is_train), variables, x),
    }


def _contestant(layer: Any, variables: Any, x: tf.Tensor, what: str) -> Callable[[], Any]:
    """Return a traced evaluation, that was traced."""

    @tf.function(autograph=False)
    def forward(x: tf.Tensor) -> tf.Tensor:
        return layer(x, is_train=False)

    @tf.function(autograph=False)
    def training(x: tf.Tensor) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(layer(x, is_train=True) ** 2)
        return tape.gradient(loss, variables)

    evaluate = {"forward": forward, "training": training}[what]
    evaluate(x)

    def once() -> None:
        tf.nest.map_structure(lambda tensor: tensor.numpy(), evaluate(x))

    return once


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the results, and return 1 if ``--check`` finds a bar missed."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--only", action="append", choices=list(KINDS))
    chosen, rest = parser.parse_known_args(arguments)
    options = harness.options(__doc__, rest)
    shapes, places, seconds = (SHAPES[:1], 1, 1.0) if options.quick else (SHAPES, _PLACES, _SECONDS)
    cases = [measured(kind, shapes, places, seconds) for kind in chosen.only or KINDS]
    return harness.report("recurrent", "Sequences", cases, BARS, options, packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
