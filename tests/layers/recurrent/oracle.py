"""Recurrent networks in NumPy, in 64 bits, one sample and one step at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Weights = Mapping[str, np.ndarray]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def simple(w: Weights, x: np.ndarray, state: list[np.ndarray]) -> list[np.ndarray]:
    return [np.tanh(x @ w["kernel"] + state[0] @ w["recurrent_kernel"] + w["bias"])]


def lstm(w: Weights, x: np.ndarray, state: list[np.ndarray]) -> list[np.ndarray]:
    i, f, g, o = np.split(x @ w["kernel"] + state[0] @ w["recurrent_kernel"] + w["bias"], 4)
    c = sigmoid(f) * state[1] + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(c), c]


def gru(w: Weights, x: np.ndarray, state: list[np.ndarray]) -> list[np.ndarray]:
    x_z, x_r, x_n = np.split(x @ w["kernel"] + w["bias"][0], 3)
    h_z, h_r, h_n = np.split(state[0] @ w["recurrent_kernel"] + w["bias"][1], 3)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    return [z * state[0] + (1 - z) * np.tanh(x_n + r * h_n)]


def basic_lstm(w: Weights, x: np.ndarray, state: list[np.ndarray]) -> list[np.ndarray]:
    i, g, f, o = np.split(np.concatenate([x, state[0]]) @ w["kernel"] + w["bias"], 4)
    c = sigmoid(f + 1) * state[1] + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(c), c]


#: The step of each cell, and how many states it has.
STEPS: dict[str, tuple[Callable[..., Any], int]] = {
    "SimpleRNN": (simple, 1),
    "LSTM": (lstm, 2),
    "GRU": (gru, 1),
    "BasicLSTM": (basic_lstm, 2),
}


def sequence(
    kind: str, w: Weights, x: np.ndarray, lengths: Any = None, state: Any = None
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return outputs (batch, steps, units), 0 behind the ends, and the last states."""
    step, n_states = STEPS[kind]
    w = {name: value.astype(float) for name, value in w.items()}
    units = w["kernel"].shape[-1] // {"SimpleRNN": 1, "GRU": 3}.get(kind, 4)
    outputs = np.zeros((*x.shape[:2], units))
    last = [np.zeros((len(x), units)) for _ in range(n_states)]
    for b, sample in enumerate(x.astype(float)):
        now = [np.zeros(units) if state is None else np.asarray(s, float)[b] for s in
               (state or [None] * n_states)]  # fmt: skip
        for t in range(len(sample) if lengths is None else lengths[b]):
            now = step(w, sample[t], now)
            outputs[b, t] = now[0]
        for values, final in zip(last, now, strict=True):
            values[b] = final
    return outputs, last
