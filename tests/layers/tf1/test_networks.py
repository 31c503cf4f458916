"""What a session takes: networks, their states, the values of their parameters."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import DenseLayer, Input, InputLayer, RNNLayer
from tests.layers.tf1.begun import ONES, begin

v1 = tf.compat.v1


def test_a_session_fetches_networks(sess):
    x = begin()
    net = DenseLayer(DenseLayer(x, 5, name="first"), 3, name="second")
    tl.layers.initialize_global_variables(sess)

    one, layers, named = sess.run(
        [net, net.all_layers, {"first": net.parents[0].outputs}], {x: ONES}
    )

    np.testing.assert_array_equal(layers[0], named["first"])
    np.testing.assert_array_equal(one, layers[1])
    assert [each.get_shape().as_list() for each in net.all_layers] == [[None, 5], [None, 3]]


def test_states_are_tensors_to_be_fetched_and_fed(sess):
    x = v1.placeholder(tf.float32, [2, 4, 3])
    net = RNNLayer(
        InputLayer(x, name="x"), cell_fn=tl.layers.BasicLSTMCell, n_hidden=5, n_steps=4, name="rnn"
    )
    tl.layers.initialize_global_variables(sess)
    values = np.random.default_rng(0).normal(size=[2, 8, 3])

    state = tl.layers.initialize_rnn_state(net.initial_state)
    parts = []
    for start in (0, 4):
        feed = {x: values[:, start : start + 4], net.initial_state: state}
        part, state = sess.run([net.outputs, net.final_state], feed)
        parts.append(part)

    assert tf.is_tensor(net.initial_state.c)
    cell = tl.layers.BasicLSTMCell(5)
    kernel, bias = sess.run(net.all_params)
    found = np.concatenate(parts, axis=1)
    h, c = np.zeros([2, 5]), np.zeros([2, 5])
    for t in range(8):
        i, g, f, o = np.split(np.concatenate([values[:, t], h], 1) @ kernel + bias, 4, axis=1)
        c = c / (1 + np.exp(-f - 1)) + np.tanh(g) / (1 + np.exp(-i))
        h = np.tanh(c) / (1 + np.exp(-o))
        np.testing.assert_allclose(found[:, t], h, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(state.c, c, rtol=1e-4, atol=1e-5)
    assert type(state).__name__ == type(cell.initial_state(1)).__name__ == "LSTMState"


def test_elsewhere_states_are_networks():
    net = RNNLayer(Input([2, 4, 3]), cell_fn=tl.layers.BasicLSTMCell, n_hidden=5, n_steps=4)

    assert isinstance(net.final_state.c, tl.layers.Network)


def test_values_of_all_parameters(sess, capsys):
    net = DenseLayer(begin(), 3, W_init=tf.ones_initializer(), name="d")
    with pytest.raises(InvalidArgument, match=r"get_all_params: variables have no value.*'d/weigh"):
        net.get_all_params(sess)
    with pytest.raises(InvalidArgument, match="print_params: variables have no value"):
        net.print_params(True, sess)
    tl.layers.initialize_global_variables(sess)

    W, b = net.get_all_params(sess)
    net.print_params(True, session=sess)
    with v1.Session(graph=tf.Graph()) as other:
        for use in (net.get_all_params, lambda session: net.print_params(True, session)):
            with pytest.raises(InvalidArgument, match="the session is of another graph"):
                use(other)

    np.testing.assert_array_equal(W, np.ones([20, 3]))
    np.testing.assert_array_equal(b, np.zeros(3))
    np.testing.assert_array_equal(net.get_all_params()[0], W)  # of the default session
    shown = capsys.readouterr().out
    assert "d/weights" in shown
    assert "63 parameters" in shown


def test_values_of_all_parameters_outside_of_graphs():
    net = DenseLayer(Input([None, 2]), 3, b_init=2.0)

    np.testing.assert_array_equal(net.get_all_params()[1], [2, 2, 2])
