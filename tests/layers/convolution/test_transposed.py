from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import DeConv1dLayer, DeConv2d, DeConv3d, Input
from tensorlayer.layers import spatial_arguments as spatial
from tensorlayer.layers.convolution.transposed import with_holes
from tests.layers.convolution.twins import (
    assert_as_keras,
    assert_channels_first_is_the_same,
    assert_same,
    network,
)

keras = tf.keras.layers


def scattered(x, filters, strides, rates, padding, sizes):
    """Every input adds its filter to the output, in NumPy; SAME cuts evenly, more at the end."""
    counts, taps = x.shape[1:-1], filters.shape[:-2]
    reaches = [(size - 1) * rate + 1 for size, rate in zip(taps, rates, strict=True)]
    full = [
        max((n - 1) * s + r, m) for n, s, r, m in zip(counts, strides, reaches, sizes, strict=True)
    ]
    out = np.zeros([len(x), *full, filters.shape[-2]])
    for at in itertools.product(*map(range, counts)):
        for tap in itertools.product(*map(range, taps)):
            place = [i * s + k * r for i, s, k, r in zip(at, strides, tap, rates, strict=True)]
            out[(slice(None), *place)] += x[(slice(None), *at)] @ filters[tap].T
    cut = [
        max((n - 1) * s + r - m, 0) // 2 if padding == "SAME" else 0
        for n, s, r, m in zip(counts, strides, reaches, sizes, strict=True)
    ]
    return out[(slice(None), *(slice(c, c + m) for c, m in zip(cut, sizes, strict=True)))]


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("size", "stride"), [(3, 2), (2, 3), (4, 2), (5, 1), ((2, 5), (3, 2))])
def test_two_dimensional_is_as_keras_says(size, stride, padding):
    arguments = {"filter_size": size, "strides": stride, "padding": padding}
    net, x = network(DeConv2d, (4, 5, 3), n_filter=2, **arguments)

    assert_as_keras(net, x, keras.Conv2DTranspose(2, size, stride, padding))


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_three_dimensional_is_as_keras_says(padding):
    arguments = {"filter_size": (3, 2, 4), "strides": (1, 3, 2), "padding": padding}
    net, x = network(DeConv3d, (3, 4, 3, 3), n_filter=2, **arguments)

    assert_as_keras(net, x, keras.Conv3DTranspose(2, (3, 2, 4), (1, 3, 2), padding))


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(
    ("stride", "rate"),
    [((1, 1), (2, 3)), ((2, 3), (2, 1)), ((3, 2), (2, 2)), ((1, 1), (3, 3)), ((1, 1), (2, 2))],
)
def test_dilated_filters_reach_further(stride, rate, padding):
    arguments = {"strides": stride, "dilation_rate": rate, "padding": padding}
    net, x = network(DeConv2d, (4, 5, 3), n_filter=2, filter_size=(3, 2), **arguments)
    filters, biases = (variable.numpy() for variable in net.all_params)
    sizes = [
        n * s + (max((k - 1) * r + 1 - s, 0) if padding == "VALID" else 0)
        for n, s, k, r in zip((4, 5), stride, (3, 2), rate, strict=True)
    ]

    assert net.shape == (None, *sizes, 2)
    assert_same(net(x), scattered(x, filters, stride, rate, padding, sizes) + biases)


def test_dilated_sequences():
    arguments = {"shape": (3, 4, 2), "dilation_rate": (1, 3, 1), "outputs_shape": None}
    net, x = network(DeConv1dLayer, (6, 2), **arguments)
    filters, biases = (variable.numpy() for variable in net.all_params)

    assert_same(net(x), scattered(x, filters, [2], [3], "SAME", [12]) + biases)


