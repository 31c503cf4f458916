from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.distance import cosine
from scipy.special import huber
from sklearn import metrics

from tensorlayer import cost
from tensorlayer.errors import InvalidArgument, WrongShape

RNG = np.random.default_rng(2)
Y, T = RNG.normal(size=(2, 6, 5))
IMAGES, TRUTH = RNG.normal(size=(2, 4, 3, 5, 2))
IMAGE_AXES = (1, 2, 3)


def gradient(loss, *values):
    """Return gradients, compiled: XLA multiplies 0 and infinity where other kernels do not."""

    @tf.function(jit_compile=True)
    def compiled(*values):
        with tf.GradientTape() as tape:
            tape.watch(values)
            result = loss(*values)
        return tape.gradient(result, values)

    return compiled(*map(tf.convert_to_tensor, values))


def test_mean_squared_error_averages_or_sums_over_the_last_axis():
    mean = metrics.mean_squared_error(T, Y)

    assert cost.mean_squared_error(Y, T, is_mean=True).numpy() == pytest.approx(mean)
    assert cost.mean_squared_error(Y, T).numpy() == pytest.approx(5 * mean)


def test_absolute_difference_error_averages_or_sums_over_the_last_axis():
    mean = metrics.mean_absolute_error(T, Y)

    assert cost.absolute_difference_error(Y, T, is_mean=True).numpy() == pytest.approx(mean)
    assert cost.absolute_difference_error(Y, T).numpy() == pytest.approx(5 * mean)


def test_axis_of_images_is_the_last_one_and_the_1x_value_is_one_argument_away():
    squares = (IMAGES - TRUTH) ** 2

    last = cost.mean_squared_error(IMAGES, TRUTH).numpy()
    all_but_the_batch = cost.mean_squared_error(IMAGES, TRUTH, axis=list(IMAGE_AXES)).numpy()

    assert last == pytest.approx(squares.sum(-1).mean())
    assert all_but_the_batch == pytest.approx(squares.sum(IMAGE_AXES).mean())


def test_normalized_mean_square_error_is_a_ratio_of_norms():
    expected = np.mean(np.linalg.norm(Y - T, axis=-1) / np.linalg.norm(T, axis=-1))

    assert cost.normalized_mean_square_error(Y, T).numpy() == pytest.approx(expected)


def test_normalized_mean_square_error_over_several_axes():
    flat, truth = IMAGES.reshape(4, -1), TRUTH.reshape(4, -1)
    expected = np.mean(np.linalg.norm(flat - truth, axis=1) / np.linalg.norm(truth, axis=1))

    found = cost.normalized_mean_square_error(IMAGES, TRUTH, axis=IMAGE_AXES)

    assert found.numpy() == pytest.approx(expected)


def test_normalized_mean_square_error_counts_absolutely_where_the_target_is_zero():
    output, target = np.array([[3.0, 4.0], [1.0, 0.0]]), np.array([[0.0, 0.0], [2.0, 0.0]])

    assert cost.normalized_mean_square_error(output, target).numpy() == pytest.approx(2.75)
    assert cost.normalized_mean_square_error(output, 0.0).numpy() == pytest.approx(3.0)


def test_normalized_mean_square_error_has_a_gradient_where_the_error_is_zero():
    gradients = gradient(cost.normalized_mean_square_error, Y, Y)

    assert all(np.all(np.asarray(each) == 0) for each in gradients)


@pytest.mark.parametrize("delta", [0.5, 1.0, 2.0])
def test_huber_loss_is_that_of_scipy(delta):
    losses = huber(delta, Y - T)

    assert cost.huber_loss(Y, T, delta=delta).numpy() == pytest.approx(losses.mean())
    summed = cost.huber_loss(Y, T, is_mean=False, delta=delta).numpy()
    assert summed == pytest.approx(losses.sum(-1).mean())


