from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import (
    Dense,
    ExpandDims,
    ExpandDimsLayer,
    Flatten,
    Input,
    Reshape,
    Shuffle,
    Tile,
    TileLayer,
    Transpose,
    TransposeLayer,
    advanced_indexing_op,
    flatten_reshape,
)
from tests.layers.twins import assert_twin

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


@pytest.mark.parametrize("shape", [[], [-1, -1, 2], [None, 4], 4])
def test_reshape_needs_a_shape(shape):
    with pytest.raises(InvalidArgument, match="one may be -1; got"):
        Reshape(Input([None, 4]), shape=shape)


@pytest.mark.parametrize(
    "key", [np.s_[:, 0], np.s_[..., 1:3], np.s_[:, None, :, ::2], np.s_[1:2], np.s_[:, :, -1]]
)
def test_slices_are_those_of_numpy(key):
    net = Input([None, 2, 4, 5])[key]

    np.testing.assert_array_equal(net(tf.constant(X)), X[key])


@pytest.mark.parametrize("perm", [(0, 3, 1, 2), [2, 1, 0, 3], None])
def test_transpose(perm):
    net = Transpose(Input([3, 2, 4, 5]), perm=perm)

    np.testing.assert_array_equal(net(X), X.transpose(perm))
    assert net.shape == X.transpose(perm).shape


@pytest.mark.parametrize("conjugate", [True, False])
def test_transpose_conjugates_complex_values_when_it_is_told_to(conjugate):
    values = (X + 1j * X**2)[..., 0].astype("complex64")

    transposed = Transpose(perm=[0, 2, 1], conjugate=conjugate)(values)

    expected = values.transpose(0, 2, 1)
    np.testing.assert_array_equal(transposed, expected.conj() if conjugate else expected)


@pytest.mark.parametrize("perm", [[0, 0, 1], [1, 2, 3], [0, -1], [], 3])
def test_perm_has_each_axis_once(perm):
    with pytest.raises(InvalidArgument, match=r"Transpose: perm has each axis from 0 once.*got"):
        Transpose(perm=perm)


@pytest.mark.parametrize("make", [Transpose, Tile])
def test_a_rank_that_does_not_fit_is_refused(make):
    with pytest.raises(WrongShape, match=r"rank 3, got shape \(None, 4\)\. Give .* for each axis"):
        make(Input([None, 4]), (0, 1, 2) if make is Transpose else (1, 1, 2))


def test_tile():
    net = Tile(Input([None, 2, 4, 5]), multiples=[2, 1, 3, 1])

    np.testing.assert_array_equal(net(X), np.tile(X, [2, 1, 3, 1]))
    assert tuple(net.shape) == (None, 2, 12, 5)


@pytest.mark.parametrize("multiples", [None, [], 2, [1, 0], [1, 1.5]])
def test_tile_needs_multiples(multiples):
    with pytest.raises(InvalidArgument, match=r"Tile: (each of )?multiples .*positive integer"):
        Tile(multiples=multiples)


@pytest.mark.parametrize("axis", [0, 2, 4, -1, -5])
def test_expand_dims(axis):
    net = ExpandDims(Input([None, 2, 4, 5]), axis)

    np.testing.assert_array_equal(net(X), np.expand_dims(X, axis))


@pytest.mark.parametrize("axis", [3, -4])
def test_expand_dims_needs_an_axis_that_can_be(axis):
    with pytest.raises(WrongShape, match=r"axis must be from -3 to 2 .* shape \(None, 4\)"):
        ExpandDims(Input([None, 4]), axis)


@pytest.mark.parametrize("shape", [(12,), (3, 12), (2, 3, 12)])
def test_shuffle_takes_one_channel_of_each_run(shape):
    x = np.random.default_rng(0).normal(size=(2, *shape)).astype("float32")
    for size in (shape, [None] * (len(shape) - 1) + [12]):
        net = Shuffle(Input([None, *size]), group=4)

        order = [i * 4 + j for j in range(4) for i in range(3)]
        np.testing.assert_array_equal(net(x), x[..., order])
        assert net.shape.as_list() == [None, *size]


def test_the_shuffle_of_the_other_number_of_groups_undoes_it():
    x = tf.range(12)[None]

    np.testing.assert_array_equal(Shuffle(3)(Shuffle(4)(x)), x)


def test_shuffle_needs_groups_that_fit():
    with pytest.raises(InvalidArgument, match="multiple of group, got 5 channels for 2 groups"):
        Shuffle(Input([None, 5]), group=2)
    with pytest.raises(InvalidArgument, match="the number of channels must be known"):
        Shuffle(Input([None, None]), group=2)
    with pytest.raises(InvalidArgument, match="group must be a positive integer, got 0"):
        Shuffle(group=0)


def test_flatten_reshape_is_flatten_of_a_tensor_or_an_array():
    np.testing.assert_array_equal(flatten_reshape(X), X.reshape(3, -1))
    np.testing.assert_array_equal(flatten_reshape(X[:, 0, 0, 0]), X[:, :1, 0, 0])
    with pytest.raises(WrongShape, match="the first axis is the batch, got a single number"):
        flatten_reshape(1.0)


def test_advanced_indexing_counts_from_one():
    taken = advanced_indexing_op(X[:, 0], np.array([4, 1, 2]))

    np.testing.assert_array_equal(taken, X[[0, 1, 2], 0, [3, 0, 1]])


@pytest.mark.parametrize(
    ("layer", "twin"),
    [
        (Flatten(), lambda x: tf.reshape(x, [-1, 40])),
        (Reshape([-1, 8, 5]), lambda x: tf.reshape(x, [-1, 8, 5])),
        (Transpose([0, 2, 1, 3]), lambda x: tf.transpose(x, [0, 2, 1, 3])),
        (Tile([1, 2, 1, 1]), lambda x: tf.tile(x, [1, 2, 1, 1])),
        (ExpandDims(1), lambda x: tf.expand_dims(x, 1)),
        (
            Shuffle(5),
            lambda x: tf.reshape(tf.transpose(tf.reshape(x, [-1, 1, 5]), [0, 2, 1]), [-1, 2, 4, 5]),
        ),
    ],
)
def test_traced_it_is_its_twin(layer, twin):
    assert_twin(layer(Input([None, 2, 4, 5])), twin, X)


def test_names_of_1x():
    assert (TransposeLayer, TileLayer, ExpandDimsLayer) == (Transpose, Tile, ExpandDims)
