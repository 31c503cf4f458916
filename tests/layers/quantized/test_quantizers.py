from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import (
    cabs,
    compute_alpha,
    quantize,
    quantize_active,
    quantize_active_overflow,
    quantize_weight,
    quantize_weight_overflow,
    ternary_operation,
)
from tensorlayer.layers.quantized.quantizers import bits, quantize_ternary
from tests.layers.quantized.rounding import alpha, levels, of_range, ternary

RNG = np.random.default_rng(0)
DTYPES = ["float16", "bfloat16", "float32", "float64"]
QUANTIZERS = {
    "quantize": quantize,
    "ternary_operation": ternary_operation,
    "quantize_ternary": quantize_ternary,
    "quantize_active": lambda x: quantize_active(x, 3),
    "quantize_weight 1": lambda x: quantize_weight(x, 1),
    "quantize_weight 3": lambda x: quantize_weight(x, 3),
    "quantize_active_overflow": lambda x: quantize_active_overflow(x, 3),
    "quantize_weight_overflow": lambda x: quantize_weight_overflow(x, 3),
}
every_quantizer = pytest.mark.parametrize("rounded", QUANTIZERS.values(), ids=QUANTIZERS)


def values(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype("float32")


def gradient(function, x, upstream):
    """The gradient of `sum(upstream * function(x))`."""
    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(upstream * function(x))
    return tape.gradient(loss, x).numpy()


# -- values


def test_quantize_is_the_sign():
    x = values(4, 5)

    np.testing.assert_array_equal(quantize(x), np.where(x > 0, 1, -1))


def test_ternary_values_are_nonzero_above_the_threshold():
    x = values(6, 7)

    np.testing.assert_array_equal(ternary_operation(x), ternary(x))
    assert set(ternary(x).ravel()) == {-1, 0, 1}


def test_alpha_is_the_mean_size_above_the_threshold():
    x = values(6, 7)

    np.testing.assert_allclose(compute_alpha(x), alpha(x), rtol=1e-6)
    assert compute_alpha(x).shape == ()


def test_alpha_is_the_best_size_for_ternary_values():
    x = values(30, 30)
    t, best = ternary(x), compute_alpha(x).numpy()

    def error(a):
        return ((x - a * t) ** 2).sum()

    assert error(best) < min(error(0.99 * best), error(1.01 * best))
    np.testing.assert_allclose(quantize_ternary(x), best * t, rtol=1e-6)


def test_cabs_is_the_size_up_to_one():
    x = 2 * values(5, 5)

    np.testing.assert_array_equal(cabs(x), np.clip(np.abs(x), 0, 1))
    np.testing.assert_array_equal(
        gradient(cabs, x, np.float32(3)), 3 * np.sign(x) * (np.abs(x) <= 1)
    )


@pytest.mark.parametrize("k", [1, 2, 3, 8])
def test_active_values_are_levels_from_0_to_1(k):
    x = RNG.uniform(size=(20, 5)).astype("float32")

    np.testing.assert_allclose(quantize_active(x, k), levels(x, 0, 1, k), atol=1e-6)


@pytest.mark.parametrize("k", [2, 3, 8])
def test_weights_are_levels_from_minus_1_to_1(k):
    x = values(20, 5)

    np.testing.assert_allclose(quantize_weight(x, k), levels(x, -1, 1, k), atol=1e-6)
    assert np.abs(x).max() > 1


def test_weights_of_one_bit_are_the_mean_size():
    x = values(20, 5)

    np.testing.assert_allclose(quantize_weight(x, 1), np.sign(x) * np.abs(x).mean(), rtol=1e-6)


@pytest.mark.parametrize("rounded", [quantize_active_overflow, quantize_weight_overflow])
@pytest.mark.parametrize("k", [1, 2, 3, 8])
def test_the_range_is_that_of_the_values(rounded, k):
    x = 7 * values(20, 5) + 3

    np.testing.assert_allclose(rounded(x, k), of_range(x, k), atol=2e-5)


@pytest.mark.parametrize(
    "rounded",
    [quantize_active, quantize_weight, quantize_active_overflow, quantize_weight_overflow],
)
def test_32_bits_leave_values_as_they_are(rounded):
    x = 3 * values(20, 5)

    np.testing.assert_array_equal(rounded(x, 32), x)


def test_32_bits_may_be_forced_on_weights():
    x = 3 * values(20, 5)

    np.testing.assert_allclose(
        quantize_weight(x, 32, force_quantization=True), np.clip(x, -1, 1), atol=1e-6
    )


def test_equal_values_stay_what_they_are():
    for x in (np.zeros([3, 3], "float32"), np.full([3, 3], -2.5, "float32")):
        np.testing.assert_array_equal(quantize_active_overflow(x, 8), x)
        np.testing.assert_allclose(quantize_ternary(x), x)
        np.testing.assert_allclose(quantize_weight(x, 1), x)
    assert compute_alpha(np.zeros([3, 3], "float32")).numpy() == 0


# -- gradients: the straight-through definition, by hand


def passed(name, x, upstream):
    if name == "quantize":
        return np.clip(upstream, -1, 1)
    if name == "quantize_weight 3":
        return upstream * (np.abs(x) <= 1)
    return upstream


@pytest.mark.parametrize("name", QUANTIZERS)
@pytest.mark.parametrize("kind", ["eager", "traced", "xla"])
def test_gradients_pass_straight_through(name, kind):
    x, upstream = values(6, 7), 3 * values(6, 7)
    variable = tf.Variable(x)

    def step(upstream):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(upstream * QUANTIZERS[name](variable))
        return tape.gradient(loss, variable)

    if kind != "eager":
        step = tf.function(step, jit_compile=kind == "xla")

    np.testing.assert_allclose(step(tf.constant(upstream)), passed(name, x, upstream), rtol=1e-6)


def test_a_session_of_tensorflow_1_has_the_same_gradients():
    x, upstream = values(6, 7), 3 * values(6, 7)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for name, rounded in QUANTIZERS.items():
            given = tf.constant(x)
            found = tf.compat.v1.gradients(rounded(given), given, tf.constant(upstream))[0]
            np.testing.assert_allclose(session.run(found), passed(name, x, upstream), rtol=1e-6)


def test_alpha_has_the_gradient_of_a_mean():
    x = values(4, 5)
    large = np.abs(x) > 0.7 * np.abs(x).mean()

    np.testing.assert_allclose(
        gradient(compute_alpha, x, np.float32(2)), 2 * np.sign(x) * large / large.sum(), rtol=1e-5
    )


# -- types


@every_quantizer
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_type_is_kept_and_rounded_alike(rounded, dtype):
    x = tf.cast(values(50, 40), dtype)
    exact = rounded(tf.cast(x, tf.float64))

    found = rounded(x)

    assert found.dtype == dtype
    np.testing.assert_allclose(tf.cast(found, tf.float64), exact, atol=1e-6, rtol=0.004)


def test_large_tensors_of_16_bits_have_a_mean():
    x = tf.cast(np.full([400, 500], 0.5), tf.float16)  # they sum up to 100 000, which float16 lacks

    assert compute_alpha(x).numpy() == 0.5
    assert tf.reduce_max(quantize_weight(x, 1)).numpy() == 0.5


# -- errors


@pytest.mark.parametrize("value", [0, 33, -1, 2.0, True, (3, 3), None])
def test_bits_are_from_1_to_32(value):
    message = r"QuanConv2d: bitW is a number of bits from 1 to 32, where 32 means not rounded; got"
    with pytest.raises(InvalidArgument, match=message):
        bits(value, "QuanConv2d", "bitW")


def test_all_numbers_of_bits_are_taken():
    assert [bits(k, "L", "bitA") for k in (1, np.int64(8), 32)] == [1, 8, 32]


@pytest.mark.parametrize(
    ("rounded", "what"),
    [
        (quantize_active, "bitA"),
        (quantize_weight, "bitW"),
        (quantize_active_overflow, "bitA"),
        (quantize_weight_overflow, "bitW"),
    ],
)
def test_every_function_checks_its_bits(rounded, what):
    with pytest.raises(InvalidArgument, match=f"{rounded.__name__}: {what} is a number of bits"):
        rounded(values(2, 2), 0)
