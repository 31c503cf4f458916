from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

from tensorlayer import prepro
from tensorlayer.errors import InvalidArgument, WrongShape

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (9, 11, 3), np.uint8)


def test_grey_is_normalised_by_the_image():
    grey = PIXELS[..., :1].astype(np.float64)

    normal = prepro.samplewise_norm(
        grey, samplewise_center=True, samplewise_std_normalization=True, epsilon=0
    )

    np.testing.assert_allclose(normal, (grey - grey.mean()) / grey.std())


def test_what_is_added_to_the_deviation_is_given():
    grey = np.array([[[1.0], [3.0]]])

    normal = prepro.samplewise_norm(grey, samplewise_std_normalization=True, epsilon=0.25)

    np.testing.assert_allclose(normal, grey / 1.25)


def test_colour_is_normalised_pixel_by_pixel():
    image = PIXELS.astype(np.float64)

    normal = prepro.samplewise_norm(
        image, samplewise_center=True, samplewise_std_normalization=True
    )

    np.testing.assert_allclose(normal.mean(axis=2), 0, atol=1e-9)
    np.testing.assert_allclose(normal[2, 3], (image[2, 3] - image[2, 3].mean()) / image[2, 3].std())


def test_rescaling_changes_a_copy_also_of_integers():
    before = PIXELS.copy()

    scaled = prepro.samplewise_norm(PIXELS, rescale=1 / 255)

    np.testing.assert_allclose(scaled, before / 255)
    np.testing.assert_array_equal(PIXELS, before)


def test_channels_may_come_first_and_a_flat_image_stays_finite():
    first = prepro.samplewise_norm(
        PIXELS.transpose(2, 0, 1), samplewise_center=True, channel_index=0
    )
    flat = prepro.samplewise_norm(np.full((2, 2, 1), 7.0), None, True, True)

    last = prepro.samplewise_norm(PIXELS, samplewise_center=True)
    np.testing.assert_allclose(first.transpose(1, 2, 0), last)
    assert not flat.any()
    with pytest.raises(InvalidArgument, match=r"samplewise_norm: shape .* has no axis 3"):
        prepro.samplewise_norm(PIXELS, channel_index=3)


def test_features_are_normalised_by_arrays_and_by_zero():
    mean, std = RNG.random((9, 11, 3)), RNG.random((9, 11, 3)) + 1

    normal = prepro.featurewise_norm(PIXELS, mean=mean, std=std, epsilon=1e-3)

    np.testing.assert_allclose(normal, (PIXELS - mean) / (std + 1e-3))
    np.testing.assert_allclose(prepro.featurewise_norm(PIXELS, mean=0), PIXELS)
    np.testing.assert_allclose(prepro.featurewise_norm(PIXELS, std=0, epsilon=0.5), PIXELS * 2.0)


def test_zca_is_the_inverse_root_of_the_covariance():
    images = RNG.normal(size=(40, 3, 2, 2)) @ RNG.normal(size=(2, 2))
    images -= images.mean(axis=0)
    flat = images.reshape(40, -1)

    matrix = prepro.get_zca_whitening_principal_components_img(images)

    covariance = flat.T @ flat / 40 + 1e-6 * np.eye(12)
    np.testing.assert_allclose(
        matrix, np.linalg.inv(scipy.linalg.sqrtm(covariance).real), rtol=1e-6
    )


def test_whitened_images_have_the_identity_as_covariance():
    images = RNG.normal(size=(500, 3, 2, 2)) @ RNG.normal(size=(2, 2))
    images -= images.mean(axis=0)
    matrix = prepro.get_zca_whitening_principal_components_img(images)

    white = np.stack([prepro.zca_whitening(image, matrix) for image in images])

    assert white.shape == images.shape
    flat = white.reshape(500, -1)
    np.testing.assert_allclose(flat.T @ flat / 500, np.eye(12), atol=1e-4)


def test_whitening_with_a_foreign_matrix_is_refused():
    with pytest.raises(WrongShape, match="has 297 values, but the matrix is"):
        prepro.zca_whitening(PIXELS, np.eye(4))
    with pytest.raises(WrongShape, match=r"X is \(batch, height, width, channels\)"):
        prepro.get_zca_whitening_principal_components_img(PIXELS)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("kind", [float, np.float64, np.asarray])
def test_a_floating_image_keeps_its_type(dtype, kind):
    x = PIXELS.astype(dtype)
    normal = prepro.featurewise_norm(x, mean=kind(3.5), std=kind(2.0))
    assert normal.dtype == dtype
    np.testing.assert_allclose(normal, (PIXELS - 3.5) / (2.0 + 1e-7), rtol=5e-3, atol=5e-2)
    assert prepro.featurewise_norm(x).dtype == dtype
    assert prepro.featurewise_norm(x) is not x
    assert prepro.featurewise_norm(PIXELS, mean=1).dtype == "float64"
