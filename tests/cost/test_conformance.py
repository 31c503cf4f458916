"""What every loss promises: one value whatever runs it, float32 from half precision, finite."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer import cost

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(6, 5)).astype("float32")
P = RNG.uniform(0.05, 0.95, size=(6, 5)).astype("float32")
Q = RNG.uniform(0.05, 0.95, size=(6, 5)).astype("float32")
BITS = (Q > 0.5).astype("float32")
WORDS = np.array([4, 0, 2, 1, 3, 3])
MASK = np.array([1, 1, 0, 1, 0, 1])


def by_example(logits):
    return cost.sequence_loss_by_example(
        [logits, logits], [WORDS, WORDS], [MASK, np.zeros_like(MASK)]
    )


# name -> (a function of the values that are learned, those values)
LOSSES = {
    "cross_entropy": (lambda x: cost.cross_entropy(x, WORDS), LOGITS),
    "sigmoid_cross_entropy": (lambda x: cost.sigmoid_cross_entropy(x, BITS), LOGITS),
    "binary_cross_entropy": (lambda x: cost.binary_cross_entropy(x, BITS), P),
    "mean_squared_error": (lambda x: cost.mean_squared_error(x, Q), P),
    "normalized_mean_square_error": (lambda x: cost.normalized_mean_square_error(x, Q), P),
    "absolute_difference_error": (lambda x: cost.absolute_difference_error(x, Q), P),
    "huber_loss": (lambda x: cost.huber_loss(x, Q, delta=0.3), P),
    "cosine_similarity": (lambda x: cost.cosine_similarity(x, Q), LOGITS),
    "dice_coe": (lambda x: cost.dice_coe(x, BITS, axis=-1), P),
    "dice_hard_coe": (lambda x: cost.dice_hard_coe(x, BITS, axis=-1), P),
    "iou_coe": (lambda x: cost.iou_coe(x, BITS, axis=-1), P),
    "cross_entropy_seq": (lambda x: cost.cross_entropy_seq(x, WORDS, batch_size=2), LOGITS),
    "cross_entropy_seq_with_mask": (
        lambda x: cost.cross_entropy_seq_with_mask(x, WORDS, MASK),
        LOGITS,
    ),
    "sequence_loss_by_example": (by_example, LOGITS),
    "li_regularizer": (cost.li_regularizer(0.1), LOGITS),
    "lo_regularizer": (cost.lo_regularizer(0.1), LOGITS),
    "maxnorm_regularizer": (cost.maxnorm_regularizer(0.1), LOGITS),
    "maxnorm_o_regularizer": (cost.maxnorm_o_regularizer(0.1), LOGITS),
    "maxnorm_i_regularizer": (cost.maxnorm_i_regularizer(0.1), LOGITS),
}
COUNTING = {"dice_hard_coe", "iou_coe"}  # they have no gradient

every_loss = pytest.mark.parametrize("name", LOSSES)


def test_the_list_names_every_exported_loss():
    assert set(LOSSES) | {"Regularizer"} == set(cost.__all__)


@every_loss
@pytest.mark.parametrize("jit_compile", [False, True], ids=["traced", "xla"])
def test_traced_and_compiled_for_any_batch_size_equal_eager(name, jit_compile):
    function, values = LOSSES[name]
    signature = [tf.TensorSpec([None, 5], tf.float32)]

    traced = tf.function(function, signature, jit_compile=jit_compile)(values)

    np.testing.assert_allclose(traced, function(values), rtol=1e-5)


@every_loss
@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16], ids=["float16", "bfloat16"])
def test_half_precision_is_computed_in_float32(name, dtype):
    function, values = LOSSES[name]
    values = tf.cast(values, dtype)
    with tf.GradientTape() as tape:
        tape.watch(values)
        loss = function(values)
    gradient = tape.gradient(loss, values)

    assert loss.dtype == tf.float32
    np.testing.assert_array_equal(loss, function(tf.cast(values, tf.float32)))
    if name not in COUNTING:
        assert gradient.dtype == dtype
        assert np.all(np.isfinite(tf.cast(gradient, tf.float32)))


@every_loss
def test_float64_stays_float64(name):
    function, values = LOSSES[name]

    loss = function(values.astype("float64"))

    assert loss.dtype == tf.float64
    np.testing.assert_allclose(loss, function(values), rtol=1e-5)


@pytest.mark.parametrize("name", sorted(set(LOSSES) - COUNTING))
def test_gradient_is_the_slope(name):
    function, values = LOSSES[name]
    theoretical, numerical = tf.test.compute_gradient(function, [values.astype("float64")], 1e-6)

    np.testing.assert_allclose(theoretical[0], numerical[0], atol=1e-6)


@pytest.mark.parametrize(
    ("ours", "by_hand"),
    [
        (
            lambda x: cost.cross_entropy(x, WORDS),
            lambda x: tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(WORDS, x)),
        ),
        (
            lambda x: cost.sigmoid_cross_entropy(x, BITS),
            lambda x: tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(BITS, x)),
        ),
        (
            lambda x: cost.mean_squared_error(x, Q),
            lambda x: tf.reduce_mean(tf.reduce_sum(tf.math.squared_difference(x, Q), -1)),
        ),
    ],
    ids=["cross_entropy", "sigmoid_cross_entropy", "mean_squared_error"],
)
def test_float32_takes_no_more_operations_than_by_hand(ours, by_hand):
    def operations(function):
        graph = tf.function(function).get_concrete_function(tf.TensorSpec([None, 5])).graph
        return sorted(operation.type for operation in graph.get_operations())

    assert operations(ours) == operations(by_hand)


def test_a_sum_beyond_the_range_of_float16_is_right():
    ones = tf.ones([1, 70_000], tf.float16)  # float16 ends at 65,504

    assert float(cost.mean_squared_error(ones, tf.zeros_like(ones))) == 70_000
