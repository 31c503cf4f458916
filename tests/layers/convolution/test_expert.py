from __future__ import annotations

import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import Conv1dLayer, Conv2dLayer, Conv3dLayer, Input
from tests.layers.convolution.twins import (
    assert_as_keras,
    assert_channels_first_is_the_same,
    assert_same,
    network,
)

keras = tf.keras.layers


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_as_keras(padding):
    net, x = network(Conv1dLayer, (9, 3), shape=(4, 3, 5), stride=2, padding=padding)
    assert_as_keras(net, x, keras.Conv1D(5, 4, 2, padding))
    arguments = {"shape": (3, 2, 3, 5), "strides": (1, 2, 1, 1), "padding": padding}
    net, x = network(Conv2dLayer, (8, 7, 3), **arguments)
    assert_same(net(x), tf.nn.conv2d(x, net.all_params[0], (2, 1), padding) + net.all_params[1])
    net, x = network(Conv3dLayer, (5, 6, 7, 3), shape=(3, 2, 3, 3, 4), padding=padding)
    assert_as_keras(net, x, keras.Conv3D(4, (3, 2, 3), 2, padding))


def test_dilation_has_a_rate_for_each_axis():
    net, x = network(Conv2dLayer, (9, 9, 2), shape=(3, 3, 2, 4), dilation_rate=(1, 2, 3, 1))

    expected = tf.nn.convolution(x, net.all_params[0], dilations=(2, 3), padding="SAME")
    assert_same(net(x), expected + net.all_params[1])


def test_channels_first_has_its_own_order_of_strides():
    net = Conv2dLayer(
        Input([None, 3, 8, 8]), shape=(3, 3, 3, 4), strides=(1, 1, 2, 4), data_format="NCHW"
    )

    assert net.shape == (None, 4, 4, 2)
    assert_channels_first_is_the_same(Conv1dLayer, (9, 3), shape=(3, 3, 4), stride=2)


def test_none_is_the_usual_data_format():
    assert Conv2dLayer(shape=(3, 3, 1, 2), data_format=None).data_format == "NHWC"


def test_parameters_are_there_at_once():
    layer = Conv2dLayer(shape=(5, 4, 3, 8), name="conv")

    assert list(layer.parameters) == ["conv/filters", "conv/biases"]
    assert layer.W.shape == (5, 4, 3, 8)
    with pytest.raises(WrongShape, match=r"filters are for 3 input channels, got shape \(1, 6, 6"):
        layer(tf.ones([1, 6, 6, 4]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"strides": (1, 2, 2)}, r"strides has one positive integer for each axis of NHWC, 1 for"),
        ({"strides": (2, 2, 2, 1)}, r"strides has .* 1 for N and C; got \(2, 2, 2, 1\)"),
        ({"strides": (1, 2, 2, 3)}, "strides has .* 1 for N and C"),
        ({"dilation_rate": 2}, "dilation_rate has .* got 2"),
        ({"shape": (5, 5, 3)}, "shape is a positive integer or 4 of them"),
        ({"shape": (5, 5, 0, 3)}, "shape is a positive integer or 4 of them"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InvalidArgument, match=f"Conv2dLayer: {message}"):
        Conv2dLayer(**arguments)


def test_inputs_of_another_type_need_to_be_told():
    x = tf.ones([1, 6, 6, 3], tf.float64)

    with pytest.raises(InvalidArgument, match=r"float32, its input is float64.*dtype='float64'"):
        Conv2dLayer(shape=(5, 4, 3, 8))(x)
    assert Conv2dLayer(shape=(5, 4, 3, 8), dtype="float64")(x).dtype == tf.float64
