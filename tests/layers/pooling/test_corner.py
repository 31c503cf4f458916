from __future__ import annotations

import numpy as np
import pytest

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import CornerPool2d, Input

RNG = np.random.default_rng(0)


def running_max(x, axis):
    return np.maximum.accumulate(x, axis)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 3), (5, 8), (9, 4)])
def test_maxima_run_towards_the_corner(height, width):
    x = RNG.normal(size=(2, height, width, 3)).astype("float32") - 3  # padding must never win
    back = x[:, ::-1, ::-1]
    upper_left = (running_max(back, 1) + running_max(back, 2))[:, ::-1, ::-1]

    np.testing.assert_array_equal(CornerPool2d()(x), upper_left)
    np.testing.assert_array_equal(CornerPool2d("TopLeft")(x), upper_left)
    np.testing.assert_array_equal(
        CornerPool2d("bottomRight")(x), running_max(x, 1) + running_max(x, 2)
    )


def test_errors():
    with pytest.raises(InvalidArgument, match=r"mode is one of \('TopLeft', 'Bottom.*got 'Top'"):
        CornerPool2d("Top")
    with pytest.raises(InvalidArgument, match=r"mode is one of .* got None"):
        CornerPool2d(None)
    with pytest.raises(WrongShape, match=r"CornerPool2d.*rank 4"):
        CornerPool2d(Input([None, 9]))
    with pytest.raises(InvalidArgument, match="the height must be known"):
        CornerPool2d(Input([None, None, 4, 1]))
    with pytest.raises(InvalidArgument, match="the width must be known"):
        CornerPool2d(Input([None, 4, None, 1]))
