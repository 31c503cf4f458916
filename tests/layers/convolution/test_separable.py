from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import Input, SeparableConv1d, SeparableConv2d
from tests.layers.convolution.twins import (
    assert_as_keras,
    assert_channels_first_is_the_same,
    network,
)

keras = tf.keras.layers
CASES = pytest.mark.parametrize("padding", ["SAME", "VALID"])
STEPS = pytest.mark.parametrize("steps", [{}, {"strides": 2}, {"dilation_rate": 2}])


@CASES
@STEPS
def test_sequences_are_as_keras_says(padding, steps):
    arguments = {"filter_size": 3, "padding": padding, "depth_multiplier": 2, **steps}
    net, x = network(SeparableConv1d, (9, 3), n_filter=4, **arguments)

    twin = keras.SeparableConv1D(4, 3, padding=padding.lower(), depth_multiplier=2, **steps)
    assert_as_keras(net, x, twin)


@CASES
@STEPS
def test_images_are_as_keras_says(padding, steps):
    arguments = {"filter_size": (3, 2), "padding": padding, "depth_multiplier": 2, **steps}
    net, x = network(SeparableConv2d, (8, 9, 3), n_filter=4, **arguments)

    twin = keras.SeparableConv2D(4, (3, 2), padding=padding.lower(), depth_multiplier=2, **steps)
    assert_as_keras(net, x, twin)


def test_channels_first():
    assert_channels_first_is_the_same(SeparableConv1d, (9, 3), n_filter=4, strides=2)
    assert_channels_first_is_the_same(SeparableConv2d, (8, 9, 3), n_filter=4, padding="SAME")


def test_the_height_of_a_sequence_stays_in_its_place(monkeypatch):
    from tensorlayer.layers import spatial_arguments as spatial

    net, x = network(SeparableConv1d, (9, 3), n_filter=4, strides=2)
    other = SeparableConv1d(Input([None, 3, 9]), 4, 3, 2, data_format="channels_first", name="o")
    for source, target in zip(net.all_params, other.all_params, strict=True):
        target.assign(source)
    monkeypatch.setattr(spatial, "has_gpu", lambda: True)  # as XLA, it takes channels first

    outputs = tf.function(other, jit_compile=True)(np.moveaxis(x, -1, 1))

    np.testing.assert_allclose(outputs, np.moveaxis(net(x).numpy(), -1, 1), rtol=1e-4, atol=1e-4)


def test_parameters():
    net = SeparableConv1d(Input([None, 9, 3]), 5, 4, depth_multiplier=2, name="s")

    assert {name: tuple(v.shape) for name, v in net.parameters.items()} == {
        "s/depthwise_kernel": (4, 3, 2),
        "s/pointwise_kernel": (1, 6, 5),
        "s/bias": (5,),
    }


def test_initialisers():
    depthwise, pointwise, bias = SeparableConv2d(Input([None, 9, 9, 30]), 50).all_params
    limit = np.sqrt(6 / (30 + 50))

    assert 0.9 * limit < np.abs(pointwise).max() <= limit  # as Glorot says
    assert 0 < np.abs(depthwise).max() <= np.sqrt(6 / (9 * 30 + 9))
    assert np.all(bias == 0)
    given = {"depthwise_init": 2.0, "pointwise_init": 3.0, "b_init": None}
    depthwise, pointwise = SeparableConv2d(Input([None, 9, 9, 3]), 5, **given).all_params
    assert np.all(depthwise == 2.0)
    assert np.all(pointwise == 3.0)


def test_errors():
    with pytest.raises(InvalidArgument, match=r"SeparableConv2d: strides must be equal"):
        SeparableConv2d(strides=(1, 2))
    with pytest.raises(InvalidArgument, match="SeparableConv1d: depth_multiplier must be"):
        SeparableConv1d(depth_multiplier=0)
