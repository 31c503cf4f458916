from __future__ import annotations

import colorsys

import numpy as np
import pytest
import skimage.color
import skimage.exposure
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from tensorlayer import prepro
from tensorlayer.errors import InvalidArgument, WrongShape

PIXELS = np.random.default_rng(0).integers(0, 256, (13, 17, 3), np.uint8)
FRACTIONS = (PIXELS / 255).astype(np.float32)


@settings(max_examples=15)
@given(gamma=st.just(0.0) | st.floats(0.01, 4), gain=st.floats(0, 2))
def test_brightness_is_that_of_scikit_image(gamma, gain):
    by_type = {np.uint8: PIXELS, np.float32: FRACTIONS, np.uint16: PIXELS.astype(np.uint16) * 257}
    for dtype, image in by_type.items():
        expected = skimage.exposure.adjust_gamma(
            image.astype(np.float64) / _whole(dtype), gamma, gain
        )
        expected = np.clip(expected, 0, 1 if dtype is not np.float32 else np.inf) * _whole(dtype)

        changed = prepro.brightness(image, gamma, gain)

        assert changed.dtype == dtype
        np.testing.assert_allclose(
            changed, expected, atol=0.51 if dtype is not np.float32 else 1e-5
        )


def _whole(dtype):
    return 1 if dtype is np.float32 else np.iinfo(dtype).max


def test_brightness_draws_gamma_about_one():
    grey = np.full((1, 1), 0.5)
    drawn = [prepro.brightness(grey, 0.5, is_random=True, seed=s).item() for s in range(80)]
    gammas = np.log(drawn) / np.log(0.5)

    assert 0.5 <= gammas.min() < 0.6
    assert 1.4 < gammas.max() <= 1.5


def test_gamma_is_never_drawn_below_zero():
    grey = np.full((1, 1), 0.5)
    drawn = [prepro.brightness(grey, 3, is_random=True, seed=s).item() for s in range(80)]
    gammas = np.log(drawn) / np.log(0.5)

    assert 0 <= gammas.min() < 0.3
    assert 3.7 < gammas.max() <= 4


@pytest.mark.parametrize(
    ("colour", "grey"), [((255, 0, 0), 76), ((0, 255, 0), 150), ((0, 0, 255), 29)]
)
def test_grey_is_what_television_makes_of_a_colour(colour, grey):
    image = np.full((2, 3, 3), colour, np.uint8)

    assert (prepro.illumination(image, saturation=0) == grey).all()
    assert (prepro.illumination(image, contrast=0) == grey).all()


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float64"])
@pytest.mark.parametrize("factors", [(1, 3.0, 1), (1, 1, 3.0), (2, 2.0, 2.0), (0.5, 1e-9, 0.3)])
def test_illumination_is_its_formula(factors, dtype):
    image = PIXELS if dtype == "uint8" else (PIXELS / 255).astype(dtype)
    whole = 255 if dtype == "uint8" else 1
    gamma, contrast, saturation = factors

    values = prepro.brightness(image, gamma).astype(float)
    mean = (values @ [0.299, 0.587, 0.114]).mean()
    values = np.clip(mean + contrast * (values - mean), 0, whole)
    values = values.round() if dtype == "uint8" else values  # after each of the three
    grey = (values @ [0.299, 0.587, 0.114])[..., None]
    expected = np.clip(grey + saturation * (values - grey), 0, whole)

    # OpenCV's product of bytes has shares of ten bits.
    tolerance = {"uint8": 0.7, "float16": 1e-3, "float64": 1e-5}[dtype]
    out = prepro.illumination(image, *factors)
    np.testing.assert_allclose(out, expected, atol=tolerance)
    assert out.dtype == dtype


def test_brightness_refuses_what_has_no_power():
    with pytest.raises(InvalidArgument, match=r"values must not be negative, got -1\.0"):
        prepro.brightness(np.array([[-1.0]]))
    with pytest.raises(InvalidArgument, match="gamma is 0 or above, got -2"):
        prepro.brightness(FRACTIONS, -2)


@settings(max_examples=15)
@given(contrast=st.floats(0, 2), saturation=st.floats(0, 2))
def test_illumination_is_that_of_pillow(contrast, saturation):
    expected = ImageEnhance.Contrast(Image.fromarray(PIXELS)).enhance(contrast)
    expected = np.asarray(ImageEnhance.Color(expected).enhance(saturation), float)

    changed = prepro.illumination(PIXELS, 1.0, contrast, saturation)

    # Pillow cuts the mean, the grey and the values of both steps to integers
    assert changed.dtype == np.uint8
    assert np.abs(changed - expected).max() <= 4
    assert np.abs(changed - expected).mean() <= 2


