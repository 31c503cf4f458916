from __future__ import annotations

import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import DepthwiseConv2d, Input
from tests.layers.convolution.twins import (
    assert_as_keras,
    assert_channels_first_is_the_same,
    network,
)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("steps", [{}, {"strides": 2}, {"dilation_rate": 2}])
def test_as_keras(padding, steps):
    arguments = {"filter_size": (3, 2), "padding": padding, **steps}
    net, x = network(DepthwiseConv2d, (8, 9, 3), depth_multiplier=2, **arguments)

    assert_as_keras(
        net,
        x,
        tf.keras.layers.DepthwiseConv2D((3, 2), padding=padding, depth_multiplier=2, **steps),
    )


def test_channels_first():
    assert_channels_first_is_the_same(DepthwiseConv2d, (8, 9, 3), depth_multiplier=2, strides=2)


def test_parameters():
    net = DepthwiseConv2d(Input([None, 8, 8, 3]), (5, 4), depth_multiplier=2, name="d")

    assert {name: tuple(v.shape) for name, v in net.parameters.items()} == {
        "d/filters": (5, 4, 3, 2),
        "d/biases": (6,),
    }


def test_spellings_of_1_x():
    net = DepthwiseConv2d(Input([None, 8, 8, 3]), shape=(5, 4), channel_multiplier=3, name="d")

    assert net.all_params[0].shape == (5, 4, 3, 3)


def test_errors():
    with pytest.raises(InvalidArgument, match=r"DepthwiseConv2d: strides must be equal .* \(1, 2"):
        DepthwiseConv2d(strides=(1, 2))
    with pytest.raises(InvalidArgument, match="depth_multiplier must be a positive integer, got 0"):
        DepthwiseConv2d(depth_multiplier=0)
