"""The formulas of cells, and their derivatives by hand, against TensorFlow's."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tensorlayer.layers.recurrent.gates import (
    GRUGates,
    LSTMGates,
    PeepholeGates,
)
from tests.layers.recurrent.problems import every_kind

RNG = np.random.default_rng(0)


def drawn(*shape):
    return tf.constant(RNG.normal(size=shape))


def inputs(gates, units=3, batch=4):
    width = gates.n_gates * units
    biases = drawn(2, width) if isinstance(gates, GRUGates) else drawn(width)
    state = tuple(drawn(batch, units) for _ in range(gates.n_states))
    return drawn(batch, width), drawn(batch, width), biases, state


@every_kind
def test_the_derivative_is_that_of_the_step(gates):
    x, h, b, state = inputs(gates)
    upstream = tuple(drawn(4, 3) for _ in state)
    with tf.GradientTape() as tape:
        tape.watch((x, h, b, state))
        new, saved = gates.step(x, h, gates.spread(b, state), state)
        loss = sum(tf.reduce_sum(u * n) for u, n in zip(upstream, new, strict=True))
    expected = tape.gradient(loss, [x, h, b, *state], unconnected_gradients="zero")

    products, before = gates.back(saved, upstream)

    assert len(saved) == gates.n_saved
    assert len(products) == gates.n_products
    found = [products[0], products[-1], gates.back_bias(*products), *before]
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


@every_kind
def test_no_biases_are_biases_of_zero(gates):
    x, h, b, state = inputs(gates)

    def new(biases):
        return gates.step(x, h, gates.spread(biases, state), state)[0]

    for ours, theirs in zip(new(None), new(0 * b), strict=True):
        np.testing.assert_allclose(ours, theirs)


def test_the_order_of_the_gates_is_that_of_the_parameters():
    x, h, b, state = inputs(LSTMGates())
    i, f, g, o = tf.split(x + h + b, 4, axis=1)
    zeros = tf.zeros([4, 12], tf.float64)

    keras, _ = LSTMGates().step(x, h, LSTMGates().spread(b, state), state)
    first, _ = LSTMGates(order="igfo").step(tf.concat([i, g, f, o], 1), zeros, None, state)

    np.testing.assert_allclose(first[1], keras[1])
    np.testing.assert_allclose(first[0], keras[0])


def test_a_forget_bias_is_added_to_the_forget_gate():
    x, h, b, state = inputs(LSTMGates())
    more = b + np.repeat([0.0, 1.0, 0.0, 0.0], 3)

    with_bias, _ = LSTMGates(forget_bias=1.0).step(x, h, LSTMGates().spread(b, state), state)
    expected, _ = LSTMGates().step(x, h, LSTMGates().spread(more, state), state)

    for ours, theirs in zip(with_bias, expected, strict=True):
        np.testing.assert_allclose(ours, theirs)


def test_peepholes_see_the_memory_before_and_after():
    x, h, b, state = inputs(LSTMGates())
    weights = [drawn(3) for _ in range(3)]
    z = dict(zip("igfo", np.split((x + h + b).numpy(), 4, axis=1), strict=True))
    w = dict(zip("ifo", (each.numpy() for each in weights), strict=True))

    def sigmoid(v):
        return 1 / (1 + np.exp(-v))

    before = state[1].numpy()
    c = sigmoid(z["f"] + 1 + w["f"] * before) * before
    c += sigmoid(z["i"] + w["i"] * before) * np.tanh(z["g"])

    gates = PeepholeGates(order="igfo", forget_bias=1.0)
    (shown, memory), _ = gates.step(x, h, gates.spread((b, *weights), state), state)

    np.testing.assert_allclose(memory, c)
    np.testing.assert_allclose(shown, sigmoid(z["o"] + w["o"] * c) * np.tanh(c))
    assert not gates.has_derivative


def test_other_activations_have_no_derivative_by_hand():
    assert LSTMGates().has_derivative
    assert not LSTMGates(activation=tf.nn.relu).has_derivative
    assert not GRUGates(recurrent_activation=tf.nn.relu).has_derivative
