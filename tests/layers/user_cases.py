"""The layers of ``user_layers.py`` with what they are to compute, in NumPy."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorlayer as tl
from tensorlayer.layers import Dense, Input
from tests.layers.user_layers import (
    GRU,
    Attention,
    Bilinear,
    Embedding,
    Own,
    Residual,
    SubpixelConv,
    WeightNorm,
)


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gru_states(p, x, state=None):
    """Return the states after every step, ``(batch, steps, units)``."""
    W, U, b = p["kernel"], p["recurrent"], p["biases"]
    n = U.shape[0]
    h = np.zeros([len(x), n]) if state is None else state
    states = []
    for t in range(x.shape[1]):
        zr = sigmoid(x[:, t] @ W[:, : 2 * n] + b[: 2 * n] + h @ U[:, : 2 * n])
        z, r = zr[:, :n], zr[:, n:]
        new = np.tanh(x[:, t] @ W[:, 2 * n :] + b[2 * n :] + (r * h) @ U[:, 2 * n :])
        h = z * h + (1 - z) * new
        states.append(h)
    return np.stack(states, 1)


def subpixel(p, x):
    y = np.maximum(x @ p["filters"][0, 0], 0)
    n, h, w, c = y.shape
    out = np.zeros([n, 2 * h, 2 * w, c // 4])
    for i in range(2):
        for j in range(2):
            block = 2 * i + j
            out[:, i::2, j::2] = y[..., block * c // 4 : (block + 1) * c // 4]
    return out


def residual(p, x):
    def dense(name, act, values):
        return act(values @ p[f"{name}/weights"] + p[f"{name}/biases"])

    y = x
    for name in ("entry", "second", "more/0", "last"):
        y = dense(name, np.tanh, y)
    return x + dense("_gate", sigmoid, x) * y


def attention(p, queries, memory):
    scores = (queries @ p["queries"]) @ np.swapaxes(memory @ p["keys"], 1, 2)
    exp = np.exp(scores - scores.max(-1, keepdims=True))
    return exp / exp.sum(-1, keepdims=True) @ memory


def weight_norm(p, x):
    v = p["layer/weights"]
    return np.tanh(x @ (p["g"] * v / np.sqrt((v**2).sum(0))) + p["layer/biases"])


@dataclasses.dataclass(frozen=True)
class Case:
    """A layer of a user, and what it is to compute."""

    kind: type
    arguments: Callable[[], dict[str, Any]]  #: of the constructor, anew for each layer
    shapes: tuple[tuple[int, ...], ...]  #: of the inputs, without the batch
    parameters: tuple[str, ...]
    compute: Callable[..., np.ndarray]  #: in NumPy, from parameters by name and inputs
    dtype: str = "float32"
    is_list: bool = False  #: several inputs come as one list, and not by position

    def __str__(self):
        return self.kind.__name__

    def make(self, *nets, name="user"):
        return self.kind(*nets, **self.arguments(), name=name)

    def values(self, seed=0, batch=3):
        rng = np.random.default_rng(seed)
        sizes = [[batch, *shape] for shape in self.shapes]
        if self.dtype == "int32":
            return [rng.integers(0, 5, size).astype("int32") for size in sizes]
        return [rng.normal(size=size).astype("float32") for size in sizes]

    def inputs(self, prefix="x"):
        return [
            Input([None, *shape], self.dtype, name=f"{prefix}{i}")
            for i, shape in enumerate(self.shapes)
        ]

    def apply(self, layer, nets):
        return layer(nets) if self.is_list else layer(*nets)

    def network(self, prefix="x", name="user"):
        return randomized(self.apply(self.make(name=name), self.inputs(prefix)), name)

    def model(self, name="user"):
        inputs = self.inputs()
        return tl.models.Model(inputs, self.apply(self.make(name=name), inputs))

    def own(self, name="user"):
        model = Own(self.make(name=name))
        self.apply_own(model, self.values(), is_train=False)
        return model

    def apply_own(self, model, values, is_train=False):
        given = [values] if self.is_list else values
        return model(*given, is_train=is_train)

    def expected(self, owner, values, prefix="user/"):
        arrays = {
            name.removeprefix(prefix): v.numpy().astype("float64")
            for name, v in owner.parameters.items()
        }
        wide = [x if self.dtype == "int32" else x.astype("float64") for x in values]
        return self.compute(arrays, *wide)


def randomized(net, seed_text):
    """Give every parameter another value than that of its initializer."""
    rng = np.random.default_rng(len(seed_text))
    for variable in net.all_params:
        variable.assign(rng.normal(scale=0.5, size=variable.shape) + 0.1)
    return net


CASES = (
    Case(Embedding, lambda: {"n_words": 5, "n_units": 4}, ((6,),), ("table",),
         lambda p, x: p["table"][x], dtype="int32"),
    Case(GRU, lambda: {"n_units": 4}, ((5, 3),), ("kernel", "recurrent", "biases"), gru_states),
    Case(SubpixelConv, lambda: {"n_filter": 2, "act": "relu"}, ((3, 4, 3),), ("filters",),
         subpixel),
    Case(Residual, lambda: {"n_units": 4}, ((4,),), tuple(
        f"{layer}/{name}" for layer in ("entry", "second", "more/0", "last", "_gate")
        for name in ("weights", "biases")), residual),
    Case(Bilinear, lambda: {"n_units": 3}, ((4,), (5,)), ("weights",),
         lambda p, a, b: np.einsum("ni,nj,ijk->nk", a, b, p["weights"]), is_list=True),
    Case(Attention, lambda: {"n_units": 4}, ((2, 3), (5, 6)), ("queries", "keys"), attention),
    Case(WeightNorm, lambda: {"layer": Dense(4, act="tanh")}, ((3,),),
         ("g", "layer/weights", "layer/biases"), weight_norm),
)  # fmt: skip
every_case = pytest.mark.parametrize("case", CASES, ids=str)
