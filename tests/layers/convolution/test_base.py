from __future__ import annotations

import re

import pytest
import tensorflow as tf

from tensorlayer import layers
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import Conv1d, Conv2d, Input
from tensorlayer.layers.convolution.base import full_shape
from tests.layers.convolution.twins import network, rng
from tests.operations import operations


def test_the_activation_comes_after_the_bias():
    net, x = network(Conv2d, (5, 5, 2), n_filter=3, act="relu")
    linear = Conv2d(Input([None, 5, 5, 2]), 3, name="linear")
    for source, target in zip(net.all_params, linear.all_params, strict=True):
        target.assign(source)

    tf.debugging.assert_near(net(x), tf.nn.relu(linear(x)))
    assert tf.reduce_min(linear(x)) < 0


def test_parameters_start_as_the_initialisers_say():
    net = Conv2d(Input([None, 8, 8, 20]), 50, 5, name="conv")
    filters, biases = (variable.numpy() for variable in net.all_params)

    assert abs(filters).max() <= 0.04
    assert filters.std() == pytest.approx(0.0176, abs=0.0005)  # cut at two deviations
    assert abs(biases).max() == 0


def test_without_b_init_there_is_no_bias():
    net, without = (Conv2d(Input([None, 5, 5, 2]), b_init=b, name="c") for b in (0.0, None))

    assert list(net.parameters) == ["c/filters", "c/biases"]
    assert list(without.parameters) == ["c/filters"]


def test_other_channels_than_the_filters_have_are_refused():
    layer = Conv2d(4, in_channels=3, name="conv")

    with pytest.raises(WrongShape, match=r"conv.*filters are for 3 input channels, got shape \(1"):
        layer(tf.ones([1, 5, 5, 2]))
    with pytest.raises(WrongShape, match=r"rank 4, got shape \(1, 5, 3\)\. Its layout is NHWC"):
        layer(tf.ones([1, 5, 3]))


def test_unknown_channels_are_refused():
    with pytest.raises(InvalidArgument, match="the number of channels must be known"):
        Conv2d(Input([None, 5, 5, None]))


def test_strides_and_dilation_exclude_each_other():
    with pytest.raises(InvalidArgument, match=r"Conv1d: strides and dilation_rate cannot both"):
        Conv1d(4, stride=2, dilation_rate=2)


def test_in_channels_is_a_positive_integer():
    with pytest.raises(InvalidArgument, match="Conv2d: in_channels must be a positive integer"):
        Conv2d(4, in_channels=0)


def test_in_channels_counts_the_channels_of_the_data_format():
    layer = Conv2d(4, in_channels=3, data_format="channels_first", name="conv")

    assert layer.W.shape == (3, 3, 3, 4)
    assert layer(tf.ones([1, 3, 5, 6])).shape == (1, 4, 5, 6)


def test_sizes_may_be_free():
    for layer in (Conv2d, layers.DeConv2d, layers.DepthwiseConv2d, layers.GroupConv2d):
        net = layer(Input([None, None, None, 4]), strides=(2, 2))

        assert net.shape.as_list()[:3] == [None, None, None]
        for size in (4, 7):
            expected = 2 * size if layer is layers.DeConv2d else -(-size // 2)
            assert net(rng().normal(size=(1, size, size, 4))).shape[1:3] == (expected, expected)


def test_a_full_shape_has_two_sizes_more_than_the_rank():
    with pytest.raises(InvalidArgument, match=re.escape("L: shape is a positive integer or 4 of")):
        full_shape((5, 5, 3), 2, "L")


IMAGES = tf.TensorSpec([None, 8, 8, 4])
TWINS = {
    "Conv2d": lambda x, w, b: tf.nn.bias_add(tf.nn.conv2d(x, w, 1, "SAME"), b),
    "DeConv2d": lambda x, w, b: tf.nn.bias_add(
        tf.nn.conv2d_transpose(x, w, [tf.shape(x)[0], 16, 16, 4], 2), b
    ),
    "AtrousDeConv2dLayer": lambda x, w, b: tf.nn.bias_add(
        tf.nn.atrous_conv2d_transpose(x, w, [tf.shape(x)[0], 8, 8, 4], 2, "SAME"), b
    ),
    "DepthwiseConv2d": lambda x, w, b: tf.nn.bias_add(
        tf.nn.depthwise_conv2d(x, w, [1, 1, 1, 1], "SAME"), b
    ),
    "SeparableConv2d": lambda x, w, p, b: tf.nn.bias_add(
        tf.nn.separable_conv2d(x, w, p, [1, 1, 1, 1], "VALID"), b
    ),
    "GroupConv2d": lambda x, w, b: tf.nn.bias_add(
        tf.concat(
            [
                tf.nn.conv2d(each, filters, 2, "SAME")
                for each, filters in zip(tf.split(x, 2, -1), tf.split(w, 2, -1), strict=True)
            ],
            -1,
        ),
        b,
    ),
    "SubpixelConv2d": lambda x: tf.nn.depth_to_space(x, 2),
}


@pytest.mark.parametrize("name", TWINS)
def test_traced_it_has_the_operations_of_its_twin(name):
    arguments = {"n_filter": 4}
    if name in {"SubpixelConv2d", "DepthwiseConv2d"}:
        arguments = {}
    elif name == "AtrousDeConv2dLayer":
        arguments = {"shape": (3, 3, 4, 4), "output_shape": None}
    net = getattr(layers, name)(Input([None, 8, 8, 4]), **arguments)

    def step(forward):
        @tf.function
        def run(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                loss = tf.reduce_sum(forward(x))
            return tape.gradient(loss, [x, *net.all_params])

        return operations(run, IMAGES)

    assert step(net) == step(lambda x: TWINS[name](x, *net.all_params))
