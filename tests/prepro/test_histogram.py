from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.color
import skimage.exposure

from tensorlayer import prepro
from tensorlayer.errors import InvalidArgument

RNG = np.random.default_rng(0)
DARK = (RNG.beta(2, 8, (64, 64)) * 255).astype(np.uint8)
COLOURS = (RNG.beta(2, 6, (64, 64, 3)) * 255).astype(np.uint8)


def test_every_level_becomes_about_equally_frequent():
    out = prepro.equalize_histogram(DARK)

    quartiles = np.percentile(out, [25, 50, 75])
    np.testing.assert_allclose(quartiles, [64, 128, 191], atol=6)
    assert out.dtype == np.uint8
    # OpenCV's other function maps the darkest level to 0, we to its share: two ways to do the same.
    assert np.corrcoef(out.ravel(), cv2.equalizeHist(DARK).ravel())[0, 1] > 0.999


def test_brighter_pixels_stay_brighter():
    out = prepro.equalize_histogram(DARK).astype(int)
    order = np.argsort(DARK.ravel(), kind="stable")

    assert (np.diff(out.ravel()[order]) >= 0).all()


@pytest.mark.parametrize("clip_limit", [None, 0.02])
def test_colours_keep_their_hue(clip_limit):
    out = prepro.equalize_histogram(COLOURS, clip_limit)

    before, after = prepro.rgb_to_hsv(COLOURS / 255.0), prepro.rgb_to_hsv(out / 255.0)
    is_coloured = (before[..., 1] > 0.3) & (before[..., 2] > 0.2)
    turned = np.abs(before[..., 0] - after[..., 0])[is_coloured]
    assert np.median(np.minimum(turned, 1 - turned)) < 0.01
    assert out.mean() > COLOURS.mean() + 10


def test_a_local_histogram_brings_out_a_dark_corner():
    image = np.full((64, 64), 0.9)
    image[:32, :32] = 0.1 + 0.02 * RNG.random((32, 32))

    out = prepro.equalize_histogram(image, clip_limit=0.5)

    assert out[:32, :32].std() > 3 * image[:32, :32].std()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_types_and_ranks_stay(dtype):
    scale = np.iinfo(dtype).max if dtype.startswith("u") else 1
    image = (RNG.random((16, 16, 1)) * scale).astype(dtype)

    out = prepro.equalize_histogram(image)

    assert (out.dtype, out.shape) == (image.dtype, image.shape)
    assert out.max() <= scale


def test_a_level_becomes_the_share_of_pixels_that_are_not_brighter():
    out = prepro.equalize_histogram(DARK)

    shares = (DARK.ravel() <= np.arange(256)[:, None]).mean(1)
    np.testing.assert_array_equal(out, np.rint(255 * shares)[DARK])


@pytest.mark.parametrize("dtype", ["uint16", "float32", "float64"])
def test_finer_values_become_what_scikit_image_makes_of_them(dtype):
    whole = np.iinfo(dtype).max if dtype == "uint16" else 1
    fine = (RNG.beta(2, 8, (64, 64)) * whole).astype(dtype)

    expected = skimage.exposure.equalize_hist(fine / whole) * whole

    np.testing.assert_allclose(prepro.equalize_histogram(fine), expected, atol=0.51 * whole / 65535)


@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_of_colours_only_the_value_of_hsv_is_spread(dtype):
    image = COLOURS.copy()
    image[:4, :4] = 0  # black becomes grey
    whole = 255 if dtype == "uint8" else 1
    image = image if dtype == "uint8" else image / 255

    hsv = skimage.color.rgb2hsv(image)
    hsv[..., 2] = prepro.equalize_histogram(image.max(-1)) / whole
    expected = skimage.color.hsv2rgb(hsv) * whole

    out = prepro.equalize_histogram(image)

    np.testing.assert_allclose(out, expected, atol=0.51 if dtype == "uint8" else 1e-5)
    assert len(np.unique(out[:4, :4])) == 1
    assert out[0, 0, 0] > 0


@pytest.mark.parametrize("shape", [(64, 64), (65, 63), (1, 1), (3, 200)])
def test_a_local_histogram_is_that_of_opencv(shape):
    image = RNG.integers(0, 256, shape, np.uint8)

    out = prepro.equalize_histogram(image, clip_limit=0.02)

    expected = cv2.createCLAHE(0.02 * 256, (8, 8)).apply(image)
    np.testing.assert_array_equal(out, expected)
    finer = prepro.equalize_histogram(image.astype(np.uint16) * 257, clip_limit=0.02)
    np.testing.assert_allclose(finer / 257, expected, atol=0.01)


def test_a_local_histogram_keeps_values_between_the_levels():
    ramp = np.linspace(0.4, 0.6, 64 * 64).reshape(64, 64)

    out = prepro.equalize_histogram(ramp, clip_limit=0.01)

    assert len(np.unique(out)) > 1000


def test_values_that_are_all_the_same():
    assert prepro.equalize_histogram(np.full((4, 4), 7, np.uint8)).tolist() == [[255] * 4] * 4
    assert np.ptp(prepro.equalize_histogram(np.full((4, 4, 3), 7, np.uint8), 0.1)) == 0
    assert prepro.equalize_histogram(np.zeros((4, 4, 3))).shape == (4, 4, 3)


def test_errors():
    with pytest.raises(InvalidArgument, match=r"clip_limit is None or in \(0, 1\], got 2"):
        prepro.equalize_histogram(DARK, 2)
    with pytest.raises(InvalidArgument, match="floating values lie from 0 to 1, got 0 to 255"):
        prepro.equalize_histogram(DARK.astype(float) * 255 / DARK.max() * (DARK.min() < DARK))


@pytest.mark.parametrize("clip_limit", [None, 0.01])
def test_an_image_with_what_is_no_number_is_refused(clip_limit):
    image = np.full((8, 8), 0.5)
    image[0, 0] = np.nan

    with pytest.raises(InvalidArgument, match="floating values lie from 0 to 1, got nan to nan"):
        prepro.equalize_histogram(image, clip_limit)
