from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage, stats

import tensorlayer as tl
from tensorlayer import initializers
from tensorlayer.errors import InvalidArgument, WrongShape
from tests.ids import shown

MANY = (200, 100)
FIXED = [
    (initializers.Zeros(), np.zeros(MANY)),
    (initializers.Ones(), np.ones(MANY)),
    (initializers.Constant(), np.zeros(MANY)),
    (initializers.Constant(2.5), np.full(MANY, 2.5)),
    (initializers.Constant(np.arange(100.0)), np.tile(np.arange(100.0), (200, 1))),
]
DRAWN = [
    (initializers.RandomUniform(), stats.uniform(-0.05, 0.1)),
    (initializers.RandomUniform(1.0, 3.0), stats.uniform(1, 2)),
    (initializers.RandomNormal(), stats.norm(0, 0.05)),
    (initializers.RandomNormal(2.0, 0.5), stats.norm(2, 0.5)),
    (initializers.TruncatedNormal(), stats.truncnorm(-2, 2, 0, 0.05)),
    (initializers.TruncatedNormal(1.0, 3.0), stats.truncnorm(-2, 2, 1, 3)),
]
EVERY = [each for each, _ in FIXED + DRAWN] + [initializers.BilinearUpsampling()]


@pytest.mark.parametrize(("init", "expected"), FIXED, ids=lambda each: str(each)[:30])
def test_fixed_values(init, expected):
    np.testing.assert_array_equal(init(MANY, tf.float32), expected)


@pytest.mark.parametrize(("init", "distribution"), DRAWN, ids=lambda each: str(each)[:30])
def test_drawn_values_follow_the_distribution(init, distribution):
    tf.random.set_seed(1)

    values = init(MANY).numpy().ravel()

    assert stats.kstest(values, distribution.cdf).pvalue > 1e-3


@pytest.mark.parametrize("init", EVERY, ids=repr)
@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float32, tf.float64], ids=repr)
def test_shape_and_type_are_those_asked_for(init, dtype):
    shape = (4, 4, 100, 100) if isinstance(init, initializers.BilinearUpsampling) else (3, 100)

    value = init(shape, dtype)

    assert value.shape == shape
    assert value.dtype == dtype


@pytest.mark.parametrize("init", [each for each, _ in DRAWN], ids=repr)
@pytest.mark.parametrize("seed", [None, 7])
def test_the_global_seed_makes_draws_repeatable(init, seed):
    init = type(init)(seed=seed)

    def draw():
        tf.random.set_seed(3)
        return init((5,)).numpy(), init((5,)).numpy()

    first, again = draw(), draw()

    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(*first)


@pytest.mark.parametrize("init", [each for each, _ in DRAWN], ids=repr)
@pytest.mark.parametrize("dtype", [tf.float16, tf.float32, tf.float64], ids=repr)
@pytest.mark.parametrize("seed", [None, 7])
def test_large_values_are_those_of_small_ones(init, dtype, seed, monkeypatch):
    init = dataclasses.replace(init, seed=seed)

    def draw():
        tf.random.set_seed(3)
        return [init((7, 3, 100), dtype).numpy(), init((5,), dtype).numpy()]

    expected = draw()
    monkeypatch.setattr(initializers, "_MANY", 1000)
    large = draw()

    for value, other in zip(large, expected, strict=True):
        np.testing.assert_array_equal(value, other)


@pytest.mark.parametrize("dtype", ["float32", np.float32, "bfloat16"], ids=str)
def test_large_values_take_any_name_of_a_type(dtype, monkeypatch):
    monkeypatch.setattr(initializers, "_MANY", 1000)
    for init, _ in DRAWN:
        assert init(MANY, dtype).dtype == tf.as_dtype(dtype)


def test_a_size_may_be_a_tensor_of_a_trace():
    @tf.function
    def drawn(n):
        return initializers.RandomNormal()((n, 3))

    assert drawn(tf.constant(5)).shape == (5, 3)


def test_large_values_are_drawn_where_a_function_is_traced_as_well(monkeypatch):
    monkeypatch.setattr(initializers, "_MANY", 1000)
    drawn = tf.function(lambda: initializers.RandomNormal(2.0, 0.5)(MANY))()
    assert stats.kstest(drawn.numpy().ravel(), stats.norm(2, 0.5).cdf).pvalue > 1e-3


@pytest.mark.parametrize("init", EVERY, ids=repr)
def test_config_makes_an_equal_one(init):
    config = json.loads(json.dumps(init.get_config()))

    again = type(init).from_config(config)

    assert again == init
    assert repr(again) == repr(init)


