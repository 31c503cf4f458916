"""Dropout over placeholders: what is fed, and what is said when the network is made."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.layers import (
    ConcatLayer,
    DenseLayer,
    DropconnectDenseLayer,
    DropoutLayer,
    DynamicRNNLayer,
    Input,
    InputLayer,
    LambdaLayer,
    merge_networks,
)
from tests.layers.tf1.begun import ONES, begin

v1 = tf.compat.v1


def test_keep_is_a_placeholder_that_has_to_be_fed(sess):
    x = begin()
    net = DropoutLayer(x, keep=0.8, name="drop")
    (placeholder,) = net.all_drop

    assert net.all_drop == {placeholder: 0.8}
    assert placeholder.op.type == "Placeholder"
    assert placeholder.shape == ()
    trained = sess.run(net.outputs, {x.outputs: ONES, **net.all_drop})
    assert set(np.unique(trained)) == {np.float32(0), np.float32(1.25)}
    assert (trained > 0).mean() == pytest.approx(0.8, abs=0.05)
    other = sess.run(net.outputs, {x.outputs: ONES, placeholder: 0.5})
    assert set(np.unique(other)) == {np.float32(0), np.float32(2)}
    off = tl.utils.dict_to_one(net.all_drop)
    np.testing.assert_array_equal(sess.run(net.outputs, {x.outputs: ONES, **off}), ONES)
    with pytest.raises(tf.errors.InvalidArgumentError, match="must feed a value for placeholder"):
        sess.run(net.outputs, {x.outputs: ONES})


@pytest.mark.parametrize(
    ("given", "n_drops", "drops"),
    [
        ({}, 1, True),
        ({"is_train": True}, 1, True),
        ({"is_fix": False}, 1, True),
        ({"is_train": False}, 0, False),
        ({"is_train": False, "is_fix": True}, 0, False),
        ({"is_fix": True}, 0, True),
        ({"is_fix": True, "is_train": True}, 0, True),
    ],
)
def test_what_is_said_at_the_layer(sess, given, n_drops, drops):
    x = begin()
    net = DropoutLayer(x, keep=0.5, name="drop", **given)

    assert len(net.all_drop) == n_drops
    found = sess.run(net.outputs, {x.outputs: ONES, **net.all_drop})
    assert (found == 0).any() == drops


def test_weights_are_dropped_by_a_placeholder(sess):
    x = begin()
    net = DropconnectDenseLayer(x, keep=0.8, n_units=30, W_init=tf.ones_initializer(), name="drop")
    quiet = DropconnectDenseLayer(x, keep=0.8, n_units=30, is_train=False, name="quiet")
    tl.layers.initialize_global_variables(sess)
    each = np.eye(20, dtype="float32")

    used = sess.run(net.outputs, {x.outputs: each, **net.all_drop})

    assert list(net.all_drop.values()) == [0.8]
    np.testing.assert_allclose(np.unique(used), [0, 1.25])
    off = tl.utils.dict_to_one(net.all_drop)
    np.testing.assert_array_equal(
        sess.run(net.outputs, {x.outputs: each, **off}), np.ones([20, 30])
    )
    assert quiet.all_drop == {}


def test_all_placeholders_below_are_listed_once(sess):
    x = begin()
    first = DropoutLayer(x, keep=0.9, name="first")
    left = DropoutLayer(DenseLayer(first, 4, name="d1"), keep=0.8, name="left")
    right = DropoutLayer(DenseLayer(first, 4, name="d2"), keep=0.7, name="right")
    both = ConcatLayer([left, right], 1, name="both")

    assert list(first.all_drop.values()) == [0.9]
    assert list(left.all_drop.values()) == [0.9, 0.8]
    assert list(both.all_drop.values()) == [0.9, 0.8, 0.7]
    assert list(both[:, :2].all_drop.values()) == [0.9, 0.8, 0.7]
    assert merge_networks([left, right]).all_drop == both.all_drop


def test_a_block_of_layers_lists_the_placeholders_within(sess):
    block = tl.layers.LayerList(
        [tl.layers.Dense(4, name="d"), tl.layers.Dropout(0.6, name="drop")], name="block"
    )
    net = block(begin(), is_train=True)

    assert list(net.all_drop.values()) == [0.6]


def test_half_precision_is_dropped_as_well(sess):
    x = v1.placeholder(tf.float16, [None, 20])
    net = DropoutLayer(InputLayer(x, name="x"), keep=0.5, name="drop")

    assert net.outputs.dtype == tf.float16
    found = sess.run(net.outputs, {x: ONES, **net.all_drop})
    assert set(np.unique(found)) == {np.float16(0), np.float16(2)}


def test_nothing_is_fed_elsewhere():
    over_input = DropoutLayer(Input([None, 20]), keep=0.5, name="drop")
    over_tensor = DropoutLayer(InputLayer(ONES), keep=0.5, is_train=True)
    traced = []

    @tf.function
    def step(x):
        net = DropoutLayer(InputLayer(x), keep=0.5, is_train=True)
        traced.append(net.all_drop)
        return net.outputs

    assert over_input.all_drop == over_tensor.all_drop == {}
    assert (step(tf.constant(ONES)) == 0).numpy().any()
    assert traced == [{}]
    np.testing.assert_array_equal(over_input(ONES, is_train=False), ONES)
    np.testing.assert_array_equal(over_input(ONES), ONES)
    assert over_input(ONES, is_train=True).numpy().min() == 0


def test_an_evaluation_within_a_graph_needs_no_feed(sess):
    net = DropoutLayer(begin(), keep=0.5, name="drop")

    trained, inferred = net(ONES, is_train=True), net(ONES, is_train=False)

    assert len(net.all_drop) == 1
    assert sess.run(trained).min() == 0
    np.testing.assert_array_equal(sess.run(inferred), ONES)


def test_a_function_within_a_graph_needs_no_feed(sess):
    drop = tl.layers.Dropout(0.5)
    net = LambdaLayer(begin(), lambda x: tf.function(lambda t: drop(t, is_train=True))(x), name="f")

    assert net.all_drop == {}


@pytest.mark.parametrize(("given", "drops"), [({}, True), ({"is_train": False}, False)])
def test_dropout_of_a_recurrent_layer_is_a_constant(sess, given, drops):
    x = v1.placeholder(tf.float32, [None, 4, 3])
    net = DynamicRNNLayer(
        InputLayer(x, name="x"), cell_fn=tl.layers.BasicLSTMCell, n_hidden=30, dropout=0.5,
        name="rnn", **given,
    )  # fmt: skip
    tl.layers.initialize_global_variables(sess)
    one, other = (sess.run(net.outputs, {x: np.ones([2, 4, 3])}) for _ in range(2))

    assert net.all_drop == {}
    assert np.array_equal(one, other) != drops
