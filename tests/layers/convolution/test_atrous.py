from __future__ import annotations

import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import (
    AtrousConv1dLayer,
    AtrousConv2dLayer,
    AtrousDeConv2dLayer,
    Input,
    atrous_conv1d,
)
from tests.layers.convolution.twins import assert_as_keras, assert_same, network

keras = tf.keras.layers


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_as_keras(padding):
    net, x = network(AtrousConv1dLayer, (12, 3), n_filter=4, dilation=3, padding=padding)
    assert_as_keras(net, x, keras.Conv1D(4, 2, 1, padding, dilation_rate=3))
    net, x = network(AtrousConv1dLayer, (12, 3), n_filter=4, stride=3, padding=padding)
    assert_as_keras(net, x, keras.Conv1D(4, 2, 3, padding))
    net, x = network(AtrousConv2dLayer, (9, 8, 3), n_filter=4, rate=3, padding=padding)
    assert_as_keras(net, x, keras.Conv2D(4, 3, 1, padding, dilation_rate=3))


@pytest.mark.parametrize(("padding", "size"), [("SAME", 6), ("VALID", 10)])
def test_the_transposed_one_is_that_of_tensorflow(padding, size):
    arguments = {"shape": (3, 3, 4, 2), "output_shape": (2, size, size, 4), "padding": padding}
    net, x = network(AtrousDeConv2dLayer, (6, 6, 2), **arguments)
    filters, biases = net.all_params

    expected = tf.nn.atrous_conv2d_transpose(x, filters, (2, size, size, 4), 2, padding)
    assert_same(net(x), expected + biases)


def test_the_default_is_dilated():
    assert AtrousConv2dLayer(Input([None, 9, 9, 1]), padding="VALID").shape == (None, 5, 5, 32)
    assert AtrousConv1dLayer(Input([None, 3, 8]), data_format="NCW").shape == (None, 32, 8)


def test_other_name():
    assert atrous_conv1d is AtrousConv1dLayer


def test_a_rate_is_one_positive_integer():
    with pytest.raises(InvalidArgument, match="AtrousDeConv2dLayer: dilation_rate has one"):
        AtrousDeConv2dLayer(rate=0)
