from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer import layers
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import Input, QuanConv2dWithBN, QuanDenseWithBN
from tests.layers.convolution.twins import assert_same, first, network, rng
from tests.layers.quantized.rounding import of_range
from tests.operations import operations

EXACT = {"bitW": 32, "bitA": 32}
DENSE = (QuanDenseWithBN, (6,), {"n_units": 4})
CONV = (QuanConv2dWithBN, (7, 6, 3), {"n_filter": 4, "strides": (2, 1)})
both = pytest.mark.parametrize(
    ("layer", "shape", "arguments"), [DENSE, CONV], ids=["dense", "conv"]
)
is_trained = pytest.mark.parametrize("is_train", [True, False], ids=["training", "inference"])


def made(layer, shape, batch=16, **arguments):
    """A network with random parameters and positive variances, and values for it."""
    net, _ = network(layer, shape, **arguments)
    net.layer.moving_var.assign(rng().uniform(0.5, 2, net.layer.moving_var.shape))
    return net, rng().normal(size=(batch, *shape)).astype("float32")


def product(layer, x, weights):
    """The exact layer, in 64 bits."""
    x, weights = tf.cast(x, tf.float64), tf.cast(weights, tf.float64)
    if layer is QuanDenseWithBN:
        return x @ weights
    return tf.nn.conv2d(x, weights, (2, 1), "SAME")


def unfolded(layer, x, values, is_train, epsilon=1e-5):
    """The product, then batch normalisation, by NumPy in 64 bits; also the moments of the batch."""
    W, gamma, beta, mean, variance = (np.asarray(each, "float64") for each in values)
    z = product(layer, x, W).numpy()
    rows = z.reshape(-1, z.shape[-1])
    moments = rows.mean(0), rows.var(0)
    if is_train:
        mean, variance = moments
    return gamma * (z - mean) / np.sqrt(variance + epsilon) + beta, moments


def folded(layer, x, values, is_train, epsilon=1e-5):
    """The product of rounded factors, with folded weights and biases."""
    W, gamma, beta, mean, variance = (np.asarray(each, "float64") for each in values)
    if is_train:
        mean, variance = unfolded(layer, x, values, is_train)[1]
    scale = gamma / np.sqrt(variance + epsilon)
    return product(layer, of_range(x, 8), of_range(W * scale, 8)) + beta - mean * scale


@both
@is_trained
def test_without_rounding_it_is_product_and_batch_normalisation(layer, shape, arguments, is_train):
    net, x = made(layer, shape, **arguments, **EXACT, act="tanh", epsilon=0.01)
    expected, _ = unfolded(layer, x, net.all_params, is_train, 0.01)

    assert_same(net(x, is_train=is_train), np.tanh(expected))


@both
@is_trained
def test_both_factors_are_rounded_after_folding(layer, shape, arguments, is_train):
    net, x = made(layer, shape, **arguments)
    expected = folded(layer, x, net.all_params, is_train)
    exact, _ = unfolded(layer, x, net.all_params, is_train)

    outputs = net(x, is_train=is_train)

    assert_same(outputs, expected)
    assert 1e-4 < np.abs(outputs - exact).max() / np.abs(exact).max() < 0.05


@both
def test_averages_follow_the_moments_of_the_batch_in_training(layer, shape, arguments):
    net, x = made(layer, shape, **arguments, decay=0.7)
    mean, variance = (each.numpy() for each in net.all_params[-2:])
    _, (new_mean, new_variance) = unfolded(layer, x, net.all_params, True)

    net(x, is_train=True)

    assert_same(net.all_params[-2], 0.7 * mean + 0.3 * new_mean)
    assert_same(net.all_params[-1], 0.7 * variance + 0.3 * new_variance)


@both
def test_averages_stand_still_in_inference(layer, shape, arguments):
    net, x = made(layer, shape, **arguments)
    before = [each.numpy() for each in net.all_params]

    net(x, is_train=False)
    net(x)

    np.testing.assert_equal([each.numpy() for each in net.all_params], before)


