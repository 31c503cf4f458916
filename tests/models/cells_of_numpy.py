"""Recurrent cells in NumPy, written from their formulas: an oracle for models made of them."""

from __future__ import annotations

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gru(x, state, kernel, recurrent, bias):
    """Compute a step of a GRU whose reset gate comes after the product."""
    (h,) = state
    xz, xr, xn = np.split(x @ kernel + bias[0], 3, -1)
    hz, hr, hn = np.split(h @ recurrent + bias[1], 3, -1)
    z, r = sigmoid(xz + hz), sigmoid(xr + hr)
    h = z * h + (1 - z) * np.tanh(xn + r * hn)
    return h, [h]


def lstm(x, state, kernel, recurrent, bias):
    """Compute a step of an LSTM."""
    h, c = state
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, -1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return h, [h, c]


N_STATES = {gru: 1, lstm: 2}


def over(cell, weights, xs, state=None, lengths=None):
    """Return the outputs of all steps, 0 after a sequence is over, and the last state."""
    units = weights[1].shape[0]
    if state is None:
        state = [np.zeros([len(xs), units])] * N_STATES[cell]
    outputs = []
    for t in range(xs.shape[1]):
        output, new = cell(xs[:, t], state, *weights)
        live = np.ones([len(xs), 1], bool) if lengths is None else (t < np.array(lengths))[:, None]
        outputs.append(np.where(live, output, 0))
        state = [np.where(live, a, b) for a, b in zip(new, state, strict=True)]
    return np.stack(outputs, 1), state


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)
