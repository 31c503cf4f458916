from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import Dense, Flatten, Input, Reshape

X = np.random.default_rng(0).normal(size=(3, 2, 4, 5)).astype("float32")


def test_flatten_keeps_the_batch():
    net = Flatten(Input([None, 2, 4, 5]))

    np.testing.assert_array_equal(net(X), X.reshape(3, -1))
    assert tuple(Dense(net, 7).shape) == (None, 7)


def test_flatten_of_sizes_that_are_not_known():
    net = Flatten(Input([None, None, 4, 5]))

    np.testing.assert_array_equal(net(X), X.reshape(3, -1))


def test_reshape():
    net = Reshape(Input([None, 2, 4, 5]), shape=[-1, 10, 4])

    np.testing.assert_array_equal(net(X), X.reshape(-1, 10, 4))


@pytest.mark.parametrize("shape", [[], [-1, -1, 2]])
def test_reshape_needs_a_shape(shape):
    with pytest.raises(InvalidArgument, match="one may be -1; got"):
        Reshape(Input([None, 4]), shape=shape)


@pytest.mark.parametrize(
    "key", [np.s_[:, 0], np.s_[..., 1:3], np.s_[:, None, :, ::2], np.s_[1:2], np.s_[:, :, -1]]
)
def test_slices_are_those_of_numpy(key):
    net = Input([None, 2, 4, 5])[key]

    np.testing.assert_array_equal(net(tf.constant(X)), X[key])
