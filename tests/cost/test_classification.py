from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit, log_softmax
from sklearn.metrics import log_loss

from tensorlayer import cost
from tensorlayer.errors import InvalidArgument, WrongShape

RNG = np.random.default_rng(1)
LOGITS = 3 * RNG.normal(size=(7, 4)).astype("float32")
CLASSES = RNG.integers(0, 4, size=7)


def test_cross_entropy_is_the_log_loss_of_scikit_learn():
    expected = log_loss(CLASSES, np.exp(log_softmax(LOGITS, -1)), labels=range(4))

    assert cost.cross_entropy(LOGITS, CLASSES).numpy() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", [None, "loss"])
def test_cross_entropy_needs_no_name(name):
    assert np.isfinite(cost.cross_entropy(LOGITS, CLASSES, name=name))


def test_cross_entropy_of_pixels_is_the_mean_over_all():
    images = RNG.normal(size=(2, 3, 5, 4))
    classes = RNG.integers(0, 4, size=(2, 3, 5))
    chosen = np.take_along_axis(log_softmax(images, -1), classes[..., None], -1)

    assert cost.cross_entropy(images, classes).numpy() == pytest.approx(-chosen.mean())


def test_cross_entropy_of_certain_logits_is_finite():
    logits = tf.constant([[1e30, -1e30], [-1e30, 1e30]])

    assert cost.cross_entropy(logits, [0, 1]).numpy() == 0.0
    assert np.isfinite(cost.cross_entropy(logits, [1, 1]))


def test_cross_entropy_tells_what_to_do_with_one_hot_targets():
    with pytest.raises(WrongShape, match=r"tf\.argmax"):
        cost.cross_entropy(LOGITS, np.eye(4)[CLASSES])


def test_sigmoid_cross_entropy_is_the_mean_over_all_values():
    target = RNG.uniform(size=LOGITS.shape)
    p = expit(LOGITS.astype("float64"))
    expected = -np.mean(target * np.log(p) + (1 - target) * np.log(1 - p))

    assert cost.sigmoid_cross_entropy(LOGITS, target).numpy() == pytest.approx(expected, rel=1e-5)


def test_sigmoid_cross_entropy_takes_one_label_for_all():
    everywhere = cost.sigmoid_cross_entropy(LOGITS, np.ones_like(LOGITS))

    assert cost.sigmoid_cross_entropy(LOGITS, 1.0) == everywhere


def test_sigmoid_cross_entropy_of_certain_logits_is_finite():
    loss = cost.sigmoid_cross_entropy(tf.constant([[500.0], [-500.0]]), [[0.0], [1.0]])

    assert loss.numpy() == 500.0


def test_binary_cross_entropy_sums_over_axis_1():
    p, t = RNG.uniform(0.1, 0.9, size=(2, 5, 7, 3))
    expected = -(t * np.log(p) + (1 - t) * np.log(1 - p)).sum(1).mean()

    assert cost.binary_cross_entropy(p, t).numpy() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_binary_cross_entropy_is_finite_at_probabilities_0_and_1(dtype):
    p = tf.constant([[0.0, 1.0, 0.0, 1.0]], dtype)
    with tf.GradientTape() as tape:
        tape.watch(p)
        loss = cost.binary_cross_entropy(p, [[0.0, 1.0, 1.0, 0.0]])

    assert loss.numpy() == pytest.approx(2 * -np.log(1e-8), rel=1e-6)
    assert not np.any(np.isnan(tape.gradient(loss, p)))


def test_binary_cross_entropy_of_a_right_and_certain_answer_is_0():
    assert cost.binary_cross_entropy([[0.0, 1.0]], [[0, 1]]).numpy() == pytest.approx(0, abs=1e-7)


def test_binary_cross_entropy_forgives_rounding_beyond_1():
    beyond = np.nextafter(np.float32(1), np.float32(2))

    assert np.isfinite(cost.binary_cross_entropy([[beyond, -1e-7]], [[0.0, 1.0]]))


def test_binary_cross_entropy_names_its_rules():
    with pytest.raises(WrongShape, match="summed over axis 1"):
        cost.binary_cross_entropy([0.5, 0.5], [1.0, 0.0])
    with pytest.raises(InvalidArgument, match="epsilon must be positive, got 0"):
        cost.binary_cross_entropy([[0.5]], [[1.0]], epsilon=0)


@pytest.mark.parametrize("loss", [cost.sigmoid_cross_entropy, cost.binary_cross_entropy])
def test_ranks_have_to_agree(loss):
    with pytest.raises(WrongShape, match=rf"{loss.__name__}: output and target .* same rank"):
        loss(tf.zeros([4, 1]), tf.zeros([4]))
