from __future__ import annotations

import numpy as np
import pytest

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import Input, MaxPool2d, MeanPool2d

RNG = np.random.default_rng(0)
LAYERS = {MaxPool2d: np.max, MeanPool2d: np.mean}


def windows(x, size, step, padding, reduce):
    """Pool by two loops; SAME pads evenly, more at the end, and padding never counts."""
    height, width = x.shape[1:3]

    def axis(n):
        if padding == "VALID":
            return [(i, i + size) for i in range(0, n - size + 1, step)]
        count = -(-n // step)
        before = max((count - 1) * step + size - n, 0) // 2
        return [(max(i * step - before, 0), i * step - before + size) for i in range(count)]

    rows = [[reduce(x[:, a:b, c:d], axis=(1, 2)) for c, d in axis(width)] for a, b in axis(height)]
    return np.moveaxis(np.array(rows), 2, 0)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("size", "step"), [(2, 2), (3, 2), (3, 1)])
def test_pooling_is_a_reduction_of_windows(layer, padding, size, step):
    x = RNG.normal(size=(2, 7, 8, 3)).astype("float32")
    net = layer(Input([None, 7, 8, 3]), size, step, padding)

    expected = windows(x, size, step, padding, LAYERS[layer])
    np.testing.assert_allclose(net(x), expected, rtol=1e-5, atol=1e-6)


def test_strides_none_is_the_size_of_the_window():
    assert tuple(MaxPool2d(Input([None, 9, 9, 1]), 3, None).shape) == (None, 3, 3, 1)


def test_the_default_overlaps():
    assert tuple(MeanPool2d(Input([None, 9, 9, 1])).shape) == (None, 5, 5, 1)


def test_errors():
    with pytest.raises(InvalidArgument, match="MaxPool2d: strides is a positive integer or 2"):
        MaxPool2d(strides=(1, 2, 3))
    with pytest.raises(WrongShape, match=r"MeanPool2d.*rank 4"):
        MeanPool2d(Input([None, 9]))
