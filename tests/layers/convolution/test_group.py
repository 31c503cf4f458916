from __future__ import annotations

import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import GroupConv2d, Input
from tensorlayer.layers import spatial_arguments as spatial
from tests.layers.convolution.twins import (
    assert_as_keras,
    assert_channels_first_is_the_same,
    assert_same,
    gradients,
    network,
)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("steps", [{"strides": (2, 1)}, {"strides": 1, "dilation_rate": 2}])
def test_as_keras(padding, steps):
    arguments = {"n_filter": 9, "filter_size": (3, 2), "n_group": 3, "padding": padding, **steps}
    net, x = network(GroupConv2d, (8, 9, 6), **arguments)

    assert_as_keras(net, x, tf.keras.layers.Conv2D(9, (3, 2), padding=padding, groups=3, **steps))


def test_one_operation_where_it_has_a_gradient(monkeypatch):
    net, x = network(GroupConv2d, (6, 6, 4), n_filter=6)
    expected, slopes = net(x), gradients(net, x)
    monkeypatch.setattr(spatial, "has_gpu", lambda: True)

    compiled = tf.function(net, jit_compile=True)  # XLA has kernels for all of it
    kinds = [op.type for op in compiled.get_concrete_function(x).graph.get_operations()]

    assert kinds.count("Conv2D") == 1
    assert_same(compiled(x), expected)
    again = tf.function(lambda values: gradients(net, values), jit_compile=True)(tf.constant(x))
    for one, other in zip(again, slopes, strict=True):
        assert_same(one, other)


def test_channels_first():
    assert_channels_first_is_the_same(GroupConv2d, (6, 7, 4), n_filter=6)


def test_the_default_halves_the_size():
    net = GroupConv2d(Input([None, 7, 8, 4]), name="g")

    assert net.shape == (None, 4, 4, 32)
    assert {name: tuple(v.shape) for name, v in net.parameters.items()} == {
        "g/filters": (3, 3, 2, 32),
        "g/biases": (32,),
    }


def test_groups_share_channels_evenly():
    with pytest.raises(InvalidArgument, match="n_group must divide n_filter, got 5 groups and 32"):
        GroupConv2d(n_group=5)
    with pytest.raises(InvalidArgument, match="n_group must divide the number of input channels"):
        GroupConv2d(Input([None, 7, 8, 3]))
    with pytest.raises(InvalidArgument, match="n_group must be a positive integer, got 0"):
        GroupConv2d(n_group=0)
