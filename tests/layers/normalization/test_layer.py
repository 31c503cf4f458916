from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import Input, LayerNorm, LayerNormLayer, RMSNorm
from tests.operations import operations

RNG = np.random.default_rng(0)
X = RNG.normal(2.0, 3.0, size=(5, 4, 3, 6)).astype("float32")


def normalized(x, axes, epsilon=1e-12):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)


@pytest.mark.parametrize("shape", [(7, 6), (6, 6), (5, 4, 6), (5, 4, 3, 6)])
def test_each_sample_is_normalised_by_itself(shape):
    x = RNG.normal(2.0, 3.0, size=shape).astype("float32")

    out = LayerNorm(beta_init=0.5, gamma_init=2.0)(x)

    expected = 2 * normalized(x, tuple(range(1, len(shape)))) + 0.5
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("begin", "axes"), [(1, (1, 2, 3)), (2, (2, 3)), (3, 3), (-1, 3), (-2, (2, 3))]
)
def test_axes_may_begin_anywhere_behind_the_batch(begin, axes):
    out = LayerNorm(begin_norm_axis=begin)(X)

    np.testing.assert_allclose(out, normalized(X, axes), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("begin", "shape"), [(1, (4, 3, 6)), (2, (3, 6)), (-1, (6,)), (-2, (3, 6))]
)
def test_parameters_may_differ_along_more_axes(begin, shape):
    beta, gamma = RNG.normal(size=(2, *shape)).astype("float32")
    layer = LayerNorm(begin_params_axis=begin, beta_init=beta, gamma_init=gamma)

    out = layer(X)

    assert [tuple(v.shape) for v in layer.all_weights] == [shape, shape]
    np.testing.assert_allclose(out, gamma * normalized(X, (1, 2, 3)) + beta, rtol=1e-4, atol=1e-5)


def test_it_agrees_with_keras():
    keras = tf.keras.layers.LayerNormalization(axis=-1, epsilon=1e-3)

    out = LayerNorm(epsilon=1e-3, begin_norm_axis=-1)(X)

    np.testing.assert_allclose(out, keras(X), rtol=1e-5, atol=1e-5)


def test_channels_first_has_parameters_for_axis_1():
    beta, gamma = RNG.normal(size=(2, 4)).astype("float32")
    layer = LayerNorm(beta_init=beta, gamma_init=gamma, data_format="channels_first")

    out = layer(X)

    expected = gamma[:, None, None] * normalized(X, (1, 2, 3)) + beta[:, None, None]
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-5)


def test_offset_and_scale_can_be_left_out():
    net = Input([None, 6])

    assert list(LayerNormLayer(net, center=False, name="a").parameters) == ["a/gamma"]
    assert list(LayerNorm(net, scale=False, name="b").parameters) == ["b/beta"]
    assert list(LayerNorm(net, name="c").parameters) == ["c/beta", "c/gamma"]


def test_traced_it_is_moments_and_normalisation():
    layer = LayerNorm(begin_norm_axis=-1)
    layer(X)
    beta, gamma = tf.Variable(tf.zeros([6])), tf.Variable(tf.ones([6]))

    def twin(x):
        mean, variance = tf.nn.moments(x, [3], keepdims=True)
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-12)

    spec = tf.TensorSpec(X.shape)
    assert operations(tf.function(lambda x: layer(x)), spec) == operations(tf.function(twin), spec)


@pytest.mark.parametrize("what", ["begin_norm_axis", "begin_params_axis"])
@pytest.mark.parametrize("axis", [0, 2, -2, 5])
def test_axes_are_behind_the_batch(what, axis):
    with pytest.raises(InvalidArgument, match=rf"{what} is an axis .* from 1 to 1, got {axis}"):
        LayerNorm(Input([None, 6]), **{what: axis})


def test_errors():
    with pytest.raises(InvalidArgument, match="begin_params_axis is -1, got 1"):
        LayerNorm(data_format="channels_first", begin_params_axis=1)


# -- by the root of the mean square


def test_the_root_of_the_mean_square_agrees_with_keras():
    gamma = RNG.normal(size=6).astype("float32")
    keras = tf.keras.layers.RMSNormalization(epsilon=1e-2)
    keras.build(X.shape)
    keras.scale.assign(gamma)

    np.testing.assert_allclose(RMSNorm(1e-2, gamma_init=gamma)(X), keras(X), rtol=1e-5, atol=1e-5)


def test_the_root_of_the_mean_square_over_channels_that_come_first():
    gamma = RNG.normal(size=4).astype("float32")

    out = RMSNorm(gamma_init=gamma, data_format="channels_first")(X)

    expected = X / np.sqrt((X**2).mean(1, keepdims=True) + 1e-6) * gamma[:, None, None]
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6)


def test_the_scale_can_be_left_out_or_made_at_once():
    assert RMSNorm(Input([None, 6]), gamma_init=None).all_params == []
    assert [v.shape[0] for v in RMSNorm(num_features=7).all_weights] == [7]
    np.testing.assert_allclose(RMSNorm(gamma_init=None)(X), RMSNorm()(X), rtol=1e-6)
