from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tensorlayer import prepro
from tensorlayer.errors import InvalidArgument

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)


@pytest.mark.parametrize(
    ("interp", "method"),
    [("nearest", 0), ("bilinear", 2), ("bicubic", 3), ("cubic", 3), ("lanczos", 1)],
)
@pytest.mark.parametrize("size", [(9, 13), (41, 77)])
def test_pixels_are_resized_by_pillow(interp, method, size):
    expected = np.asarray(Image.fromarray(PIXELS).resize(size[::-1], Image.Resampling(method)))

    np.testing.assert_array_equal(prepro.imresize(PIXELS, size, interp), expected)


def test_a_picture_that_shrinks_is_averaged():
    fine = np.tile(np.array([[0, 255], [255, 0]], np.uint8), (50, 50))

    small = prepro.imresize(fine, (10, 10))

    assert small.min() > 110
    assert small.max() < 145


@pytest.mark.parametrize("shape", [(24, 36), (24, 36, 1), (24, 36, 3), (24, 36, 5)])
@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float16, np.float64])
def test_by_area_each_pixel_is_the_mean_of_what_it_covers(shape, dtype):
    image = (np.random.default_rng(0).random(shape) * 200).astype(dtype)

    small = prepro.imresize(image, (6, 12), "area")

    expected = image.astype(float).reshape(6, 4, 12, 3, -1).mean((1, 3)).reshape(6, 12, *shape[2:])
    assert small.dtype == dtype
    assert small.shape == expected.shape
    tolerance = {"i": 0.51, "u": 0.51, "f": 0.1 if dtype == np.float16 else 1e-9}
    np.testing.assert_allclose(small, expected, atol=tolerance[np.dtype(dtype).kind])
    assert prepro.imresize(image, (40, 50), "area").shape == (40, 50, *shape[2:])


@pytest.mark.parametrize(
    "dtype", [np.uint8, np.uint16, np.int32, np.float16, np.float32, np.float64, bool]
)
@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 1), (20, 30, 2), (20, 30, 4)])
def test_type_range_and_channels_stay(dtype, shape):
    image = (
        np.random.default_rng(0).random(shape) * (1 if np.dtype(dtype).kind in "fb" else 200)
    ).astype(dtype)

    resized = prepro.imresize(image, (40, 60), "bilinear")

    assert resized.dtype == dtype
    assert resized.shape == (40, 60, *shape[2:])
    assert image.min() <= resized.min() <= resized.max() <= image.max()
    np.testing.assert_allclose(
        resized.astype(float).mean(), image.astype(float).mean(), rtol=0.02, atol=0.02
    )


@pytest.mark.parametrize(
    ("size", "expected"), [(50, (10, 15)), (2.0, (40, 60)), ([7, 8], (7, 8)), (None, (100, 100))]
)
def test_a_size_is_a_percentage_a_factor_or_a_pair(size, expected):
    assert prepro.imresize(PIXELS, size).shape == (*expected, 3)


@pytest.mark.parametrize("interp", ["bicubic", "nearest", "area"])
def test_one_pixel_is_a_size(interp):
    assert prepro.imresize(PIXELS, (1, 1), interp).shape == (1, 1, 3)
    assert prepro.imresize(PIXELS, 0.05, interp).shape == (1, 1, 3)
    with pytest.raises(InvalidArgument, match="at least one pixel"):
        prepro.imresize(PIXELS, (1, 0.9), interp)


def test_a_mode_converts_first():
    grey = prepro.imresize(PIXELS, (20, 30), mode="L")

    np.testing.assert_array_equal(grey, np.asarray(Image.fromarray(PIXELS).convert("L")))
    with pytest.raises(InvalidArgument, match="mode='L' is for uint8, got float64"):
        prepro.imresize(PIXELS / 255, mode="L")


def test_sizes_and_filters_that_are_none_are_refused():
    with pytest.raises(InvalidArgument, match="gives at least one pixel; got 1"):
        prepro.imresize(PIXELS[:, :5], 1)
    with pytest.raises(InvalidArgument, match=r"unknown interp 'bicubik'. Did you mean 'bicubic'"):
        prepro.imresize(PIXELS, interp="bicubik")
    with pytest.raises(InvalidArgument, match=r"unknown interp 'area'.*area \(without a mode\)"):
        prepro.imresize(PIXELS, interp="area", mode="L")


def test_an_array_becomes_an_image():
    image = prepro.array_to_img(PIXELS, scale=False)
    grey = prepro.array_to_img(PIXELS[..., :1], scale=False)

    assert (image.mode, grey.mode) == ("RGB", "L")
    np.testing.assert_array_equal(np.asarray(image), PIXELS)
    np.testing.assert_array_equal(np.asarray(grey), PIXELS[..., 0])


def test_scaling_stretches_a_copy():
    values = np.array([[[-1.0]], [[0.0]], [[3.0]]])
    before = values.copy()

    assert np.asarray(prepro.array_to_img(values)).ravel().tolist() == [0, 64, 255]
    np.testing.assert_array_equal(values, before)
    assert np.asarray(prepro.array_to_img(np.zeros((2, 2, 1)))).max() == 0


def test_axes_are_put_in_order():
    first = prepro.array_to_img(PIXELS.transpose(2, 0, 1), (1, 2, 0), scale=False)

    np.testing.assert_array_equal(np.asarray(first), PIXELS)
    with pytest.raises(InvalidArgument, match="channels are 1 or 3"):
        prepro.array_to_img(PIXELS[..., :2])
    with pytest.raises(InvalidArgument, match="dim_ordering names each axis once"):
        prepro.array_to_img(PIXELS, (0, 0, 1))


@pytest.mark.parametrize("mode", [None, "L"])
@pytest.mark.parametrize("interp", ["nearest", "bicubic", "area"])
@pytest.mark.parametrize("image", [PIXELS, PIXELS[..., 0], PIXELS[..., :1], PIXELS / 255])
def test_what_is_resized_can_be_written_to(image, interp, mode):
    if mode and (interp == "area" or image.dtype != np.uint8):
        pytest.skip("has no modes")
    small = prepro.imresize(image, (5, 7), interp, mode)

    small[:2] = 0

    assert not small[:2].any()
    assert small[2:].any()


@pytest.mark.parametrize("size", [np.nan, np.inf, (np.nan, 9), (9, np.nan), (9, np.inf)])
def test_a_size_that_is_no_number_is_refused(size):
    with pytest.raises(InvalidArgument, match=r"a size is \(height, width\).*got .*(nan|inf)"):
        prepro.imresize(PIXELS, size)
