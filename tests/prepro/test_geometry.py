from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.ndimage as ndi
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlayer import prepro
from tensorlayer.errors import InvalidArgument, WrongShape
from tests.prepro.markers import blobs, centres

IMAGE = np.random.default_rng(0).random((31, 44, 3)).astype(np.float32)
MIDDLE = np.array([(44 - 1) / 2, (31 - 1) / 2])


def by_scipy(image, back, mode="nearest", order=1):
    """Return the image whose pixel (row, col) about the middle comes from ``back @ (row, col)``."""
    middle = (np.array(image.shape[:2]) - 1) / 2
    offset = middle - back @ middle
    planes = [
        ndi.affine_transform(image[..., k], back, offset, order=order, mode=mode) for k in range(3)
    ]
    return np.stack(planes, axis=-1)


@settings(max_examples=15)
@given(degrees=st.floats(-180, 180))
def test_rotation_is_clockwise_about_the_middle_of_any_shape(degrees):
    theta = math.radians(degrees)
    back = np.array([[math.cos(theta), -math.sin(theta)], [math.sin(theta), math.cos(theta)]])

    rotated = prepro.rotation(IMAGE, degrees)

    np.testing.assert_allclose(rotated, by_scipy(IMAGE, back), atol=1e-3)


def test_a_quarter_turn_is_exact():
    square = IMAGE[:, :31]

    np.testing.assert_allclose(prepro.rotation(square, 90), np.rot90(square, -1), atol=1e-5)


@settings(max_examples=15)
@given(angle=st.floats(-1, 1))
def test_shear(angle):
    back = np.array([[1, -math.sin(angle)], [0, math.cos(angle)]])

    np.testing.assert_allclose(prepro.shear(IMAGE, angle), by_scipy(IMAGE, back), atol=1e-3)


@settings(max_examples=15)
@given(high=st.floats(-0.6, 0.6), wide=st.floats(-0.6, 0.6))
def test_shear2(high, wide):
    back = np.array([[1, high], [wide, 1]])

    sheared = prepro.shear2(IMAGE, (high, wide))

    np.testing.assert_allclose(sheared, by_scipy(IMAGE, back), atol=1e-3)


def test_shift_moves_the_window():
    expected = ndi.shift(IMAGE, (-0.2 * 31, -0.1 * 44, 0), order=1, mode="nearest")

    np.testing.assert_allclose(prepro.shift(IMAGE, wrg=0.1, hrg=0.2), expected, atol=1e-4)


@settings(max_examples=15)
@given(factor=st.floats(0.4, 3))
def test_zoom_enlarges_above_one(factor):
    back = np.eye(2) / factor

    zoomed = prepro.zoom(IMAGE, factor)

    np.testing.assert_allclose(zoomed, by_scipy(IMAGE, back, "grid-constant"), atol=1e-3)


def test_respective_zoom_takes_the_height_first():
    zoomed = prepro.respective_zoom(IMAGE, 2.0, 0.5, border_mode="replicate")

    np.testing.assert_allclose(zoomed, by_scipy(IMAGE, np.diag([0.5, 2.0])), atol=1e-4)


def test_zoom_takes_the_words_of_both_generations():
    new = prepro.zoom(IMAGE, 0.7, border_mode="replicate")
    old = prepro.zoom(IMAGE, 0.7, fill_mode="nearest", order=1, row_index=0, col_index=1)
    constant = prepro.zoom(IMAGE, 0.7, fill_mode="constant", cval=9)

    np.testing.assert_array_equal(new, old)
    assert constant[0, 0, 0] == 9
    assert prepro.zoom(IMAGE, 0.7)[0, 0, 0] == 0


def test_zoom_with_a_flag_of_opencv():
    nearest = prepro.zoom(IMAGE, 3, flags=0)

    assert set(np.unique(nearest)) <= set(np.unique(IMAGE))


def test_zoom_draws_one_factor_for_both_axes_and_respective_zoom_two():
    points = [(MIDDLE[0] + 6, MIDDLE[1] + 6)]
    image = blobs(31, 44, points)

    both = centres(prepro.zoom(image, (0.7, 1.3), seed=1))[0] - MIDDLE
    own = centres(prepro.respective_zoom(image, (0.7, 1.3), (0.7, 1.3), seed=1))[0] - MIDDLE

    assert both[0] == pytest.approx(both[1], abs=0.2)
    assert abs(own[0] - own[1]) > 0.5


