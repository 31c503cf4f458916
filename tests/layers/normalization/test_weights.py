from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import Conv2d, Dense, Flatten, Input, SpectralNorm, WeightNorm

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 5)).astype("float32")


def singular(matrix):
    return np.linalg.svd(matrix, compute_uv=False)[0]


# -- by length and direction


def test_a_layer_computes_at_first_what_it_would_alone():
    x = RNG.normal(size=(2, 6, 6, 3)).astype("float32")
    conv = Conv2d(4, 3, act="relu", W_init="random_normal", b_init=0.5)

    out = WeightNorm(conv)(x)

    expected = tf.nn.relu(tf.nn.conv2d(x, conv.W, 1, "SAME") + 0.5)
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_the_lengths_are_g_and_the_directions_v(axis):
    v = RNG.normal(size=(5, 4)).astype("float32")
    layer = WeightNorm(Dense(4, W_init=v, b_init=None), axis=axis)
    layer(X)
    g = RNG.uniform(1, 2, layer.g.shape).astype("float32")
    layer.g.assign(g)

    out = layer(X)

    lengths = np.linalg.norm(v, axis=1 if axis == 0 else 0, keepdims=True)
    scale = g[:, None] if axis == 0 else g
    np.testing.assert_allclose(out, X @ (scale * v / lengths), rtol=1e-4, atol=1e-5)


def test_gradients_are_those_of_the_formula():
    v = RNG.normal(size=(5, 4)).astype("float32")
    layer = WeightNorm(Dense(4, W_init=v, b_init=None))
    with tf.GradientTape() as tape:
        cost = tf.reduce_sum(layer(X) ** 2)
    found = tape.gradient(cost, layer.trainable_weights)

    twin_v, twin_g = tf.Variable(v), tf.Variable(layer.g)
    with tf.GradientTape() as tape:
        w = twin_g * twin_v / tf.sqrt(tf.reduce_sum(twin_v**2, 0))
        cost = tf.reduce_sum(tf.matmul(X, w) ** 2)

    for mine, other in zip(found, tape.gradient(cost, [twin_v, twin_g]), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-3)


# -- by the spectrum