def test_illumination_of_fractions_is_that_of_pixels():
    by_pixels = prepro.illumination(PIXELS, 1.0, 1.3, 0.7)
    by_fractions = prepro.illumination(FRACTIONS, 1.0, 1.3, 0.7)

    assert by_fractions.dtype == np.float32
    np.testing.assert_allclose(by_fractions * 255, by_pixels, atol=1)


def test_illumination_draws_brighter_darker_and_neither():
    grey = np.full((2, 2, 3), 100, np.uint8)
    limits = {"gamma": (0.5, 2.0), "contrast": (1, 1), "saturation": (1, 1)}
    drawn = [
        int(prepro.illumination(grey, **limits, is_random=True, seed=s)[0, 0, 0]) for s in range(90)
    ]

    assert 20 < sum(each > 100 for each in drawn) < 40
    assert 20 < sum(each < 100 for each in drawn) < 40
    assert 20 < sum(each == 100 for each in drawn) < 40


def test_illumination_draws_gamma_between_its_limits():
    grey = np.full((1, 1, 3), 0.5)
    limits = {"gamma": (0.8, 1.25), "contrast": (1, 1), "saturation": (1, 1)}

    drawn = [
        prepro.illumination(grey, **limits, is_random=True, seed=s)[0, 0, 0] for s in range(90)
    ]

    gammas = np.log(drawn) / np.log(0.5)
    assert 0.8 - 1e-6 <= gammas.min() < 0.85
    assert 1.2 < gammas.max() <= 1.25 + 1e-6


def test_illumination_takes_a_range_of_gamma_that_is_all_on_one_side():
    grey = np.full((2, 2, 3), 100, np.uint8)
    darker = {"gamma": (1.5, 2.0), "contrast": (1, 1), "saturation": (1, 1)}

    drawn = [prepro.illumination(grey, **darker, is_random=True, seed=s).max() for s in range(30)]

    assert min(drawn) < 100 == max(drawn)


def test_illumination_wants_pairs_if_random_and_numbers_if_not():
    with pytest.raises(InvalidArgument, match=r"is_random=True contrast is a pair .* got 1\.0"):
        prepro.illumination(PIXELS, (0.5, 2.0), 1.0, (1, 1), is_random=True)
    with pytest.raises(InvalidArgument, match="is_random=False gamma is a number"):
        prepro.illumination(PIXELS, (0.5, 2.0))
    with pytest.raises(
        WrongShape, match=r"RGB image is \(height, width, 3\), got shape \(13, 17\)"
    ):
        prepro.illumination(PIXELS[..., 0])


def test_hsv_is_that_of_scikit_image_with_the_value_in_pixels():
    hsv = prepro.rgb_to_hsv(PIXELS)

    expected = skimage.color.rgb2hsv(PIXELS)
    np.testing.assert_allclose(hsv[..., :2], expected[..., :2], atol=1e-4)
    np.testing.assert_allclose(hsv[..., 2], PIXELS.max(-1))


@settings(max_examples=25)
@given(rgb=st.tuples(*[st.integers(0, 255)] * 3))
def test_hsv_of_one_colour_is_that_of_the_standard_library(rgb):
    hsv = prepro.rgb_to_hsv(np.array([[rgb]], np.uint8))[0, 0]

    hue, saturation, value = colorsys.rgb_to_hsv(*rgb)
    assert min(abs(hsv[0] - hue), 1 - abs(hsv[0] - hue)) < 1e-4
    assert hsv[1] == pytest.approx(saturation, abs=1e-4)
    assert hsv[2] == value


def test_hsv_and_back_is_the_same():
    alpha = np.concatenate([PIXELS, PIXELS[..., :1]], axis=-1)

    np.testing.assert_array_equal(prepro.hsv_to_rgb(prepro.rgb_to_hsv(PIXELS)), PIXELS)
    np.testing.assert_array_equal(prepro.hsv_to_rgb(prepro.rgb_to_hsv(alpha)), alpha)
    np.testing.assert_array_equal(prepro.hsv_to_rgb(prepro.rgb_to_hsv(PIXELS[0])), PIXELS[0])
    with pytest.raises(WrongShape, match="rgb_to_hsv: the last axis holds three colours"):
        prepro.rgb_to_hsv(PIXELS[..., :2])


def test_a_hue_goes_around_unless_clipped():
    red = np.array([[[255, 0, 0]]], np.uint8)

    assert prepro.adjust_hue(red, 1 / 3).tolist() == [[[0, 255, 0]]]
    assert prepro.adjust_hue(red, 1 / 3 + 1).tolist() == [[[0, 255, 0]]]
    assert prepro.adjust_hue(red, -1 / 3, is_clip=False).tolist() == [[[0, 0, 255]]]
    assert prepro.adjust_hue(red, -1 / 3).tolist() == [[[255, 0, 0]]]
    assert prepro.adjust_hue(red[..., ::-1], 1 / 3, is_offset=False).tolist() == [[[0, 255, 0]]]


