"""Variables of a TensorFlow 1 graph."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer import files
from tensorlayer.errors import InvalidArgument, StructureMismatch
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
        assert files.load_and_assign_npz(sess, name=path, network=net) is net
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


# -- what a script of 1.x calls

v1 = tf.compat.v1


def stacked():
    x = v1.placeholder(tf.float32, [None, 4])
    net = tl.layers.DenseLayer(tl.layers.InputLayer(x, name="x"), 3, name="dense")
    return tl.layers.DenseLayer(net, 2, name="out")


def test_arrays_by_name_go_to_the_variables_of_the_graph(tmp_path, caplog):
    path = tmp_path / "dict.npz"
    with tf.Graph().as_default(), v1.Session() as sess:
        net = stacked()
        tl.layers.initialize_global_variables(sess)
        expected = sess.run(net.all_params)
        files.save_npz_dict(net.all_params, path, sess)
        tl.layers.initialize_global_variables(sess)
        assert files.load_and_assign_npz_dict(path, sess) is True
        assert same(sess.run(net.all_params), expected)
        tl.layers.initialize_global_variables(sess)
        assert files.load_and_assign_npz_dict(name=path, sess=sess) is True
        assert same(sess.run(net.all_params), expected)
        assert files.load_and_assign_npz_dict(tmp_path / "missing.npz", sess) is False

    with tf.Graph().as_default(), v1.Session() as sess:  # a part of the network
        x = v1.placeholder(tf.float32, [None, 4])
        net = tl.layers.DenseLayer(tl.layers.InputLayer(x, name="x"), 3, name="dense")
        more = v1.get_variable("more", [2], initializer=v1.ones_initializer())
        tl.layers.initialize_global_variables(sess)
        files.load_and_assign_npz_dict(path, sess)
        assert same(sess.run([*net.all_params, more]), [*expected[:2], np.ones(2)])
        assert "the graph has no variables out/weights, out/biases" in caplog.text

    with tf.Graph().as_default(), v1.Session() as sess:
        v1.get_variable("other", [2])
        with pytest.raises(StructureMismatch, match="none of the variables of the graph; it has d"):
            files.load_and_assign_npz_dict(path, sess)


def test_checkpoints_of_a_session(tmp_path):
    with tf.Graph().as_default(), v1.Session() as sess:
        net = stacked()
        step = v1.train.get_or_create_global_step()
        v1.train.AdamOptimizer().minimize(tf.reduce_sum(net.all_params[0]), step)
        tl.layers.initialize_global_variables(sess)
        expected = sess.run(v1.global_variables())
        files.save_ckpt(sess, "every.ckpt", tmp_path / "every")
        files.save_ckpt(sess=sess, mode_name="net.ckpt", save_dir=tmp_path / "net",
                        var_list=net.all_params, global_step=7, printable=True)  # fmt: skip
        tl.layers.initialize_global_variables(sess)
        files.load_ckpt(sess, "every.ckpt", tmp_path / "every")
        assert same(sess.run(v1.global_variables()), expected)
        tl.layers.initialize_global_variables(sess)
        files.load_ckpt(sess, save_dir=tmp_path / "net", var_list=net.all_params)
        assert same(sess.run(net.all_params), sess.run(v1.global_variables())[:4])
        assert same(sess.run(net.all_params), expected[:4])
        tl.layers.initialize_global_variables(sess)
        v1.train.Saver().restore(sess, str(tmp_path / "every" / "every.ckpt"))
        assert same(sess.run(v1.global_variables()), expected)
    with pytest.raises(InvalidArgument, match="save_ckpt: give the variables"):
        files.save_ckpt(save_dir=tmp_path)


def test_what_is_forgotten_is_said(tmp_path):
    path = tmp_path / "a.npz"
    with tf.Graph().as_default():
        net = stacked()
        variables = net.all_params
        with pytest.raises(
            InvalidArgument, match="values of a TensorFlow 1 graph are in a session"
        ):
            files.save_npz(variables, path)
        with v1.Session() as sess:
            with pytest.raises(InvalidArgument, match=r"no value in this session: 'dense/weights'"):
                files.save_npz(variables, path, sess=sess)
            tl.layers.initialize_global_variables(sess)
            files.save_npz(variables, path)  # in the default session
            expected = sess.run(variables)
    assert not (tmp_path / "b.npz").exists()
    assert same(files.load_npz(str(tmp_path), "a.npz"), expected)
    with tf.Graph().as_default(), v1.Session() as other:
        for use in (
            lambda: files.save_npz(variables, path, sess=other),
            lambda: files.load_and_assign_npz(other, path, net),
            lambda: files.assign_params(other, expected, net),
        ):
            with pytest.raises(InvalidArgument, match="the session is of another graph"):
                use()


# -- what TensorLayer 1.11 wrote

GOLDEN = pathlib.Path(__file__).parents[1] / "models" / "golden" / "tensorlayer-1.11.1"


def network_of_1_11(x):
    layers = tl.layers
    net = layers.InputLayer(x, name="in")
    net = layers.Conv2d(net, 4, (3, 3), name="c1")
    net = layers.BatchNormLayer(net, act=tf.nn.relu, is_train=False, name="bn1")
    net = layers.MaxPool2d(net, (2, 2), (2, 2), name="pool")
    net = layers.FlattenLayer(net, name="flat")
    net = layers.DenseLayer(net, 5, act=tf.nn.relu, name="d1")
    return layers.DenseLayer(net, 3, name="d2")


@pytest.mark.parametrize(
    "load",
    [
        lambda sess, net: files.load_and_assign_npz(sess, GOLDEN / "cnn.npz", net),
        lambda sess, net: files.load_and_assign_npz_dict(GOLDEN / "cnn.dict.npz", sess),
        lambda sess, net: files.load_and_assign_npz_dict(GOLDEN / "cnn.dict.npz", net, sess=sess),
        lambda sess, net: files.load_ckpt(sess, "cnn.ckpt", GOLDEN, net.all_params, False),
        lambda sess, net: files.load_and_assign_ckpt(GOLDEN / "cnn.ckpt", net, False, sess=sess),
    ],
    ids=["npz", "dict of the graph", "dict", "ckpt", "ckpt of a network"],
)
def test_weights_of_1_11_under_its_names(load):
    values = np.load(GOLDEN / "cnn.values.npz")
    with tf.Graph().as_default(), v1.Session() as sess:
        x = v1.placeholder(tf.float32, [None, 8, 8, 3])
        net = network_of_1_11(x)
        v1.train.AdamOptimizer().minimize(tf.reduce_sum(net.outputs))  # with slots in the graph
        tl.layers.initialize_global_variables(sess)
        assert not np.allclose(sess.run(net.outputs, {x: values["x0"]}), values["y"])
        load(sess, net)
        found = sess.run(net.outputs, {x: values["x0"]})

    np.testing.assert_allclose(found, values["y"], rtol=1e-5, atol=1e-6)


def test_weights_of_1_11_by_name_without_a_session():
    values = np.load(GOLDEN / "cnn.values.npz")
    net = network_of_1_11(tf.constant(values["x0"]))

    files.load_and_assign_npz_dict(GOLDEN / "cnn.dict.npz", net)

    np.testing.assert_allclose(net(values["x0"]), values["y"], rtol=1e-5, atol=1e-6)