@pytest.mark.parametrize("transposed", [False, True])
def test_the_largest_singular_value_becomes_1(transposed):
    filters = RNG.normal(size=(3, 3, 2, 4)).astype("float32")
    conv = Conv2d(4, 3, W_init=filters, b_init=None)
    layer = SpectralNorm(conv, n_iterations=50, axis=-2 if transposed else -1)
    x = RNG.normal(size=(2, 6, 6, 2)).astype("float32")

    out = layer(x, is_train=True)

    rows = filters.swapaxes(2, 3) if transposed else filters
    sigma = singular(rows.reshape(-1, rows.shape[-1]))
    expected = tf.nn.conv2d(x, filters / sigma, 1, "SAME")
    np.testing.assert_allclose(out, expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(layer(x, is_train=False), expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(conv.W, filters)  # which training changes, and nothing else


def test_the_iteration_goes_on_in_training_only():
    w = RNG.normal(size=(5, 4)).astype("float32")
    layer = SpectralNorm(Dense(4, W_init=w, b_init=None))
    layer(X, is_train=False)
    u = layer.u.numpy()

    layer(X, is_train=False)
    np.testing.assert_array_equal(layer.u, u)
    layer(X, is_train=True)
    u = u / np.linalg.norm(u)
    moved = w.T @ w @ u
    np.testing.assert_allclose(layer.u, moved / np.linalg.norm(moved), rtol=1e-4)

    for _ in range(60):
        layer(X, is_train=True)
    np.testing.assert_allclose(layer(X, is_train=False), X @ w / singular(w), rtol=1e-3, atol=1e-4)


def test_the_gradient_is_that_of_the_largest_singular_value():
    w = RNG.normal(size=(5, 4)).astype("float32")
    layer = SpectralNorm(Dense(4, W_init=w, b_init=None), n_iterations=80)
    with tf.GradientTape() as tape:
        cost = tf.reduce_sum(layer(X, is_train=True) ** 2)
    (found,) = tape.gradient(cost, layer.trainable_weights)

    def cost_of(w):
        return np.sum((X @ w / singular(w)) ** 2)

    step, expected = 1e-4, np.zeros_like(w, "float64")
    for place in np.ndindex(*w.shape):
        moved = np.zeros_like(w, "float64")
        moved[place] = step
        expected[place] = (cost_of(w + moved) - cost_of(w - moved)) / (2 * step)
    np.testing.assert_allclose(found, expected, rtol=1e-2, atol=1e-2)


def test_weights_of_zeros_stay_zeros():
    layer = SpectralNorm(Dense(4, W_init=0.0))
    with tf.GradientTape() as tape:
        cost = tf.reduce_sum(layer(X, is_train=True))

    assert cost == 0
    assert all(np.all(np.isfinite(g)) for g in tape.gradient(cost, layer.trainable_weights))


def test_what_is_frozen_stands_still():
    layer = SpectralNorm(Dense(4), trainable=False)
    layer(X)
    u = layer.u.numpy()

    layer(X, is_train=True)

    np.testing.assert_array_equal(layer.u, u)
    assert layer.trainable_weights == []


def discriminator():
    x = Input([None, 16, 16, 3], name="x")
    net = SpectralNorm(x, Conv2d(8, (4, 4), (2, 2), act="lrelu"), name="h0")
    net = tl.layers.BatchNorm(net, name="bn")
    net = SpectralNorm(Conv2d(8, (4, 4), (2, 2), name="conv"), name="h1")(net)
    net = SpectralNorm(Flatten(net, name="flat"), Dense(1), name="logits")
    return tl.models.Model(x, net)


def test_a_discriminator_trains_and_comes_back(tmp_path):
    model = discriminator()
    assert [n for n in model.parameters if "h" in n.split("/")[0]] == [
        "h0/filters", "h0/biases", "h0/u", "h1/conv/filters", "h1/conv/biases", "h1/u"
    ]  # fmt: skip
    optimizer = tf.keras.optimizers.Adam(0.01)
    images = RNG.normal(size=(16, 16, 16, 3)).astype("float32")
    labels = (images.mean((1, 2, 3)) > 0).astype("float32")[:, None]

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            logits = model(images, is_train=True)
            cost = tl.cost.sigmoid_cross_entropy(logits, labels)
        weights = model.trainable_weights
        optimizer.apply_gradients(zip(tape.gradient(cost, weights), weights, strict=True))
        return cost

    costs = [float(step()) for _ in range(30)]
    model.save_weights(tmp_path / "d.npz")
    other = tl.models.Model.from_config(model.config)
    other.load_weights(tmp_path / "d.npz")

    assert costs[-1] < 0.7 * costs[0]
    np.testing.assert_array_equal(other(images, is_train=False), model(images, is_train=False))


@pytest.mark.parametrize(("wrapper", "own"), [(SpectralNorm, "u"), (WeightNorm, "g")])
def test_variables_are_called_after_the_wrapper_or_the_named_layer_within(wrapper, own):
    x = Input([None, 5])
    unnamed, named = wrapper(x, Dense(4), name="a"), wrapper(x, Dense(4, name="d"), name="b")

    assert [v.name for v in unnamed.all_params] == [f"a/{n}:0" for n in ("weights", "biases", own)]
    assert [v.name for v in named.all_params] == ["d/weights:0", "d/biases:0", f"b/{own}:0"]
    assert list(named.parameters) == ["b/d/weights", "b/d/biases", f"b/{own}"]


@pytest.mark.parametrize("wrapper", [SpectralNorm, WeightNorm])
def test_in_channels_of_the_layer_within_makes_the_parameters_at_once(wrapper):
    assert len(wrapper(Dense(4, in_channels=5)).all_weights) == 3


@pytest.mark.parametrize("wrapper", [SpectralNorm, WeightNorm])
def test_a_layer_of_ones_own_is_wrapped(wrapper):
    class Scaled(tl.layers.Layer):
        def build(self, inputs_shape):
            self.kernel = self._get_weights("kernel", [inputs_shape[-1], 3])
            self.calls = 0

        def forward(self, inputs):
            self.calls += 1
            if tf.reduce_sum(inputs) > 1e9:  # Python's if on a tensor
                return inputs[:, :3]
            return tf.matmul(inputs, self.kernel)

    inner = Scaled()
    net = wrapper(Input([None, 5]), inner, weight="kernel", name="net")
    calls = inner.calls

    assert net(X).shape == (6, 3)
    assert tf.function(lambda x: net(x, is_train=True))(X).shape == (6, 3)
    assert inner.calls > calls  # what it stores stays
    assert isinstance(inner.kernel, tf.Variable)
    assert next(iter(net.parameters)) == "net/kernel"


@pytest.mark.parametrize("wrapper", [SpectralNorm, WeightNorm])
@pytest.mark.parametrize("dtype", ["mixed_float16", "float64"])
def test_the_layer_within_may_have_a_type_of_its_own(wrapper, dtype):
    out = wrapper(Dense(4, dtype=dtype), dtype=dtype)(X)

    assert out.dtype == ("float64" if dtype == "float64" else "float16")


@pytest.mark.parametrize(("wrapper", "expected"), [(SpectralNorm, 1 / 16), (WeightNorm, 300.0)])
def test_norms_of_weights_of_16_bits_do_not_overflow(wrapper, expected):
    layer = wrapper(Dense(4, W_init=300.0, b_init=None, dtype="float16"), dtype="float16")

    out = layer(tf.fill([1, 64], tf.constant(1 / 64, tf.float16)), is_train=True)

    assert {v.dtype for v in layer.all_weights} == {tf.float16}
    np.testing.assert_allclose(tf.cast(out, tf.float32), np.full([1, 4], expected), rtol=2e-3)


@pytest.mark.parametrize("wrapper", [SpectralNorm, WeightNorm])
def test_errors(wrapper):
    who = wrapper.__name__
    with pytest.raises(InvalidArgument, match=rf"{who}: it goes around a layer.*got 3"):
        wrapper(3)
    with pytest.raises(InvalidArgument, match=rf"{who}.*weight is the attribute.*got 'kernel'"):
        wrapper(Dense(4), weight="kernel")(X)
    with pytest.raises(InvalidArgument, match=rf"{who}.*'n_units', which is int"):
        wrapper(Dense(4), weight="n_units")(X)
    for axis in (2, -3):
        with pytest.raises(InvalidArgument, match=rf"{who}.*axis is one of the 2 axes"):
            wrapper(Dense(4), axis=axis)(X)
    with pytest.raises(InvalidArgument, match="n_iterations must be a positive integer, got 0"):
        SpectralNorm(Dense(4), n_iterations=0)
