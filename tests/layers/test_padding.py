from __future__ import annotations

import numpy as np
import pytest

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import Input, PadLayer, ZeroPad1d, ZeroPad2d, ZeroPad3d

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("mode", ["CONSTANT", "REFLECT", "symmetric"])
def test_any_axis_is_padded(mode):
    x = RNG.normal(size=(2, 5, 4)).astype("float32")
    padding = [[1, 0], (2, 3), [0, 1]]

    np.testing.assert_array_equal(PadLayer(padding, mode)(x), np.pad(x, padding, mode.lower()))


def test_zeros_are_the_default():
    np.testing.assert_array_equal(PadLayer([[0, 0], [1, 1]])(np.ones([1, 1])), [[0, 1, 0]])


@pytest.mark.parametrize(
    ("layer", "padding", "pairs"),
    [
        (ZeroPad1d, 2, [(2, 2)]),
        (ZeroPad1d, (0, 3), [(0, 3)]),
        (ZeroPad1d, [[1, 2]], [(1, 2)]),
        (ZeroPad2d, 1, [(1, 1), (1, 1)]),
        (ZeroPad2d, [1, 2], [(1, 1), (2, 2)]),
        (ZeroPad2d, ((1, 2), (0, 3)), [(1, 2), (0, 3)]),
        (ZeroPad3d, 1, [(1, 1)] * 3),
        (ZeroPad3d, (1, 0, 2), [(1, 1), (0, 0), (2, 2)]),
        (ZeroPad3d, ((1, 2), [0, 3], (0, 0)), [(1, 2), (0, 3), (0, 0)]),
    ],
)
def test_zeros_around_the_spatial_axes(layer, padding, pairs):
    x = RNG.normal(size=(2, *(3, 4, 5)[: layer.rank], 3)).astype("float32")

    expected = np.pad(x, [(0, 0), *pairs, (0, 0)])

    np.testing.assert_array_equal(layer(padding)(x), expected)
    first = layer(padding, data_format="channels_first")(np.moveaxis(x, -1, 1))
    np.testing.assert_array_equal(first, np.moveaxis(expected, -1, 1))


NOT_PAIRS = [None, 3, [1, 2], [[1, 2, 3]], [[0, -1]], [[0, 1.5]], [[1, True]]]


@pytest.mark.parametrize("padding", NOT_PAIRS)
def test_paddings_are_pairs_of_sizes(padding):
    with pytest.raises(InvalidArgument, match=r"PadLayer: padding is a pair .*got"):
        PadLayer(padding)


@pytest.mark.parametrize("padding", [None, -1, 1.5, (1, 2, 3), ((1, 2),), ((1, 2), 3), (1, -2)])
def test_zeros_are_counted_by_sizes(padding):
    with pytest.raises(InvalidArgument, match=r"ZeroPad2d: padding is a size, or 2 pair.*got"):
        ZeroPad2d(padding)


@pytest.mark.parametrize(("mode", "at_most"), [("REFLECT", 3), ("SYMMETRIC", 4)])
def test_no_more_is_mirrored_than_there_is(mode, at_most):
    x = np.arange(8.0).reshape(2, 4)

    padded = PadLayer([[0, 0], [0, at_most]], mode)(x)
    np.testing.assert_array_equal(padded, np.pad(x, [(0, 0), (0, at_most)], mode.lower()))
    assert PadLayer(Input([2, None]), [[0, 0], [9, 9]], mode).outputs.shape == [2, None]
    with pytest.raises(WrongShape, match=rf"axis 1 at most {at_most} values can be mirrored, got"):
        PadLayer([[0, 0], [at_most + 1, 0]], mode)(x)


def test_errors():
    with pytest.raises(InvalidArgument, match="ZeroPad1d: padding is a size, or 1 pair"):
        ZeroPad1d((3,))
    with pytest.raises(InvalidArgument, match=r"mode is one of \('CONSTANT',.*got 'EDGE'"):
        PadLayer([[0, 0]], "EDGE")
    with pytest.raises(InvalidArgument, match=r"mode is one of .* got None"):
        PadLayer([[0, 0]], None)
    with pytest.raises(WrongShape, match=r"PadLayer.*rank 2.*a pair for each axis"):
        PadLayer(Input([None, 3, 3]), [[0, 0], [1, 1]])
    with pytest.raises(WrongShape, match=r"ZeroPad3d.*rank 5"):
        ZeroPad3d(Input([None, 3, 3]), 1)
    with pytest.raises(InvalidArgument, match="ZeroPad1d: data_format is"):
        ZeroPad1d(1, data_format="last")
