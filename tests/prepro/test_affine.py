from __future__ import annotations

import cv2
import numpy as np
import pytest
import scipy.ndimage as ndi
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlayer import prepro
from tests.prepro.markers import blobs, centres

HEIGHT, WIDTH = 70, 90
POINTS = [(30.0, 25.0), (60.0, 40.0), (45.0, 30.0)]
KINDS = {
    "rotation": lambda amount: prepro.affine_rotation_matrix(60 * amount),
    "shift": lambda amount: prepro.affine_shift_matrix(amount / 5, amount / 8, w=WIDTH, h=HEIGHT),
    "shear": lambda amount: prepro.affine_shear_matrix(amount / 4, -amount / 4),
    "zoom": lambda amount: prepro.affine_zoom_matrix(1 + amount / 3),
    "respective zoom": lambda amount: prepro.affine_respective_zoom_matrix(
        1 + amount / 3, 1 - amount / 3
    ),
    "horizontal flip": lambda amount: prepro.affine_horizontal_flip_matrix(1),
    "vertical flip": lambda amount: prepro.affine_vertical_flip_matrix(1),
}
amounts = st.floats(-1, 1)


@settings(max_examples=8)
@given(amount=amounts)
@pytest.mark.parametrize("kind", KINDS)
def test_key_points_follow_the_pixels(kind, amount):
    image = blobs(HEIGHT, WIDTH, POINTS)
    matrix = prepro.affine_compose(KINDS[kind](amount), height=HEIGHT, width=WIDTH)

    found = centres(prepro.affine_transform_cv2(image, matrix))
    (points,) = prepro.affine_transform_keypoints([POINTS], matrix)

    np.testing.assert_allclose(found, points, atol=0.1)


@settings(max_examples=20)
@given(steps=st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.floats(-0.5, 0.5)), max_size=4))
def test_key_points_follow_the_pixels_through_any_composition_and_crop(steps):
    image = blobs(HEIGHT, WIDTH, POINTS)
    matrix = prepro.affine_compose(
        *(KINDS[kind](amount) for kind, amount in steps),
        height=HEIGHT,
        width=WIDTH,
        output_shape=(HEIGHT + 60, WIDTH + 70),
    )

    moved = prepro.affine_transform_cv2(image, matrix, output_shape=(HEIGHT + 60, WIDTH + 70))
    (points,) = prepro.affine_transform_keypoints([POINTS], matrix)

    inside = (points > 8).all(1) & (points < [WIDTH + 62, HEIGHT + 52]).all(1)
    np.testing.assert_allclose(centres(moved)[inside], points[inside], atol=0.15)


@settings(max_examples=8)
@given(angle=st.floats(-30, 30), zoom=st.floats(0.8, 1.2), slant=st.floats(-0.2, 0.2))
def test_one_interpolation_of_the_product_is_the_steps_one_by_one(angle, zoom, slant):
    """Up to the blur of each step, which a smooth picture hardly shows."""
    image = blobs(HEIGHT, WIDTH, [(40, 30), (52, 38)], sigma=6)
    steps = [
        prepro.affine_rotation_matrix(angle),
        prepro.affine_zoom_matrix(zoom),
        prepro.affine_shear_matrix(slant, 0),
    ]

    stepwise = image
    for step in steps:
        matrix = prepro.transform_matrix_offset_center(step, HEIGHT, WIDTH)
        stepwise = prepro.affine_transform_cv2(stepwise, matrix)
    matrix = prepro.affine_compose(*steps, height=HEIGHT, width=WIDTH)

    np.testing.assert_allclose(prepro.affine_transform_cv2(image, matrix), stepwise, atol=0.05)


def test_the_scipy_format_is_scipys():
    image = np.random.default_rng(0).random((20, 30, 3))
    matrix = np.array([[0.8, 0.3, 1.0], [-0.2, 1.1, 4.0], [0, 0, 1]])

    moved = prepro.affine_transform(image, matrix, fill_mode="nearest")

    for k in range(3):
        expected = ndi.affine_transform(
            image[..., k], matrix[:2, :2], matrix[:2, 2], order=1, mode="nearest"
        )
        np.testing.assert_allclose(moved[..., k], expected, atol=1e-5)


