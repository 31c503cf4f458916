from __future__ import annotations

import cv2
import numpy as np
import pytest

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
    # OpenCV maps the darkest level to 0, we to its share: two ways to do the same.
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


def test_errors():
    with pytest.raises(InvalidArgument, match=r"clip_limit is None or in \(0, 1\], got 2"):
        prepro.equalize_histogram(DARK, 2)
    with pytest.raises(InvalidArgument, match="floating values lie from 0 to 1, got 0 to 255"):
        prepro.equalize_histogram(DARK.astype(float) * 255 / DARK.max() * (DARK.min() < DARK))
