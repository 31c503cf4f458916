"""Optimizers in NumPy, for one row, which is all of a dense variable as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

State = dict[str, np.ndarray]
#: A function of (state, row, gradient, number of the step) that returns the new row.
Formula = Callable[[State, np.ndarray, np.ndarray, int], np.ndarray]

RATE, EPSILON = 0.1, 1e-7
ZERO = np.zeros(1)


def sgd(state: State, x: Any, g: Any, t: int) -> Any:
    return x - RATE * g


def momentum(state: State, x: Any, g: Any, t: int) -> Any:
    state["m"] = 0.9 * state.get("m", ZERO) - RATE * g
    return x + state["m"]


def nesterov(state: State, x: Any, g: Any, t: int) -> Any:
    state["m"] = 0.9 * state.get("m", ZERO) - RATE * g
    return x + 0.9 * state["m"] - RATE * g


def adagrad(state: State, x: Any, g: Any, t: int) -> Any:
    state["a"] = state.get("a", ZERO + 0.1) + g**2
    return x - RATE * g / np.sqrt(state["a"] + EPSILON)


def rmsprop(state: State, x: Any, g: Any, t: int) -> Any:
    state["v"] = 0.9 * state.get("v", ZERO) + 0.1 * g**2
    return x - RATE * g / np.sqrt(state["v"] + EPSILON)


def rmsprop_centered(state: State, x: Any, g: Any, t: int) -> Any:
    state["v"] = 0.9 * state.get("v", ZERO) + 0.1 * g**2
    state["g"] = 0.9 * state.get("g", ZERO) + 0.1 * g
    step = RATE * g / np.sqrt(state["v"] - state["g"] ** 2 + EPSILON)
    state["m"] = 0.5 * state.get("m", ZERO) + step
    return x - state["m"]


def adadelta(state: State, x: Any, g: Any, t: int) -> Any:
    state["v"] = 0.95 * state.get("v", ZERO) + 0.05 * g**2
    delta = g * np.sqrt((state.get("d", ZERO) + EPSILON) / (state["v"] + EPSILON))
    state["d"] = 0.95 * state.get("d", ZERO) + 0.05 * delta**2
    return x - RATE * delta


def adamax(state: State, x: Any, g: Any, t: int) -> Any:
    state["m"] = 0.9 * state.get("m", ZERO) + 0.1 * g
    state["u"] = np.maximum(0.999 * state.get("u", ZERO), abs(g))
    return x - RATE / (1 - 0.9**t) * state["m"] / (state["u"] + EPSILON)


def ftrl(state: State, x: Any, g: Any, t: int) -> Any:
    """As in McMahan et al., algorithm 1, with the sizes of steps of Keras."""
    before = state.get("n", ZERO + 0.1)
    state["n"] = before + g**2
    pull = (np.sqrt(state["n"]) - np.sqrt(before)) / RATE * x
    state["z"] = state.get("z", ZERO) + g + 2 * 0.03 * x - pull
    scale = (np.sqrt(state["n"]) + 0.5) / RATE + 2 * 0.02
    excess = np.sign(state["z"]) * 0.01 - state["z"]
    return np.where(abs(state["z"]) <= 0.01, 0.0, excess / scale)


def adam(state: State, x: Any, g: Any, t: int) -> Any:
    state["m"] = 0.9 * state.get("m", ZERO) + 0.1 * g
    state["v"] = 0.999 * state.get("v", ZERO) + 0.001 * g**2
    corrected = RATE * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    return x - corrected * state["m"] / (np.sqrt(state["v"]) + EPSILON)


def amsgrad(state: State, x: Any, g: Any, t: int) -> Any:
    state["m"] = 0.9 * state.get("m", ZERO) + 0.1 * g
    state["v"] = 0.999 * state.get("v", ZERO) + 0.001 * g**2
    state["h"] = np.maximum(state.get("h", ZERO), state["v"])
    corrected = RATE * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    return x - corrected * state["m"] / (np.sqrt(state["h"]) + EPSILON)


def lion(state: State, x: Any, g: Any, t: int) -> Any:
    before = state.get("m", ZERO)
    state["m"] = 0.99 * before + 0.01 * g
    return x - RATE * np.sign(0.9 * before + 0.1 * g)


def train(
    formula: Formula, start: np.ndarray, batches: Any, *, only_named: bool
) -> list[np.ndarray]:
    """Return the table after each batch of (rows, gradients), with rows or as all of it."""
    table, states, found = start.astype(np.float64), [{} for _ in start], []
    for t, (rows, gradients) in enumerate(batches, 1):
        total = np.zeros_like(table)
        np.add.at(total, rows, gradients)
        for row in sorted(set(rows)) if only_named else range(len(table)):
            table[row] = formula(states[row], table[row], total[row], t)
        found.append(table.copy())
    return found
