from __future__ import annotations

import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer import layers
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import BinaryConv2d, DorefaConv2d, Input, QuanConv2d, TernaryConv2d
from tests.layers.convolution.twins import (
    assert_channels_first_is_the_same,
    assert_same,
    network,
    rng,
)
from tests.layers.quantized.rounding import METHODS, NAMES
from tests.operations import operations

LAYERS = [BinaryConv2d, TernaryConv2d, DorefaConv2d, QuanConv2d]
every_layer = pytest.mark.parametrize("layer", LAYERS)
every_method = pytest.mark.parametrize(("name", "arguments", "method"), METHODS, ids=NAMES)


@every_method
def test_the_convolution_is_of_rounded_factors(name, arguments, method):
    layer = getattr(layers, f"{name}Conv2d")
    net, x = network(
        layer, (7, 6, 3), n_filter=4, filter_size=(3, 2), strides=(2, 1), act="relu", **arguments
    )
    W, b = (parameter.numpy() for parameter in net.all_params)
    rounded = [tf.constant(each, tf.float32) for each in (method.inputs(x), method.weights(W))]

    assert_same(net(x), tf.nn.relu(tf.nn.conv2d(*rounded, (2, 1), "SAME") + b))


@every_method
def test_gradients_pass_through_the_rounding(name, arguments, method):
    layer = getattr(layers, f"{name}Conv2d")
    net, x = network(layer, (7, 6, 3), n_filter=4, padding="VALID", **arguments)
    W = net.all_params[0].numpy()
    upstream = rng().normal(size=(2, 5, 4, 4)).astype("float32")

    def gradients(inputs, weights, forward):
        with tf.GradientTape() as tape:
            tape.watch([inputs, weights])
            loss = tf.reduce_sum(upstream * forward(inputs))
        return tape.gradient(loss, [inputs, weights])

    inputs, weights = (
        tf.constant(each, tf.float32) for each in (method.inputs(x), method.weights(W))
    )
    exact = gradients(inputs, weights, lambda x: tf.nn.conv2d(x, weights, 1, "VALID"))
    of_inputs, of_weights = gradients(tf.constant(x), net.all_params[0], net)

    assert_same(of_weights, method.passed(W, exact[1].numpy()))
    assert_same(of_inputs, method.inputs_passed(x, exact[0].numpy()))


@every_layer
def test_channels_first_is_the_same(layer):
    assert_channels_first_is_the_same(layer, (6, 5, 3), n_filter=4, strides=2)
    assert_channels_first_is_the_same(layer, (6, 5, 3), n_filter=4, dilation_rate=(2, 1))


def test_dilation_spreads_the_filter():
    net, x = network(BinaryConv2d, (9, 9, 2), n_filter=3, dilation_rate=2, b_init=None)
    filters = tf.sign(net.all_params[0])

    assert list(net.parameters) == ["layer/filters"]
    assert_same(net(x), tf.nn.conv2d(x, filters, 1, "SAME", dilations=2))


@every_layer
def test_in_channels_makes_the_filters_at_once(layer):
    made = layer(n_filter=8, filter_size=5, in_channels=3, name="c")

    assert made.W.shape == (5, 5, 3, 8)
    assert made.W.numpy().std() == pytest.approx(0.0176, abs=0.003)  # cut at two deviations


def test_defaults():
    for layer in LAYERS:
        net = layer(Input([None, 8, 8, 3]))
        assert net.shape == (None, 8, 8, 32)
        assert net.all_params[0].shape == (3, 3, 3, 32)
    assert (DorefaConv2d().bitW, DorefaConv2d().bitA) == (1, 3)
    assert (QuanConv2d().bitW, QuanConv2d().bitA) == (8, 8)


@every_layer
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_filter": 0}, "n_filter must be a positive integer, got 0"),
        ({"strides": 0}, "strides is a positive integer or 2 of them, got 0"),
        ({"padding": "full"}, "padding is 'SAME' or 'VALID', got 'full'"),
        ({"use_gemm": True}, "use_gemm must be False, got True: TensorFlow has no product of"),
    ],
)
def test_bad_arguments_name_rule_and_value(layer, arguments, message):
    with pytest.raises(InvalidArgument, match=f"{layer.__name__}: {message}"):
        layer(**arguments)


@pytest.mark.parametrize("layer", [DorefaConv2d, QuanConv2d])
@pytest.mark.parametrize("what", ["bitW", "bitA"])
def test_impossible_bits_are_refused(layer, what):
    with pytest.raises(InvalidArgument, match=rf"{layer.__name__}: {what} is .* 1 to 32.*got 33"):
        layer(**{what: 33})


def test_the_order_of_1x_is_understood_or_refused_and_not_misread():
    net = QuanConv2d(Input([None, 8, 8, 3]), 32, (5, 5), (1, 1))
    assert (net.layer.n_filter, net.layer.filter_size) == (32, (5, 5))
    with pytest.raises(
        InvalidArgument, match=r"QuanConv2d: bitA is a number of bits.*got \(5, 5\)"
    ):
        QuanConv2d(32, (5, 5), (1, 1))


@every_layer
def test_other_inputs_than_the_filters_fit_to_are_refused(layer):
    with pytest.raises(WrongShape, match=r"rank 4, got shape \(None, 784\). Its layout is NHWC"):
        layer(Input([None, 784]))
    with pytest.raises(WrongShape, match=r"filters are for 3 input channels, got shape \(1, 5"):
        layer(in_channels=3, name="c")(tf.ones([1, 5, 5, 2]))


def test_traced_it_has_the_operations_of_its_twin():
    net = BinaryConv2d(Input([None, 8, 8, 3]), 4, name="conv")
    filters, biases = net.all_params

    def twin(x):
        return tf.nn.bias_add(tf.nn.conv2d(x, tl.act.sign(filters), 1, "SAME"), biases)

    def step(forward):
        @tf.function
        def run(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                loss = tf.reduce_sum(forward(x))
            return tape.gradient(loss, [x, filters, biases])

        return operations(run, tf.TensorSpec([None, 8, 8, 3]))

    assert step(net) == step(twin)
