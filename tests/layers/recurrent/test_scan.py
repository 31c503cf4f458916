"""Sequences as one operation: what the graph has, and what it does not."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.layers.recurrent import scan as module
from tensorlayer.layers.recurrent.gates import GRUGates, LSTMGates, SimpleGates
from tensorlayer.layers.recurrent.scan import Kernels, scan, unroll

RNG = np.random.default_rng(0)
STEPS, BATCH, CHANNELS, UNITS = 7, 3, 4, 5
every_kind = pytest.mark.parametrize("gates", [SimpleGates(), LSTMGates(), GRUGates()])


def drawn(*shape):
    return tf.constant(0.5 * RNG.normal(size=shape))


def problem(gates, steps=STEPS):
    width = gates.n_gates * UNITS
    biases = drawn(2, width) if isinstance(gates, GRUGates) else drawn(width)
    kernels = Kernels(drawn(CHANNELS, width), drawn(UNITS, width), biases)
    state = tuple(drawn(BATCH, UNITS) for _ in range(gates.n_states))
    return kernels, drawn(steps, BATCH, CHANNELS), state


def loss_of(gates, kernels, x, state, **options):
    outputs, last = scan(gates, kernels, x, state, **options)
    return tf.reduce_sum(tf.sin(outputs)) + sum(tf.reduce_sum(each**2) for each in last)


@pytest.mark.parametrize("cache", [0, 2**40])
@every_kind
def test_the_derivative_is_that_of_tensorflow(gates, cache, monkeypatch):
    monkeypatch.setattr(module, "_CACHE", cache)  # products all at once, and step by step
    kernels, x, state = problem(gates)
    mask = tf.constant(np.arange(STEPS)[:, None, None] < np.array([7, 2, 0])[:, None])
    dropped = tf.constant(RNG.integers(0, 2, size=(BATCH, UNITS)) * 2.0)

    def gradients(in_training):
        watched = [x, kernels.W, kernels.U, kernels.b, *state]
        with tf.GradientTape() as tape:
            tape.watch(watched)
            loss = loss_of(
                gates, kernels, x, state,
                mask=mask, recurrent_mask=dropped, in_training=in_training,
            )  # fmt: skip
        return loss, tape.gradient(loss, watched)

    (ours, our_gradients), (theirs, their_gradients) = gradients(True), gradients(False)

    np.testing.assert_allclose(ours, theirs)
    for a, b in zip(our_gradients, their_gradients, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@every_kind
def test_two_gradients_of_one_evaluation(gates):
    kernels, x, state = problem(gates)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(kernels.U)
        loss = loss_of(gates, kernels, x, state)

    np.testing.assert_allclose(tape.gradient(loss, kernels.U), tape.gradient(loss, kernels.U))


def bodies(concrete):
    """The operations of each loop of a traced function."""
    library = concrete.graph.as_graph_def().library.function
    return {
        f.signature.name: [n.op for n in f.node_def] for f in library if "body" in f.signature.name
    }


def traced(gates, in_training, differentiates=True):
    kernels, x, state = problem(gates)

    @tf.function(autograph=False)
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch([kernels.W, kernels.U])
            loss = loss_of(gates, kernels, x, state, in_training=in_training)
        return tape.gradient(loss, [kernels.W, kernels.U]) if differentiates else loss

    return step.get_concrete_function(x)


def test_the_weights_get_one_product_for_all_steps():
    loops = bodies(traced(LSTMGates(), in_training=True))

    assert sorted(ops.count("MatMul") for ops in loops.values()) == [1, 2]  # back; W x and U h
    assert not any("AddN" in ops for ops in loops.values())


def test_what_only_infers_keeps_nothing_for_a_derivative():
    (ops,) = bodies(traced(LSTMGates(), in_training=False, differentiates=False)).values()

    assert ops.count("TensorListSetItem") == 1


def test_large_weights_and_few_rows_are_multiplied_at_once(monkeypatch):
    monkeypatch.setattr(module, "_CACHE", 0)

    (ops,) = bodies(traced(LSTMGates(), in_training=False, differentiates=False)).values()

    assert ops.count("MatMul") == 1


def test_any_function_of_a_step():
    x = drawn(STEPS, BATCH, CHANNELS)
    mask = tf.constant(np.arange(STEPS)[:, None, None] < np.array([7, 2, 0])[:, None])

    def step(value, state):
        total = state["sum"] + value
        return tf.cast(total, tf.float32), {"sum": total, "n": state["n"] + 1}

    begin = {"sum": tf.zeros([BATCH, CHANNELS], tf.float64), "n": tf.zeros([BATCH], tf.int32)}
    outputs, state = unroll(step, x, begin, mask)

    np.testing.assert_allclose(outputs[:2, :2], np.cumsum(x, axis=0)[:2, :2], rtol=1e-6)
    np.testing.assert_array_equal(state["n"], [7, 2, 0])
    np.testing.assert_allclose(state["sum"][1], np.sum(x[:2, 1], axis=0))


def test_second_derivatives_name_the_way_to_get_them():
    kernels, x, state = problem(SimpleGates())
    with tf.GradientTape() as outer:
        outer.watch(kernels.U)
        with tf.GradientTape() as tape:
            tape.watch(kernels.U)
            loss = loss_of(SimpleGates(), kernels, x, state)
        first = tape.gradient(loss, kernels.U)

    with pytest.raises(LookupError, match=r"Evaluate it with is_train=False to diff.* twice\.'$"):
        outer.gradient(first, kernels.U)
