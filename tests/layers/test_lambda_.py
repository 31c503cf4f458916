from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, NotSerializable
from tensorlayer.layers import Dense, Input, Lambda, variable_scope

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def scaled(x, factor=2.0):
    return factor * x * tf.Variable(3.0, name="scale")


def old_style(x):
    with tf.compat.v1.variable_scope("fc"):
        W = tf.compat.v1.get_variable("W", [3, 2], initializer=tf.compat.v1.ones_initializer())
        frozen = tf.compat.v1.get_variable("frozen", [2], trainable=False)
    return tf.matmul(x, W) + 0 * frozen


class Affine(tf.Module):
    def __init__(self):
        super().__init__()
        self.w = tf.Variable(2.0, name="w")

    def __call__(self, x, is_training=False):
        return x * self.w + (1.0 if is_training else 0.0)


def test_arguments_are_given_and_added_to():
    net = Lambda(Input([None, 3]), scaled, fn_args={"factor": 0.5}, name="s")

    np.testing.assert_allclose(net(X), 1.5 * X, rtol=1e-6)
    np.testing.assert_allclose(net.layer(tf.constant(X), factor=1.0), 3 * X, rtol=1e-6)


def test_variables_of_a_function_are_made_once_trained_and_named():
    net = Lambda(Input([None, 3]), scaled, name="s")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(net(X))

    assert list(net.parameters) == ["s/scale"]
    assert tape.gradient(loss, net.trainable_weights)[0] is not None


def test_functions_in_the_style_of_tensorflow_1():
    net = Lambda(Input([None, 3]), old_style, name="old")
    other = Lambda(Input([None, 3]), old_style, name="other")
    net.all_params[0].assign(2 * tf.ones([3, 2]))

    assert list(net.parameters) == ["old/fc/W", "old/fc/frozen"]
    assert [v.trainable for v in net.all_params] == [True, False]
    for _ in range(2):
        np.testing.assert_allclose(net(X), 2 * X.sum(1, keepdims=True) * np.ones(2), rtol=1e-5)
    np.testing.assert_allclose(other(X), X.sum(1, keepdims=True) * np.ones(2), rtol=1e-5)


def test_a_function_that_makes_other_variables_later_is_refused():
    runs = []

    def growing(x):
        runs.append(1)
        return x + sum(tf.Variable(0.0, name=f"v{i}") for i in range(len(runs)))

    net = Lambda(tl.layers.InputLayer(tf.ones([1])), growing, name="g")

    with pytest.raises(InvalidArgument, match="makes the variable 'v1' that its first run did not"):
        net(tf.ones([1]))


def test_modules_keep_their_variables_and_follow_the_mode():
    net = Lambda(Input([None, 3]), Affine(), name="affine")

    assert list(net.parameters) == ["affine/fn/w"]
    np.testing.assert_allclose(net(X, is_train=False), 2 * X)
    np.testing.assert_allclose(net(X, is_train=True), 2 * X + 1)


def test_keras_layers_keep_their_weights_and_update_in_training_only():
    net = Lambda(Input([None, 3]), tf.keras.layers.BatchNormalization(momentum=0.5), name="bn")
    moving_mean = net.nontrainable_weights[0]

    net(X, is_train=False)
    np.testing.assert_array_equal(moving_mean, np.zeros(3))
    net(X, is_train=True)
    np.testing.assert_allclose(moving_mean, 0.5 * X.mean(0), rtol=1e-4)
    assert len(net.trainable_weights) == 2


