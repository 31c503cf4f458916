"""Variables that are shared where a network is made a second time."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import NameMismatch, NameTaken
from tensorlayer.layers import (
    BatchNormLayer,
    ConcatLayer,
    DenseLayer,
    DynamicRNNLayer,
    Input,
    InputLayer,
    Layer,
    variable_scope,
)
from tests.layers.tf1.begun import ONES, begin

v1 = tf.compat.v1


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


def scaled_by(name):
    def scaled(x):
        return x * v1.get_variable(name, [], initializer=v1.ones_initializer())

    return scaled


def test_functions_within_a_layer_share_their_variables(sess):
    class Outer(Layer):
        def __init__(self, times=1, name=None):
            super().__init__(name=name)
            self.times = times
            self.inner = tl.layers.Lambda(scaled_by("scale"), name="inner")

        def forward(self, inputs):
            return self.times * self.inner(inputs)

    nets = []
    for times in (1, 3):
        with v1.variable_scope("m", reuse=times > 1):
            nets.append(Outer(begin(), times=times, name="outer"))

    assert len(v1.global_variables()) == 1
    assert nets[0].all_params[0] is nets[1].all_params[0]


def test_layers_that_are_built_in_a_constructor_share_theirs(sess):
    class Outer(Layer):
        def __init__(self, act=None, name=None):
            super().__init__(name=name)
            self.inner = DenseLayer(n_units=3, act=act, in_channels=20, name="inner")

        def forward(self, inputs):
            return self.inner(inputs)

    nets = []
    for act in (None, "relu"):
        with v1.variable_scope("m", reuse=act is not None):
            nets.append(Outer(begin(), act=act, name="outer"))

    assert len(v1.global_variables()) == 2
    for one, other in zip(nets[0].all_params, nets[1].all_params, strict=True):
        assert one is other


def test_a_function_shares_variables_with_other_arguments(sess):
    nets = []
    for reuse, act in ((None, None), (True, tf.nn.relu)):
        with v1.variable_scope("m", reuse=reuse):
            net = tl.layers.ElementwiseLambdaLayer(
                [begin(name="a"), begin(name="b")],
                lambda a, b: scaled_by("scale")(a + b),
                act=act,
                name="f",
            )
            nets.append(net)

    assert len(v1.global_variables()) == 1
    assert nets[0].all_params[0] is nets[1].all_params[0]


def test_a_variable_of_a_function_that_the_first_has_not_is_refused(sess):
    class Outer(Layer):
        def __init__(self, more=False, name=None):
            super().__init__(name=name)
            self.first = DenseLayer(n_units=20, name="first")
            self.more = tl.layers.Lambda(scaled_by("scale"), name="more") if more else None

        def forward(self, inputs):
            inputs = self.first(inputs)
            return inputs if self.more is None else self.more(inputs)

    with v1.variable_scope("m"):
        Outer(begin(), name="outer")
    with (
        pytest.raises(NameMismatch, match=r"Outer 'm/outer': reuse needs .* more=False, not True"),
        v1.variable_scope("m", reuse=True),
    ):
        Outer(begin(), more=True, name="outer")