def test_config_of_every_parameter():
    config = initializers.RandomNormal(1.0, 2.0, 3).get_config()

    assert config == {"mean": 1.0, "stddev": 2.0, "seed": 3}


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("zeros", "Zeros"),
        ("ones", "Ones"),
        ("constant", "Constant"),
        ("random_uniform", "RandomUniform"),
        ("random_normal", "RandomNormal"),
        ("truncated_normal", "TruncatedNormal"),
    ],
)
def test_alias_is_the_same_class_and_a_name(alias, name):
    assert getattr(initializers, alias) is getattr(initializers, name)
    assert initializers.get(alias) == getattr(initializers, name)()


def test_a_subclass_without_a_value_says_so():
    with pytest.raises(TypeError, match=r"Initializer has to define __call__\(shape, dtype\)"):
        initializers.Initializer()((2,))


def test_constant_that_does_not_fit_is_named():
    with pytest.raises(WrongShape, match=r"shape \(3,\) does not broadcast to the shape \(3, 1\)"):
        initializers.Constant([1, 2, 3])((3, 1))


# -- bilinear up-sampling


def enlarge(images, factor):
    size = 2 * factor - factor % 2
    n = images.shape[-1]
    filters = initializers.BilinearUpsampling()((size, size, n, n), images.dtype)
    shape = [len(images), images.shape[1] * factor, images.shape[2] * factor, n]
    return tf.nn.conv2d_transpose(images, filters, shape, factor, "SAME").numpy()


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_bilinear_filters_enlarge_as_scipy_interpolates(factor):
    images = np.random.default_rng(0).normal(size=(2, 6, 5, 3))
    # The centre of the new pixel i is at (i + 0.5) / factor - 0.5 of the old ones.
    rows, columns = ((np.arange(n * factor) + 0.5) / factor - 0.5 for n in (6, 5))
    grid = np.meshgrid(rows, columns, indexing="ij")
    expected = np.empty((2, 6 * factor, 5 * factor, 3))
    for image, channel in np.ndindex(2, 3):
        pixels = images[image, :, :, channel]
        expected[image, :, :, channel] = ndimage.map_coordinates(pixels, grid, order=1)

    found = enlarge(images, factor)

    inner = slice(factor, -factor)
    np.testing.assert_allclose(found[:, inner, inner], expected[:, inner, inner], atol=1e-6)


def test_bilinear_filter_by_hand():
    init = initializers.deconv2d_bilinear_upsampling_initializer([4, 4, 2, 3])
    tent = np.array([0.25, 0.75, 0.75, 0.25])

    filters = init([4, 4, 2, 3]).numpy()

    np.testing.assert_allclose(filters[:, :, 0, 0], np.outer(tent, tent))
    np.testing.assert_array_equal(filters[:, :, 1, 1], filters[:, :, 0, 0])
    assert not filters[:, :, 0, 1:].any()
    assert not filters[:, :, 1, [0, 2]].any()


@pytest.mark.parametrize("shape", [(3, 4, 1, 1), (3, 3, 2, 1), (3, 3, 1)])
def test_bilinear_filters_need_square_filters_and_enough_inputs(shape):
    with pytest.raises(WrongShape, match=r"\(size, size, n_out, n_in\) with n_in >= n_out, got"):
        initializers.deconv2d_bilinear_upsampling_initializer(shape)


# -- get


@pytest.mark.parametrize(
    "init",
    [
        "he_normal",
        "truncated_normal",
        tf.keras.initializers.HeNormal(),
        tf.keras.initializers.HeNormal,
        initializers.Ones,
        initializers.RandomNormal(),
        lambda shape, dtype: tf.ones(shape, dtype),
        0,
        0.5,
        np.float32(0.5),
        [1.0, 2.0, 3.0],
        np.ones((2, 3)),
    ],
    ids=shown,
)
def test_layers_accept(init):
    net = tl.layers.Dense(tl.layers.Input([None, 2]), n_units=3, W_init=init)

    assert net.all_params[0].shape == (2, 3)


def test_keras_initializer_of_this_name_is_used():
    assert isinstance(initializers.get("glorot_uniform"), tf.keras.initializers.GlorotUniform)


def test_names_of_keras_and_here_are_those_of_here():
    tf.random.set_seed(0)
    once = initializers.get("truncated_normal")((3,))
    tf.random.set_seed(0)

    np.testing.assert_array_equal(once, initializers.get("truncated_normal")((3,)))


def test_unknown_names_and_things_are_named():
    with pytest.raises(InvalidArgument, match="unknown initializer 'he_norml'"):
        initializers.get("he_norml")
    with pytest.raises(InvalidArgument, match="a callable, a number, an array or a name, got None"):
        initializers.get(None)
