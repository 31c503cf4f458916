from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import Concat, Elementwise, Input

A, B, C = np.random.default_rng(0).normal(size=(3, 2, 4)).astype("float32")


def inputs(n=3):
    return [Input([None, 4], name=name) for name in "abc"[:n]]


def test_concat_is_along_the_last_axis_by_default():
    np.testing.assert_array_equal(Concat(inputs())([A, B, C]), np.concatenate([A, B, C], -1))
    np.testing.assert_array_equal(Concat(inputs(), concat_dim=0)([A, B, C]), np.vstack([A, B, C]))


def test_elementwise_folds_from_the_left_then_activates():
    net = Elementwise(inputs(), combine_fn=tf.subtract, act=tf.nn.relu)

    np.testing.assert_allclose(net([A, B, C]), np.maximum((A - B) - C, 0), rtol=1e-6)
    np.testing.assert_array_equal(Elementwise(inputs(2))([A, B]), np.minimum(A, B))


@pytest.mark.parametrize("layer", [Concat, Elementwise])
def test_one_network_is_not_a_list(layer):
    with pytest.raises(InvalidArgument, match="takes a list of networks, got one"):
        layer(Input([None, 4]))
