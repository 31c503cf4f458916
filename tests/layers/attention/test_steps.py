"""Attention step by step: what a cache keeps, and a memory that is projected once."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.layers import MultiheadAttention, RotaryEncoding
from tests.layers.attention.test_multihead import MEMORY, OTHER, WIDE, X, close


def stepwise(layer, x, sizes):
    """Return the outputs of a sequence that comes in parts."""
    cache, outputs, begin = layer.start(x), [], 0
    for size in sizes:
        out, cache = layer(x[:, begin : begin + size], cache=cache)
        outputs.append(out)
        begin += size
    return tf.concat(outputs, 1), cache


@pytest.mark.parametrize("rotary", [None, RotaryEncoding()])
@pytest.mark.parametrize("n_kv_heads", [None, 2])
@pytest.mark.parametrize("sizes", [[1] * 5, [3, 1, 1], [5]])
def test_steps_are_the_whole(rotary, n_kv_heads, sizes):
    layer = MultiheadAttention(4, 8, n_kv_heads, is_causal=True, rotary=rotary, **WIDE)

    outputs, (keys, values) = stepwise(layer, tf.constant(X), sizes)

    np.testing.assert_allclose(outputs, layer(X), rtol=1e-5, atol=1e-5)
    assert keys.shape == values.shape == (2, 5, n_kv_heads or 4, 2)


@pytest.mark.parametrize("dtype", ["bfloat16", "float64"])
def test_a_cache_has_the_type_that_is_computed_with(dtype):
    layer = MultiheadAttention(2, 8, is_causal=True)
    told = MultiheadAttention(2, 8, is_causal=True, dtype="mixed_bfloat16")

    outputs, cache = stepwise(layer, tf.cast(X, dtype), [2, 3])
    _, mixed = stepwise(told, tf.constant(X), [2, 3])

    assert outputs.dtype == cache[0].dtype == cache[1].dtype == dtype
    assert {each.dtype for each in (*mixed, *told.start(tf.constant(X)))} == {tf.bfloat16}


def test_steps_are_a_loop_of_tensorflow():
    layer = MultiheadAttention(2, 8, is_causal=True, rotary=RotaryEncoding(), **WIDE)
    expected = layer(X)

    @tf.function(input_signature=[tf.TensorSpec([None, None, 6])])
    def decode(x):
        n = tf.shape(x)[1]
        outputs = tf.TensorArray(tf.float32, n, element_shape=[None, 1, 8])

        def step(t, outputs, cache):
            y, cache = layer(x[:, t : t + 1], cache=cache)
            return t + 1, outputs.write(t, y), cache

        growing = tf.TensorShape([None, None, 2, 4])
        _, outputs, _ = tf.while_loop(
            lambda t, *_: t < n, step, (0, outputs, layer.start(x)),
            shape_invariants=(tf.TensorShape([]), tf.TensorShape(None), (growing, growing)),
        )  # fmt: skip
        return tf.concat(tf.unstack(outputs.stack(), 5), 1)

    np.testing.assert_allclose(decode(X), expected, rtol=1e-5, atol=1e-5)


def test_one_trace_is_for_all_steps():
    layer = MultiheadAttention(2, 8, is_causal=True, **WIDE)
    expected = layer(X)
    growing = tf.TensorSpec([None, None, 2, 4])
    step = tf.function(
        lambda x, cache: layer(x, cache=cache),
        input_signature=[tf.TensorSpec([None, 1, 6]), (growing, growing)],
    )
    cache, outputs = layer.start(tf.constant(X)), []
    for t in range(5):
        y, cache = step(X[:, t : t + 1], cache)
        outputs.append(y)

    assert step.experimental_get_tracing_count() == 1
    np.testing.assert_allclose(tf.concat(outputs, 1), expected, rtol=1e-5, atol=1e-5)


def test_a_mask_of_keys_begins_with_the_cache():
    layer = MultiheadAttention(2, 8, is_causal=True, **WIDE)
    keys = np.array([[0, 1, 1, 1, 1], [1, 1, 1, 0, 1]], bool)
    _, cache = layer(X[:, :4], cache=layer.start(tf.constant(X)), key_mask=keys[:, :4])

    last, _ = layer(X[:, 4:], cache=cache, key_mask=keys)

    np.testing.assert_allclose(last, layer(X, key_mask=keys)[:, 4:], rtol=1e-5, atol=1e-5)


def test_what_is_returned_has_an_order():
    layer = MultiheadAttention(2, 8)

    outputs, (keys, _), weights = layer(X, cache=layer.start(tf.constant(X)), with_weights=True)

    assert (outputs.shape, keys.shape, weights.shape) == ((2, 5, 8), (2, 5, 2, 4), (2, 2, 5, 5))


@pytest.mark.parametrize("rotary", [None, RotaryEncoding()])
def test_a_memory_is_projected_once(rotary):
    layer = MultiheadAttention(2, 8, rotary=rotary, **WIDE)
    same = layer(X, MEMORY)

    again = layer(X, *layer.project(MEMORY))

    np.testing.assert_allclose(again, same, rtol=1e-5, atol=1e-6)
    two = MultiheadAttention(2, 8, rotary=rotary, **WIDE)
    expected = two(X, MEMORY, OTHER)
    np.testing.assert_allclose(two(X, *two.project(MEMORY, OTHER)), expected, **close)
