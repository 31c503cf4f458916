from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import BatchNorm, BatchNorm1d, BatchNorm2d, BatchNorm3d, Input

RNG = np.random.default_rng(0)


def test_training_normalises_by_the_batch_and_moves_the_averages():
    x = RNG.normal(3.0, 2.0, size=(8, 4, 4, 3)).astype("float32")
    net = BatchNorm(Input([None, 4, 4, 3]), decay=0.9, gamma_init=2.0, beta_init=1.0, name="bn")

    out = net(x, is_train=True)

    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    np.testing.assert_allclose(out, 2 * (x - mean) / np.sqrt(variance + 1e-5) + 1, atol=1e-4)
    np.testing.assert_allclose(net.parameters["bn/moving_mean"], 0.1 * mean, rtol=1e-4)
    np.testing.assert_allclose(net.parameters["bn/moving_var"], 0.9 + 0.1 * variance, rtol=1e-4)


def test_inference_uses_the_averages_and_leaves_them():
    x = RNG.normal(size=(8, 3)).astype("float32")
    net = BatchNorm(Input([None, 3]), moving_mean_init=0.5, moving_var_init=4.0, gamma_init=1.0)
    before = [v.numpy() for v in net.all_params]

    out = net(x, is_train=False)

    np.testing.assert_allclose(out, (x - 0.5) / np.sqrt(4 + 1e-5), rtol=1e-4, atol=1e-6)
    assert all(np.array_equal(a, b) for a, b in zip(before, net.all_params, strict=True))


def test_an_untrained_network_in_inference_keeps_the_size_of_values():
    net = Input([None, 16])
    for _ in range(5):
        net = BatchNorm(net, gamma_init=1.0)

    out = net(RNG.normal(size=(100, 16)), is_train=False)

    assert np.std(out) == pytest.approx(1, abs=0.05)


def test_the_averages_move_inside_a_traced_step():
    net = BatchNorm(Input([None, 2]), decay=0.5, name="bn")
    step = tf.function(lambda x: net(x, is_train=True))

    for _ in range(3):
        step(tf.constant([[1.0, 3.0], [3.0, 5.0]]))

    np.testing.assert_allclose(net.parameters["bn/moving_mean"], [1.75, 3.5], rtol=1e-5)


def test_channels_first_normalises_the_second_axis():
    x = RNG.normal(size=(8, 3, 4, 4)).astype("float32")
    first = BatchNorm(Input([None, 3, 4, 4]), gamma_init=1.0, data_format="channels_first")
    last = BatchNorm(Input([None, 4, 4, 3]), gamma_init=1.0)

    moved = np.moveaxis(last(np.moveaxis(x, 1, -1), is_train=True).numpy(), -1, 1)
    np.testing.assert_allclose(first(x, is_train=True), moved, atol=1e-5)


def test_offset_and_scale_can_be_left_out():
    net = BatchNorm(Input([None, 3]), beta_init=None, gamma_init=None, name="bn")

    assert list(net.parameters) == ["bn/moving_mean", "bn/moving_var"]
    assert net(tf.ones([2, 3]), is_train=True).shape == (2, 3)


def test_num_features_makes_the_parameters_at_once():
    layer = BatchNorm(num_features=7)

    assert [v.shape[0] for v in layer.all_weights] == [7] * 4


def test_statistics_survive_saving(tmp_path):
    x = tl.layers.Input([None, 3], name="x")
    model = tl.models.Model(x, BatchNorm(x, name="bn"))
    values = RNG.normal(5.0, 3.0, size=(64, 3)).astype("float32")
    model(values, is_train=True)
    before = model(values, is_train=False)

    model.save_weights(tmp_path / "m.npz")
    model.assign_arrays({k: np.zeros_like(v) for k, v in model.to_arrays().items()})
    model.load_weights(tmp_path / "m.npz")

    np.testing.assert_array_equal(model(values, is_train=False), before)


def test_errors():
    with pytest.raises(InvalidArgument, match=r"decay must be in \[0, 1\], got 1.5"):
        BatchNorm(decay=1.5)
    with pytest.raises(InvalidArgument, match=r"data_format is .*got 'NHWC'"):
        BatchNorm(data_format="NHWC")


RANKS = {BatchNorm1d: (2, 3), BatchNorm2d: (4,), BatchNorm3d: (5,)}


@pytest.mark.parametrize("layer", RANKS)
@pytest.mark.parametrize("rank", [2, 3, 4, 5])
def test_numbered_classes_require_their_rank(layer, rank):
    x = RNG.normal(size=[4] * rank).astype("float32")

    if rank in RANKS[layer]:
        expected = BatchNorm(gamma_init=1.0)(x)
        np.testing.assert_array_equal(layer(gamma_init=1.0)(x), expected)
    else:
        with pytest.raises(WrongShape, match=rf"{layer.__name__}.*rank {RANKS[layer][0]}"):
            layer(Input([None, *x.shape[1:]]))
        with pytest.raises(WrongShape, match=rf"{layer.__name__}.*rank {RANKS[layer][0]}"):
            layer(num_features=4)(x)


def test_inference_agrees_with_tensorflow_channels_first_included():
    x = RNG.normal(size=(8, 3, 4, 4)).astype("float32")
    mean, variance, offset, scale = RNG.uniform(0.5, 2, (4, 3)).astype("float32")
    layer = BatchNorm(0.9, 1e-3, None, offset, scale, mean, variance, data_format="channels_first")

    out = layer(x, is_train=False)

    expected = tf.nn.batch_normalization(
        np.moveaxis(x, 1, -1), mean, variance, offset, scale, 1e-3
    ).numpy()
    np.testing.assert_allclose(out, np.moveaxis(expected, -1, 1), rtol=1e-5, atol=1e-6)
