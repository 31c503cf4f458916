from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.optimizers import SGD, Adagrad, LossScaleOptimizer
from tests.optimizers import oracles
from tests.optimizers.test_sparse import N_ROWS, START, batches, sizes, stepping, trained


def test_steps_are_those_of_the_inner_optimizer():
    found = trained(lambda: LossScaleOptimizer(Adagrad(0.1), initial_scale=1.0))

    expected = oracles.train(oracles.adagrad, START, batches(), only_named=True)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_nothing_in_the_step_is_as_large_as_the_table():
    table, optimizer = tf.Variable(START), LossScaleOptimizer(Adagrad(0.1))
    optimizer.build([table])

    assert N_ROWS not in sizes(stepping(optimizer, table))


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_a_step_with_a_value_that_is_not_finite_is_left_out(bad):
    table, optimizer = tf.Variable(START), LossScaleOptimizer(SGD(0.1), initial_scale=8.0)
    optimizer.build([table])
    step = stepping(optimizer, table)

    step(tf.constant([1, 2], tf.int64), tf.constant([[1.0, 1, 1], [1, bad, 1]]))

    np.testing.assert_array_equal(table, START)
    assert float(optimizer.dynamic_scale) == 4.0
