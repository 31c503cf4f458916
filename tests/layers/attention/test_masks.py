from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import WrongShape
from tensorlayer.layers.attention.masks import causal, fitting, masked, of_keys, of_pairs

RNG = np.random.default_rng(0)
SCORES = RNG.normal(size=(2, 3, 4, 5)).astype("float32")


@pytest.mark.parametrize("offset", [0, 1, 3])
def test_no_query_looks_at_a_key_behind_it(offset):
    may_look = causal(SCORES, offset).numpy()

    queries, keys = np.indices((4, 5))
    np.testing.assert_array_equal(may_look, keys <= queries + offset)


@pytest.mark.parametrize("dtype", ["bool", "int32", "float32"])
def test_a_mask_of_keys_is_for_all_heads_and_queries(dtype):
    keys = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1]], dtype)

    found = of_keys(keys, "layer")

    assert found.shape == (2, 1, 1, 5)
    np.testing.assert_array_equal(found[:, 0, 0], keys)


@pytest.mark.parametrize(
    ("shape", "seen"), [((4, 5), (4, 5)), ((2, 4, 5), (2, 1, 4, 5)), ((2, 3, 4, 5), (2, 3, 4, 5))]
)
def test_a_mask_of_pairs_is_for_all_heads_unless_it_has_heads(shape, seen):
    truth = RNG.integers(0, 2, shape)

    np.testing.assert_array_equal(of_pairs(truth, "layer"), truth.reshape(seen))


def test_nested_lists_are_masks():
    np.testing.assert_array_equal(of_pairs([[1, 0], [1, 1]], "layer"), np.tri(2))
    np.testing.assert_array_equal(of_keys([[1.0, 0.0]], "layer")[0, 0], [[1.0, 0.0]])


@pytest.mark.parametrize("dtype", ["bool", "int64", "float32"])
def test_a_score_is_forbidden_where_one_mask_forbids_it(dtype):
    one, other = RNG.integers(0, 2, (2, 2, 1, 4, 5)).astype(dtype)

    found = masked(tf.constant(SCORES), [tf.constant(one), tf.constant(other)])
    alone = masked(tf.constant(SCORES), [tf.constant(one)])

    lowest = np.finfo("float32").min
    truth, second = one.astype(bool), other.astype(bool)
    np.testing.assert_array_equal(found, np.where(truth & second, SCORES, lowest))
    np.testing.assert_array_equal(alone, np.where(truth, SCORES, lowest))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_what_is_forbidden_is_finite_in_every_type(dtype):
    found = masked(tf.cast(SCORES, dtype), [tf.zeros([4, 5], tf.bool)])

    assert found.dtype == dtype
    assert np.all(np.isfinite(found.numpy().astype("float64")))
    np.testing.assert_allclose(tf.cast(tf.nn.softmax(found), tf.float32), 0.2, rtol=1e-2)


def test_without_masks_scores_are_what_they_are():
    scores = tf.constant(SCORES)

    assert masked(scores, []) is scores


@pytest.mark.parametrize("shape", [(5,), (2, 4, 5)])
def test_a_mask_of_keys_has_two_axes(shape):
    with pytest.raises(WrongShape, match=r"'layer': a key_mask is \(batch, keys\), got shape"):
        of_keys(np.ones(shape), "layer")


@pytest.mark.parametrize("shape", [(5,), (1, 2, 3, 4, 5)])
def test_a_mask_of_pairs_has_two_to_four_axes(shape):
    with pytest.raises(WrongShape, match=r"'layer': a bias is \(queries, keys\), .* a key_mask"):
        of_pairs(np.ones(shape), "layer", "bias")


def test_a_mask_of_unknown_rank_is_refused():
    @tf.function(input_signature=[tf.TensorSpec(None, tf.bool)])
    def look(mask):
        return of_pairs(mask, "layer")

    with pytest.raises(WrongShape, match=r"got shape <unknown>"):
        look.get_concrete_function()


@pytest.mark.parametrize("shape", [(4, 5), (1, 1), (2, 1, 4, 1), (2, 3, 4, 5), (1, 3, 1, 5)])
def test_a_mask_fits_with_the_sizes_of_the_scores_or_1(shape):
    mask = tf.ones(shape)

    assert fitting(mask, tf.zeros([2, 3, 4, 5]), "layer", "mask") is mask


@pytest.mark.parametrize("shape", [(4, 6), (5, 5), (2, 2, 4, 5), (3, 1, 1, 5)])
def test_a_mask_of_other_sizes_is_refused(shape):
    rule = r"'layer': there are 4 queries and 5 keys in a batch of 2, and the bias is for \("
    with pytest.raises(WrongShape, match=rule):
        fitting(tf.ones(shape), tf.zeros([2, 3, 4, 5]), "layer", "bias")


def test_sizes_that_nobody_knows_fit():
    @tf.function(input_signature=[tf.TensorSpec(None), tf.TensorSpec([None, 3, 4, None])])
    def look(mask, scores):
        return fitting(mask, scores, "layer", "mask"), fitting(scores, scores[:1], "layer", "mask")

    look(tf.ones([4, 5]), tf.zeros([2, 3, 4, 5]))
