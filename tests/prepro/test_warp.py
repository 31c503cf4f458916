from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage as ndi

from tensorlayer import prepro
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.prepro.warp import as_type, border, channels_last, check_image, remap, warp

SWAP = [1, 0, 2]
MATRIX = np.array([[0.9, 0.3, 2.3], [-0.25, 1.1, 4.7], [0, 0, 1]])
MODES = {
    "constant": "grid-constant",
    "nearest": "nearest",
    "reflect": "reflect",
    "mirror": "mirror",
    "wrap": "grid-wrap",
}


def by_scipy(image, matrix, order, mode, cval=0.0):
    """Return the same by SciPy, one channel at a time."""
    back = np.linalg.inv(matrix)[SWAP][:, SWAP]
    planes = np.atleast_3d(image).astype(np.float64)
    moved = [
        ndi.affine_transform(
            planes[..., k], back[:2, :2], back[:2, 2], order=order, mode=mode, cval=cval
        )
        for k in range(planes.shape[2])
    ]
    return np.stack(moved, axis=-1).reshape(image.shape)


def noise(shape, dtype, seed=0):
    values = np.random.default_rng(seed).random(shape)
    if np.dtype(dtype).kind == "f":
        return values.astype(dtype)
    return (values * (2 if dtype is bool else 120)).astype(dtype)


TYPES = [
    bool,
    np.int8,
    np.uint8,
    np.uint16,
    np.int16,
    np.int32,
    np.int64,
    np.float16,
    np.float32,
    np.float64,
]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4, 5, 7])
def test_every_type_and_number_of_channels_is_interpolated_exactly(dtype, channels):
    image = noise((31, 40) if channels is None else (31, 40, channels), dtype)

    moved = warp(image, MATRIX, (31, 40), beyond=border("nearest", "fill_mode"))

    expected = by_scipy(image, MATRIX, 1, "nearest")
    assert moved.dtype == image.dtype
    assert moved.shape == image.shape
    if image.dtype.kind == "f":
        np.testing.assert_allclose(moved, expected, atol=1e-3 if dtype is np.float16 else 1e-4)
    else:
        assert np.abs(moved - expected).max() <= 0.5 + 1e-3  # rounded


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("order", [0, 1, 2, 3, 5])
def test_every_border_and_order(mode, order):
    image = noise((31, 40), np.float32)

    moved = warp(image, MATRIX, (31, 40), order=order, beyond=border(mode, "fill_mode"), cval=0.25)

    expected = by_scipy(image, MATRIX, order, MODES[mode], 0.25)
    is_equal = np.isclose(moved, expected, atol=1e-4)
    # the nearest of two that are as near may be either
    assert is_equal.mean() == 1 if order else is_equal.mean() > 0.995


@pytest.mark.parametrize("dtype", TYPES)
def test_nearest_keeps_values_exactly(dtype):
    image = noise((20, 20, 2), dtype)

    moved = warp(image, MATRIX, (20, 20), order=0, beyond=border("nearest", "fill_mode"))

    assert set(np.unique(moved)) <= set(np.unique(image))


def test_wide_labels_are_not_rounded_to_floats():
    labels = np.array([[2**40 + 1, 2**40 + 3]])

    assert warp(labels, np.eye(3), (1, 2), order=0).tolist() == labels.tolist()
    assert warp(labels, np.eye(3), (1, 2), order=1).tolist() == labels.tolist()


def test_sides_beyond_16_bits():
    image = noise((2, 40_000), np.float32)
    shift = np.array([[1.0, 0, 0.5], [0, 1, 0], [0, 0, 1]])

    moved = warp(image, shift, (2, 40_000))

    np.testing.assert_allclose(moved[:, 1:], (image[:, 1:] + image[:, :-1]) / 2, atol=1e-6)


def test_a_projection_divides():
    image = np.zeros((20, 20), np.float32)
    image[10, 10] = 1
    matrix = np.array([[2.0, 0, 0], [0, 2, 0], [0.1, 0, 1]])  # (10, 10) -> (20, 20) / 2

    assert warp(image, matrix, (20, 20))[10, 10] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("order", [0, 1, 3])
