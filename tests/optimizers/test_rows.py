from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.optimizers.rows import AllRows, ByRows, Rows, summed


def test_rows_named_twice_are_added_up():
    rng = np.random.default_rng(0)
    rows, values = rng.integers(0, 5, 20), rng.normal(size=(20, 3, 2)).astype("float32")

    found = summed(tf.IndexedSlices(tf.constant(values), tf.constant(rows), tf.constant([9, 3, 2])))

    expected = np.zeros([9, 3, 2], "float32")
    np.add.at(expected, rows, values)
    assert len(set(found.indices.numpy())) == len(found.indices)
    np.testing.assert_allclose(found.values, expected[found.indices.numpy()], rtol=1e-5)
    np.testing.assert_array_equal(found.dense_shape, [9, 3, 2])


def test_what_is_not_sparse_is_returned_as_it_is():
    dense = tf.ones([3])
    assert summed(dense) is dense
    assert summed(None) is None


def test_rows_are_read_and_written_together():
    table = tf.Variable(tf.reshape(tf.range(8.0), [4, 2]))
    rows = Rows(table, tf.constant([3, 1]))

    np.testing.assert_array_equal(rows.read(), [[6, 7], [2, 3]])
    written = rows.write(tf.constant([[1.0, 1.0], [2.0, 2.0]]))
    rows.subtract(tf.constant([[0.5, 0.0], [0.0, 0.0]]))

    np.testing.assert_array_equal(written, [[1, 1], [2, 2]])
    np.testing.assert_array_equal(table, [[0, 1], [2, 2], [4, 5], [0.5, 1]])


def test_an_optimizer_of_ones_own_gets_summed_gradients():
    class Mine(AllRows, tf.keras.optimizers.Adagrad):
        pass

    table = tf.Variable([1.0, 1.0])
    twice = tf.IndexedSlices(tf.constant([1.0, 1.0]), tf.constant([1, 1]), tf.constant([2]))
    Mine(0.1, initial_accumulator_value=0.0).apply_gradients([(twice, table)])

    np.testing.assert_allclose(table, [1, 0.9], rtol=1e-5)


class Slower(ByRows, tf.keras.optimizers.SGD):
    """Steps that become shorter: those of one's own by rows."""

    def update_rows(self, gradient, rows, rate):
        rows.subtract(rate * gradient / self.step_number(rate.dtype))


@pytest.mark.parametrize(
    ("options", "first"),
    [
        ({}, [0, 4]),
        ({"clipvalue": 2.5}, [0, 2.5]),
        ({"clipnorm": 2.0}, [0, 2]),
        ({"global_clipnorm": 2.0}, [0, 2]),
    ],
)
def test_an_optimizer_by_rows_of_ones_own_knows_its_step_and_clips_sums(options, first):
    table, optimizer = tf.Variable([0.0, 0.0]), Slower(1.0, **options)
    twice = tf.IndexedSlices(tf.constant([3.0, 1.0]), tf.constant([1, 1]), tf.constant([2]))
    found = []
    for _ in range(3):
        optimizer.apply_gradients([(twice, table)])
        found.append(-table.numpy())

    for n, total in enumerate(found, 1):
        expected = np.array(first) * sum(1 / t for t in range(1, n + 1))
        np.testing.assert_allclose(total, expected, rtol=1e-5)


def test_a_gradient_that_is_divided_stays_sparse():
    table, optimizer = tf.Variable([0.0, 0.0]), Slower(1.0, loss_scale_factor=4.0)
    scaled = tf.IndexedSlices(tf.constant([12.0]), tf.constant([1]), tf.constant([2]))
    dense = tf.Variable([0.0])

    optimizer.apply_gradients([(scaled, table), (tf.constant([8.0]), dense)])

    np.testing.assert_allclose(table, [0, -3])
    np.testing.assert_allclose(dense, [-2])
