from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import Dense, DropconnectDense, Input
from tensorlayer.layers.dense import product

RNG = np.random.default_rng(0)


def test_dense_is_matmul_bias_activation():
    x = RNG.normal(size=(4, 6))
    net = Dense(Input([None, 6]), 3, act=tf.nn.relu, b_init=0.5, name="d")
    weights = net.all_params[0].numpy()

    np.testing.assert_allclose(net(x), np.maximum(x @ weights + 0.5, 0), rtol=1e-4, atol=1e-6)


def test_without_b_init_there_is_no_bias():
    assert list(Dense(Input([None, 6]), 3, b_init=None, name="d").parameters) == ["d/weights"]


def test_in_channels_makes_the_parameters_at_once():
    layer = Dense(n_units=3, in_channels=6, name="d")

    assert {name: tuple(v.shape) for name, v in layer.parameters.items()} == {
        "d/weights": (6, 3),
        "d/biases": (3,),
    }


def test_in_channels_admits_any_rank():
    x = RNG.normal(size=(2, 5, 6)).astype("float32")
    layer = Dense(n_units=3, in_channels=6)

    np.testing.assert_allclose(layer(x), x @ layer.W.numpy(), rtol=1e-4, atol=1e-6)


def test_weights_start_as_a_truncated_normal():
    weights = Dense(Input([None, 200]), 200).all_params[0].numpy()

    assert np.abs(weights).max() <= 0.1
    assert weights.std() == pytest.approx(0.044, abs=0.002)  # 0.05 truncated at two deviations


def test_another_rank_is_refused_with_the_remedy():
    with pytest.raises(WrongShape, match=r"Dense.*rank 2, got shape \(None, 3, 4\).*Flatten"):
        Dense(Input([None, 3, 4]), 3)


def test_an_unknown_size_is_refused():
    with pytest.raises(InvalidArgument, match="size of the last axis must be known"):
        Dense(Input([None, None]), 3)


@pytest.mark.parametrize("n_units", [0, -1, 2.0, "ten"])
def test_n_units_is_a_positive_integer(n_units):
    with pytest.raises(InvalidArgument, match="n_units must be a positive integer, got"):
        Dense(n_units=n_units)


@pytest.mark.parametrize("n_units", [1, 3])
@pytest.mark.parametrize("kind", [Dense, DropconnectDense])
def test_rank_4_with_an_axis_of_size_1_in_a_trace(kind, n_units):
    layer = kind(n_units=n_units, b_init=None, in_channels=32)
    x = RNG.normal(size=(64, 1, 5, 32)).astype("float32")

    y = tf.function(lambda x: layer(x, is_train=False))(x)

    np.testing.assert_allclose(y, x @ layer.W.numpy(), rtol=1e-4, atol=1e-4)


def test_a_product_of_unknown_rank_is_one_of_matrices():
    x, w = RNG.normal(size=(2, 5, 6)).astype("float32"), RNG.normal(size=(6, 3)).astype("float32")

    traced = tf.function(lambda x: product(x, tf.constant(w)), [tf.TensorSpec(None)])

    np.testing.assert_allclose(traced(x), x @ w, rtol=1e-4, atol=1e-5)
