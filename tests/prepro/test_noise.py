from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tensorlayer import prepro
from tensorlayer.errors import InvalidArgument, WrongShape

PIXELS = np.random.default_rng(0).integers(0, 256, (13, 17, 3), np.uint8)


@pytest.mark.parametrize("shape", [(60, 60, 3), (60, 60, 1), (60, 60, 5), (60, 60), (3600,)])
def test_pixels_drop_whole_and_as_often_as_they_should(shape):
    image = np.ones(shape, np.uint8)

    dropped = prepro.drop(image, keep=0.3, seed=0)

    kept = dropped.reshape(3600, -1)
    assert 0.26 < kept[:, 0].mean() < 0.34
    assert (kept == kept[:, :1]).all()
    assert image.all(), "the image stays as it is"
    assert dropped.dtype == np.uint8


def test_drop_refuses_what_is_no_probability():
    with pytest.raises(InvalidArgument, match=r"keep is a probability in \[0, 1\], got 1\.5"):
        prepro.drop(PIXELS, 1.5)
    with pytest.raises(WrongShape, match="rank 1 to 3"):
        prepro.drop(PIXELS[None])


@pytest.mark.parametrize(("dtype", "scale"), [("uint8", 255), ("float32", 1), ("uint16", 65535)])
def test_noise_is_normal_with_the_standard_deviation_that_was_asked(dtype, scale):
    image = np.full((80, 80), scale / 2).astype(dtype)

    noise = (prepro.gaussian_noise(image, 0.05, seed=1).astype(float) - scale / 2) / scale

    assert prepro.gaussian_noise(image, 0.05, seed=1).dtype == dtype
    assert noise.std() == pytest.approx(0.05, rel=0.05)
    if dtype == "float32":  # integers are rounded, which the test would find
        assert stats.kstest(noise.ravel() / 0.05, "norm").pvalue > 1e-3


def test_integers_saturate_and_a_seed_repeats():
    white = np.full((50, 50), 255, np.uint8)

    noisy = prepro.gaussian_noise(white, 0.2, seed=3)

    assert noisy.max() == 255
    assert 0.45 < (noisy == 255).mean() < 0.55
    np.testing.assert_array_equal(noisy, prepro.gaussian_noise(white, 0.2, seed=3))
    np.testing.assert_array_equal(prepro.gaussian_noise(white, 0.0), white)


def test_a_generator_goes_on_and_threads_do_not_disturb_each_other():
    grey = np.full((40, 40, 5), 0.5)
    rng = np.random.default_rng(0)
    first, second = (prepro.gaussian_noise(grey, 0.1, seed=rng) - 0.5 for _ in range(2))

    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.05
    in_threads = prepro.threading_data(
        [7] * 20, lambda seed: prepro.gaussian_noise(grey, seed=seed)
    )
    np.testing.assert_array_equal(in_threads, [prepro.gaussian_noise(grey, seed=7)] * 20)


def test_a_negative_deviation_is_refused():
    with pytest.raises(InvalidArgument, match=r"stddev must not be negative, got -0\.1"):
        prepro.gaussian_noise(PIXELS, -0.1)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("shape", [(13, 17), (13, 17, 1), (13, 17, 2), (13, 17, 5)])
def test_noise_keeps_the_shape_whatever_the_channels(dtype, shape):
    noisy = prepro.gaussian_noise(np.ones(shape, dtype), 0.05, seed=0)

    assert (noisy.shape, noisy.dtype) == (shape, dtype)
