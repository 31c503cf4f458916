"""Steps compiled by XLA, and the faster of two ways: each batch trains once in any of them."""

from __future__ import annotations

import itertools
import logging

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tensorlayer.train import compiling
from tensorlayer.train.compiling import Faster
from tensorlayer.train.loop import Loop

X = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")


def training():
    """Return weights and a step that fits a plane by gradient descent."""
    w = tf.Variable([[0.0], [0.0], [0.0]])

    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((x @ w - x @ [[1.0], [2.0], [3.0]]) ** 2)
        w.assign_sub(0.1 * tape.gradient(loss, w))
        return loss

    return w, step


def data():
    return tf.data.Dataset.from_tensor_slices(X).batch(5)  # the last one has 4


@pytest.mark.parametrize("is_function", [False, True])
@pytest.mark.parametrize("jit_compile", [True, "auto"])
def test_compiled_or_not_comes_to_the_same(jit_compile, is_function):
    w, step = training()
    tl.train.run(step, data(), n_epoch=2)
    compiled, step = training()
    given = tf.function(step) if is_function else step

    epochs = tl.train.run(given, data(), n_epoch=2, jit_compile=jit_compile)

    np.testing.assert_allclose(compiled, w, rtol=1e-5)
    assert [epoch.n_steps for epoch in epochs] == [13, 13]


def test_the_compiled_step_is_compiled():
    _, step = training()
    loop = Loop.of(step, jit_compile=True)

    assert loop is Loop.of(step, True)
    assert loop is not Loop.of(step)
    definition = loop.trace(tf.constant(X)).function_def
    assert definition.attr["_XlaMustCompile"].b
    assert not Loop.of(step).trace(tf.constant(X)).function_def.attr["_XlaMustCompile"].b


def test_what_cannot_be_compiled_goes_on_without(caplog):
    seen = []

    def step(x):
        tf.py_function(lambda values: seen.append(values.numpy().tolist()), [x], [])
        return tf.reduce_mean(x)

    numbers = tf.data.Dataset.from_tensor_slices(tf.range(20.0)).batch(2)
    with caplog.at_level(logging.INFO, "tensorlayer"):
        (epoch,) = tl.train.run(step, numbers, jit_compile="auto")

    assert list(itertools.chain(*seen)) == list(range(20))  # every batch once, in order
    assert epoch.metrics["loss"] == pytest.approx(9.5)
    assert "the step goes on plain (XLA cannot compile it: " in caplog.text

    with pytest.raises(tf.errors.OpError, match=r"(?i)xla|compil"):
        tl.train.run(step, numbers, jit_compile=True)


def test_an_error_of_the_step_is_told():
    def step(x):
        with tf.control_dependencies([tf.debugging.assert_less(x, 3.0)]):
            return tf.identity(x)

    with pytest.raises(tf.errors.InvalidArgumentError, match="x < y did not hold"):
        tl.train.run(step, [1.0, 2.0, 5.0], jit_compile="auto")


@pytest.mark.parametrize("faster", ["plain", "compiled"])
@pytest.mark.parametrize("is_in_graph", [False, True])
def test_the_faster_one_goes_on(faster, is_in_graph, caplog):
    ticks, count = [0.0], itertools.count()

    def clock():
        # Plain and compiled take turns, and each step asks twice.
        name = ("plain", "compiled")[next(count) // 2 % 2]
        ticks[0] += 1.0 if name == faster else 2.0
        return ticks[0]

    _, step = training()
    made = {"plain": Loop.of(step), "compiled": Loop.of(step, jit_compile=True)}
    loop = Faster(**made, clock=clock)
    batches = data().repeat() if is_in_graph else itertools.cycle(X.reshape(-1, 4, 3))
    going = loop.begin(batches)
    n_trials = 2 * (compiling.N_MEASURED + 1)
    with caplog.at_level(logging.INFO, "tensorlayer"):
        assert [going.advance(100)[0] for _ in range(n_trials)] == [1] * n_trials
        for each in made.values():
            each._n_steps = 3
        made[faster]._n_steps = 7

        count, sums = going.advance(100)

    assert count == 7
    assert sums["loss"] > 0
    assert f"the step goes on {faster} (" in caplog.text
    slower = "2000.00 ms compiled" if faster == "plain" else "2000.00 ms plain"
    assert slower in caplog.text


def test_data_may_end_before_it_is_known():
    w, step = training()

    epochs = tl.train.run(step, data().take(3), n_epoch=3, jit_compile="auto")

    assert [epoch.n_steps for epoch in epochs] == [3, 3, 3]
    assert w.numpy().any()


def test_other_ways_are_refused():
    with pytest.raises(InvalidArgument, match="jit_compile is True, False or 'auto', got 'xla'"):
        tl.train.run(lambda x: x, [1.0], jit_compile="xla")


def test_an_empty_batch_is_explained_while_both_ways_are_tried():
    net = tl.layers.Dense(1, in_channels=3)
    step = tl.train.GradientStep(net, tl.cost.mean_squared_error, tl.optimizers.SGD(0.1))
    empty = [(np.zeros([0, 3], "float32"), np.zeros([0, 1], "float32"))]

    with pytest.raises(InvalidArgument, match=r"training: a batch has no sample, so its cost"):
        tl.train.run(step, empty, jit_compile="auto")
