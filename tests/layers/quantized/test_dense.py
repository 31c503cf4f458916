from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer import layers
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import BinaryDense, DorefaDense, Input, QuanDense, TernaryDense
from tests.layers.convolution.twins import assert_same, network, rng
from tests.layers.quantized.rounding import METHODS, NAMES
from tests.operations import operations

every_method = pytest.mark.parametrize(("name", "arguments", "method"), METHODS, ids=NAMES)
X = tf.TensorSpec([None, 6], tf.float32)


@every_method
def test_the_product_is_of_rounded_factors(name, arguments, method):
    net, x = network(getattr(layers, f"{name}Dense"), (6,), n_units=4, act="relu", **arguments)
    W, b = (parameter.numpy() for parameter in net.all_params)

    assert_same(net(x), np.maximum(method.inputs(x) @ method.weights(W) + b, 0))


@every_method
@pytest.mark.parametrize("kind", ["eager", "traced", "xla"])
def test_gradients_pass_through_the_rounding(name, arguments, method, kind):
    net, x = network(getattr(layers, f"{name}Dense"), (6,), n_units=4, **arguments)
    W = net.all_params[0].numpy()
    upstream = rng().normal(size=(2, 4)).astype("float32")

    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(upstream * net(x, is_train=True))
        return tape.gradient(loss, [*net.all_params, x])

    if kind != "eager":
        step = tf.function(step, jit_compile=kind == "xla")
    of_weights, of_biases, of_inputs = step(tf.constant(x))

    assert_same(of_weights, method.passed(W, method.inputs(x).T @ upstream))
    assert_same(of_biases, upstream.sum(0))
    assert_same(of_inputs, method.inputs_passed(x, upstream @ method.weights(W).T))


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("layer", [BinaryDense, TernaryDense, DorefaDense, QuanDense])
def test_training_finds_weights_that_fit(layer, dtype):
    x = np.sign(rng().normal(size=(256, 12))).astype("float32")
    target = x @ np.sign(rng().normal(size=(12, 3)))
    net = layer(Input([None, 12]), n_units=3, dtype=dtype, name="layer")
    scale = tf.Variable(tf.ones([3]))
    if layer is DorefaDense:  # it sees sizes from 0 to 1
        x = (x + 1) / 2
        target = x @ np.sign(rng().normal(size=(12, 3)))
    variables = [*net.trainable_weights, scale]
    optimizer = tf.keras.optimizers.Adam(0.02)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            outputs = scale * tf.cast(net(x, is_train=True), tf.float32)
            loss = tf.reduce_mean((outputs - target) ** 2)
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    losses = [step().numpy() for _ in range(300)]

    assert np.mean(losses[-20:]) < 0.05 * losses[0]


def test_what_is_saved_is_exact():
    net, x = network(TernaryDense, (6,), n_units=4)
    before = net.all_params[0].numpy()
    net(x, is_train=True)

    np.testing.assert_array_equal(net.all_params[0], before)
    assert len(np.unique(before)) == before.size


def test_without_b_init_there_is_no_bias():
    net, x = network(BinaryDense, (6,), n_units=4, b_init=None)

    assert list(net.parameters) == ["layer/weights"]
    assert_same(net(x), x @ np.sign(net.all_params[0].numpy()))


def test_in_channels_admits_any_rank():
    layer = QuanDense(n_units=3, in_channels=6, name="layer")

    assert layer.W.shape == (6, 3)
    assert layer(rng().normal(size=(2, 5, 6))).shape == (2, 5, 3)


def test_weights_start_as_a_truncated_normal():
    for layer in (BinaryDense, TernaryDense, DorefaDense, QuanDense):
        weights = layer(n_units=200, in_channels=200).W.numpy()

        assert weights.std() == pytest.approx(0.044, abs=0.002)  # 0.05 truncated at two deviations


def test_defaults():
    assert BinaryDense().n_units == 100
    assert (DorefaDense().bitW, DorefaDense().bitA, DorefaDense().n_units) == (1, 3, 100)
    assert (QuanDense().bitW, QuanDense().bitA, QuanDense().n_units) == (8, 8, 100)


def test_names_of_1x_are_the_layers():
    for name in ("Binary", "Ternary", "Dorefa", "Quan"):
        assert getattr(layers, f"{name}DenseLayer") is getattr(layers, f"{name}Dense")


@pytest.mark.parametrize("layer", [BinaryDense, TernaryDense, DorefaDense, QuanDense])
def test_use_gemm_is_refused_with_the_remedy(layer):
    message = rf"{layer.__name__}: use_gemm must be False, got True.*Leave it out.*TensorFlow Lite"
    with pytest.raises(InvalidArgument, match=message):
        layer(n_units=3, use_gemm=True)


@pytest.mark.parametrize("layer", [BinaryDense, TernaryDense, DorefaDense, QuanDense])
def test_another_rank_is_refused_with_the_remedy(layer):
    with pytest.raises(WrongShape, match=rf"{layer.__name__}.*rank 2, got shape \(None, 3, 4\)"):
        layer(Input([None, 3, 4]), n_units=3)


@pytest.mark.parametrize("layer", [DorefaDense, QuanDense])
@pytest.mark.parametrize("what", ["bitW", "bitA"])
def test_impossible_bits_are_refused(layer, what):
    with pytest.raises(InvalidArgument, match=rf"{layer.__name__}: {what} is .* 1 to 32.*got 0"):
        layer(n_units=3, **{what: 0})


straight = tf.grad_pass_through


def to_range(x):
    low, high = tf.reduce_min(x), tf.reduce_max(x)
    step = (high - low) / 255.0
    return tf.round(tf.math.divide_no_nan(x - low, step)) * step + low


def to_ternary(w):
    sizes = tf.abs(w)
    large = tf.cast(sizes > 0.7 * tf.reduce_mean(sizes), tf.float32)
    alpha = tf.math.divide_no_nan(tf.reduce_sum(sizes * large), tf.reduce_sum(large))
    return alpha * large * tf.sign(w)


TWINS = {
    "BinaryDense": lambda x, w, b: tf.nn.bias_add(x @ tl.act.sign(w), b),
    "TernaryDense": lambda x, w, b: tf.nn.bias_add(x @ straight(to_ternary)(w), b),
    "DorefaDense": lambda x, w, b: tf.nn.bias_add(
        straight(lambda x: tf.round(x * 7.0) / 7.0)(tf.minimum(tf.abs(x), 1))
        @ straight(lambda w: tf.sign(w) * tf.reduce_mean(tf.abs(w)))(w),
        b,
    ),
    "QuanDense": lambda x, w, b: tf.nn.bias_add(straight(to_range)(x) @ straight(to_range)(w), b),
}


@pytest.mark.parametrize("name", TWINS)
def test_traced_it_has_the_operations_of_its_twin(name):
    net = getattr(layers, name)(Input([None, 6]), n_units=4)

    def step(forward):
        @tf.function
        def run(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                loss = tf.reduce_sum(forward(x))
            return tape.gradient(loss, [x, *net.all_params])

        return operations(run, X)

    assert step(net) == step(lambda x: TWINS[name](x, *map(tf.convert_to_tensor, net.all_params)))