def test_a_hue_is_drawn_to_both_sides_and_fractions_stay_fractions():
    red = np.array([[[1.0, 0, 0]]])
    drawn = np.array(
        [
            prepro.adjust_hue(red, 0.3, is_clip=False, is_random=True, seed=s)[0, 0]
            for s in range(40)
        ]
    )

    assert drawn.dtype == np.float64
    assert drawn.max() <= 1
    assert (drawn[:, 1] > 0.5).any()  # towards green
    assert (drawn[:, 2] > 0.5).any()  # towards blue


def test_channel_shift_keeps_the_range_of_the_image():
    shifted = prepro.channel_shift(PIXELS, 40)
    expected = np.clip(PIXELS.astype(int) + 40, PIXELS.min(), PIXELS.max())

    np.testing.assert_array_equal(shifted, expected)
    assert shifted.dtype == np.uint8
    np.testing.assert_allclose(
        prepro.channel_shift(FRACTIONS, 0.1),
        np.clip(FRACTIONS + 0.1, FRACTIONS.min(), FRACTIONS.max()),
        atol=1e-6,
    )
    with pytest.raises(InvalidArgument, match="has no axis 3"):
        prepro.channel_shift(PIXELS, 1, channel_index=3)


def test_channel_shift_draws_to_both_sides():
    grey = np.array([[[0.0, 100.0, 200.0]]])
    middle = [prepro.channel_shift(grey, 50, True, seed=s)[0, 0, 1] for s in range(60)]

    assert 50 <= min(middle) < 60 < 140 < max(middle) <= 150


def test_values_are_scaled_and_clipped():
    np.testing.assert_allclose(prepro.pixel_value_scale(PIXELS, 0.9), PIXELS * 0.9)
    assert prepro.pixel_value_scale(PIXELS, 3, clip=(0, 255)).max() == 255
    assert (prepro.pixel_value_scale(PIXELS, clip=(7, 7)) == 7).all()
    drawn = [
        prepro.pixel_value_scale(np.ones(1), 0.2, is_random=True, seed=s).item() for s in range(60)
    ]
    assert 0.8 <= min(drawn) < 0.85 < 1.15 < max(drawn) <= 1.2
    with pytest.raises(InvalidArgument, match=r"clip is a pair \(low, high\), got \(1, 2, 3\)"):
        prepro.pixel_value_scale(PIXELS, clip=(1, 2, 3))


def test_an_image_without_pixels_stays_one():
    for dtype in (np.uint8, np.float32):
        empty = np.zeros((0, 4, 3), dtype)
        for change in (prepro.hsv_to_rgb, prepro.brightness):
            assert change(empty).shape == (0, 4, 3)
        assert prepro.channel_shift(empty, 5).shape == (0, 4, 3)


def test_whole_factors_of_pixels_do_not_wrap_around():
    np.testing.assert_array_equal(prepro.pixel_value_scale(PIXELS, 3), PIXELS.astype(float) * 3)
    assert prepro.pixel_value_scale(PIXELS, 3).dtype == np.float64
    assert prepro.pixel_value_scale(FRACTIONS, 3).dtype == np.float32


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    ("change", "channels"),
    [
        (lambda image: prepro.illumination(image, 1.0, 1.3, 0.7), [0, 1, 2]),
        (lambda image: prepro.channel_shift(image, 0.1), [1]),
        (lambda image: prepro.brightness(image, 0.5), [1]),
    ],
)
def test_a_pixel_that_is_not_known_changes_no_other(change, channels, dtype):
    image = FRACTIONS.astype(dtype)
    grey = (image[..., :1].repeat(3, axis=2) * 0.8 + 0.1).astype(dtype)
    grey[2, 3] = grey.mean((0, 1))  # so that the others have the mean of all
    expected = change(grey)
    grey[2, 3, 1] = np.nan

    changed = change(grey)

    assert np.argwhere(np.isnan(changed)).tolist() == [[2, 3, each] for each in channels]
    known = np.isfinite(grey).all(axis=2)
    tolerance = 2e-3 if dtype == "float16" else 1e-5
    np.testing.assert_allclose(changed[known], expected[known], atol=tolerance)


def test_an_image_of_nothing_known_stays_one():
    unknown = np.full((2, 3, 3), np.nan, np.float32)

    assert np.isnan(prepro.illumination(unknown, 1.2, 0.5, 0.7)).all()
    assert np.isnan(prepro.channel_shift(unknown, 0.1)).all()


def test_a_range_that_is_none_is_refused():
    for clip in ((2, 1), (np.nan, 1.0), (0.0, np.nan)):
        with pytest.raises(InvalidArgument, match=r"clip is a pair \(low, high\), got"):
            prepro.pixel_value_scale(PIXELS, clip=clip)
