"""Both ways through a sequence: what their graphs have, and what they do not."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.layers.recurrent import ways
from tensorlayer.layers.recurrent.gates import GRUGates, LSTMGates, PeepholeGates, SimpleGates
from tensorlayer.layers.recurrent.scan import scan
from tensorlayer.layers.recurrent.ways import Kernels
from tests.layers.recurrent.problems import (
    BATCH,
    CHANNELS,
    MASK,
    STEPS,
    UNITS,
    drawn,
    loss_of,
    problem,
)


@pytest.fixture
def loop(monkeypatch):
    monkeypatch.setattr(ways, "_FEW_STEPS", 0)


def bodies(concrete):
    """The operations of each loop of a traced function."""
    library = concrete.graph.as_graph_def().library.function
    return {
        f.signature.name: [n.op for n in f.node_def] for f in library if "body" in f.signature.name
    }


def loops_of(concrete):
    return [each for each in concrete.graph.get_operations() if "While" in each.type]


def products_of(concrete):
    return sum(each.type == "MatMul" for each in concrete.graph.get_operations())


def traced(gates, in_training, differentiates=True, steps=STEPS):
    kernels, x, state = problem(gates, steps)

    @tf.function(autograph=False)
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch([kernels.W, kernels.U])
            loss = loss_of(gates, kernels, x, state, in_training=in_training)
        return tape.gradient(loss, [kernels.W, kernels.U]) if differentiates else loss

    return step.get_concrete_function(x)


@pytest.mark.parametrize("gates", [SimpleGates(), LSTMGates(), GRUGates(), PeepholeGates()])
def test_both_ways_give_the_same(gates, monkeypatch):
    kernels, x, state = problem(gates)
    if isinstance(gates, PeepholeGates):
        kernels = Kernels(kernels.W, kernels.U, (kernels.b, *drawn(3, UNITS)))

    def found(few):
        monkeypatch.setattr(ways, "_FEW_STEPS", few)
        with tf.GradientTape() as tape:
            tape.watch([x, kernels.W, kernels.U])
            outputs, last = scan(gates, kernels, x, state, MASK)
            loss = tf.reduce_sum(tf.sin(outputs)) + sum(tf.reduce_sum(each**2) for each in last)
        return outputs, *last, *tape.gradient(loss, [x, kernels.W, kernels.U])

    for a, b in zip(found(STEPS), found(STEPS - 1), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_few_known_steps_are_no_loop():
    short = traced(LSTMGates(), in_training=True)
    many = traced(LSTMGates(), in_training=True, steps=ways._FEW_STEPS + 1)

    assert not loops_of(short)
    assert len(loops_of(many)) == 2
    there_and_back = 2 * STEPS + 2 * STEPS  # with W and U; derivatives of inputs and of outputs
    assert products_of(short) == there_and_back + 2  # those of the weights, at once


def test_steps_that_nobody_knows_are_a_loop():
    kernels, x, state = problem(LSTMGates())
    run = tf.function(lambda x: scan(LSTMGates(), kernels, x, state)[0], autograph=False)

    concrete = run.get_concrete_function(tf.TensorSpec([BATCH, None, CHANNELS], x.dtype))

    assert len(loops_of(concrete)) == 1
    np.testing.assert_allclose(concrete(x), scan(LSTMGates(), kernels, x, state)[0])
    assert concrete(x[:, :0]).shape == [BATCH, 0, UNITS]


def test_the_weights_get_one_product_for_all_steps(loop):
    loops = bodies(traced(LSTMGates(), in_training=True))

    assert sorted(ops.count("MatMul") for ops in loops.values()) == [1, 2]  # back; W x and U h
    assert sorted(ops.count("AddN") for ops in loops.values()) == [0, 1]  # W x + U h + b


def test_what_only_infers_keeps_nothing_for_a_derivative(loop):
    (ops,) = bodies(traced(LSTMGates(), in_training=False, differentiates=False)).values()

    assert ops.count("TensorListSetItem") == 1


def test_large_weights_and_few_rows_are_multiplied_at_once(loop, monkeypatch):
    monkeypatch.setattr(ways, "_CACHE", 0)

    (ops,) = bodies(traced(LSTMGates(), in_training=False, differentiates=False)).values()

    assert ops.count("MatMul") == 1
