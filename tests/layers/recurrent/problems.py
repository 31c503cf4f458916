"""Small problems for cells over sequences, in 64 bits."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.layers.recurrent.gates import GRUGates, LSTMGates, SimpleGates
from tensorlayer.layers.recurrent.scan import scan
from tensorlayer.layers.recurrent.ways import Kernels

GATES = {
    "simple": SimpleGates(),
    "lstm": LSTMGates(),
    "lstm of TensorFlow 1": LSTMGates(order="igfo", forget_bias=1.0),
    "gru": GRUGates(),
}
every_kind = pytest.mark.parametrize("gates", GATES.values(), ids=GATES)

RNG = np.random.default_rng(0)
STEPS, BATCH, CHANNELS, UNITS = 7, 3, 4, 5
#: False where a sequence is over: of 7, 2 and 0 steps.
MASK = tf.constant(np.arange(STEPS)[:, None] < np.array([7, 2, 0])[:, None, None])


def drawn(*shape):
    return tf.constant(0.5 * RNG.normal(size=shape))


def problem(gates, steps=STEPS):
    width = gates.n_gates * UNITS
    biases = drawn(2, width) if isinstance(gates, GRUGates) else drawn(width)
    kernels = Kernels(drawn(CHANNELS, width), drawn(UNITS, width), biases)
    state = tuple(drawn(BATCH, UNITS) for _ in range(gates.n_states))
    return kernels, drawn(BATCH, steps, CHANNELS), state


def loss_of(gates, kernels, x, state, **options):
    outputs, last = scan(gates, kernels, x, state, **options)
    return tf.reduce_sum(tf.sin(outputs)) + sum(tf.reduce_sum(each**2) for each in last)