def test_zoom_draws_in_lists_as_in_pairs():
    np.testing.assert_array_equal(
        prepro.zoom(IMAGE, [0.8, 1.2], is_random=True, seed=0),
        prepro.zoom(IMAGE, (0.8, 1.2), seed=0),
    )


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (prepro.rotation, {"rg": 30}),
        (prepro.shift, {"wrg": 0.2, "hrg": -0.1}),
        (prepro.shear, {"intensity": 0.3}),
        (prepro.shear2, {"shear": (0.3, 0.1)}),
        (prepro.zoom, {"zoom_range": 1.4}),
        (prepro.respective_zoom, {"h_range": 1.4, "w_range": 0.8}),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
class TestEveryTransform:
    def test_axes_may_be_anywhere(self, function, arguments):
        first = function(
            IMAGE.transpose(2, 0, 1), row_index=1, col_index=2, channel_index=0, **arguments
        )

        np.testing.assert_array_equal(first.transpose(1, 2, 0), function(IMAGE, **arguments))

    def test_an_image_may_have_no_channels(self, function, arguments):
        np.testing.assert_allclose(
            function(IMAGE[..., 0], **arguments), function(IMAGE, **arguments)[..., 0], atol=1e-6
        )

    def test_the_type_stays_and_the_image_too(self, function, arguments):
        image = (IMAGE * 255).astype(np.uint8)
        before = image.copy()

        assert function(image, **arguments).dtype == np.uint8
        np.testing.assert_array_equal(image, before)

    def test_a_batch_is_refused(self, function, arguments):
        with pytest.raises(WrongShape, match=f"{function.__name__}: an image is"):
            function(IMAGE[None], **arguments)


@pytest.mark.parametrize(
    ("draw", "limit"),
    [
        (lambda seed: _angle(prepro.rotation(_DOT, 60, is_random=True, seed=seed)), 60),
        (lambda seed: _offset(prepro.shift(_DOT, 0.2, 0, is_random=True, seed=seed))[0], 10),
        (lambda seed: _offset(prepro.shift(_DOT, 0, 0.2, is_random=True, seed=seed))[1], 10),
        (lambda seed: _offset(prepro.shear2(_DOT, (0.5, 0), is_random=True, seed=seed))[1], 7),
    ],
    ids=["rotation", "shift wide", "shift high", "shear2"],
)
def test_what_is_random_goes_up_to_the_limit_on_both_sides(draw, limit):
    drawn = [draw(seed) for seed in range(60)]

    assert -limit - 1 <= min(drawn) < -limit * 0.7
    assert limit * 0.7 < max(drawn) <= limit + 1


_DOT = blobs(51, 51, [(39, 25)])


def _offset(image):
    return centres(image)[0] - (39, 25)


def _angle(image):
    x, y = centres(image)[0] - (25, 25)
    return math.degrees(math.atan2(y, x))


def test_arguments_that_make_no_sense_are_refused():
    with pytest.raises(InvalidArgument, match=r"shear2: shear is a pair"):
        prepro.shear2(IMAGE, 0.1)
    with pytest.raises(InvalidArgument, match="lets both axes fall into one"):
        prepro.shear2(IMAGE, (1, 1))
    with pytest.raises(InvalidArgument, match="has no inverse"):
        prepro.zoom(IMAGE, 0)
    with pytest.raises(InvalidArgument, match="is_random=False goes with one factor"):
        prepro.zoom(IMAGE, (0.9, 1.1), is_random=False)
    with pytest.raises(InvalidArgument, match="unknown fill_mode 'edge'"):
        prepro.rotation(IMAGE, fill_mode="edge")
    with pytest.raises(InvalidArgument, match="unknown border_mode 'nearest'"):
        prepro.zoom(IMAGE, border_mode="nearest")


@pytest.mark.parametrize(
    "smaller",
    [
        lambda image, **more: prepro.zoom(image, 0.5, **more),
        lambda image, **more: prepro.respective_zoom(image, 0.5, 0.5, **more),
    ],
)
def test_beyond_what_became_smaller_is_zero_unless_told(smaller):
    image = np.ones((9, 9), np.float32)

    assert smaller(image)[4, 4] == 1
    assert smaller(image)[0, 0] == smaller(image)[8, 8] == 0
    assert smaller(image, cval=0.5)[0, 0] == 0.5
