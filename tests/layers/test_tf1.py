"""Networks over placeholders: what is fed, what is shared, and what cannot be joined."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, NameMismatch, NameTaken
from tensorlayer.layers import (
    BatchNormLayer,
    ConcatLayer,
    DenseLayer,
    DropconnectDenseLayer,
    DropoutLayer,
    DynamicRNNLayer,
    Input,
    InputLayer,
    LambdaLayer,
    Layer,
    RNNLayer,
    merge_networks,
    variable_scope,
)
from tensorlayer.layers.tf1 import graph_of

v1 = tf.compat.v1
ONES = np.ones([50, 20], "float32")


@pytest.fixture
def sess():
    """Give a session of a graph, which is the default one."""
    with tf.Graph().as_default(), v1.Session() as session, tl.layers.isolated():
        yield session


def begin(size=20, name="x"):
    return InputLayer(v1.placeholder(tf.float32, [None, size], name=name), name=name)


# -- dropout


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


# -- what a session takes


def test_a_session_fetches_networks(sess):
    x = begin()
    net = DenseLayer(DenseLayer(x, 5, name="first"), 3, name="second")
    tl.layers.initialize_global_variables(sess)

    one, layers, named = sess.run(
        [net, net.all_layers, {"first": net.parents[0].outputs}], {x: ONES}
    )

    np.testing.assert_array_equal(layers[0], named["first"])
    np.testing.assert_array_equal(one, layers[1])


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


# -- sharing


def rows(x, steps, reuse, last=True, dropout=None, units=5):
    with v1.variable_scope("model", reuse=reuse):
        net = InputLayer(x, name="in")
        net = DynamicRNNLayer(
            net, cell_fn=tl.layers.BasicLSTMCell, n_hidden=units, dropout=dropout,
            return_last=last, name="rnn",
        )  # fmt: skip
        return net if not last else DenseLayer(net, 2, act=None if steps else "relu", name="out")


def test_variables_are_shared_by_layers_with_other_arguments(sess):
    x = v1.placeholder(tf.float32, [None, 4, 3])
    first = rows(x, 4, None, dropout=0.5)
    second = rows(x, None, True)
    n_variables = len(v1.global_variables())
    third = rows(x, 4, True, last=False)

    assert first.layer is not second.layer
    for one, other in zip(first.all_params, second.all_params, strict=True):
        assert one is other
    assert [a is b for a, b in zip(first.all_params, third.all_params, strict=False)] == [True] * 2
    assert len(v1.global_variables()) == n_variables == 4
    tl.layers.initialize_global_variables(sess)
    values = {x: np.random.default_rng(0).normal(size=[6, 4, 3])}
    last, every = sess.run([second.parents[0].outputs, third.outputs], values)
    np.testing.assert_allclose(last, every[:, -1], rtol=1e-5)


def test_variables_of_another_shape_are_not_shared(sess):
    x = v1.placeholder(tf.float32, [None, 4, 3])
    rows(x, 4, None)

    with pytest.raises(
        NameMismatch, match=r"DynamicRNNLayer 'model/rnn': reuse needs .* n_hidden=5, not 6"
    ):
        rows(x, 4, True, units=6)
    assert len(v1.global_variables()) == 4


def test_another_class_is_not_shared(sess):
    with v1.variable_scope("m"):
        DenseLayer(begin(), 3, name="d")
    with (
        pytest.raises(NameMismatch, match="the layer that exists is a Dense"),
        v1.variable_scope("m", reuse=True),
    ):
        BatchNormLayer(begin(), name="d")


def test_a_variable_that_the_first_has_not_is_not_made(sess):
    with v1.variable_scope("m"):
        DenseLayer(begin(), 3, b_init=None, name="d")
    with pytest.raises(NameMismatch, match="b_init"), v1.variable_scope("m", reuse=True):
        DenseLayer(begin(), 3, name="d")
    with v1.variable_scope("m", reuse=True):
        again = DenseLayer(begin(), 3, b_init=None, act="relu", name="d")
    assert [v.name for v in again.all_params] == ["m/d/weights:0"]


def test_outside_of_graphs_arguments_have_to_agree():
    with tl.layers.isolated():
        with variable_scope("m"):
            kept = DenseLayer(Input([None, 4]), 3, name="d")
        with pytest.raises(NameMismatch, match="act"), variable_scope("m", reuse=True):
            DenseLayer(Input([None, 4]), 3, act="relu", name="d")
    assert kept.count_params() == 15


def test_networks_that_share_variables_can_be_joined(sess):
    x = begin()
    nets = []
    for reuse, act in ((None, None), (True, "relu")):
        with v1.variable_scope("m", reuse=reuse):
            nets.append(DenseLayer(x, 3, act=act, name="d"))
    both = ConcatLayer(nets, 1, name="both")
    tl.layers.initialize_global_variables(sess)

    assert [v.name for v in both.all_params] == ["m/d/weights:0", "m/d/biases:0"]
    linear, cut = np.split(sess.run(both.outputs, {x.outputs: ONES}), 2, axis=1)
    np.testing.assert_allclose(np.maximum(linear, 0), cut)
    with pytest.raises(NameTaken, match="'d' is taken"):
        ConcatLayer([DenseLayer(x, 3, name="d"), DenseLayer(x, 3, name="d")], 1, name="two")


def test_the_scope_of_this_library_shares_as_that_of_tensorflow(sess):
    x = begin()
    with variable_scope("m"):
        first = DenseLayer(x, 3, name="d")
    with variable_scope("m", reuse=tl.layers.AUTO_REUSE):
        second = DenseLayer(x, 3, act="tanh", name="d")
        other = DenseLayer(x, 3, name="other")

    assert [a is b for a, b in zip(first.all_params, second.all_params, strict=True)] == [True] * 2
    assert len(v1.global_variables()) == 4
    assert other.all_params[0] is not first.all_params[0]


class Scaled(Layer):
    """A layer of a user that makes its variable in its constructor, as those of 1.x."""

    def __init__(self, prev_layer, is_train=True, name="scaled"):
        super().__init__(prev_layer=prev_layer, name=name)
        with v1.variable_scope(name):
            scale = v1.get_variable("scale", [], initializer=v1.ones_initializer())
        self.outputs = self.inputs * scale if is_train else self.inputs * scale * 2
        if is_train:
            keep = v1.placeholder(tf.float32, [])
            self._add_dropout_layers({keep: 0.25})
            self.outputs = self.outputs * keep


def test_layers_in_the_style_of_1_x_share_and_have_placeholders(sess):
    x, nets = begin(), []
    for is_train in (True, False):
        with v1.variable_scope("m", reuse=not is_train):
            nets.append(Scaled(x, is_train=is_train))
    tl.layers.initialize_global_variables(sess)
    train, test = nets

    assert train.all_params[0] is test.all_params[0]
    assert len(v1.global_variables()) == 1
    assert list(train.all_drop.values()) == [0.25]
    assert test.all_drop == {}
    np.testing.assert_array_equal(
        sess.run(train.outputs, {x.outputs: ONES, **train.all_drop}), 0.25 * ONES
    )
    np.testing.assert_array_equal(sess.run(test.outputs, {x.outputs: ONES}), 2 * ONES)


# -- graphs that do not go together


def test_networks_of_two_graphs_are_not_joined():
    with tf.Graph().as_default():
        one = begin(name="one")
    with (
        tf.Graph().as_default(),
        pytest.raises(InvalidArgument, match=r"Concat.*: it joins <Network 'one'.*two graphs of"),
    ):
        ConcatLayer([one, begin(name="other")], 1, name="both")


def test_a_network_goes_on_in_its_own_graph():
    with tf.Graph().as_default() as graph:
        net = begin()
    message = r"'x'.* is in a graph of TensorFlow 1 that is not the default one here. Go on within"
    with pytest.raises(InvalidArgument, match=message):
        DenseLayer(net, 3, name="d")
    with tf.Graph().as_default(), pytest.raises(InvalidArgument, match=message):
        DenseLayer(net, 3, name="d")
    with graph.as_default():
        assert DenseLayer(net, 3, name="d").outputs.graph is graph


def test_a_layer_with_variables_elsewhere_is_refused():
    eager = tl.layers.Dense(3, in_channels=20, name="eager")
    with tf.Graph().as_default():
        inside = tl.layers.Dense(3, in_channels=20, name="inside")
    for layer in (eager, inside):
        with (
            tf.Graph().as_default(),
            pytest.raises(
                InvalidArgument, match=rf"its variable '{layer.name}/weights:0' is not in the graph"
            ),
        ):
            layer(begin())


def test_graphs_of_outputs():
    with tf.Graph().as_default() as graph:
        net = begin()

    assert graph_of([tf.ones(1), net.outputs]) is graph
    assert graph_of(Input([3]).outputs) is None
    assert tf.function(lambda x: tf.constant(graph_of(x) is None))(tf.ones(1))


# -- sizes


SIZES = """
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
import tensorlayer as tl

