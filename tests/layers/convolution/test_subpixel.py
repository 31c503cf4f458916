from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import Input, SubpixelConv1d, SubpixelConv2d
from tests.layers.convolution.twins import rng


@pytest.mark.parametrize("scale", [1, 2, 3])
@pytest.mark.parametrize("free", [False, True])
def test_channels_become_positions(scale, free):
    x = rng().normal(size=(2, 5, 4 * scale)).astype("float32")
    net = SubpixelConv1d(Input([None, None if free else 5, 4 * scale]), scale)

    outputs = net(x).numpy()

    assert net.shape.as_list() == [None, None if free else 5 * scale, 4]
    for t, i in np.ndindex(5, scale):
        np.testing.assert_array_equal(outputs[:, t * scale + i], x[:, t, i * 4 : (i + 1) * 4])


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_channels_become_squares(scale):
    x = rng().normal(size=(2, 4, 5, 3 * scale**2)).astype("float32")

    outputs = SubpixelConv2d(Input([None, None, 5, 3 * scale**2]), scale)(x).numpy()

    assert outputs.shape == (2, 4 * scale, 5 * scale, 3)
    for h, w, i, j in np.ndindex(4, 5, scale, scale):
        block = (i * scale + j) * 3
        expected = x[:, h, w, block : block + 3]
        np.testing.assert_array_equal(outputs[:, h * scale + i, w * scale + j], expected)


def test_the_activation_comes_last():
    net = SubpixelConv2d(Input([None, 2, 2, 4]), act=tf.nn.relu)

    np.testing.assert_array_equal(net(-tf.ones([1, 2, 2, 4])), np.zeros([1, 4, 4, 1]))


def test_an_empty_batch():
    assert SubpixelConv1d(Input([None, None, 4]))(tf.ones([0, 3, 4])).shape == (0, 6, 2)


def test_spelling_of_1_x():
    assert SubpixelConv2d(Input([None, 2, 2, 8]), n_out_channel=2).shape == (None, 4, 4, 2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: SubpixelConv2d(Input([None, 2, 2, 6])),
            "scale 2 .* must be a multiple of 4, got 6",
        ),
        (lambda: SubpixelConv2d(Input([None, 2, 2, 8]), n_out_channels=3), "must be 12, got 8"),
        (lambda: SubpixelConv2d(in_channels=6), "must be a multiple of 4, got 6"),
        (lambda: SubpixelConv1d(Input([None, 2, 3])), "SubpixelConv1d: .* a multiple of 2, got 3"),
        (lambda: SubpixelConv1d(scale=0), "SubpixelConv1d: scale must be a positive integer"),
        (lambda: SubpixelConv1d(in_channels=0), "in_channels must be a positive integer, got 0"),
        (lambda: SubpixelConv1d(Input([None, 2, None])), "the number of channels must be known"),
    ],
)
def test_channels_come_in_blocks(make, message):
    with pytest.raises(InvalidArgument, match=message):
        make()


def test_other_inputs_are_refused():
    with pytest.raises(WrongShape, match="it was told 4 input channels, got 8"):
        SubpixelConv2d(Input([None, 2, 2, 8]), in_channels=4)
    with pytest.raises(WrongShape, match=r"SubpixelConv1d.*rank 3, got shape \(None, 2, 2, 8\)"):
        SubpixelConv1d(Input([None, 2, 2, 8]))
