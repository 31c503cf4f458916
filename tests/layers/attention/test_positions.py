from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import Input, PositionEmbedding, RotaryEncoding, SinusoidalEncoding
from tests.operations import operations

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 5, 6)).astype("float32")
HEADS = RNG.normal(size=(3, 5, 2, 6)).astype("float32")


def waves(positions, channels, longest=10000.0):
    """Return sine and cosine by the loops of the paper."""
    table = np.zeros((*np.shape(positions), channels))
    for index in np.ndindex(np.shape(positions)):
        for i in range(channels // 2):
            angle = np.asarray(positions)[index] / longest ** (2 * i / channels)
            table[(*index, 2 * i)], table[(*index, 2 * i + 1)] = np.sin(angle), np.cos(angle)
    return table


def turned(x, positions, longest=10000.0):
    """Turn pairs side by side, as complex numbers."""
    table = waves(positions, x.shape[-1], longest)
    if x.ndim == 4:
        table = table[..., None, :]
    pairs = (x[..., ::2] + 1j * x[..., 1::2]) * (table[..., 1::2] + 1j * table[..., ::2])
    return np.stack([pairs.real, pairs.imag], -1).reshape(x.shape)


# -- sinusoidal


@pytest.mark.parametrize("longest", [10000.0, 30])
def test_waves_are_added(longest):
    out = SinusoidalEncoding(longest)(X)

    np.testing.assert_allclose(out, X + waves(range(5), 6, longest), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("positions", [[7, 0, 3, 1000, 2], RNG.integers(0, 99, (3, 5))])
def test_waves_are_added_for_positions(positions):
    out = SinusoidalEncoding()(X, positions=positions)

    np.testing.assert_allclose(out, X + waves(positions, 6), rtol=1e-4, atol=1e-4)


def test_positions_may_be_a_network():
    x, positions = Input([None, None, 6], name="x"), Input([None, None], tf.int32, name="p")
    numbers = RNG.integers(0, 99, (3, 5)).astype("int32")
    for layer, expected in (
        (SinusoidalEncoding(), X + waves(numbers, 6)),
        (RotaryEncoding(), turned(X, numbers)),
    ):
        net = layer(x, positions=positions)

        assert net.outputs.shape.as_list() == [None, None, 6]
        np.testing.assert_allclose(net([X, numbers]), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("layer", [SinusoidalEncoding(), RotaryEncoding()])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_16_bits_count_far_enough(layer, dtype):
    positions = [4095]
    exact = layer(X[:, :1], positions=positions)

    out = layer(tf.cast(X[:, :1], dtype), positions=positions)

    assert out.dtype == dtype
    np.testing.assert_allclose(tf.cast(out, tf.float32), exact, atol=0.05)


def test_64_bits_are_computed_with_64():
    out = SinusoidalEncoding()(tf.zeros([1, 5, 6], tf.float64), positions=[123456] * 5)

    np.testing.assert_allclose(out, [waves([123456] * 5, 6)], rtol=1e-10)


# -- trained


def test_vectors_are_added():
    layer = PositionEmbedding(7, E_init="random_normal")

    out = layer(X)
    (E,) = layer.all_weights

    np.testing.assert_allclose(out, X + E.numpy()[:5], rtol=1e-6)
    np.testing.assert_allclose(layer(X, positions=[6, 0, 1, 1, 2]), X + E.numpy()[[6, 0, 1, 1, 2]])
    each = RNG.integers(0, 7, (3, 5))
    np.testing.assert_allclose(layer(X, positions=each), X + E.numpy()[each])
    assert 0.01 < np.std(PositionEmbedding(1000)(X) - X) < 0.03


def test_a_longer_input_has_no_vectors():
    with pytest.raises(WrongShape, match=r"5 steps, and there are vectors for 4\. Give a larger"):
        PositionEmbedding(4)(X)

    PositionEmbedding(5)(X)


@pytest.mark.parametrize("n_positions", [1, 4])
def test_an_input_whose_length_is_seen_late_is_refused_all_the_same(n_positions):
    layer = PositionEmbedding(n_positions)
    traced = tf.function(lambda x: layer(x), input_signature=[tf.TensorSpec([None, None, 6])])

    assert traced(X[:, :1]).shape == (3, 1, 6)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Expected size"):
        traced(X)


# -- rotary


@pytest.mark.parametrize("x", [X, HEADS])
@pytest.mark.parametrize("positions", [None, [7, 0, 3, 9, 2], RNG.integers(0, 99, (3, 5))])
@pytest.mark.parametrize("longest", [10000.0, 30])
def test_pairs_are_turned(x, positions, longest):
    out = RotaryEncoding(longest)(x, positions=positions)

    expected = turned(x, np.arange(5) if positions is None else positions, longest)
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("x", [X, HEADS])
def test_pairs_may_be_of_two_halves(x):
    order = [0, 3, 1, 4, 2, 5]  # the halves, interleaved

    out = RotaryEncoding(is_interleaved=False)(x).numpy()

    expected = turned(x[..., order], np.arange(5))
    np.testing.assert_allclose(out[..., order], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("is_interleaved", [True, False])
def test_products_depend_on_the_distance_alone(is_interleaved):
    layer = RotaryEncoding(is_interleaved=is_interleaved)
    q, k = X[:, :1], X[:, 1:2]

    def product(t, s):
        return tf.reduce_sum(layer(q, positions=[t]) * layer(k, positions=[s]), -1)

    np.testing.assert_allclose(product(17, 12), product(5, 0), rtol=1e-4, atol=1e-5)
    assert not np.allclose(product(17, 12), product(6, 0), atol=1e-2)


@pytest.mark.parametrize("is_interleaved", [True, False])
def test_its_shape_is_known_and_it_keeps_lengths(is_interleaved):
    net = RotaryEncoding(Input([None, None, 2, 6]), is_interleaved=is_interleaved)

    norms = [np.linalg.norm(each, axis=-1) for each in (net(HEADS), HEADS)]

    assert net.outputs.shape.as_list() == [None, None, 2, 6]
    np.testing.assert_allclose(*norms, rtol=1e-5)


# -- errors


@pytest.mark.parametrize("kind", [SinusoidalEncoding, RotaryEncoding])
def test_channels_go_in_pairs(kind):
    with pytest.raises(WrongShape, match=r"channels in pairs, so their number is even, got 5"):
        kind()(tf.zeros([2, 3, 5]))


@pytest.mark.parametrize("kind", [SinusoidalEncoding, RotaryEncoding])
@pytest.mark.parametrize("value", [1, 0.5, -3.0, "a", None])
def test_the_longest_wave_is_longer_than_the_shortest(kind, value):
    message = rf"{kind.__name__}: max_wavelength is a number above 1, got {value!r}"
    with pytest.raises(InvalidArgument, match=message):
        kind(max_wavelength=value)


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (SinusoidalEncoding, [2, 4]),
        (SinusoidalEncoding, [2, 3, 1, 4]),
        (PositionEmbedding, [2, 4]),
        (PositionEmbedding, [2, 3, 1, 4]),
        (RotaryEncoding, [2, 4]),
        (RotaryEncoding, [2, 3, 1, 1, 4]),
    ],
)
def test_an_input_is_a_sequence(kind, shape):
    with pytest.raises(
        WrongShape, match=r"must be of rank 3.* It is \(batch, steps, .*channels\)\.$"
    ):
        kind()(tf.zeros(shape))


@pytest.mark.parametrize("n_positions", [0, -1, 1.5, None])
def test_the_number_of_positions_is_positive(n_positions):
    with pytest.raises(InvalidArgument, match="PositionEmbedding: n_positions must be a positive"):
        PositionEmbedding(n_positions)


# -- cost


def test_traced_they_are_their_formulas():
    trained, spec = PositionEmbedding(7), tf.TensorSpec([3, None, 6])
    E = tf.Variable(tf.zeros([7, 6]))
    trained(X)

    def angles(x):
        t = tf.cast(tf.range(tf.shape(x)[1]), tf.float32)[:, None]
        w = t * 10000.0 ** -(tf.range(0, 6, 2, tf.float32) / 6)
        return tf.sin(w), tf.cos(w)

    def sinusoidal(x):
        pairs = tf.stack(angles(x), -1)
        return x + tf.reshape(pairs, tf.concat([tf.shape(pairs)[:-2], [6]], 0))

    def rotary(x):
        (sin, cos), a, b = angles(x), x[..., ::2], x[..., 1::2]
        pairs = tf.stack([a * cos - b * sin, a * sin + b * cos], -1)
        return tf.reshape(pairs, tf.shape(x))

    def embedding(x):
        return x + tf.slice(E, [0, 0], [tf.shape(x)[1], 6])

    for ours, twin in (
        (SinusoidalEncoding(), sinusoidal), (RotaryEncoding(), rotary), (trained, embedding)
    ):  # fmt: skip
        traced = tf.function(lambda x, ours=ours: ours(x))
        assert operations(traced, spec) == operations(tf.function(twin), spec)
