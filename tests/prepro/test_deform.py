from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage as ndi
import skimage.transform
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlayer import prepro
from tensorlayer.errors import InvalidArgument
from tests.prepro.markers import blobs, centres

IMAGE = np.random.default_rng(0).random((33, 47, 3)).astype(np.float32)
CORNERS = [(0, 0), (46, 0), (46, 32), (0, 32)]


@pytest.mark.parametrize("mode", ["constant", "edge", "symmetric", "reflect", "wrap"])
@pytest.mark.parametrize("order", [0, 1])
def test_swirl_is_that_of_scikit_image(mode, order):
    arguments = {"center": (20, 14), "strength": 4, "radius": 25, "order": order, "mode": mode}

    swirled = prepro.swirl(IMAGE, rotation=30, **arguments)
    expected = skimage.transform.swirl(IMAGE, rotation=np.deg2rad(30), **arguments)

    is_equal = np.isclose(swirled, expected, atol=1e-3)
    assert is_equal.mean() > (0.99 if order == 0 else 0.9999)


def test_swirl_turns_about_the_middle_if_not_told_where():
    arguments = {"strength": 4, "radius": 25, "mode": "edge"}

    swirled = prepro.swirl(IMAGE, **arguments)

    expected = skimage.transform.swirl(IMAGE, center=(23, 16), **arguments)
    np.testing.assert_allclose(swirled, expected, atol=1e-3)


def test_swirl_keeps_range_and_type():
    pixels = (IMAGE * 255).astype(np.uint8)

    swirled = prepro.swirl(pixels, strength=4, radius=25, mode="edge")

    assert swirled.dtype == np.uint8
    expected = skimage.transform.swirl(
        pixels, center=(23, 16), strength=4, radius=25, mode="edge", preserve_range=True
    )
    np.testing.assert_allclose(swirled, expected, atol=0.6)


def test_swirl_splines_stay_in_the_range_if_clipped():
    image = (IMAGE > 0.5).astype(np.float32)
    arguments = {"strength": 4, "radius": 25, "order": 3}

    assert prepro.swirl(image, clip=False, **arguments).max() > 1.02
    assert prepro.swirl(image, **arguments).max() == 1


def test_swirl_of_another_shape_and_of_no_radius():
    assert prepro.swirl(IMAGE, output_shape=(10, 12)).shape == (10, 12, 3)
    with pytest.raises(InvalidArgument, match="swirl: radius must be above 0 pixels, got 0"):
        prepro.swirl(IMAGE, radius=0)


def test_elastic_is_smoothed_noise_through_map_coordinates():
    rng = np.random.default_rng(5)
    noise = rng.uniform(-1, 1, (33, 47, 2))
    field = [20 * ndi.gaussian_filter(noise[..., k], 3, mode="constant") for k in range(2)]
    rows, cols = np.indices((33, 47))

    moved = prepro.elastic_transform(IMAGE, alpha=20, sigma=3, seed=5)

    for k in range(3):
        where = (rows + field[0], cols + field[1])
        expected = ndi.map_coordinates(IMAGE[..., k], where, order=1, mode="grid-constant")
        np.testing.assert_allclose(moved[..., k], expected, atol=2e-3)


def test_elastic_takes_grey_and_colour_and_moves_all_channels_together():
    grey = prepro.elastic_transform(IMAGE[..., 0], 20, 3, seed=5)
    one = prepro.elastic_transform(IMAGE[..., :1], 20, 3, seed=5)
    colour = prepro.elastic_transform(IMAGE, 20, 3, seed=5)

    np.testing.assert_allclose(grey, colour[..., 0], atol=1e-6)
    np.testing.assert_allclose(one[..., 0], grey, atol=1e-6)


def test_elastic_of_no_strength_moves_nothing():
    np.testing.assert_allclose(prepro.elastic_transform(IMAGE, 0, 3), IMAGE, atol=1e-6)
    with pytest.raises(InvalidArgument, match="sigma must be above 0 pixels, got 0"):
        prepro.elastic_transform(IMAGE, 1, 0)