def test_keras_models_train_inside_a_network():
    inner = tf.keras.Sequential([tf.keras.layers.Dense(5, "relu"), tf.keras.layers.Dense(2)])
    net = Dense(Lambda(Input([None, 3]), inner, name="keras"), 1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(net(X))

    assert len(net.trainable_weights) == 6
    assert all(g is not None for g in tape.gradient(loss, net.trainable_weights))


def test_sonnet_modules_train_inside_a_network():
    import sonnet as snt

    net = Lambda(Input([None, 3]), snt.nets.MLP([5, 2]), name="mlp")
    norm = Lambda(net, snt.BatchNorm(True, True, decay_rate=0.5), name="bn")
    average = norm.parameters["bn/batch_norm/moving_mean/average"]
    before = average.numpy()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(norm(X, is_train=True) ** 2)

    assert list(net.parameters)[:2] == ["mlp/linear_0/w", "mlp/linear_0/b"]
    assert all(g is not None for g in tape.gradient(loss, norm.trainable_weights))
    moved = average.numpy()
    assert not np.array_equal(moved, before)
    norm(X, is_train=False)
    np.testing.assert_array_equal(average, moved)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_slim_functions_keep_their_names_and_variables():
    import tf_slim as slim

    def tower(x):
        x = slim.conv2d(x, 4, [3, 3], scope="conv1")
        return slim.fully_connected(slim.flatten(x), 2, activation_fn=None, scope="fc")

    images = np.random.default_rng(0).normal(size=(2, 6, 6, 1)).astype("float32")
    net = Lambda(Input([None, 6, 6, 1]), tower, name="tower")
    traced = tf.function(lambda x: net(x))

    assert list(net.parameters) == [
        "tower/conv1/weights", "tower/conv1/biases", "tower/fc/weights", "tower/fc/biases",
    ]  # fmt: skip
    np.testing.assert_allclose(traced(images), net(images), rtol=1e-4, atol=1e-5)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(net(images))
    assert all(g is not None for g in tape.gradient(loss, net.trainable_weights))


def test_foreign_variables_are_shared_by_name():
    module = Affine()
    with variable_scope("s"):
        first = Lambda(Input([None, 3]), module, name="m")
    with variable_scope("s", reuse=True):
        second = Lambda(Input([None, 3]), module, name="m")

    assert second.all_params[0] is first.all_params[0]


def test_given_weights_are_the_networks():
    w = tf.Variable(2.0)
    net = Lambda(Input([None, 3]), lambda x: x * w, fn_weights=[w], name="given")

    assert net.all_params == [w]


def test_a_lambda_in_a_model_to_be_saved_says_how_to_name_it():
    x = Input([None, 3])
    model = tl.models.Model(x, Lambda(x, lambda x: x, name="identity"))

    with pytest.raises(
        NotSerializable,
        match=r"Lambda 'identity', argument fn: a lambda has no name(.|\n)*@tl.models.serializable",
    ):
        model.config  # noqa: B018


def test_fn_must_be_callable():
    with pytest.raises(InvalidArgument, match="fn must be callable, got 3"):
        Lambda(Input([None, 3]), fn=3)


def test_variables_are_called_as_in_tensorflow_1_where_the_layer_is_a_scope():
    """TensorLayer 1.x entered it, so that is what checkpoints and scripts call them."""
    v1 = tf.compat.v1

    def function(x):
        with v1.variable_scope("fc"):
            return x * v1.get_variable("w", [3]) + tf.Variable(1.0, name="v")

    with tf.Graph().as_default():
        with v1.variable_scope("m"), v1.variable_scope("l"):
            function(v1.placeholder(tf.float32, [None, 3]))
        expected = [each.name for each in v1.global_variables()]
    with tf.Graph().as_default(), tl.layers.isolated(), v1.variable_scope("m"):
        net = tl.layers.InputLayer(v1.placeholder(tf.float32, [None, 3]))
        net = tl.layers.LambdaLayer(net, function, name="l")

        assert [each.name for each in v1.global_variables()] == expected
        assert tl.layers.get_variables_with_name("m/l") == net.all_params
    with tl.layers.variable_scope("m"):
        declared = Lambda(Input([None, 3]), function, name="l")
        unnamed = Lambda(declared, function)
    assert [each.name for each in declared.all_params] == expected
    assert list(declared.parameters) == ["m/l/fc/w", "m/l/fc/v"] == list(net.parameters)
    assert list(unnamed.parameters)[2:] == ["m/lambda_1/fc/w", "m/lambda_1/fc/v"]


def test_layers_that_a_function_makes_are_within_its_scope():
    v1 = tf.compat.v1

    def scaled(x):
        return x * v1.get_variable("w", [3])

    def outer(x):
        return Lambda(scaled, name="inner")(x) * v1.get_variable("w", [3])

    net = Lambda(Input([None, 3]), outer, name="outer")

    names = ["outer/inner/w", "outer/w"]
    assert [each.name for each in net.all_params] == [f"{name}:0" for name in names]
    assert list(net.parameters) == names


def test_a_layer_with_another_name_keeps_the_variables_that_it_has():
    net = Lambda(Input([None, 3]), old_style, name="before")
    net.layer.name = "after"
    net.all_params[0].assign(2 * tf.ones([3, 2]))

    np.testing.assert_allclose(net(X), 2 * X.sum(1, keepdims=True) * np.ones(2), rtol=1e-5)
    assert list(net.parameters) == ["after/fc/W", "after/fc/frozen"]
