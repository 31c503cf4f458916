from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.optimizers import Adafactor, Adam, AdamW, AMSGrad, Lamb, Lion, Nadam
from tests.optimizers import oracles
from tests.optimizers.test_sparse import START, batches, trained

CASES = {
    "Adam": (lambda: Adam(0.1), oracles.adam),
    "Adam, amsgrad": (lambda: Adam(0.1, amsgrad=True), oracles.amsgrad),
    "AMSGrad": (lambda: AMSGrad(0.1, beta2=0.999, epsilon=1e-7), oracles.amsgrad),
    "Lion": (lambda: Lion(0.1), oracles.lion),
}


@pytest.mark.parametrize(("make", "formula"), CASES.values(), ids=CASES)
def test_all_rows_move_by_the_formula(make, formula):
    expected = oracles.train(formula, START, batches(), only_named=False)

    np.testing.assert_allclose(trained(make), expected, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("each", [Adafactor, Adam, AdamW, AMSGrad, Lamb, Lion, Nadam])
@pytest.mark.parametrize("clipping", [{}, {"clipnorm": 0.5}, {"global_clipnorm": 0.5}], ids=str)
def test_the_sparse_step_is_the_dense_step(each, clipping):
    found, expected = (trained(lambda: each(0.1, **clipping), dense=dense) for dense in (0, 1))

    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_adam_is_that_of_tensorflow_1():
    table, old = tf.Variable(START), tf.compat.v1.train.AdamOptimizer(0.1, epsilon=1e-7)
    for rows, values in batches():
        gradient = tf.IndexedSlices(tf.constant(values), tf.constant(rows), tf.shape(table))
        old.apply_gradients([(gradient, table)])

    np.testing.assert_allclose(trained(lambda: Adam(0.1))[-1], table, rtol=1e-4, atol=1e-5)


def test_a_gradient_need_not_know_the_shape_of_the_table():
    table, known = tf.Variable(START), tf.Variable(START)
    rows, values = tf.constant([3, 3]), tf.constant(START[:2])

    for variable, shape in ((table, None), (known, tf.constant(START.shape))):
        gradient = tf.IndexedSlices(values, rows, shape)
        Adam(0.1).apply_gradients([(gradient, variable)])

    np.testing.assert_array_equal(table, known)
    assert not np.array_equal(table, START)


def test_adafactor_keeps_what_that_of_keras_keeps():
    def variables(names):
        rng = np.random.default_rng(0)
        shapes = ([5, 3], [4], [], [2, 3, 4])
        return [
            tf.Variable(rng.normal(size=shape), dtype=tf.float32, name=name)
            for shape, name in zip(shapes, names, strict=True)
        ]

    ours, theirs = Adafactor(0.1), tf.keras.optimizers.Adafactor(0.1)
    mine, others = variables(["a/b", "a/c", "d/e/f", "g/h"]), variables("abcd")
    for optimizer, each in ((ours, mine), (theirs, others)):
        optimizer.build(each)
        optimizer.build(each)  # as often as anybody likes
        for _ in range(2):
            optimizer.apply_gradients([(tf.sin(v) + 0.1, v) for v in each])

    for a, b in zip([*mine, *ours.variables], [*others, *theirs.variables], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
