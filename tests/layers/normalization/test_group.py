from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import GroupNorm, Input

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_it_agrees_with_keras(groups, rank, data_format):
    shape = (5, *(4, 3, 2)[:rank])
    axis = -1 if data_format == "channels_last" else 1
    x = np.moveaxis(RNG.normal(2.0, 3.0, size=(*shape, 6)).astype("float32"), -1, axis)
    gamma, beta = RNG.normal(size=(2, 6)).astype("float32")
    keras = tf.keras.layers.GroupNormalization(groups, axis=axis, epsilon=1e-2)
    keras.build(x.shape)
    layer = GroupNorm(groups, 1e-2, data_format=data_format)
    layer(x)
    for mine, other, value in ((0, keras.gamma, gamma), (1, keras.beta, beta)):
        layer.all_weights[mine].assign(value)
        other.assign(value)

    np.testing.assert_allclose(layer(x), keras(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_sizes_may_be_free(data_format):
    shape = [None, None, None, 6] if data_format == "channels_last" else [None, 6, None, None]
    net = GroupNorm(Input(shape), groups=3, data_format=data_format)

    for size in (2, 5):
        x = RNG.normal(size=[size if n is None else n for n in shape]).astype("float32")
        expected = GroupNorm(groups=3, data_format=data_format)(x)
        np.testing.assert_allclose(net(x), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("groups", [4, 5, 7, 12])
def test_groups_divide_the_channels(groups):
    with pytest.raises(InvalidArgument, match=rf"must divide the channels, got {groups} for 6"):
        GroupNorm(Input([None, 4, 4, 6]), groups)


def test_errors():
    with pytest.raises(InvalidArgument, match="groups must be a positive integer, got 0"):
        GroupNorm(0)
    with pytest.raises(WrongShape, match=r"GroupNorm.*rank 3 or 4 or 5"):
        GroupNorm(Input([None, 32]))
