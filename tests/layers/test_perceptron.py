from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import Input, Mlp, SqueezeExcitation
from tests.operations import operations

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 5, 4, 6)).astype("float32")


def affine(x, w, b):
    return x @ w + b


# -- of each position


@pytest.mark.parametrize("shape", [(3, 6), (3, 5, 6), (3, 5, 4, 6)])
def test_each_position_goes_through_all_steps(shape):
    x = RNG.normal(size=shape).astype("float32")
    layer = Mlp((7, 8, 2), act="tanh", out_act="relu", W_init="random_normal", b_init=0.3)

    out = layer(x)

    w1, b1, w2, b2, w3, b3 = (v.numpy() for v in layer.all_weights)
    hidden = np.tanh(affine(np.tanh(affine(x, w1, b1)), w2, b2))
    np.testing.assert_allclose(out, np.maximum(affine(hidden, w3, b3), 0), rtol=1e-4, atol=1e-6)


def test_one_number_is_the_block_of_a_transformer():
    net = Mlp(Input([None, 50, 64]), 32, name="mlp")

    assert [tuple(v.shape) for v in net.all_params] == [(64, 128), (128,), (128, 32), (32,)]
    assert list(net.parameters) == [
        "mlp/1/weights", "mlp/1/biases", "mlp/2/weights", "mlp/2/biases"
    ]  # fmt: skip


def test_one_step_is_a_dense_layer_and_biases_can_be_left_out():
    layer = Mlp([3], b_init=None, in_channels=6)

    (w,) = layer.all_weights
    np.testing.assert_allclose(layer(X), X @ w.numpy(), rtol=1e-4, atol=1e-6)


def test_without_an_activation_it_is_linear():
    layer = Mlp(2, act=None, b_init=None)
    layer(X)

    w1, w2 = (v.numpy() for v in layer.all_weights)
    np.testing.assert_allclose(layer(X), X @ w1 @ w2, rtol=1e-4, atol=1e-6)


def test_traced_it_is_the_formula():
    layer = Mlp(6, in_channels=6)
    w1, b1, w2, b2 = (tf.Variable(v) for v in layer.all_weights)
    spec = tf.TensorSpec([3, 5, 6])

    def twin(x):
        x = tf.nn.gelu(tf.nn.bias_add(tf.matmul(x, w1), b1))
        return tf.nn.bias_add(tf.matmul(x, w2), b2)

    assert operations(tf.function(lambda x: layer(x)), spec) == operations(tf.function(twin), spec)


@pytest.mark.parametrize("n_units", [0, (3, -1), [], 1.5, None, ["a"]])
def test_sizes_are_positive(n_units):
    with pytest.raises(InvalidArgument, match=r"Mlp: (each of )?n_units "):
        Mlp(n_units)


# -- of the channels


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(("ratio", "hidden"), [(2, 3), (4, 1), (16, 1)])
def test_channels_are_weighed_by_their_means(ratio, hidden, data_format):
    axis = -1 if data_format == "channels_last" else 1
    layer = SqueezeExcitation(
        ratio, "tanh", W_init="random_normal", b_init=0.3, data_format=data_format
    )

    out = np.moveaxis(layer(np.moveaxis(X, -1, axis)), axis, -1)

    w1, b1, w2, b2 = (v.numpy() for v in layer.all_weights)
    assert w1.shape == (6, hidden)
    weights = 1 / (1 + np.exp(-affine(np.tanh(affine(X.mean((1, 2)), w1, b1)), w2, b2)))
    np.testing.assert_allclose(out, X * weights[:, None, None], rtol=1e-4, atol=1e-6)


def test_activations_and_biases_can_be_left_out():
    layer = SqueezeExcitation(2, None, None, 1.0, None)

    weights = X.mean((1, 2)) @ np.ones([6, 3]) @ np.ones([3, 6])
    np.testing.assert_allclose(layer(X), X * weights[:, None, None], rtol=1e-4, atol=1e-5)


def test_in_channels_makes_the_parameters_at_once():
    for data_format in ("channels_last", "channels_first"):
        layer = SqueezeExcitation(in_channels=32, data_format=data_format)
        assert [v.shape[0] for v in layer.all_weights] == [32, 2, 2, 32]
    assert [v.shape[0] for v in Mlp(5, in_channels=3).all_weights] == [3, 20, 20, 5]


def test_errors():
    with pytest.raises(InvalidArgument, match="ratio must be a positive integer, got 0"):
        SqueezeExcitation(0)
    with pytest.raises(WrongShape, match=r"SqueezeExcitation.*rank 4"):
        SqueezeExcitation(Input([None, 3, 3]))
    with pytest.raises(InvalidArgument, match="Mlp: n_units must be a positive integer, got 0"):
        Mlp(0)
    with pytest.raises(InvalidArgument, match="Mlp: each of n_units must be a positive integer"):
        Mlp((4, 0))
    with pytest.raises(WrongShape, match=r"Mlp.*for a size of 3 along axis -1"):
        Mlp(5, in_channels=3)(tf.ones([2, 4]))
    with pytest.raises(WrongShape, match=r"SqueezeExcitation.*for a size of 3 along axis 1"):
        SqueezeExcitation(in_channels=3, data_format="channels_first")(tf.ones([2, 1, 4, 3]))
    with pytest.raises(InvalidArgument, match="data_format is"):
        SqueezeExcitation(data_format="last")
