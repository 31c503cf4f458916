from __future__ import annotations

import logging

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import Input, PRelu, PRelu6, PRelu6Layer, PTRelu6, Scale, Sign
from tests.operations import operations

RNG = np.random.default_rng(0)
X = RNG.normal(0, 6, size=(5, 4, 3)).astype("float32")
FORMULAS = {
    PRelu: lambda x, a: np.where(x < 0, a * x, x),
    PRelu6: lambda x, a: np.where(x < 0, a * x, np.minimum(x, 6)),
    PTRelu6: lambda x, a, b: np.where(x < 0, a * x, np.where(x > 6, 6 + b * (x - 6), x)),
}
every_layer = pytest.mark.parametrize("layer", FORMULAS)


def slopes(layer):
    return [1 / (1 + np.exp(-v.numpy())) for v in layer.all_weights]


@every_layer
@pytest.mark.parametrize("channel_shared", [False, True])
def test_slopes_are_sigmoids_of_parameters(layer, channel_shared):
    net = layer(channel_shared, a_init="random_normal")
    out = net(X)

    assert [v.shape for v in net.all_weights] == [[1 if channel_shared else 3]] * len(layer.slopes)
    np.testing.assert_allclose(out, FORMULAS[layer](X, *slopes(net)), rtol=1e-5, atol=1e-6)


@every_layer
def test_channels_may_come_first(layer):
    net = layer(a_init="random_normal", data_format="channels_first")
    first = np.moveaxis(X, -1, 1)

    out = np.moveaxis(net(first), 1, -1)

    np.testing.assert_allclose(out, FORMULAS[layer](X, *slopes(net)), rtol=1e-5, atol=1e-6)
    shared = layer(channel_shared=True, a_init=0.7, data_format="channels_first")
    np.testing.assert_allclose(shared(first), layer(True, a_init=0.7)(first), rtol=1e-6)


@every_layer
def test_gradients_agree_with_finite_differences(layer):
    net = layer(in_channels=3)
    with tf.GradientTape() as tape:
        cost = tf.reduce_sum(net(X) ** 2)
    found = tape.gradient(cost, net.trainable_weights)

    step = 1e-5
    alphas = [v.numpy().astype("float64") for v in net.all_weights]
    for place, gradient in enumerate(found):
        for channel in range(3):
            costs = []
            for sign in (1, -1):
                moved = [a.copy() for a in alphas]
                moved[place][channel] += sign * step
                given = [1 / (1 + np.exp(-a)) for a in moved]
                costs.append(np.sum(FORMULAS[layer](X.astype("float64"), *given) ** 2))
            expected = (costs[0] - costs[1]) / (2 * step)
            np.testing.assert_allclose(gradient[channel], expected, rtol=1e-3)


@every_layer
def test_slopes_are_trained_to_what_the_data_say(layer):
    net, wanted = layer(in_channels=3), layer(in_channels=3, a_init=-1.5)
    target = wanted(X)
    optimizer = tf.keras.optimizers.Adam(0.1)

    for _ in range(150):
        with tf.GradientTape() as tape:
            cost = tf.reduce_mean((net(X) - target) ** 2)
        weights = net.trainable_weights
        optimizer.apply_gradients(zip(tape.gradient(cost, weights), weights, strict=True))

    for alpha in net.all_weights:
        np.testing.assert_allclose(alpha, [-1.5] * 3, atol=0.05)


@every_layer
def test_parameters_are_made_at_once_where_their_number_is_known(layer):
    assert {v.shape[0] for v in layer(in_channels=7).all_weights} == {7}
    assert {v.shape[0] for v in layer(True).all_weights} == {1}


def test_the_arguments_of_1_x_are_taken(caplog):
    with caplog.at_level(logging.WARNING):
        PRelu6Layer(Input([None, 3]), True, a_init_args={"seed": 1})

    assert "PRelu6: the argument a_init_args has no effect" in caplog.text


def test_traced_it_is_the_formula():
    layer, alpha = PRelu(in_channels=3), tf.Variable(tf.zeros([3]))
    spec = tf.TensorSpec(X.shape)

    assert operations(tf.function(lambda x: layer(x)), spec) == operations(
        tf.function(lambda x: tf.nn.relu(x) - tf.sigmoid(alpha) * tf.nn.relu(-x)), spec
    )


def test_scale_multiplies_and_is_trained():
    layer = Scale()
    with tf.GradientTape() as tape:
        cost = tf.reduce_sum(layer(X) ** 2)

    np.testing.assert_allclose(layer(X), 0.05 * X, rtol=1e-6)
    (gradient,) = tape.gradient(cost, layer.trainable_weights)
    np.testing.assert_allclose(gradient, [2 * 0.05 * np.sum(X**2)], rtol=1e-4)
    np.testing.assert_allclose(Scale(Input([None, 4, 3]), 2.0)(X), 2 * X, rtol=1e-6)


def test_the_sign_passes_the_gradient_clipped():
    x = tf.constant([-0.5, 0.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = Sign()(x)
        cost = tf.reduce_sum(y * [0.3, -0.4, 7.0])

    np.testing.assert_array_equal(y, [-1, 0, 1])
    np.testing.assert_allclose(tape.gradient(cost, x), [0.3, -0.4, 1], rtol=1e-6)


def test_errors():
    with pytest.raises(InvalidArgument, match=r"PTRelu6: data_format is .* got 'NHWC'"):
        PTRelu6(data_format="NHWC")
    with pytest.raises(InvalidArgument, match="the number of channels must be known"):
        PRelu(Input([None, 3, None]))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("layer", [PRelu, PRelu6, PTRelu6])
def test_a_slope_for_each_channel_is_not_for_others(layer, data_format):
    made = layer(in_channels=1, data_format=data_format)

    with pytest.raises(WrongShape, match=rf"{layer.__name__}.*for a size of 1 along axis"):
        made(tf.ones([2, 4, 4]))
    assert layer(channel_shared=True, data_format=data_format)(tf.ones([2, 4, 4])).shape == (
        2,
        4,
        4,
    )
