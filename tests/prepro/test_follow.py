from __future__ import annotations

import itertools

import numpy as np
import pytest

from tensorlayer.errors import InvalidArgument
from tensorlayer.prepro.follow import BoxFormat, box_scale

SHAPE = (100, 200)
QUARTER = np.array([[0.0, -1.0, 99.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # clockwise


def form(is_rescale=False, is_center=False, thresh_wh=0.0, thresh_wh2=1000.0):
    return BoxFormat(
        is_rescale=is_rescale, is_center=is_center, thresh_wh=thresh_wh, thresh_wh2=thresh_wh2
    )


@pytest.mark.parametrize(
    ("is_rescale", "is_center"), list(itertools.product([False, True], repeat=2))
)
def test_the_identity_keeps_boxes_of_every_format(is_rescale, is_center):
    box = [60.0, 40.0, 30.0, 20.0]
    written = (np.array(box) / (box_scale(SHAPE) if is_rescale else 1)).tolist()

    _, boxes = form(is_rescale, is_center).follow(["cat"], [written], np.eye(3), SHAPE, SHAPE)

    np.testing.assert_allclose(boxes, [written])


def test_a_quarter_turn_takes_the_whole_image_to_the_whole_image():
    """Boxes are measured from corners, matrices from centres: half a pixel must not get lost."""
    _, boxes = form().follow(["all"], [[0, 0, 200, 100]], QUARTER, (100, 200), (200, 100))

    assert boxes == [[0.0, 0.0, 100.0, 200.0]]


def test_a_box_around_one_pixel_goes_where_the_pixel_goes():
    image = np.zeros(SHAPE)
    image[10, 150] = 1

    _, boxes = form().follow(["one"], [[150, 10, 1, 1]], QUARTER, (100, 200), (200, 100))

    row, col = np.argwhere(np.rot90(image, -1))[0]
    assert boxes == [[col, row, 1.0, 1.0]]


def test_a_turned_box_becomes_the_upright_one_around_it():
    cos = sin = np.sqrt(0.5)
    turn = np.array([[cos, -sin, 50.0], [sin, cos, 50.0], [0, 0, 1]])

    _, boxes = form().follow(["a"], [[0.5, 0.5, 20, 20]], turn, SHAPE, SHAPE)

    half = 20 * cos
    np.testing.assert_allclose(boxes, [[50.5 - half, 50.5, 2 * half, 2 * half]])


def test_the_least_size_is_that_of_the_result():
    shrink = np.diag([0.1, 1.0, 1.0])
    boxes = [[0, 0, 200, 100], [0, 0, 50, 100]]

    kept, _ = form(thresh_wh=0.1).follow(["wide", "thin"], boxes, shrink, SHAPE, SHAPE)

    assert kept == ["wide"]


@pytest.mark.parametrize(
    ("limits", "box", "is_kept"),
    [
        ({"thresh_wh": 0.1}, [0, 0, 20, 10], True),
        ({"thresh_wh": 0.1}, [0, 0, 19.9, 10], False),
        ({"thresh_wh": 0.1}, [0, 0, 20, 9.9], False),
        ({"thresh_wh2": 5}, [0, 0, 100, 20], True),
        ({"thresh_wh2": 5}, [0, 0, 100, 19.9], False),
        ({"thresh_wh2": 5}, [0, 0, 20, 100], True),
        ({"thresh_wh2": 5}, [0, 0, 19.9, 100], False),
    ],
)
def test_limits_of_boxes_are_inclusive(limits, box, is_kept):
    chosen = form(**({"thresh_wh": 0, "thresh_wh2": 100} | limits))

    kept, _ = chosen.follow(["a"], [box], np.eye(3), (100, 200), (100, 200))

    assert kept == (["a"] if is_kept else [])


@pytest.mark.parametrize("box", [[10, 10, 0, 5], [10, 10, 5, 0], [10, 10, 0, 0], [300, 10, 5, 5]])
def test_boxes_without_an_area_are_dropped_whatever_the_limits(box):
    limits = form(thresh_wh=0, thresh_wh2=1e9)

    assert limits.follow(["a"], [box], np.eye(3), SHAPE, SHAPE) == ([], [])


def test_boxes_without_classes_and_classes_without_boxes():
    assert form().follow(None, [[0, 0, 9, 9]], np.eye(3), SHAPE, SHAPE)[0] == [None]
    assert form().follow(None, None, np.eye(3), SHAPE, SHAPE) == ([], [])
    with pytest.raises(InvalidArgument, match="got 2 classes for 0 boxes"):
        form().follow(["a", "b"], None, np.eye(3), SHAPE, SHAPE)
