from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.cost.numerics import norm, pair, ratio, wide
from tensorlayer.errors import WrongShape


@pytest.mark.parametrize(
    ("given", "wanted"),
    [("float16", "float32"), ("bfloat16", "float32"), ("int64", "float32"), ("float64", "float64")],
)
def test_losses_are_computed_in_a_wide_type(given, wanted):
    assert wide(tf.ones([2], given)).dtype == wanted


def test_the_target_takes_the_type_of_the_output():
    output, target = pair("loss", tf.ones([2], tf.float64), np.array([0, 1]))

    assert output.dtype == target.dtype == tf.float64


def test_another_rank_is_refused_but_for_a_scalar():
    with pytest.raises(WrongShape, match=r"loss: .* same rank, got shapes \(2, 1\) and \(2,\)"):
        pair("loss", tf.ones([2, 1]), tf.ones([2]))
    assert pair("loss", tf.ones([2, 1]), 0.0)[1].shape == ()


@pytest.mark.parametrize("jit_compile", [False, True])
def test_the_norm_of_zeros_has_a_gradient_of_zeros(jit_compile):
    @tf.function(jit_compile=jit_compile)
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(norm(x, -1))
        return tape.gradient(total, x)

    x = np.array([[3.0, 4.0], [0.0, 0.0]], "float32")
    np.testing.assert_allclose(gradient(tf.constant(x)), [[0.6, 0.8], [0, 0]], rtol=1e-6)


def test_norms_are_those_of_numpy():
    x = np.random.default_rng(0).normal(size=(3, 4, 5)).astype("float32")

    np.testing.assert_allclose(norm(tf.constant(x), (1, 2)), np.sqrt((x**2).sum((1, 2))), rtol=1e-5)


def test_a_ratio_over_nothing_is_finite():
    found = ratio(tf.constant([1.0, 0.0]), tf.constant([2.0, 0.0]), empty=1.0)

    np.testing.assert_array_equal(found, [0.5, 1.0])


def test_the_norm_of_what_is_no_number_is_no_number():
    x = tf.constant([[3.0, 4.0], [np.nan, 0.0], [np.inf, 0.0], [0.0, 0.0]])

    np.testing.assert_array_equal(norm(x, -1), [5.0, np.nan, np.inf, 0.0])