@both
def test_trained_averages_make_inference_like_training(layer, shape, arguments):
    net, x = made(layer, shape, batch=64, **arguments)
    for _ in range(200):
        trained = net(x, is_train=True)

    assert_same(net(x, is_train=False), trained, 0.02)


@both
@is_trained
def test_gradients_are_those_of_the_unfolded_computation(layer, shape, arguments, is_train):
    net, x = made(layer, shape, **arguments, **EXACT)
    shape_of_outputs = net(x, is_train=False).shape
    upstream = rng().normal(size=shape_of_outputs).astype("float32")
    W, gamma, beta, mean, variance = variables = [
        tf.Variable(each.numpy().astype("float64")) for each in net.all_params
    ]

    with tf.GradientTape() as tape:
        z = product(layer, x, W)
        moments = tf.nn.moments(z, list(range(len(shape)))) if is_train else (mean, variance)
        y = tf.nn.batch_normalization(z, *moments, beta, gamma, 1e-5)
        loss = tf.reduce_sum(upstream * y)
    expected = tape.gradient(loss, variables[:3])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(upstream * net(x, is_train=is_train))
    found = tape.gradient(loss, net.trainable_weights)

    for ours, other in zip(found, expected, strict=True):
        assert_same(ours, other, 1e-4)


@both
@pytest.mark.parametrize("compiled", [None, False, True], ids=["eager", "traced", "xla"])
def test_gradients_pass_through_the_rounding(layer, shape, arguments, compiled):
    net, x = made(layer, shape, **arguments)
    values = [each.numpy() for each in net.all_params]
    upstream = rng().normal(size=net(x).shape).astype("float32")
    W, gamma, _, mean, variance = values
    scale = gamma / np.sqrt(variance + 1e-5)
    rounded = tf.Variable(of_range(W * scale, 8))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(upstream * product(layer, of_range(x, 8), rounded))
    of_rounded = tape.gradient(loss, rounded).numpy()
    axes = tuple(range(upstream.ndim - 1))
    of_scale = (of_rounded * W).sum(tuple(range(W.ndim - 1))) - mean * upstream.sum(axes)

    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(upstream * net(x, is_train=False))
        return tape.gradient(loss, net.trainable_weights)

    if compiled is not None:
        step = tf.function(step, jit_compile=compiled)
    of_weights, of_gamma, of_beta = step(tf.constant(x))

    assert_same(of_weights, of_rounded * scale)
    assert_same(of_gamma, of_scale / np.sqrt(variance + 1e-5))
    assert_same(of_beta, upstream.sum(axes))


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_it_trains(dtype):
    x = rng().normal(size=(128, 10)).astype("float32")
    labels = (x @ rng().normal(size=(10, 4))).argmax(-1)
    net = Input([None, 10], name="x")
    net = QuanDenseWithBN(net, 16, act="relu", gamma_init=1.0, dtype=dtype, name="hidden")
    net = QuanDenseWithBN(net, 4, gamma_init=1.0, dtype=dtype, name="logits")
    optimizer = tf.keras.optimizers.Adam(0.02)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            logits = tf.cast(net(x, is_train=True), tf.float32)
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            )
        variables = net.trainable_weights
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    for _ in range(150):
        step()

    assert (net(x, is_train=False).numpy().argmax(-1) == labels).mean() > 0.95


def test_channels_first_is_the_same():
    last, x = made(QuanConv2dWithBN, (6, 5, 3), n_filter=4)
    net = QuanConv2dWithBN(Input([None, 3, 6, 5]), 4, data_format="channels_first", name="layer")
    for is_train in (False, True):
        for source, target in zip(last.all_params, net.all_params, strict=True):
            target.assign(source)
        outputs = last(x, is_train=is_train).numpy()

        assert_same(net(first(x), is_train=is_train), first(outputs))
        for ours, other in zip(net.all_params, last.all_params, strict=True):
            assert_same(ours, other)


@both
@pytest.mark.parametrize("missing", ["gamma", "beta"])
def test_scale_or_offset_may_be_left_out(layer, shape, arguments, missing):
    net, x = made(layer, shape, **arguments, **EXACT, **{f"{missing}_init": None})
    assert f"layer/{missing}" not in net.parameters
    values = list(net.all_params)
    values.insert(*((1, np.ones(4)) if missing == "gamma" else (2, np.zeros(4))))

    assert_same(net(x, is_train=False), unfolded(layer, x, values, False)[0])


