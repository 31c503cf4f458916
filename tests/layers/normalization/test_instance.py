from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import WrongShape
from tensorlayer.layers import Input, InstanceNorm, InstanceNorm2d
from tests.operations import operations

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("batch", [1, 3, 5])
def test_each_channel_of_each_image_is_normalised(rank, batch):
    x = RNG.normal(2.0, 3.0, size=(batch, *(5, 4, 3)[:rank], 3)).astype("float32")
    beta, gamma = RNG.normal(size=(2, 3)).astype("float32")
    axes = tuple(range(1, rank + 1))
    scaled = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-2)
    expected = gamma * scaled + beta

    for layer in (InstanceNorm, getattr(tl.layers, f"InstanceNorm{rank}d")):
        given = {"epsilon": 1e-2, "beta_init": beta, "gamma_init": gamma}
        np.testing.assert_allclose(layer(**given)(x), expected, rtol=1e-4, atol=1e-5)
        first = layer(**given, data_format="channels_first")(np.moveaxis(x, -1, 1))
        np.testing.assert_allclose(np.moveaxis(first, 1, -1), expected, rtol=1e-4, atol=1e-5)


def test_a_constant_image_becomes_the_offset():
    out = InstanceNorm(beta_init=0.5)(np.full([2, 4, 4, 3], 7.0))

    np.testing.assert_allclose(out, np.full([2, 4, 4, 3], 0.5), atol=1e-6)


def test_num_features_makes_the_parameters_at_once():
    assert [v.shape[0] for v in InstanceNorm2d(num_features=7).all_weights] == [7, 7]


def test_offset_and_scale_can_be_left_out():
    net = InstanceNorm(Input([None, 4, 3]), beta_init=None, gamma_init=None)

    assert net.all_params == []
    assert net(np.ones([2, 4, 3])).shape == (2, 4, 3)


def test_traced_it_is_moments_and_normalisation():
    layer = InstanceNorm(num_features=3)
    beta, gamma = tf.Variable(tf.zeros([3])), tf.Variable(tf.ones([3]))

    def twin(x):
        mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-5)

    spec = tf.TensorSpec([2, 4, 4, 3])
    assert operations(tf.function(lambda x: layer(x)), spec) == operations(tf.function(twin), spec)


@pytest.mark.parametrize(("rank", "wrong"), [(1, 4), (2, 3), (3, 4)])
def test_numbered_classes_require_their_rank(rank, wrong):
    layer = getattr(tl.layers, f"InstanceNorm{rank}d")

    with pytest.raises(WrongShape, match=rf"InstanceNorm{rank}d.*rank {rank + 2}"):
        layer(Input([None] + [3] * (wrong - 1)))


def test_there_has_to_be_a_spatial_axis():
    with pytest.raises(WrongShape, match=r"InstanceNorm.*rank 3 or 4 or 5"):
        InstanceNorm(Input([None, 3]))
