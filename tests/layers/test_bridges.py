"""Keras, TF-Slim and functions by the names of TensorLayer 1.x."""

from __future__ import annotations

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, UnlistedVariable, WrongShape
from tensorlayer.layers import Dense, EstimatorLayer, Input, KerasLayer, variable_scope
from tests.layers import nets_keras
from tests.layers.adopted import assert_adopted
from tests.operations import operations

X = np.random.default_rng(0).normal(size=(16, 6)).astype("float32")


def test_everything_of_keras_trains_and_is_kept(tmp_path):
    model = assert_adopted("nets_keras", X, tmp_path, n_statistics=3 * 2 + 1)

    assert "block/kernel" in model.parameters
    assert "layer/kernel" in model.parameters


def test_a_stack_of_dense_has_the_operations_that_it_has_without_the_bridge():
    def stack():
        return [keras.layers.Dense(8, "relu"), keras.layers.Dense(8, "relu"), keras.layers.Dense(2)]

    net = Input([None, 6])
    for number, layer in enumerate(stack()):
        net = KerasLayer(net, keras_layer=layer, name=f"d{number}")
    plain = keras.Sequential([keras.Input([6]), *stack()])
    spec = tf.TensorSpec([16, 6])

    def step(forward, weights):
        @tf.function
        def gradients(x):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(forward(x) ** 2)
            return tape.gradient(loss, weights)

        return operations(gradients, spec)

    ours = step(lambda x: net(x, is_train=True), net.trainable_weights)
    weights = [each.value for each in plain.trainable_weights]
    theirs = step(lambda x: plain(x, training=True), weights)
    assert ours == theirs


def test_layers_that_a_function_makes_are_made_once_and_follow_the_mode():
    net = KerasLayer(Input([None, 6]), keras_layer=nets_keras.block, name="block")
    mean = next(each for name, each in net.parameters.items() if "moving_mean" in name)

    for evaluate in (net, tf.function(lambda x, is_train: net(x, is_train=is_train))):
        before = mean.numpy()
        still = evaluate(X, is_train=False)
        np.testing.assert_allclose(still, evaluate(X, is_train=False), rtol=1e-5)
        np.testing.assert_array_equal(mean, before)
        evaluate(X, is_train=True)
        assert not np.array_equal(mean, before)
    first, second = net(X, is_train=True), net(X, is_train=True)
    assert not np.allclose(first, second)  # dropout
    assert len(net.trainable_weights) == 4


def test_arguments_of_the_call():
    drop = keras.layers.Dropout(0.5)
    net = KerasLayer(Input([None, 6]), keras_layer=drop, keras_args={"training": True}, name="d")

    assert np.count_nonzero(net(X, is_train=False)) < X.size


def test_a_second_use_by_name_shares():
    def net(name, reuse=None):
        with variable_scope("s", reuse=reuse):
            return KerasLayer(Input([None, 6], name=name), keras_layer=nets_keras.block, name="b")

    first, second = net("x"), net("y", reuse=True)

    assert second.layer is first.layer
    assert {id(each) for each in second.all_params} == {id(each) for each in first.all_params}


def test_networks_of_keras_applications():
    mobile = keras.applications.MobileNetV2((32, 32, 3), weights=None, classes=3, alpha=0.35)
    net = KerasLayer(Input([None, 32, 32, 3]), keras_layer=mobile, name="net")
    images = np.random.default_rng(0).normal(size=(2, 32, 32, 3)).astype("float32")

    expected = mobile(images, training=False)

    np.testing.assert_allclose(net(images, is_train=False), expected, rtol=1e-4, atol=1e-5)
    assert net.count_params() == mobile.count_params()
    assert len(net.trainable_weights) == len(mobile.trainable_weights)


def test_a_keras_layer_that_only_the_function_refers_to_is_refused():
    dense = keras.layers.Dense(2)
    dense.build([None, 6])

    with pytest.raises(UnlistedVariable, match="not among its parameters"):
        KerasLayer(Input([None, 6]), keras_layer=lambda x: dense(x), name="k")


def test_an_unbuilt_model_without_the_size_it_needs_says_so():
    model = keras.Sequential([keras.layers.Dense(2)])

    with pytest.raises(WrongShape, match=r"cannot be applied to shape \(None, None\): .*defined"):
        KerasLayer(Input([None, None]), keras_layer=model, name="k")


@pytest.mark.parametrize("kind", ["sequential", "functional", "subclassed", "layer"])
def test_a_keras_model_for_another_size_says_what_keras_says(kind):
    x = keras.Input([4])
    dense = keras.layers.Dense(2)
    model = {
        "layer": dense,
        "sequential": keras.Sequential([x, dense]),
        "functional": keras.Model(x, dense(x)),
        "subclassed": nets_keras.Twice(4),
    }[kind]
    model(X[:, :4])
    with pytest.raises(ValueError, match="expected") as theirs:
        model(X)
    rule = next(line for line in str(theirs.value).splitlines() if "expected" in line)
    rule = re.escape(re.sub(r"\x1b\[\d*m", "", rule.partition("expected")[2]))
    rule = rule.replace(re.escape(str(X.shape)), re.escape("(None, 6)"))

    with pytest.raises(WrongShape, match=rf"name='k'.* to shape \(None, 6\): .*expected{rule}"):
        KerasLayer(Input([None, 6]), keras_layer=model, name="k")


@pytest.mark.parametrize(
    ("cls", "argument"), [(KerasLayer, "keras_layer"), (EstimatorLayer, "model_fn")]
)
def test_what_cannot_be_called_is_refused(cls, argument):
    with pytest.raises(InvalidArgument, match=f"{cls.__name__}: {argument} must be callable, got"):
        cls(Input([None, 6]), **{argument: "Dense"}, name="k")


def test_functions_of_an_estimator():
    def model_fn(features, units, is_training):
        w = tf.compat.v1.get_variable("w", [6, units])
        if is_training:
            features = tf.nn.dropout(features, 0.5)
        return tf.matmul(features, w)

    net = EstimatorLayer(Input([None, 6]), model_fn, layer_args={"units": 3}, name="e")
    head = Dense(net, 2, name="head")

    assert list(head.parameters) == ["e/w", "head/weights", "head/biases"]
    np.testing.assert_allclose(net(X, is_train=False), X @ net.all_params[0].numpy(), rtol=1e-4)
    dropped = net(X, is_train=True)
    assert not np.allclose(dropped, net(X, is_train=False))


def test_what_is_inside_of_a_keras_layer_follows_the_mode():
    class Block(tf.keras.layers.Layer):  # whose call takes no `training`
        def __init__(self):
            super().__init__()
            self.drop, self.norm = (
                tf.keras.layers.Dropout(0.5),
                tf.keras.layers.BatchNormalization(),
            )

        def call(self, x):
            return self.norm(self.drop(x))

    net = KerasLayer(Input([None, 6]), keras_layer=Block(), name="block")
    x = np.ones([64, 6], "float32")
    before = [each.numpy() for each in net.all_weights]

    net(x, is_train=False)
    for each, value in zip(net.all_weights, before, strict=True):
        np.testing.assert_array_equal(each, value)
    assert len(np.unique(net(x, is_train=True))) > 1  # some were dropped
    after = [each.numpy() for each in net.all_weights]
    assert any((a != b).any() for a, b in zip(after, before, strict=True))