def test_huber_loss_bends_at_a_fifth_of_the_largest_error():
    c = 0.2 * np.abs(Y - T).max()

    found = cost.huber_loss(Y, T, dynamichuber=True).numpy()

    assert found == pytest.approx(huber(c, Y - T).mean())


@pytest.mark.parametrize("dynamic", [False, True])
def test_reverse_huber_loss_is_linear_then_quadratic(dynamic):
    d = np.abs(Y - T)
    c = 0.2 * d.max() if dynamic else 0.7
    expected = [[x if x <= c else (x * x + c * c) / (2 * c) for x in row] for row in d]

    found = cost.huber_loss(Y, T, delta=0.7, dynamichuber=dynamic, reverse=True)

    assert found.numpy() == pytest.approx(np.mean(expected), rel=1e-4)


def test_a_dynamic_bend_is_a_constant_for_the_gradient():
    d = Y - T
    c = 0.2 * np.abs(d).max()
    slopes = np.where(np.abs(d) <= c, np.sign(d), 2 * d / (2 * c)) / d.size

    found = gradient(lambda y, t: cost.huber_loss(y, t, dynamichuber=True, reverse=True), Y, T)[0]

    np.testing.assert_allclose(found, slopes, rtol=1e-4)


@pytest.mark.parametrize("reverse", [False, True])
def test_dynamic_huber_loss_of_no_error_is_0_with_finite_gradients(reverse):
    def loss(o, t):
        return cost.huber_loss(o, t, dynamichuber=True, reverse=reverse)

    assert loss(Y, Y).numpy() == 0
    assert all(np.all(np.isfinite(each)) for each in gradient(loss, Y, Y))


@pytest.mark.parametrize("argument", ["delta", "epsilon"])
def test_huber_loss_names_its_rules(argument):
    with pytest.raises(InvalidArgument, match=rf"huber_loss: {argument} must be positive, got -1"):
        cost.huber_loss(Y, T, **{argument: -1})


def test_cosine_similarity_is_that_of_scipy():
    expected = [1 - cosine(o, t) for o, t in zip(Y, T, strict=True)]

    np.testing.assert_allclose(cost.cosine_similarity(Y, T), expected)
    by_three = [each.reshape(-1, 1, each.shape[-1]) for each in (Y, T)]
    np.testing.assert_allclose(cost.cosine_similarity(*by_three)[:, 0], expected)


def test_cosine_similarity_of_a_vector_of_zeros_is_0_with_finite_gradients():
    zeros = np.zeros_like(Y)

    assert np.all(cost.cosine_similarity(zeros, T).numpy() == 0)
    assert all(np.all(np.isfinite(each)) for each in gradient(cost.cosine_similarity, zeros, T))


def test_integers_and_other_float_types_are_fine_as_targets():
    output = tf.constant([[1.0, 2.0]])

    assert cost.mean_squared_error(output, [[1, 4]]).numpy() == 4
    assert cost.mean_squared_error(output, np.array([[1.0, 4.0]])).numpy() == 4


LOSSES = [
    cost.mean_squared_error,
    cost.absolute_difference_error,
    cost.normalized_mean_square_error,
    cost.huber_loss,
    cost.cosine_similarity,
]


@pytest.mark.parametrize("loss", LOSSES)
def test_a_column_against_a_row_is_an_error_and_no_table_of_differences(loss):
    with pytest.raises(WrongShape, match=rf"{loss.__name__}: .* \(4, 1\) and \(4,\)"):
        loss(tf.zeros([4, 1]), tf.zeros([4]))


@pytest.mark.parametrize("who", ["output", "target"])
def test_a_network_that_has_become_nan_is_not_perfect(who):
    both = {"output": tf.ones([2, 3]), "target": tf.ones([2, 3])}
    both[who] *= np.nan

    assert np.isnan(cost.normalized_mean_square_error(*both.values()))
    assert np.isnan(cost.cosine_similarity(*both.values())).all()
