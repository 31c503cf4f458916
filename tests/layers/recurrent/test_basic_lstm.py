"""The cell of TensorFlow 1."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tests.layers.recurrent import oracle
from tests.layers.recurrent.test_rnn import LENGTHS, X, close, randomized, weights_of


@pytest.mark.parametrize("is_train", [True, False])
def test_it_computes_the_loop(is_train):
    layer = randomized(tl.layers.RNN(tl.layers.BasicLSTMCell(5), in_channels=3))

    outputs, state = layer(X, sequence_length=LENGTHS, is_train=is_train)

    expected, (h, c) = oracle.sequence("BasicLSTM", weights_of(layer), X, LENGTHS)
    close(outputs, expected)
    close(state.h, h)
    close(state.c, c)


def test_a_state_of_one_call_is_that_of_the_next():
    layer = tl.layers.RNN(tl.layers.BasicLSTMCell(5, forget_bias=0.0), in_channels=3)

    whole, _ = layer(X)
    _, state = layer(X[:, :2])
    second, last = layer(X[:, 2:], initial_state=state)

    close(second, whole[:, 2:])
    assert isinstance(last, tl.layers.LSTMState)


def test_the_forget_bias_is_beside_the_biases():
    with_bias, without = (tl.layers.BasicLSTMCell(5, forget_bias=b) for b in (1.0, 0.0))
    x, begin = tf.constant(X[:, 0]), tl.layers.LSTMState(tf.ones([4, 5]), tf.zeros([4, 5]))
    with_bias(x, begin)
    without(x, begin)
    for mine, other in zip(without.all_weights, with_bias.all_weights, strict=True):
        mine.assign(other)

    without.bias.assign_add(np.repeat([0.0, 0.0, 1.0, 0.0], 5))

    close(without(x, begin)[0], with_bias(x, begin)[0])
    assert not np.any(with_bias.bias)


@pytest.mark.parametrize("is_train", [True, False])
def test_peepholes_are_trained(is_train):
    layer = tl.layers.RNN(tl.layers.BasicLSTMCell(5, use_peepholes=True), in_channels=3)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(X, is_train=is_train)[0] ** 2)

    gradients = tape.gradient(loss, layer.all_weights)

    assert [w.name.rpartition("/")[2] for w in layer.all_weights[2:]] == [
        "w_i_diag:0", "w_f_diag:0", "w_o_diag:0",
    ]  # fmt: skip
    assert all(np.any(gradient != 0) for gradient in gradients)
