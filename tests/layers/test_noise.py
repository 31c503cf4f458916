from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import DropconnectDense, Dropout, GaussianNoise, Input, StochasticDepth
from tests.operations import operations


def test_training_drops_and_scales():
    out = Dropout(Input([None, 1000]), keep=0.8, seed=3)(tf.ones([20, 1000]), is_train=True).numpy()

    assert set(np.unique(out)) == {np.float32(0), np.float32(1.25)}
    assert (out > 0).mean() == pytest.approx(0.8, abs=0.01)
    assert out.mean() == pytest.approx(1, abs=0.01)


def test_inference_passes():
    x = tf.random.normal([4, 5])

    np.testing.assert_array_equal(Dropout(Input([None, 5]), keep=0.1)(x, is_train=False), x)


@pytest.mark.parametrize("keep", [0, -0.1, 1.5])
def test_keep_is_a_probability_of_keeping(keep):
    with pytest.raises(
        InvalidArgument,
        match=r"Dropout: keep is the probability of keeping a unit, in \(0, 1\]; got",
    ):
        Dropout(keep=keep)


# -- weights


def test_weights_are_dropped_in_training_only():
    layer = DropconnectDense(0.8, 200, W_init=1.0, b_init=0.5, in_channels=300)
    each = np.eye(300, dtype="float32")

    used = layer(each, is_train=True).numpy() - 0.5

    np.testing.assert_allclose(np.unique(used), [0, 1.25], atol=1e-6)
    assert (used > 0).mean() == pytest.approx(0.8, abs=0.01)
    np.testing.assert_array_equal(layer(each, is_train=False), np.full([300, 200], 1.5))


def test_one_mask_is_for_the_whole_batch():
    out = DropconnectDense(Input([None, 6]), 0.5, 8)(np.ones([5, 6]), is_train=True).numpy()

    np.testing.assert_allclose(out, np.tile(out[:1], (5, 1)), rtol=1e-6)


def test_dropconnect_has_bias_and_activation_of_a_dense_layer():
    x = np.array([[1.0, -2.0]])
    given = {"W_init": np.array([[1.0, -1.0], [2.0, 3.0]], "float32"), "act": "relu"}

    out = DropconnectDense(n_units=2, b_init=4.0, **given)(x)
    without = DropconnectDense(Input([None, 2]), n_units=2, b_init=None, **given, name="d")

    np.testing.assert_allclose(out, [[1, 0]])
    assert list(without.parameters) == ["d/weights"]
    assert without(x, is_train=True).shape == (1, 2)


# -- noise


@pytest.mark.parametrize("is_train", [False, True])
def test_noise_is_normal_and_by_default_always_there(is_train):
    x = np.full([100, 1000], 3.0)

    noise = GaussianNoise(0.5, 2.0)(x, is_train=is_train).numpy() - 3

    assert noise.mean() == pytest.approx(0.5, abs=0.05)
    assert noise.std() == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize("given", [{"is_always": False}, {"is_train": False}])
def test_noise_may_be_of_training_only(given):
    x = tf.random.normal([4, 5])
    net = GaussianNoise(Input([None, 5]), **given)

    np.testing.assert_array_equal(net(x, is_train=False), x)
    assert not np.array_equal(net(x, is_train=True), x)


def test_1_x_said_that_the_noise_is_there_when_it_built_the_network():
    net = GaussianNoise(Input([None, 5]), is_always=False, is_train=True)

    assert np.std(net(tf.zeros([4, 5]), is_train=False)) > 0


# -- samples


def test_whole_samples_are_dropped_in_training_only():
    layer = StochasticDepth(keep=0.8)
    x = np.ones([5000, 2, 3], "float32")

    out = layer(x, is_train=True).numpy().reshape(5000, 6)

    assert np.all(out == out[:, :1])
    assert set(np.unique(out)) == {np.float32(0), np.float32(1.25)}
    assert (out[:, 0] > 0).mean() == pytest.approx(0.8, abs=0.03)
    np.testing.assert_array_equal(layer(x, is_train=False), x)


# -- all of them


DRAWS = (
    lambda: Dropout(0.5, seed=7),
    lambda: DropconnectDense(0.5, 20, W_init=1.0, seed=7),
    lambda: GaussianNoise(seed=7),
    lambda: StochasticDepth(0.5, seed=7),
)


@pytest.mark.parametrize("make", DRAWS)
def test_a_seed_decides(make):
    def draw():
        tf.random.set_seed(3)
        return make()(np.ones([30, 20]), is_train=True)

    np.testing.assert_array_equal(draw(), draw())
    once = draw()
    tf.random.set_seed(3)
    other = make().arguments | {"seed": 8}
    assert not np.array_equal(once, type(make())(**other)(np.ones([30, 20]), is_train=True))


TWINS = (
    (StochasticDepth(0.8), lambda x: tf.nn.dropout(x, 0.2, noise_shape=[tf.shape(x)[0], 1])),
    (GaussianNoise(), lambda x: x + tf.random.normal(tf.shape(x))),
)


@pytest.mark.parametrize(("layer", "twin"), TWINS)
def test_traced_it_is_the_function_of_tensorflow(layer, twin):
    spec = tf.TensorSpec([None, 5])

    ours = tf.function(lambda x: layer(x, is_train=True))

    assert operations(ours, spec) == operations(tf.function(twin), spec)


@pytest.mark.parametrize(
    ("layer", "what"), [(DropconnectDense, "weight"), (StochasticDepth, "sample")]
)
@pytest.mark.parametrize("keep", [0, -0.1, 1.5])
def test_every_keep_is_a_probability(layer, what, keep):
    with pytest.raises(InvalidArgument, match=rf"{layer.__name__}: .* keeping a {what}, in \(0"):
        layer(keep=keep)


def test_a_keep_of_1_keeps_everything():
    x = np.ones([30, 20], "float32")

    for layer in (Dropout(1), StochasticDepth(1), DropconnectDense(1, 4, W_init=1.0)):
        np.testing.assert_array_equal(layer(x, is_train=True), layer(x, is_train=False))


def test_noise_has_no_negative_deviation():
    with pytest.raises(InvalidArgument, match="stddev is 0 or more, got -1"):
        GaussianNoise(stddev=-1)
    with pytest.raises(InvalidArgument, match="stddev is 0 or more, got nan"):
        GaussianNoise(stddev=float("nan"))
    np.testing.assert_array_equal(GaussianNoise(stddev=0)(np.ones([2, 2])), np.ones([2, 2]))