found = {}


def noted(name):
    def note(x):
        found[name] = type(x.shape[-1]).__name__
        return 2 * x

    return note


class Mine(tl.layers.Layer):
    def forward(self, inputs):
        return noted("layer")(inputs)


class Old(tl.layers.Layer):
    def __init__(self, prev_layer, name="old"):
        super().__init__(prev_layer=prev_layer, name=name)
        self.outputs = noted("constructor")(self.inputs)


x = tl.layers.InputLayer(tf.placeholder(tf.float32, [None, 3]), name="x")
net = tl.layers.DenseLayer(x, 4, name="d")
net = tl.layers.LambdaLayer(Mine(net, name="mine"), noted("function"), name="f")
net = Old(net)
noted("script")(net.outputs)
try:
    tl.layers.LambdaLayer(net, lambda x: 1 / 0, name="fails")
except ZeroDivisionError:
    pass
noted("after")(net.outputs)
print(sorted(found.items()), net.count_params())
"""


def test_a_script_that_chose_the_sizes_of_tensorflow_1_keeps_them():
    done = subprocess.run(
        [sys.executable, "-c", SIZES], capture_output=True, text=True, timeout=100, check=False
    )

    assert done.returncode == 0, done.stderr
    ints, dimensions = ["layer"], ["after", "constructor", "function", "script"]
    found = {**dict.fromkeys(ints, "int"), **dict.fromkeys(dimensions, "Dimension")}
    assert done.stdout.splitlines()[-1] == f"{sorted(found.items())} 16"


def test_a_layer_made_of_layers_shares_theirs(sess):
    class Two(Layer):
        def __init__(self, act=None, name=None):
            super().__init__(name=name)
            self.act_of_first = act
            self.first = DenseLayer(n_units=5, act=act, name="first")
            self.second = DenseLayer(n_units=3, name="second")

        def forward(self, inputs):
            return self.second(self.first(inputs))

    x = v1.placeholder(tf.float32, [None, 20])
    nets = []
    for reuse, act in ((None, None), (True, "relu")):
        with v1.variable_scope("m", reuse=reuse):
            nets.append(Two(InputLayer(x), act=act, name="two"))

    assert len(v1.global_variables()) == 4
    both = zip(nets[0].all_params, nets[1].all_params, strict=True)
    assert all(one is other for one, other in both)
