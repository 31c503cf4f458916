from __future__ import annotations

import numpy as np
import pytest

from tensorlayer import prepro
from tensorlayer.errors import InvalidArgument
from tensorlayer.prepro.windows import inner_rectangle

IMAGE = np.arange(6 * 8 * 3).reshape(6, 8, 3)


def test_the_middle_is_cropped_width_before_height():
    np.testing.assert_array_equal(prepro.crop(IMAGE, 4, 3), IMAGE[1:4, 2:6])


def test_many_crops_are_those_of_one():
    cropped = prepro.crop_multi([IMAGE, IMAGE + 1], 4, 3)

    np.testing.assert_array_equal(cropped[0], prepro.crop(IMAGE, 4, 3))
    np.testing.assert_array_equal(cropped[1], prepro.crop(IMAGE + 1, 4, 3))


@pytest.mark.parametrize("is_random", [True, False])
def test_a_window_may_be_the_whole_image(is_random):
    np.testing.assert_array_equal(prepro.crop(IMAGE, 8, 6, is_random=is_random), IMAGE)


def test_every_position_is_drawn():
    corners = {int(prepro.crop(IMAGE, 6, 5, is_random=True, seed=s)[0, 0, 0]) for s in range(100)}

    assert corners == {IMAGE[row, col, 0] for row in range(2) for col in range(3)}


def test_axes_may_be_anywhere():
    cropped = prepro.crop(IMAGE.transpose(2, 0, 1), 4, 3, row_index=1, col_index=2)

    np.testing.assert_array_equal(cropped.transpose(1, 2, 0), prepro.crop(IMAGE, 4, 3))


@pytest.mark.parametrize(("wide", "high"), [(9, 2), (2, 7), (0, 2)])
def test_a_window_that_does_not_fit_is_refused(wide, high):
    with pytest.raises(InvalidArgument, match=r"crop: a window of \d pixels does not fit into"):
        prepro.crop(IMAGE, wide, high)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
def test_flip(axis):
    np.testing.assert_array_equal(prepro.flip_axis(IMAGE, axis), np.flip(IMAGE, axis))


def test_flip_flips_half_of_the_time():
    flips = [prepro.flip_axis(IMAGE, 1, True, seed=s)[0, 0, 0] != 0 for s in range(400)]

    assert 150 < sum(flips) < 250


def test_flip_of_an_axis_that_is_not_there():
    with pytest.raises(InvalidArgument, match=r"flip_axis: shape \(6, 8, 3\) has no axis 3"):
        prepro.flip_axis(IMAGE, 3)


def test_the_largest_rectangle_of_a_turned_one():
    """Found by trying: no larger one with this ratio of sides fits."""
    for width, height, degrees in ((100, 60, 10), (100, 60, 40), (30, 200, 25), (50, 50, 45)):
        angle = np.deg2rad(degrees)
        w, h = inner_rectangle(width, height, angle)

        def reach(scale, w=w, h=h, angle=angle):
            cos, sin = abs(np.cos(angle)), abs(np.sin(angle))
            return scale * (w * cos + h * sin), scale * (w * sin + h * cos)

        fits, fits_not = reach(1), reach(1.01)
        assert fits[0] <= width + 1e-6
        assert fits[1] <= height + 1e-6
        assert fits_not[0] > width or fits_not[1] > height or w * 1.01 > width or h * 1.01 > height
