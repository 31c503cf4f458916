"""Sequences as one operation: its outputs and its derivative."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.layers.recurrent import ways
from tensorlayer.layers.recurrent.gates import GRUGates, LSTMGates, SimpleGates
from tensorlayer.layers.recurrent.scan import scan, unroll
from tests.layers.recurrent.problems import (
    BATCH,
    CHANNELS,
    MASK,
    RNG,
    STEPS,
    UNITS,
    drawn,
    loss_of,
    problem,
)

every_kind = pytest.mark.parametrize("gates", [SimpleGates(), LSTMGates(), GRUGates()])


@pytest.fixture(params=["step by step", "loop"])
def way(request, monkeypatch):
    if request.param == "loop":
        monkeypatch.setattr(ways, "_FEW_STEPS", 0)
    return request.param


@pytest.mark.parametrize("cache", [0, 2**40])
@every_kind
def test_the_derivative_is_that_of_tensorflow(gates, cache, way, monkeypatch):
    monkeypatch.setattr(ways, "_CACHE", cache)  # products all at once, and one by one
    kernels, x, state = problem(gates)
    dropped = tf.constant(RNG.integers(0, 2, size=(BATCH, UNITS)) * 2.0)

    def gradients(in_training):
        watched = [x, kernels.W, kernels.U, kernels.b, *state]
        with tf.GradientTape() as tape:
            tape.watch(watched)
            loss = loss_of(
                gates, kernels, x, state,
                mask=MASK, recurrent_mask=dropped, in_training=in_training,
            )  # fmt: skip
        return loss, tape.gradient(loss, watched)

    (ours, our_gradients), (theirs, their_gradients) = gradients(True), gradients(False)

    np.testing.assert_allclose(ours, theirs)
    for a, b in zip(our_gradients, their_gradients, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@every_kind
def test_two_gradients_of_one_evaluation(gates, way):
    kernels, x, state = problem(gates)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(kernels.U)
        loss = loss_of(gates, kernels, x, state)

    np.testing.assert_allclose(tape.gradient(loss, kernels.U), tape.gradient(loss, kernels.U))


@pytest.mark.parametrize("is_traced", [False, True])
def test_what_is_gathered_from_may_have_a_sparse_derivative(way, is_traced):
    kernels, x, state = problem(LSTMGates())
    order = tf.constant([2, 0, 1])

    def gradients(in_training):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs, last = scan(LSTMGates(), kernels, x, state, in_training=in_training)
            gathered = [tf.gather(each, order) for each in (outputs, *last)]
            loss = sum(tf.reduce_sum(i * each**2) for i, each in enumerate(gathered, 1))
        return tape.gradient(loss, x)

    compute = tf.function(gradients, autograph=False) if is_traced else gradients
    np.testing.assert_allclose(compute(True), gradients(False), rtol=1e-9, atol=1e-12)


def test_any_function_of_a_step():
    x = drawn(BATCH, STEPS, CHANNELS)

    def step(value, state):
        total = state["sum"] + value
        return tf.cast(total, tf.float32), {"sum": total, "n": state["n"] + 1}

    begin = {"sum": tf.zeros([BATCH, CHANNELS], tf.float64), "n": tf.zeros([BATCH], tf.int32)}
    outputs, state = unroll(step, x, begin, MASK)

    np.testing.assert_allclose(outputs[:2, :2], np.cumsum(x, axis=1)[:2, :2], rtol=1e-6)
    np.testing.assert_array_equal(state["n"], [7, 2, 0])
    np.testing.assert_allclose(state["sum"][1], np.sum(x[1, :2], axis=0))


def test_second_derivatives_name_the_way_to_get_them(way):
    kernels, x, state = problem(SimpleGates())
    with tf.GradientTape() as outer:
        outer.watch(kernels.U)
        with tf.GradientTape() as tape:
            tape.watch(kernels.U)
            loss = loss_of(SimpleGates(), kernels, x, state)
        first = tape.gradient(loss, kernels.U)

    with pytest.raises(
        LookupError, match=r"Evaluate it with is_train=False, .* to diff.* twice\.'$"
    ):
        outer.gradient(first, kernels.U)