def test_an_empty_batch_leaves_the_averages_as_they_are():
    net, _ = made(QuanDenseWithBN, (6,), n_units=4)
    before = [each.numpy() for each in net.all_params]

    outputs = net(np.zeros([0, 6], "float32"), is_train=True)

    assert outputs.shape == (0, 4)
    np.testing.assert_equal([each.numpy() for each in net.all_params], before)


@both
def test_parameters_start_as_the_defaults_say(layer, shape, arguments):
    net = layer(Input([None, *shape]), 500, name="layer")
    weights, gamma, beta, mean, variance = (each.numpy() for each in net.all_params)
    deviation = 0.044 if layer is QuanDenseWithBN else 0.0176  # of 0.05 or 0.02, cut at two

    for each in (weights, gamma, beta):
        assert each.std() == pytest.approx(deviation, rel=0.1)
    np.testing.assert_array_equal(mean, np.zeros(500))
    np.testing.assert_array_equal(variance, np.ones(500))
    assert [v.trainable for v in net.all_params] == [True, True, True, False, False]
    assert [name.removeprefix("layer/") for name in net.parameters] == [
        "weights" if layer is QuanDenseWithBN else "filters",
        "gamma",
        "beta",
        "moving_mean",
        "moving_var",
    ]


def test_defaults():
    for layer in (QuanDenseWithBN(), QuanConv2dWithBN()):
        assert (layer.decay, layer.epsilon, layer.bitW, layer.bitA) == (0.9, 1e-5, 8, 8)
    assert QuanDenseWithBN().n_units == 100
    assert QuanConv2dWithBN().n_filter == 32
    assert layers.QuanDenseLayerWithBN is QuanDenseWithBN


def test_is_train_of_1x_is_accepted():
    net = QuanDenseWithBN(Input([None, 6]), 4, is_train=True, W_init_args=None, name="layer")
    x = rng().normal(size=(8, 6))

    np.testing.assert_array_equal(net(x), net(x, is_train=True))


@both
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"decay": 1.1}, r"decay must be in \[0, 1\], got 1\.1"),
        ({"decay": -0.1}, r"decay must be in \[0, 1\], got -0\.1"),
        ({"bitA": 0}, "bitA is a number of bits from 1 to 32"),
        ({"bitW": 0}, "bitW is a number of bits from 1 to 32"),
        ({"use_gemm": True}, "use_gemm must be False"),
    ],
)
def test_bad_arguments_name_rule_and_value(layer, shape, arguments, given, message):
    with pytest.raises(InvalidArgument, match=f"{layer.__name__}: {message}"):
        layer(**arguments, **given)


@both
@pytest.mark.parametrize("decay", [0, 1])
def test_extreme_decays_are_allowed(layer, shape, arguments, decay):
    net, x = made(layer, shape, **arguments, decay=decay)
    before = net.all_params[-1].numpy()
    _, (_, variance) = unfolded(layer, x, net.all_params, True)

    net(x, is_train=True)

    assert_same(net.all_params[-1], before if decay else variance)


def test_inference_has_one_product_and_the_operations_of_its_twin():
    net = QuanDenseWithBN(Input([None, 6]), 4, name="layer", bitA=32)
    W, gamma, beta, mean, variance = net.all_params

    def to_range(x):
        low = tf.reduce_min(x)
        step = (tf.reduce_max(x) - low) / 255.0
        return tf.round(tf.math.divide_no_nan(x - low, step)) * step + low

    def twin(x):
        scale = tf.math.rsqrt(variance + 1e-5) * gamma
        offset = beta - mean * scale
        return tf.nn.bias_add(x @ tf.grad_pass_through(to_range)(W * scale), offset)

    spec = tf.TensorSpec([None, 6])
    ours = operations(tf.function(lambda x: net(x, is_train=False)), spec)

    assert ours["MatMul"] == 1
    assert ours == operations(tf.function(twin), spec)