def test_where_there_is_a_kernel_dilation_is_left_to_it(monkeypatch):
    net, x = network(DeConv2d, (4, 5, 3), n_filter=2, strides=(2, 1), dilation_rate=2)
    filled = tf.function(net)
    monkeypatch.setattr(spatial, "has_gpu", lambda: False)
    with_zeros = filled(x)
    monkeypatch.setattr(spatial, "has_gpu", lambda: True)
    compiled = tf.function(lambda values: net(values), jit_compile=True)  # XLA has all kernels

    assert_same(compiled(x), with_zeros)
    for function, has_holes in ((filled, True), (compiled, False)):
        kinds = {op.type for op in function.get_concrete_function(x).graph.get_operations()}
        assert ("Pad" in kinds) == has_holes


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_every_size_that_the_strides_lead_to_can_be_asked_for(padding):
    for asked in range(9 if padding == "VALID" else 7, 12 if padding == "VALID" else 10):
        arguments = {"strides": 3, "padding": padding, "out_size": (asked, asked)}
        net, x = network(DeConv2d, (3, 3, 2), n_filter=2, **arguments)
        filters, biases = (variable.numpy() for variable in net.all_params)

        assert net.shape == (None, asked, asked, 2)
        expected = scattered(x, filters, (3, 3), (1, 1), padding, (asked, asked))
        assert_same(net(x), expected + biases)


@pytest.mark.parametrize(
    ("padding", "asked", "possible"),
    [
        ("SAME", 6, "7 to 9"),
        ("SAME", 10, "7 to 9"),
        ("VALID", 8, "9 to 11"),
        ("VALID", 12, "9 to 11"),
    ],
)
def test_a_size_that_they_do_not_lead_to_is_refused(padding, asked, possible):
    message = (
        f"a size of 3 becomes {possible} with stride 3 and padding {padding}, asked is {asked}"
    )
    with pytest.raises(WrongShape, match=message):
        DeConv2d(Input([None, 3, 3, 2]), strides=3, padding=padding, out_size=asked)


def test_free_sizes_follow_the_same_rule():
    net = DeConv2d(Input([None, None, 5, 2]), 3, 5, padding="VALID", name="up")

    assert net.shape.as_list() == [None, None, 13, 3]
    for size in (1, 4):
        assert net(tf.ones([2, size, 5, 2])).shape == (2, 2 * size + 3, 13, 3)
    dilated = DeConv2d(Input([None, None, 5, 2]), 3, 5, 1, dilation_rate=2, name="dilated")
    assert dilated.shape.as_list()[2:] == [5, 3]
    assert dilated(tf.ones([2, 4, 5, 2])).shape == (2, 4, 5, 3)
    asked = DeConv2d(Input([None, None, 5, 2]), 3, 5, out_size=9, name="asked")
    assert asked.shape.as_list() == [None, 9, 9, 3]


def test_channels_first():
    arguments = {"n_filter": 2, "filter_size": 4, "strides": 3, "padding": "VALID"}
    assert_channels_first_is_the_same(DeConv2d, (4, 5, 3), **arguments)
    assert_channels_first_is_the_same(DeConv3d, (2, 4, 3, 3), n_filter=2, strides=(1, 2, 3))


def test_without_b_init_there_is_no_bias():
    assert list(DeConv2d(Input([None, 4, 4, 2]), b_init=None, name="d").parameters) == ["d/kernel"]


def test_bilinear_filters_enlarge_images():
    net = DeConv2d(
        Input([None, 8, 8, 2]), 2, 4, W_init=initializers.BilinearUpsampling(), name="up"
    )
    flat = np.ones([1, 8, 8, 2], "float32")

    np.testing.assert_allclose(net(flat)[:, 1:-1, 1:-1], 1.0, rtol=1e-6)


def test_spelling_of_1_x():
    net = DeConv2d(
        Input([None, 4, 4, 2]),
        n_out_channel=5,
        filter_size=(5, 5),
        out_size=(7, 8),
        strides=(2, 2),
        batch_size=64,
    )

    assert net.shape == (None, 7, 8, 5)


@pytest.mark.parametrize(
    ("layer", "arguments", "message"),
    [
        (DeConv2d, {"n_filter": 0}, "DeConv2d: n_filter must be a positive integer"),
        (DeConv2d, {"out_size": (3, 4, 5)}, "DeConv2d: out_size is a positive integer or 2 of"),
        (DeConv3d, {"out_size": 0}, "DeConv3d: out_size is a positive integer or 3 of them"),
    ],
)
def test_bad_arguments(layer, arguments, message):
    with pytest.raises(InvalidArgument, match=message):
        layer(**arguments)


def test_holes_are_between_the_taps():
    filters = np.arange(1.0, 13.0).reshape(3, 2, 2, 1)

    spread = with_holes(tf.constant(filters), (2, 3)).numpy()

    assert spread.shape == (5, 4, 2, 1)
    np.testing.assert_array_equal(spread[::2, ::3], filters)
    assert spread.sum() == filters.sum()
