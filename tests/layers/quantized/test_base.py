from __future__ import annotations

import numpy as np
import tensorflow as tf

from tensorlayer import layers
from tensorlayer.layers.quantized.base import QuantizedConv2d, QuantizedDense, text
from tests.layers.convolution.twins import assert_same, network


class Half:
    """A method of one's own: all weights are halved, all inputs squared."""

    def quantize_weights(self, weights):
        return weights / 2

    def quantize_inputs(self, inputs):
        return inputs**2


class HalfDense(Half, QuantizedDense):
    """A dense layer of the method."""


class HalfConv2d(Half, QuantizedConv2d):
    """A convolution of the method."""


def test_a_method_of_ones_own_is_two_functions():
    net, x = network(HalfDense, (5,), n_units=3)
    W, b = (parameter.numpy() for parameter in net.all_params)
    assert_same(net(x), x**2 @ (W / 2) + b)

    net, x = network(HalfConv2d, (5, 5, 2), n_filter=3)
    W, b = (parameter.numpy() for parameter in net.all_params)
    assert_same(net(x), tf.nn.conv2d(x**2, W / 2, 1, "SAME") + b)


def test_the_rounded_value_is_computed_from_the_parameter_as_it_is_now():
    net, x = network(layers.BinaryDense, (5,), n_units=3)
    traced = tf.function(lambda x: net(x, is_train=False))
    before = traced(x)

    for weights in net.all_params:
        weights.assign(-weights)

    np.testing.assert_allclose(traced(x), -before, rtol=1e-6)


def test_texts_share_words():
    assert text("{name} {what}", what="x") == "Unique in the network. x"
