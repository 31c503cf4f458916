"""Variables of a TensorFlow 1 graph."""

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer import files
from tensorlayer.errors import StructureMismatch
from tensorlayer.files.session import lives_in
from tests.files.test_weights import same


@pytest.mark.parametrize("by_name", [False, True])
def test_weights_of_a_session(by_name, tmp_path):
    path = tmp_path / "a.npz"
    with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
        x = tf.compat.v1.placeholder(tf.float32, [None, 4])
        net = tl.layers.DenseLayer(tl.layers.InputLayer(x, name="x"), 3, name="dense")
        start = tf.compat.v1.global_variables_initializer()
        sess.run(start)
        expected = sess.run(net.all_params)
        (files.save_npz_dict if by_name else files.save_npz)(net.all_params, path, sess=sess)
        sess.run(start)
        assert not same(sess.run(net.all_params), expected)
        operations = len(sess.graph.get_operations())
        load = files.load_and_assign_npz_dict if by_name else files.load_and_assign_npz
        assert load(sess=sess, name=path, network=net) is net
        assert same(sess.run(net.all_params), expected)
        assert len(sess.graph.get_operations()) == operations
        files.assign_params(sess, [np.zeros((4, 3))], net)
        assert same(sess.run(net.all_params), [np.zeros((4, 3)), expected[1]])


def test_the_order_of_tensorlayer_1_is_understood(tmp_path):
    path = tmp_path / "a.npz"
    with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
        x = tf.compat.v1.placeholder(tf.float32, [None, 4])
        net = tl.layers.DenseLayer(tl.layers.InputLayer(x, name="x"), 3, name="dense")
        sess.run(tf.compat.v1.global_variables_initializer())
        files.save_npz([np.ones((4, 3)), np.zeros(3)], path)
        assert files.load_and_assign_npz(sess, path, net) is net
        assert same(sess.run(net.all_params), [np.ones((4, 3)), np.zeros(3)])
        assert files.load_and_assign_npz(sess, str(tmp_path / "missing.npz"), net) is False
        files.save_npz([np.ones((4, 3)), np.zeros(2)], path)
        with pytest.raises(StructureMismatch, match="dense/biases"):
            files.load_and_assign_npz(sess, path, net)
        assert same(sess.run(net.all_params), [np.ones((4, 3)), np.zeros(3)]), "all or none"


def test_only_variables_of_the_graph_of_the_session_live_in_it():
    eager = tf.Variable(1.0)
    with tf.Graph().as_default() as graph:
        inside = tf.compat.v1.get_variable("v", [2])
        with tf.compat.v1.Session() as sess:
            assert lives_in(sess, [inside])
    with tf.Graph().as_default(), tf.compat.v1.Session() as other:
        assert not lives_in(other, [inside])
        assert not lives_in(other, [eager])
    assert graph is inside.graph
    assert not lives_in(None, [inside])