def test_remap_is_map_coordinates(order):
    image = noise((20, 25, 2), np.float32)
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 24, (9, 7)), rng.uniform(0, 19, (9, 7))

    moved = remap(image, x, y, order=order)

    for k in range(2):
        expected = ndi.map_coordinates(image[..., k], (y, x), order=order, mode="grid-constant")
        np.testing.assert_allclose(moved[..., k], expected, atol=1e-4)


def test_integers_are_rounded_and_saturate():
    assert as_type(np.array([-3.0, 1.5, 2.5, 300.0]), np.uint8).tolist() == [0, 2, 2, 255]
    assert as_type(np.array([0.4, 0.6]), np.dtype(bool)).tolist() == [False, True]


def test_axes_are_turned_and_turned_back():
    image = noise((3, 5, 7), np.float32)

    view, back = channels_last(image, (1, 2, 0), "f")

    assert view.shape == (5, 7, 3)
    np.testing.assert_array_equal(back(view), image)
    with pytest.raises(InvalidArgument, match=r"f: row_index, col_index, channel_index must name"):
        channels_last(image, (1, 1, 0), "f")


def test_what_is_no_image_is_refused():
    with pytest.raises(WrongShape, match=r"f: an image is .* got shape \(2, 2, 2, 2\)"):
        check_image(np.zeros((2, 2, 2, 2)), "f")
    with pytest.raises(WrongShape, match="at least one pixel"):
        check_image(np.zeros((0, 2)), "f")
    with pytest.raises(InvalidArgument, match="real numbers, got dtype complex128"):
        check_image(np.zeros((2, 2), complex), "f")
    with pytest.raises(
        InvalidArgument, match=r"unknown fill_mode 'neerest'. Did you mean 'nearest'"
    ):
        border("neerest", "fill_mode")
    with pytest.raises(InvalidArgument, match="order of interpolation is 0 to 5, got 6"):
        warp(np.zeros((2, 2)), np.eye(3), (2, 2), order=6)


@pytest.mark.parametrize("work", ["float32", "float64"])
@pytest.mark.parametrize(
    "dtype", ["uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
)
def test_integers_saturate_at_the_ends_of_their_type(dtype, work):
    limits = np.iinfo(dtype)
    values = np.array([[-np.inf, -1e30, 1.5, float(limits.max), 1e30, np.inf]], work)

    expected = [limits.min, limits.min, 2, limits.max, limits.max, limits.max]

    with np.errstate(all="raise"):
        assert as_type(values, dtype).tolist() == [expected]


@pytest.mark.parametrize("dtype", ["uint8", "bool", "int32", "float32"])
def test_nothing_becomes_nothing_of_another_type(dtype):
    result = as_type(np.zeros((0, 4, 3)), dtype)

    assert (result.shape, result.dtype) == ((0, 4, 3), dtype)


def test_only_floating_images_may_continue_with_what_is_not_known():
    image = np.ones((9, 9), np.float32)

    turned = prepro.rotation(image, 45, fill_mode="constant", cval=np.nan)

    assert np.isnan(turned[0, 0])
    assert turned[4, 4] == 1
    for change in (prepro.rotation, prepro.swirl):
        with pytest.raises(InvalidArgument, match="cval=nan is no value of an image of uint8"):
            change(image.astype(np.uint8), cval=np.nan)


NAMES = """
    adjust_hue affine_transform affine_transform_cv2 array_to_img dilation elastic_transform
    equalize_histogram erosion find_contours gaussian_noise illumination imresize obj_box_crop
    obj_box_affine_transform obj_box_horizontal_flip obj_box_shift obj_box_zoom
    projective_transform_by_points respective_zoom rotation shear shear2 shift swirl zoom
"""


@pytest.mark.parametrize("name", NAMES.split())
def test_a_batch_in_place_of_an_image_is_refused_by_name(name):
    needed = {
        "affine_transform": (np.eye(3),),
        "affine_transform_cv2": (np.eye(3),),
        "elastic_transform": (1, 1),
        "obj_box_crop": (None, None, 2, 2),
        "projective_transform_by_points": ([], []),
    }

    with pytest.raises(WrongShape, match=rf"^{name}: an image is .* got shape \(2, 4, 4, 3\)"):
        getattr(prepro, name)(np.zeros((2, 4, 4, 3), np.uint8), *needed.get(name, ()))