def homography(src, dst):
    """Return the projective transform through four pairs of points, from its linear equations."""
    rows, right = [], []
    for (x, y), (u, v) in zip(np.array(src), np.array(dst), strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    matrix = np.append(np.linalg.solve(rows, right), 1.0).reshape(3, 3)
    return skimage.transform.ProjectiveTransform(matrix)


@settings(max_examples=20)
@given(moves=st.lists(st.floats(-6, 6), min_size=8, max_size=8))
def test_points_come_to_lie_where_they_were_sent(moves):
    image = blobs(33, 47, [(12, 10), (34, 22)], sigma=1.2)
    dst = np.array(CORNERS) + np.array(moves).reshape(4, 2)

    moved = prepro.projective_transform_by_points(image, CORNERS, dst.tolist())

    exact = homography(CORNERS, dst)
    np.testing.assert_allclose(centres(moved), exact([(12, 10), (34, 22)]), atol=0.35)


def test_projective_is_that_of_scikit_image():
    dst = [(3, 2), (40, 5), (45, 30), (2, 27)]
    exact = homography(dst, CORNERS)
    expected = skimage.transform.warp(IMAGE, exact, mode="edge")

    moved = prepro.projective_transform_by_points(IMAGE, CORNERS, dst, mode="edge")

    np.testing.assert_allclose(moved, expected, atol=2e-3)


def test_more_points_are_fitted():
    src = [*CORNERS, (20, 10), (30, 20)]
    dst = [(x + 2, y + 1) for x, y in src]

    moved = prepro.projective_transform_by_points(IMAGE, src, dst)

    np.testing.assert_allclose(moved[1:, 2:], IMAGE[:-1, :-2], atol=1e-3)


def test_pixels_become_fractions_unless_the_range_is_preserved():
    pixels = (IMAGE * 255).astype(np.uint8)

    fractions = prepro.projective_transform_by_points(pixels, CORNERS, CORNERS)
    same = prepro.projective_transform_by_points(pixels, CORNERS, CORNERS, preserve_range=True)

    np.testing.assert_allclose(fractions, pixels / 255, atol=1e-5)
    np.testing.assert_array_equal(same, pixels)


@pytest.mark.parametrize(
    "points",
    [
        [(0, 0), (1, 1), (2, 2), (3, 3)],
        [(0, 0), (1, 1), (2, 2), (9, 0)],
        [(5, 5)] * 4,
        [(0, 0), (0, 0), (9, 9), (9, 0)],
    ],
)
def test_points_on_one_line_are_refused(points):
    for src, dst in ((points, CORNERS), (CORNERS, points)):
        with pytest.raises(InvalidArgument, match="must not lie on one line"):
            prepro.projective_transform_by_points(IMAGE, src, dst)


def test_points_that_are_too_few_or_unequal_are_refused():
    with pytest.raises(InvalidArgument, match=r"at least four, got shapes \(3, 2\) and \(4, 2\)"):
        prepro.projective_transform_by_points(IMAGE, CORNERS[:3], CORNERS)
    with pytest.raises(InvalidArgument, match="takes no map_args"):
        prepro.projective_transform_by_points(IMAGE, CORNERS, CORNERS, map_args={"a": 1})


def test_the_centre_of_a_random_swirl_is_anywhere_in_the_image():
    """Of a turn without a swirl, the centre is the one point that stays."""
    height, width = 5, 9
    rows, cols = np.indices((height, width))
    image = np.stack([cols, rows, np.zeros_like(rows)], axis=-1).astype(np.float64)
    found = []

    for seed in range(150):
        came_from = prepro.swirl(
            image, strength=0, rotation=120, cval=np.nan, is_random=True, seed=seed
        )
        seen = np.isfinite(came_from).all(axis=2)
        here = np.column_stack([cols[seen], rows[seen], np.ones(seen.sum())])
        if np.linalg.matrix_rank(here) == 3:  # the map of what is seen is that of the whole image
            to = np.linalg.lstsq(here, came_from[seen][:, :2], rcond=None)[0]
            if abs(np.linalg.det(np.eye(2) - to[:2])) > 0.5:
                found.append(np.linalg.solve((np.eye(2) - to[:2]).T, to[2]))

    x, y = np.array(found).T
    assert len(found) > 50
    assert -0.01 <= x.min() < 1 < width - 2 < x.max() <= width - 1 + 0.01
    assert -0.01 <= y.min() < 0.6 < height - 1.6 < y.max() <= height - 1 + 0.01


def test_a_random_swirl_is_one_of_what_was_drawn_up_to_what_was_given():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        center = rng.uniform(0, IMAGE.shape[1] - 1), rng.uniform(0, IMAGE.shape[0] - 1)
        strength, radius = rng.uniform(0, 2.0), 30 * (1 - rng.random())
        angle = np.degrees(rng.uniform(-np.radians(10), np.radians(10)))

        drawn = prepro.swirl(IMAGE, None, 2.0, 30, 10, is_random=True, seed=seed)

        expected = prepro.swirl(IMAGE, center, strength, radius, angle)
        np.testing.assert_array_equal(drawn, expected)
