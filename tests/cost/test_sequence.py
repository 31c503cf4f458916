from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax

from tensorlayer import cost
from tensorlayer.errors import InvalidArgument

RNG = np.random.default_rng(4)
BATCH, STEPS, WORDS = 3, 4, 6
LOGITS = RNG.normal(size=(BATCH, STEPS, WORDS)).astype("float32")
TARGETS = RNG.integers(0, WORDS, size=(BATCH, STEPS))
LOSSES = -np.take_along_axis(log_softmax(LOGITS, -1), TARGETS[..., None], -1)[..., 0]
FLAT = LOGITS.reshape(-1, WORDS)


@pytest.mark.parametrize("logits", [FLAT, LOGITS], ids=["flat", "with time axis"])
def test_cross_entropy_seq_sums_over_words_and_divides_by_the_batch(logits):
    per_sequence = cost.cross_entropy_seq(logits, TARGETS, batch_size=BATCH)

    assert per_sequence.numpy() == pytest.approx(LOSSES.sum() / BATCH, rel=1e-5)
    assert cost.cross_entropy_seq(logits, TARGETS).numpy() == pytest.approx(LOSSES.sum(), rel=1e-5)


def test_cross_entropy_seq_of_no_words_is_0():
    assert cost.cross_entropy_seq(tf.zeros([0, 5]), tf.zeros([0], tf.int32), 2).numpy() == 0


def test_cross_entropy_seq_names_a_bad_batch_size():
    with pytest.raises(InvalidArgument, match="batch_size must be positive, got 0"):
        cost.cross_entropy_seq(FLAT, TARGETS, batch_size=0)


@settings(max_examples=15)
@given(st.lists(st.integers(0, 1), min_size=BATCH * STEPS, max_size=BATCH * STEPS))
def test_masked_cross_entropy_is_the_mean_of_what_the_mask_admits(bits):
    mask = np.reshape(bits, [BATCH, STEPS])
    admitted = LOSSES[mask == 1]

    found = cost.cross_entropy_seq_with_mask(FLAT, TARGETS, mask)

    expected = admitted.mean() if admitted.size else 0.0
    assert found.numpy() == pytest.approx(expected, rel=1e-5)


def test_masked_cross_entropy_of_zeros_only_has_gradients_of_0():
    logits = tf.constant(FLAT)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = cost.cross_entropy_seq_with_mask(logits, TARGETS, np.zeros_like(TARGETS))

    assert loss.numpy() == 0
    assert np.all(tape.gradient(loss, logits).numpy() == 0)


def test_padding_may_hold_any_number():
    targets = np.where(np.arange(STEPS) < 2, TARGETS, -1)

    found = cost.cross_entropy_seq_with_mask(LOGITS, targets, targets >= 0)

    assert found.numpy() == pytest.approx(LOSSES[:, :2].mean(), rel=1e-5)


def test_details_are_flat_and_weighted():
    mask = np.tile([1, 0, 1, 0], [BATCH, 1])

    loss, losses, weights, targets = cost.cross_entropy_seq_with_mask(
        FLAT, TARGETS, mask, return_details=True, name="masked"
    )

    np.testing.assert_allclose(losses, (LOSSES * mask).ravel(), rtol=1e-5)
    np.testing.assert_array_equal(weights, mask.ravel())
    np.testing.assert_array_equal(targets, TARGETS.ravel())
    assert loss.numpy() == pytest.approx(losses.numpy().sum() / mask.sum())


def by_steps(array):
    return [array[:, step] for step in range(STEPS)]


def test_sequence_loss_of_each_example():
    weights = RNG.uniform(0.5, 2.0, size=(BATCH, STEPS)).astype("float32")
    lists = [by_steps(array) for array in (LOGITS, TARGETS, weights)]
    total = (LOSSES * weights).sum(1)

    averaged = cost.sequence_loss_by_example(*lists)
    summed = cost.sequence_loss_by_example(*lists, average_across_timesteps=False)

    np.testing.assert_allclose(averaged, total / weights.sum(1), rtol=1e-5)
    np.testing.assert_allclose(summed, total, rtol=1e-5)


def test_sequence_loss_of_an_empty_example_is_0():
    weights = np.array([[1.0] * STEPS, [0.0] * STEPS, [1.0] * STEPS])

    found = cost.sequence_loss_by_example(*map(by_steps, (LOGITS, TARGETS, weights)))

    np.testing.assert_allclose(found, LOSSES.mean(1) * [1, 0, 1], rtol=1e-5)


def test_sequence_loss_with_a_function_of_the_user():
    lists = [by_steps(array) for array in (LOGITS, TARGETS, np.ones_like(TARGETS))]

    def right_logit(labels, logits):
        return tf.gather(logits, labels, batch_dims=1)

    found = cost.sequence_loss_by_example(*lists, softmax_loss_function=right_logit)

    expected = np.take_along_axis(LOGITS, TARGETS[..., None], -1)[..., 0].mean(1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("lengths", [(0, 0, 0), (2, 2, 1), (2, 1, 2)])
def test_sequence_loss_needs_lists_of_one_length(lengths):
    lists = [[tf.zeros([1])] * n for n in lengths]
    with pytest.raises(InvalidArgument, match=r"one tensor for each time step, got lengths \("):
        cost.sequence_loss_by_example(*lists)
