"""Threads that call one new layer at once make its parameters once."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.layers import Dense, Lambda
from tests.layers.test_computing import Hidden

X = np.random.default_rng(0).normal(1.0, 2.0, size=(16, 4)).astype("float32")


def four_times(work):
    barrier, errors = threading.Barrier(4), []

    def run():
        barrier.wait()
        try:
            work()
        except Exception as error:  # noqa: BLE001 - told to the test
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def stateful(x):
    return x * tf.Variable(2.0, name="v")


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (lambda: Dense(n_units=3), 2),
        (Hidden, 4),
        (lambda: Lambda(stateful), 1),
        (lambda: Lambda(tf.keras.layers.Dense(3)), 2),
    ],
    ids=["Dense", "block", "function", "Keras"],
)
def test_threads_that_call_a_new_layer_make_its_parameters_once(make, count):
    layer = make()
    outputs = []

    four_times(lambda: outputs.append(layer(X).numpy()))

    assert len(layer.all_weights) == count
    for output in outputs:
        np.testing.assert_array_equal(output, outputs[0])


def test_a_thread_that_comes_while_a_layer_is_built_makes_nothing():
    x, used, others = tf.ones([1, 4]), [], []

    def init(shape, dtype=tf.float32):
        if not others:  # the first parameter is being made
            others.append(threading.Thread(target=call))
            others[0].start()
            others[0].join(0.5)
        return tf.ones(shape, dtype)

    layer = Dense(n_units=3, W_init=init)

    def call():
        with tf.GradientTape() as tape:
            layer(x)
        used.extend(tape.watched_variables())

    call()
    others[0].join()

    assert len(used) == 4
    assert {id(v) for v in used} == {id(v) for v in layer.all_weights}
