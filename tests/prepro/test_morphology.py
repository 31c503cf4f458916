from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage as ndi
import skimage.measure
import skimage.morphology

from tensorlayer import prepro
from tensorlayer.errors import InvalidArgument

RNG = np.random.default_rng(0)
TYPES = [bool, np.uint8, np.int8, np.uint16, np.int32, np.int64, np.float16, np.float32, np.float64]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("radius", [0, 1, 3])
def test_grey_morphology_is_that_of_scipy(dtype, radius):
    image = (RNG.normal(size=(25, 31)) * 50).astype(dtype)
    disk = skimage.morphology.disk(radius)
    # beyond the border there is nothing, neither larger nor smaller
    largest = ndi.maximum_filter(image.astype(float), footprint=disk, mode="constant", cval=-np.inf)
    smallest = ndi.minimum_filter(image.astype(float), footprint=disk, mode="constant", cval=np.inf)

    dilated, eroded = prepro.dilation(image, radius), prepro.erosion(image, radius)

    np.testing.assert_array_equal(dilated, largest)
    np.testing.assert_array_equal(eroded, smallest)
    assert dilated.dtype == eroded.dtype == image.dtype


@pytest.mark.parametrize("radius", [1, 2, 5])
def test_binary_morphology_is_that_of_scikit_image(radius):
    mask = RNG.random((25, 31)) > 0.9
    disk = skimage.morphology.disk(radius)

    dilated, eroded = prepro.binary_dilation(mask, radius), prepro.binary_erosion(~mask, radius)

    np.testing.assert_array_equal(dilated, skimage.morphology.dilation(mask, disk))
    np.testing.assert_array_equal(eroded, skimage.morphology.erosion(~mask, disk))
    assert dilated.dtype == bool


def test_anything_but_zero_is_set():
    image = np.zeros((9, 9), np.float32)
    image[4, 4] = 0.2

    assert prepro.binary_dilation(image, 1).sum() == 5


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_channels_are_on_their_own(channels):
    image = RNG.random((15, 17, channels)).astype(np.float32)

    dilated = prepro.dilation(image, 2)

    assert dilated.shape == image.shape
    for k in range(channels):
        np.testing.assert_array_equal(dilated[..., k], prepro.dilation(image[..., k], 2))


def test_a_radius_is_a_number_of_pixels():
    for radius in (-1, 1.5):
        with pytest.raises(InvalidArgument, match="dilation: radius is a number of pixels"):
            prepro.dilation(np.zeros((3, 3)), radius)


def test_contours_are_those_of_scikit_image():
    image = ndi.gaussian_filter(RNG.random((30, 30)), 2)
    level = image.mean()

    contours = prepro.find_contours(image, level, "high", "high")

    expected = skimage.measure.find_contours(image, level, "high", "high")
    assert len(contours) == len(expected) > 1
    for found, line in zip(contours, expected, strict=True):
        np.testing.assert_array_equal(found, line)
    with pytest.raises(InvalidArgument, match=r"find_contours: x is \(height, width\)"):
        prepro.find_contours(image[..., None])


def test_points_become_a_map():
    drawn = prepro.pt2map([[(0, 0), (2.4, 3.6)], [(1, 1)]], size=(3, 5), val=7)

    expected = np.zeros((3, 5))
    expected[0, 0] = expected[2, 4] = expected[1, 1] = 7
    np.testing.assert_array_equal(drawn, expected)
    np.testing.assert_array_equal(prepro.pt2map(size=(2, 2)), np.zeros((2, 2)))


def test_a_point_beside_the_map_is_refused():
    for point in ((3, 0), (-1, 0)):
        with pytest.raises(InvalidArgument, match="lies outside of a map"):
            prepro.pt2map([[(0, 0), point]], size=(3, 3))


@pytest.mark.parametrize("name", ["dilation", "erosion", "binary_dilation", "binary_erosion"])
def test_a_list_of_rows_is_an_image(name):
    image = [[1, 2, 0], [0, 0, 0]]
    found = getattr(prepro, name)(image, radius=1)
    np.testing.assert_array_equal(found, getattr(prepro, name)(np.array(image), radius=1))


@pytest.mark.parametrize("point", [(-1, 0), (2, 0), (0, -1), (0, 3)])
def test_a_point_just_outside_of_the_map_is_refused(point):
    with pytest.raises(InvalidArgument, match="lies outside of a map"):
        prepro.pt2map([[(1, 2), point]], size=(2, 3))