def test_channels_may_come_first():
    image = np.random.default_rng(0).random((3, 20, 30))
    matrix = np.array([[0.8, 0.3, 1.0], [-0.2, 1.1, 4.0], [0, 0, 1]])

    first = prepro.affine_transform(image, matrix, channel_index=0)
    last = prepro.affine_transform(image.transpose(1, 2, 0), matrix)

    np.testing.assert_array_equal(first.transpose(1, 2, 0), last)
    assert prepro.apply_transform is prepro.affine_transform


def test_the_opencv_format_is_opencvs():
    image = np.random.default_rng(0).random((20, 30, 3)).astype(np.float32)
    matrix = np.array([[0.8, 0.3, 1.0], [-0.2, 1.1, 4.0], [0, 0, 1]])

    for flags in (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4):
        expected = cv2.warpAffine(image, matrix[:2], (30, 20), flags=flags, borderMode=1)
        moved = prepro.affine_transform_cv2(image, matrix, flags, "replicate")
        np.testing.assert_allclose(moved, expected, atol=1e-6)


def test_an_area_is_taken_as_linear_and_an_inverse_map_is_turned():
    image = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    matrix = np.array([[0.8, 0.3, 1.0], [-0.2, 1.1, 4.0], [0, 0, 1]])
    linear = prepro.affine_transform_cv2(image, matrix)

    area = prepro.affine_transform_cv2(image, matrix, cv2.INTER_AREA)
    inverse = prepro.affine_transform_cv2(
        image, np.linalg.inv(matrix)[:2], cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )

    np.testing.assert_array_equal(area, linear)
    np.testing.assert_allclose(inverse, linear, atol=1e-5)


def test_flips_and_whole_shifts_are_exact():
    image = np.random.default_rng(0).integers(0, 256, (11, 14, 3), np.uint8)
    flip = prepro.affine_compose(prepro.affine_horizontal_flip_matrix(1), height=11, width=14)
    shift = prepro.affine_shift_matrix(3 / 14, 2 / 11, w=14, h=11)

    np.testing.assert_array_equal(prepro.affine_transform_cv2(image, flip), image[:, ::-1])
    np.testing.assert_array_equal(
        prepro.affine_transform_cv2(image, shift)[2:, 3:], image[:-2, :-3]
    )


def test_key_points_of_several_objects_and_of_none():
    flip = prepro.affine_compose(prepro.affine_horizontal_flip_matrix(1), height=5, width=9)

    moved = prepro.affine_transform_keypoints([[], [(0, 1), (8, 2)]], flip)

    assert [points.tolist() for points in moved] == [[], [[8, 1], [0, 2]]]


def test_the_image_stays_as_it_is():
    image = np.random.default_rng(0).random((20, 30, 3)).astype(np.float32)
    before = image.copy()

    prepro.affine_transform_cv2(image, prepro.affine_zoom_matrix(2))
    prepro.affine_transform(image, prepro.affine_zoom_matrix(2))

    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize(
    ("flags", "order"), [(cv2.INTER_NEAREST, 0), (cv2.INTER_LINEAR, 1), (cv2.INTER_CUBIC, 3)]
)
def test_wide_integers_are_interpolated_as_asked_by_scipy(flags, order):
    image = np.random.default_rng(0).integers(0, 2**30, (9, 11)).astype(np.int32)
    back = np.array([[0.9, 0.1, 0.2], [-0.2, 1.1, 0.4], [0, 0, 1]])  # rows first

    moved = prepro.affine_transform_cv2(image, np.linalg.inv(back[[1, 0, 2]][:, [1, 0, 2]]), flags)

    expected = ndi.affine_transform(
        image.astype(float), back, order=order, mode="grid-constant", output=np.float64
    )
    np.testing.assert_allclose(moved, expected, atol=1)


def test_key_points_follow_a_projection():
    matrix = np.array([[1.1, 0.1, 3.0], [-0.1, 0.9, 2.0], [0.002, -0.001, 1.0]])

    (points,) = prepro.affine_transform_keypoints([POINTS], matrix)

    expected = cv2.perspectiveTransform(np.array([POINTS]), matrix)[0]
    np.testing.assert_allclose(points, expected)
