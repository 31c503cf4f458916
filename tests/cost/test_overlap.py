from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial import distance
from sklearn.metrics import f1_score, jaccard_score

from tensorlayer import cost
from tensorlayer.errors import InvalidArgument, WrongShape

RNG = np.random.default_rng(3)
P = RNG.uniform(size=(3, 6, 5, 2)).astype("float32")
MASKS = (RNG.uniform(size=P.shape) > 0.4).astype("float32")
EMPTY = tf.zeros([2, 4, 4, 1])
COEFFICIENTS = [cost.dice_coe, cost.dice_hard_coe, cost.iou_coe]


def per_sample(measure):
    pairs = zip(P.reshape(3, -1), MASKS.reshape(3, -1), strict=True)
    return np.mean([measure(output, target) for output, target in pairs])


def test_soft_dice_of_plain_sums():
    expected = per_sample(lambda o, t: 2 * (o @ t) / (o.sum() + t.sum()))

    found = cost.dice_coe(P, MASKS, loss_type="sorensen", smooth=0.0)

    assert found.numpy() == pytest.approx(expected, rel=1e-5)


def test_soft_dice_of_squares():
    expected = per_sample(lambda o, t: 2 * (o @ t) / (o @ o + t @ t))

    assert cost.dice_coe(P, MASKS, smooth=0.0).numpy() == pytest.approx(expected, rel=1e-5)


def test_dice_of_masks_is_one_minus_the_dissimilarity_of_scipy():
    expected = per_sample(lambda o, t: 1 - distance.dice(o > 0.5, t > 0.5))

    assert cost.dice_hard_coe(P, MASKS).numpy() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8])
def test_hard_dice_is_the_f1_score(threshold):
    expected = per_sample(lambda o, t: f1_score(t > threshold, o > threshold))

    found = cost.dice_hard_coe(P, MASKS, threshold=threshold)

    assert found.numpy() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8])
def test_iou_is_the_jaccard_score(threshold):
    expected = per_sample(lambda o, t: jaccard_score(t > threshold, o > threshold))

    assert cost.iou_coe(P, MASKS, threshold=threshold).numpy() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("coefficient", [cost.dice_hard_coe, cost.iou_coe])
def test_a_value_at_the_threshold_is_not_in_the_mask(coefficient):
    at, above = tf.fill([1, 2, 2, 1], 0.5), tf.fill([1, 2, 2, 1], 0.6)

    assert coefficient(at, above).numpy() == pytest.approx(0, abs=1e-4)
    assert coefficient(above, at).numpy() == pytest.approx(0, abs=1e-4)
    assert coefficient(above, above).numpy() == pytest.approx(1)


def test_smooth_is_added_above_and_below():
    expected = per_sample(lambda o, t: (2 * (o @ t) + 3) / (o.sum() + t.sum() + 3))

    found = cost.dice_coe(P, MASKS, loss_type="sorensen", smooth=3.0)

    assert found.numpy() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_by_default_a_hundred_thousandth_is_added(coefficient):
    np.testing.assert_array_equal(coefficient(P, MASKS), coefficient(P, MASKS, smooth=1e-5))


@pytest.mark.parametrize("smooth", [0.0, 1e-5])
@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_two_empty_masks_are_equal(coefficient, smooth):
    assert coefficient(EMPTY, EMPTY, smooth=smooth).numpy() == 1.0


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_an_empty_and_a_full_mask_have_nothing_in_common(coefficient):
    assert coefficient(EMPTY, EMPTY + 1, smooth=0.0).numpy() == 0.0


@pytest.mark.parametrize("loss_type", ["jaccard", "sorensen"])
def test_gradient_at_empty_masks_is_finite(loss_type):
    with tf.GradientTape() as tape:
        tape.watch(EMPTY)
        loss = 1 - cost.dice_coe(EMPTY, EMPTY, loss_type, smooth=0.0)

    assert np.all(np.isfinite(tape.gradient(loss, EMPTY)))


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_axes_that_are_not_there_are_named(coefficient):
    message = rf"{coefficient.__name__}: axis \(1, 2, 3\) does not exist in shape \(2, 4, 4\)"
    with pytest.raises(WrongShape, match=message):
        coefficient(EMPTY[..., 0], EMPTY[..., 0])


def test_unknown_loss_type_is_named():
    with pytest.raises(InvalidArgument, match=r"loss_type is one of .*, got 'dice'"):
        cost.dice_coe(P, MASKS, loss_type="dice")
