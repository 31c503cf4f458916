from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf
from scipy import signal

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import Conv2d, Input

RNG = np.random.default_rng(0)


def correlate(x, filters, mode):
    """Every image with every filter, by SciPy."""
    out = [
        [
            sum(
                signal.correlate2d(image[..., c], filters[..., c, f], mode)
                for c in range(x.shape[-1])
            )
            for f in range(filters.shape[-1])
        ]
        for image in x
    ]
    return np.moveaxis(np.array(out), 1, -1)


@pytest.mark.parametrize(("padding", "mode"), [("SAME", "same"), ("valid", "valid")])
def test_conv2d_is_correlation(padding, mode):
    x = RNG.normal(size=(2, 7, 6, 3)).astype("float32")
    net = Conv2d(Input([None, 7, 6, 3]), 4, (3, 5), padding=padding, b_init=0.25, name="c")
    filters = net.all_params[0].numpy()

    np.testing.assert_allclose(net(x), correlate(x, filters, mode) + 0.25, rtol=1e-3, atol=1e-5)


def test_strides_take_every_nth_position():
    x = RNG.normal(size=(1, 9, 9, 2)).astype("float32")
    dense = Conv2d(Input([None, 9, 9, 2]), 3, 3, padding="VALID", name="c")
    strided = Conv2d(Input([None, 9, 9, 2]), 3, 3, (2, 3), padding="VALID", name="c")
    for source, target in zip(dense.all_params, strided.all_params, strict=True):
        target.assign(source)

    np.testing.assert_allclose(strided(x), dense(x)[:, ::2, ::3], rtol=1e-4, atol=1e-6)


def test_dilation_spreads_the_filter():
    x = RNG.normal(size=(1, 9, 9, 1)).astype("float32")
    net = Conv2d(Input([None, 9, 9, 1]), 1, 3, padding="VALID", dilation_rate=2, name="c")
    spread = np.zeros([5, 5, 1, 1], "float32")
    spread[::2, ::2] = net.all_params[0].numpy()

    np.testing.assert_allclose(net(x), correlate(x, spread, "valid"), rtol=1e-3, atol=1e-5)


def test_channels_first_names_the_channel_axis():
    net = Conv2d(Input([None, 3, 8, 8]), 4, data_format="channels_first", name="c")

    assert tuple(net.shape) == (None, 4, 8, 8)
    assert net.all_params[0].shape == (3, 3, 3, 4)


def test_output_sizes_follow_the_rule():
    for size, filter_size, stride in itertools.product((7, 8), (2, 3), (1, 2, 3)):
        same = Conv2d(Input([None, size, size, 1]), 1, filter_size, stride)
        valid = Conv2d(Input([None, size, size, 1]), 1, filter_size, stride, padding="VALID")

        assert same.shape[1] == -(-size // stride)
        assert valid.shape[1] == -(-(size - filter_size + 1) // stride)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_filter": 0}, "n_filter must be a positive integer, got 0"),
        ({"filter_size": (3, 3, 3)}, r"filter_size is a positive integer or 2 of them, got \(3, 3"),
        ({"strides": 0}, "strides is a positive integer or 2 of them, got 0"),
        ({"padding": "full"}, "padding is 'SAME' or 'VALID', got 'full'"),
        ({"data_format": "first"}, "data_format is 'channels_last' or 'channels_first', got"),
    ],
)
def test_bad_arguments_name_rule_and_value(arguments, message):
    with pytest.raises(InvalidArgument, match=f"Conv2d: {message}"):
        Conv2d(**arguments)


def test_another_rank_is_refused():
    with pytest.raises(WrongShape, match=r"rank 4, got shape \(None, 784\). Its layout is NHWC"):
        Conv2d(Input([None, 784]), 8)


def test_in_channels_makes_the_filters_at_once():
    layer = Conv2d(8, (5, 5), in_channels=3, name="c")

    assert layer.W.shape == (5, 5, 3, 8)
    assert layer(tf.ones([1, 6, 6, 3])).shape == (1, 6, 6, 8)
