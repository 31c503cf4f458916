"""One pass over arrays."""

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tensorlayer.utils.epochs import run_epoch, train_epoch

RNG = np.random.default_rng(0)
X = RNG.normal(size=(10, 2)).astype("float32")
Y = RNG.normal(size=(10, 1)).astype("float32")


def linear():
    net = tl.layers.Input([None, 2], name="x")
    return tl.layers.Dense(net, 1, W_init="zeros", name="dense")


def mean_absolute(output, target):
    return tf.reduce_mean(tf.abs(output - target))


@pytest.mark.parametrize("batch_size", [1, 3, 10, 100])
def test_the_short_last_batch_counts_by_its_size(batch_size):
    net = linear()
    loss, acc = run_epoch(net, X, Y, tl.cost.mean_squared_error, mean_absolute, batch_size)
    assert loss == pytest.approx(np.mean(Y**2), rel=1e-5)
    assert acc == pytest.approx(np.mean(np.abs(Y)), rel=1e-5)
    assert run_epoch(net, X, Y, acc=mean_absolute, shuffle=True)[0] is None
    assert run_epoch(net, X, Y) == (None, None)


def test_measuring_is_in_inference_mode_and_changes_nothing():
    net = tl.layers.BatchNorm(linear(), name="bn")
    before = [variable.numpy() for variable in net.all_params]
    run_epoch(net, X, Y, tl.cost.mean_squared_error)
    for variable, value in zip(net.all_params, before, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_training_steps_are_those_of_gradient_descent():
    net = linear()
    loss, acc = train_epoch(
        net, X, Y, tl.cost.mean_squared_error, tf.optimizers.SGD(0.1), mean_absolute, 4, False
    )
    W, b, losses, absolutes = np.zeros((2, 1)), np.zeros(1), [], []
    for x, y in ((X[:4], Y[:4]), (X[4:8], Y[4:8])):  # two left over
        error = x @ W + b - y
        losses.append(np.mean(error**2))
        absolutes.append(np.mean(np.abs(error)))
        W, b = W - 0.1 * 2 * x.T @ error / 4, b - 0.1 * 2 * error.mean(0)
    assert loss == pytest.approx(np.mean(losses), rel=1e-5)
    assert acc == pytest.approx(np.mean(absolutes), rel=1e-5)
    np.testing.assert_allclose(net.all_params[0], W, rtol=1e-4)
    np.testing.assert_allclose(net.all_params[1], b, rtol=1e-4)


def test_epochs_with_one_optimizer_converge_and_shuffle():
    net, optimizer = linear(), tf.optimizers.Adam(0.3)
    target = X @ np.array([[1.0], [-2.0]], "float32")
    for _ in range(12):
        loss, _ = train_epoch(
            net, X, target, tl.cost.mean_squared_error, optimizer, batch_size=10, shuffle=True
        )
    assert loss < 0.5 < np.mean(target**2)
    assert int(optimizer.iterations) == 12


@pytest.mark.parametrize("shuffle", [None, True, False])
def test_an_epoch_is_in_random_order_unless_told_otherwise(shuffle):
    seen = []

    def noted(output, y):
        seen.append(np.asarray(y).item())
        return tf.reduce_mean(output)

    said = {} if shuffle is None else {"shuffle": shuffle}
    numbers = np.arange(30, dtype="float32")[:, None]
    train_epoch(linear(), X[:1].repeat(30, 0), numbers, noted, batch_size=1, **said)

    assert sorted(seen) == list(range(30))
    assert (seen == list(range(30))) == (shuffle is False)


def test_without_an_optimizer_adam_makes_small_steps():
    net = linear()
    loss, acc = train_epoch(net, X, Y, tl.cost.mean_squared_error, batch_size=10)
    assert acc is None
    assert loss == pytest.approx(np.mean(Y**2), rel=1e-5)
    np.testing.assert_allclose(np.abs(net.all_params[0]), 1e-4, rtol=1e-2)


def test_wrong_arguments():
    net, cost = linear(), tl.cost.mean_squared_error
    with pytest.raises(InvalidArgument, match="of the same length and not empty, got 10 and 9"):
        run_epoch(net, X, Y[:9], cost)
    with pytest.raises(InvalidArgument, match="not empty, got 0 and 0"):
        run_epoch(net, X[:0], Y[:0], cost)
    with pytest.raises(InvalidArgument, match="batch_size has to be at least 1, got 0"):
        run_epoch(net, X, Y, cost, batch_size=0)
    with pytest.raises(InvalidArgument, match="batch_size has to be at least 1"):
        train_epoch(net, X, Y, cost, batch_size=0)
    with pytest.raises(InvalidArgument, match="10 samples, fewer than the batch_size 100"):
        train_epoch(net, X, Y, cost)
