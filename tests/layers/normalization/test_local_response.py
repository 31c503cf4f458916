from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import Input, LocalResponseNorm
from tests.operations import operations

RNG = np.random.default_rng(0)
X = RNG.normal(2.0, 3.0, size=(2, 4, 3, 7))
SETTINGS = [{}, {"depth_radius": 2, "bias": 2.0, "alpha": 0.1, "beta": 0.75}, {"depth_radius": 0}]


def inhibited(x, depth_radius=5, bias=1.0, alpha=1.0, beta=0.5):
    channels = range(x.shape[-1])
    near = [[abs(i - c) <= depth_radius for c in channels] for i in channels]
    return x / (bias + alpha * (x**2 @ np.array(near, float))) ** beta


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize(
    ("dtype", "rtol"), [("float32", 1e-5), ("float64", 1e-12), ("float16", 0.01)]
)
def test_neighbours_inhibit(settings, dtype, rtol):
    out = LocalResponseNorm(**settings)(tf.constant(X, dtype))

    assert out.dtype == dtype
    np.testing.assert_allclose(out, inhibited(X, **settings), rtol=rtol, atol=rtol / 10)


def test_every_type_has_a_known_shape():
    net = LocalResponseNorm(Input([None, None, 3, 7], "float64"))

    assert tuple(net.shape) == (None, None, 3, 7)


def test_traced_it_is_the_function_of_tensorflow():
    spec = tf.TensorSpec(X.shape)
    layer = LocalResponseNorm(4, 1.0, 0.001, 0.75)

    assert operations(tf.function(lambda x: layer(x)), spec) == operations(
        tf.function(lambda x: tf.nn.lrn(x, 4, 1.0, 0.001, 0.75)), spec
    )


@pytest.mark.parametrize("radius", [-1, 1.5, True, "2"])
def test_the_radius_is_a_number_of_channels(radius):
    with pytest.raises(InvalidArgument, match="depth_radius is an integer from 0, got"):
        LocalResponseNorm(radius)


def test_errors():
    with pytest.raises(WrongShape, match=r"LocalResponseNorm.*rank 4"):
        LocalResponseNorm(Input([None, 3, 3]))
