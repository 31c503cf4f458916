from __future__ import annotations

import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, UnknownArgument, WrongShape
from tensorlayer.layers import DeConv1dLayer, DeConv2dLayer, DeConv3dLayer, Input
from tests.layers.convolution.twins import (
    assert_as_keras,
    assert_same,
    first,
    network,
)

keras = tf.keras.layers


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_as_keras(padding):
    same = {"outputs_shape": None, "padding": padding}
    net, x = network(DeConv1dLayer, (5, 3), shape=(4, 2, 3), strides=(1, 3, 1), **same)
    assert_as_keras(net, x, keras.Conv1DTranspose(2, 4, 3, padding))
    net, x = network(DeConv2dLayer, (4, 5, 3), shape=(3, 4, 2, 3), strides=(1, 2, 3, 1), **same)
    assert_as_keras(net, x, keras.Conv2DTranspose(2, (3, 4), (2, 3), padding))
    net, x = network(DeConv3dLayer, (2, 3, 4, 3), shape=(3, 2, 3, 2, 3), **same)
    assert_as_keras(net, x, keras.Conv3DTranspose(2, (3, 2, 3), 2, padding))


def test_the_sizes_of_the_output_are_chosen():
    arguments = {"shape": (3, 3, 2, 3), "outputs_shape": (None, 7, None, 2)}
    net, x = network(DeConv2dLayer, (4, 5, 3), **arguments)
    filters, biases = net.all_params

    assert net.shape == (None, 7, 10, 2)
    assert_same(net(x), tf.nn.conv2d_transpose(x, filters, [2, 7, 10, 2], 2) + biases)


def test_the_batch_is_that_of_the_input():
    net = DeConv1dLayer(Input([None, 4, 3]), shape=(3, 2, 3), outputs_shape=(64, 8, 2))

    assert net(tf.ones([5, 4, 3])).shape == (5, 8, 2)


def test_channels_first():
    net, x = network(DeConv2dLayer, (4, 5, 3), shape=(3, 3, 2, 3), outputs_shape=(None, 7, 9, 2))
    other = DeConv2dLayer(
        Input([None, 3, 4, 5]),
        shape=(3, 3, 2, 3),
        outputs_shape=(None, 2, 7, 9),
        strides=(1, 1, 2, 2),
        data_format="NCHW",
        name="other",
    )
    for source, target in zip(net.all_params, other.all_params, strict=True):
        target.assign(source)

    assert other.shape == (None, 2, 7, 9)
    assert_same(other(first(x)), first(net(x).numpy()))


def test_output_shape_is_the_spelling_of_1_x():
    arguments = {"shape": (3, 3, 2, 3), "output_shape": (1, 8, 10, 2)}

    assert DeConv2dLayer(Input([None, 4, 5, 3]), **arguments).shape == (None, 8, 10, 2)
    with pytest.raises(UnknownArgument, match="'outputs_shape' is given twice, also as 'output_sh"):
        DeConv2dLayer(**arguments, outputs_shape=(1, 8, 10, 2))


def test_parameters_are_there_at_once():
    layer = DeConv2dLayer(shape=(5, 5, 2, 3), outputs_shape=None, name="up")

    assert list(layer.parameters) == ["up/filters", "up/biases"]
    assert [tuple(v.shape) for v in layer.parameters.values()] == [(5, 5, 2, 3), (2,)]


def test_a_size_that_the_strides_do_not_lead_to_is_refused():
    with pytest.raises(WrongShape, match=r"a size of 4 becomes 7 to 8 .* asked is 9"):
        DeConv2dLayer(Input([None, 4, 4, 3]), shape=(3, 3, 2, 3), outputs_shape=(None, 9, 9, 2))


@pytest.mark.parametrize(
    ("outputs_shape", "message"),
    [
        ((1, 8, 8, 3), r"outputs_shape has one size .* of NHWC, 2 of them channels .* got \(1, 8"),
        ((8, 8, 2), "outputs_shape has one size for each axis of NHWC"),
        ((1, 8, -1, 2), "a size of outputs_shape must be a positive integer, got -1"),
    ],
)
def test_bad_output_shapes(outputs_shape, message):
    with pytest.raises(InvalidArgument, match=f"DeConv2dLayer: {message}"):
        DeConv2dLayer(shape=(3, 3, 2, 3), outputs_shape=outputs_shape)


@pytest.mark.parametrize("what", ["strides", "dilation_rate"])
def test_steps_have_one_number_for_each_axis(what):
    with pytest.raises(InvalidArgument, match=f"DeConv2dLayer: {what} has one positive .* got 2"):
        DeConv2dLayer(**{what: 2})
