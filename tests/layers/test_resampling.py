from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import (
    DownSampling2d,
    DownSampling2dLayer,
    Input,
    UpSampling2d,
    UpSampling2dLayer,
)
from tests.operations import operations

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 6, 9, 3)).astype("float32")


def test_nearest_repeats_cells():
    out = UpSampling2d((2, 3), "nearest")(X)

    np.testing.assert_array_equal(out, X.repeat(2, axis=1).repeat(3, axis=2))


def test_area_is_the_mean_of_cells():
    out = DownSampling2d((2, 3), "area")(X)

    np.testing.assert_allclose(out, X.reshape(2, 3, 2, 3, 3, 3).mean((2, 4)), rtol=1e-5, atol=1e-6)


def test_bilinear_agrees_with_keras():
    expected = tf.keras.layers.UpSampling2D(2, interpolation="bilinear")(X)

    np.testing.assert_allclose(UpSampling2d(2)(X), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("method", ["bilinear", "bicubic", "gaussian", "lanczos3", "mitchellcubic"])
@pytest.mark.parametrize("antialias", [False, True])
def test_it_is_the_function_of_tensorflow(method, antialias):
    expected = tf.image.resize(X, [3, 4], method, antialias=antialias)

    np.testing.assert_array_equal(DownSampling2d(2, method, antialias)(X), expected)


@pytest.mark.parametrize(
    ("number", "method"), [(0, "bilinear"), (1, "nearest"), (2, "bicubic"), (3, "area")]
)
def test_methods_have_the_numbers_of_1_x(number, method):
    np.testing.assert_array_equal(UpSampling2d(2, number)(X), UpSampling2d(2, method)(X))


@pytest.mark.parametrize("data_format", ["channels_first", "channel_first"])
def test_channels_first_is_transposed(data_format):
    first = UpSampling2d((2, 3), data_format=data_format)(np.moveaxis(X, -1, 1))

    np.testing.assert_array_equal(np.moveaxis(first, 1, -1), UpSampling2d((2, 3))(X))


def test_a_size_as_in_1_x():
    for layer in (UpSampling2dLayer, DownSampling2dLayer):
        assert layer(size=(0.5, 2))(X).shape == (2, 3, 18, 3)
        assert layer(size=[4, 5], is_scale=False)(X).shape == (2, 4, 5, 3)
        assert layer((4, 5), is_scale=False)(X).shape == (2, 4, 5, 3)


def test_corners_stay_where_they_are():
    x = np.arange(4.0, dtype="float32").reshape(1, 1, 4, 1)

    aligned = UpSampling2d(size=(1, 7), is_scale=False, align_corners=True)(x)

    np.testing.assert_allclose(aligned[0, 0, :, 0], [0, 0.5, 1, 1.5, 2, 2.5, 3], atol=1e-6)


def test_free_sizes_are_scaled_when_they_are_known():
    for size in (6, 7, 21):
        image = RNG.normal(size=(1, size, 9, 3))
        for layer, expected in ((UpSampling2d(3), 3 * size), (DownSampling2d(3), size // 3)):
            net = layer(Input([None, None, 9, 3]))
            width = 9 * 3 if isinstance(layer, UpSampling2d) else 3
            assert tuple(net.shape) == (None, None, width, 3)
            assert net(image).shape == (1, expected, width, 3)


@pytest.mark.parametrize("divisor", range(1, 60))
def test_no_cell_is_lost_to_rounding(divisor):
    assert DownSampling2d(divisor)(tf.zeros([1, 7 * divisor, divisor, 1])).shape == (1, 7, 1, 1)


def test_one_image_without_a_batch():
    np.testing.assert_array_equal(UpSampling2d(2)(X[0]), UpSampling2d(2)(X)[0])


def test_traced_it_is_the_function_of_tensorflow():
    spec = tf.TensorSpec(X.shape)
    layer = UpSampling2d(2)

    assert operations(tf.function(lambda x: layer(x)), spec) == operations(
        tf.function(lambda x: tf.image.resize(x, [12, 18])), spec
    )


@pytest.mark.parametrize("scale", [0, -1, (1, 2, 3), "2", (1, None)])
def test_sizes_are_positive(scale):
    with pytest.raises(InvalidArgument, match="a size is a positive number or two, got"):
        UpSampling2d(scale)


def test_errors():
    with pytest.raises(InvalidArgument, match="UpSampling2d: it takes a scale, or a size"):
        UpSampling2d()
    with pytest.raises(InvalidArgument, match="it takes a scale, or a size"):
        UpSampling2d(2, size=(2, 2))
    with pytest.raises(InvalidArgument, match=r"1 or more; got \(0.5, 1\).* is size=\(0.5, 1\)"):
        DownSampling2d((0.5, 1))
    for method in ("cubic", 4, True, None):
        with pytest.raises(InvalidArgument, match=r"method is one of .*0 to 3, got"):
            UpSampling2d(2, method)
    with pytest.raises(InvalidArgument, match="knew no antialias"):
        UpSampling2d(2, antialias=True, align_corners=True)
    with pytest.raises(InvalidArgument, match="data_format is"):
        UpSampling2d(2, data_format="last")
    with pytest.raises(WrongShape, match=r"UpSampling2d.*rank 3 or 4"):
        UpSampling2d(Input([None, 3]), 2)
    with pytest.raises(WrongShape, match=r"UpSampling2d.*rank 4,"):
        UpSampling2d(Input([None, 3, 4]), 2, data_format="channels_first")
