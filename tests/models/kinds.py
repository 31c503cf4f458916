"""Models of several kinds, with values to compute on: what every way out has to carry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.models import Model

Arrays = dict[str, np.ndarray]


class Kind(NamedTuple):
    """How to make a model, which values it takes by the names of its inputs, and what it gives."""

    make: Callable[[], Model]
    shapes: dict[str, tuple[int, ...]]
    results: tuple[str, ...]

    def model(self) -> Model:
        """Return a model whose parameters, statistics too, are nowhere at their first values."""
        model = self.make()
        rng = np.random.default_rng(1)
        arrays = {n: rng.uniform(0.1, 0.6, a.shape) for n, a in model.to_arrays().items()}
        model.assign_arrays(arrays)
        return model

    def values(self, n: int = 5) -> Arrays:
        """Return a batch of so many rows."""
        rng = np.random.default_rng(2)
        return {
            name: rng.normal(size=(n, *shape)).astype("float32")
            for name, shape in self.shapes.items()
        }

    def expected(self, model: Model, values: Arrays) -> Arrays:
        """Return what the model itself computes, by the names of the results."""
        given = list(values.values())
        found = model(given if len(given) > 1 else given[0], is_train=False)
        flat = tf.nest.flatten(found)
        return {name: array.numpy() for name, array in zip(self.results, flat, strict=True)}


def _mlp() -> Model:
    x = tl.layers.Input([None, 4], name="x")
    net = tl.layers.Dropout(tl.layers.Dense(x, 8, act="relu", name="hidden"), keep=0.5, name="drop")
    return Model(x, tl.layers.Dense(net, 3, name="logits"), name="mlp")


def _convolution() -> Model:
    x = tl.layers.Input([None, 8, 8, 3], name="image")
    net = tl.layers.Conv2d(x, 4, (3, 3), name="conv")
    net = tl.layers.BatchNorm(net, act="relu", name="bn")
    net = tl.layers.MaxPool2d(net, (2, 2), (2, 2), name="pool")
    return Model(x, tl.layers.Dense(tl.layers.Flatten(net, name="flat"), 3, name="logits"))


def _recurrent() -> Model:
    x = tl.layers.Input([None, 6, 4], name="steps")
    net, _ = tl.layers.LSTMRNN(x, units=5, name="lstm")
    net, _ = tl.layers.GRURNN(net, units=5, return_last_output=True, name="gru")
    return Model(x, tl.layers.Dense(net, 2, name="out"), name="recurrent")


def _ends() -> Model:
    a, b = tl.layers.Input([None, 4], name="a"), tl.layers.Input([None, 3], name="b")
    net = tl.layers.Concat([a, b], name="both")
    net = tl.layers.Dense(net, 6, act="tanh", name="shared")
    outputs = [tl.layers.Dense(net, 2, name="left"), tl.layers.Dense(net, 1, name="right")]
    return Model([a, b], outputs, name="ends")


class Sloped(Model):
    """A model of one's own over a network: what its forward adds has to come along."""

    def __init__(self) -> None:
        x = tl.layers.Input([None, 4], name="x")
        super().__init__(x, tl.layers.Dense(x, 3, name="body"), name="sloped")
        self.slope = tf.Variable(tf.ones([3]), name="slope")

    def forward(self, x: Any) -> Any:
        """Multiply what the network gives."""
        return super().forward(x) * self.slope


def _frozen() -> Model:
    model = _convolution()
    model.get_layer("conv").trainable = False
    model.get_layer("bn").trainable = False
    return model


KINDS = {
    "mlp": Kind(_mlp, {"x": (4,)}, ("logits",)),
    "convolution": Kind(_convolution, {"image": (8, 8, 3)}, ("logits",)),
    "recurrent": Kind(_recurrent, {"steps": (6, 4)}, ("out",)),
    "ends": Kind(_ends, {"a": (4,), "b": (3,)}, ("left", "right")),
    "own forward": Kind(Sloped, {"sloped_x": (4,)}, ("sloped",)),
    "frozen": Kind(_frozen, {"image": (8, 8, 3)}, ("logits",)),
}

every_kind = pytest.mark.parametrize("kind", list(KINDS.values()), ids=list(KINDS))
