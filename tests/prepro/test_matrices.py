from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlayer import prepro
from tensorlayer.errors import InvalidArgument, WrongShape

angles = st.floats(-180, 180)
parts = st.floats(-0.4, 0.4)
factors = st.floats(0.5, 2)
sizes = st.integers(5, 60)


def moved(matrix, x, y):
    return (matrix @ [x, y, 1])[:2]


@settings(max_examples=30)
@given(angle=angles, wide=parts, high=parts, slant=parts, zoom=factors, height=sizes, width=sizes)
def test_the_composition_does_its_parts_one_after_the_other(
    angle, wide, high, slant, zoom, height, width
):
    steps = [
        prepro.affine_rotation_matrix(angle),
        prepro.affine_shift_matrix(wide, high, w=width, h=height),
        prepro.affine_shear_matrix(slant, 0),
        prepro.affine_zoom_matrix(zoom),
        prepro.affine_horizontal_flip_matrix(1),
    ]
    point = np.array([3.0, 2.0])

    by_steps = point
    for step in steps:
        centred = prepro.transform_matrix_offset_center(step, y=height, x=width)
        by_steps = moved(centred, *by_steps)
    at_once = prepro.affine_compose(*steps, height=height, width=width)
    by_hand = prepro.transform_matrix_offset_center(
        steps[4] @ steps[3] @ steps[2] @ steps[1] @ steps[0], height, width
    )

    np.testing.assert_allclose(moved(at_once, *point), by_steps, atol=1e-9)
    np.testing.assert_allclose(moved(by_hand, *point), by_steps, atol=1e-9)


@settings(max_examples=20)
@given(angle=angles, zoom=factors, height=sizes, width=sizes)
def test_the_middle_stays_where_it_is(angle, zoom, height, width):
    for matrix in (prepro.affine_rotation_matrix(angle), prepro.affine_zoom_matrix(zoom)):
        centred = prepro.transform_matrix_offset_center(matrix, height, width)
        middle = (width - 1) / 2, (height - 1) / 2

        np.testing.assert_allclose(moved(centred, *middle), middle, atol=1e-9)


def test_the_offset_takes_height_before_width():
    flip = prepro.affine_horizontal_flip_matrix(1)

    positional = prepro.transform_matrix_offset_center(flip, 10, 30)
    named = prepro.transform_matrix_offset_center(flip, x=30, y=10)

    np.testing.assert_array_equal(positional, named)
    np.testing.assert_allclose(moved(positional, 0, 4), (29, 4))


def test_directions():
    np.testing.assert_allclose(moved(prepro.affine_rotation_matrix(90), 1, 0), (0, -1), atol=1e-12)
    np.testing.assert_allclose(moved(prepro.affine_shift_matrix(0.1, 0.2, 50, 20), 0, 0), (5, 4))
    np.testing.assert_allclose(moved(prepro.affine_shear_matrix(0.5, 0.25), 2, 4), (4, 4.5))
    np.testing.assert_allclose(moved(prepro.affine_zoom_matrix(3), 1, 2), (3, 6))
    np.testing.assert_allclose(moved(prepro.affine_respective_zoom_matrix(2, 5), 1, 1), (2, 5))
    np.testing.assert_allclose(moved(prepro.affine_horizontal_flip_matrix(1), 1, 1), (-1, 1))
    np.testing.assert_allclose(moved(prepro.affine_vertical_flip_matrix(1), 1, 1), (1, -1))


def test_a_crop_window_lies_about_the_middle():
    matrix = prepro.affine_compose(height=100, width=60, output_shape=(20, 30))

    np.testing.assert_allclose(moved(matrix, 15, 40), (0, 0))


@pytest.mark.parametrize(
    ("function", "arguments", "entry", "low", "high"),
    [
        (prepro.affine_zoom_matrix, {"zoom_range": (0.5, 2)}, (0, 0), 0.5, 2),
        (prepro.affine_shift_matrix, {}, (0, 2), -20, 20),  # a tenth of 200
        (prepro.affine_shift_matrix, {}, (1, 2), -20, 20),
        (prepro.affine_respective_zoom_matrix, {"w_range": (0.5, 2)}, (0, 0), 0.5, 2),
        (prepro.affine_shift_matrix, {"wrg": (-0.1, 0.3), "w": 10}, (0, 2), -1, 3),
        (prepro.affine_shear_matrix, {"y_shear": (-0.1, 0.3)}, (1, 0), -0.1, 0.3),
        (prepro.affine_rotation_matrix, {"angle": (0, 90)}, (0, 1), 0, 1),
        (prepro.affine_horizontal_flip_matrix, {"prob": 0.5}, (0, 0), -1, 1),
        (prepro.affine_vertical_flip_matrix, {"prob": 0.5}, (1, 1), -1, 1),
    ],
)
def test_a_pair_is_drawn_from(function, arguments, entry, low, high):
    values = [function(**arguments, seed=seed)[entry] for seed in range(60)]

    assert low <= min(values) < low + (high - low) / 5
    assert high - (high - low) / 5 < max(values) <= high


def test_what_is_no_affine_matrix_is_refused():
    with pytest.raises(WrongShape, match=r"3x3 or 2x3, got shape \(2, 2\)"):
        prepro.transform_matrix_offset_center(np.eye(2), 1, 1)
    with pytest.raises(InvalidArgument, match="has no inverse"):
        prepro.affine_compose(prepro.affine_zoom_matrix(0), height=3, width=3)
    with pytest.raises(InvalidArgument, match="has no inverse"):
        prepro.affine_transform_cv2(np.ones((2, 2)), np.full((2, 3), np.nan))
    with pytest.raises(InvalidArgument, match=r"last row of an affine matrix is \(0, 0, 1\)"):
        prepro.affine_transform_cv2(np.ones((2, 2)), np.array([[1, 0, 0], [0, 1, 0], [0.1, 0, 1]]))
