"""Training under conditions that nobody plans for: threads, runs within runs, odd batches."""

import threading

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl

POINTS = np.random.default_rng(0).normal(size=(37, 3)).astype("float32")
SUMS = POINTS.sum(1, keepdims=True)
SGD, EMA = tf.optimizers.SGD, {"use_ema": True, "ema_overwrite_frequency": 2}


def error(output, target):
    return tf.reduce_mean((output - target) ** 2)


def batches():
    return tf.data.Dataset.from_tensor_slices((POINTS, SUMS)).batch(8)


def network(seed=0):
    random = np.random.default_rng(seed)
    net = tl.layers.Dense(tl.layers.Input([None, 3]), 5 + seed, act="tanh")
    net = tl.layers.Dense(net, 1)
    for weight in net.trainable_weights:
        weight.assign(0.3 * random.normal(size=weight.shape).astype("float32"))
    return net


def by_hand(net, optimizer, data, n_epoch=1, after_epoch=lambda number: None):
    """Train without the library's steps and loops."""
    for number in range(1, n_epoch + 1):
        for points, sums in data:
            with tf.GradientTape() as tape:
                loss = error(net(points, is_train=True), sums)
            gradients = tape.gradient(loss, net.trainable_weights)
            optimizer.apply_gradients(zip(gradients, net.trainable_weights, strict=True))
        after_epoch(number)
    return net


def require_equal(net, other, atol=1e-6):
    for ours, wanted in zip(net.trainable_weights, other.trainable_weights, strict=True):
        np.testing.assert_allclose(ours, wanted, atol=atol)


@pytest.mark.parametrize(
    "make",
    [
        lambda: tf.optimizers.Nadam(0.01),
        lambda: SGD(0.05, momentum=0.9, **EMA),
        lambda: SGD(0.05, gradient_accumulation_steps=3),
        lambda: tf.optimizers.Adam(tf.optimizers.schedules.ExponentialDecay(0.05, 3, 0.7)),
    ],
)
def test_optimizers_with_a_state_of_their_own_train_as_by_hand(make):
    net = network()

    tl.train.run(tl.train.GradientStep(net, error, make(), accumulate=3), batches(), n_epoch=2)

    require_equal(net, by_hand(network(), make(), batches(), n_epoch=2))


@pytest.mark.parametrize(
    "make", [lambda: tf.optimizers.Nadam(0.02), lambda: SGD(0.05, **EMA)], ids=["nadam", "ema"]
)
def test_a_batch_that_overflows_is_as_if_it_had_not_been(make):
    net, scaled = network(), tl.optimizers.LossScaleOptimizer(make())
    good = [(points.numpy(), sums.numpy()) for points, sums in batches()]
    bad = (good[2][0], np.inf * good[2][1])

    tl.train.run(tl.train.GradientStep(net, error, scaled), [*good[:2], bad, *good[3:]])

    require_equal(net, by_hand(network(), make(), [*good[:2], *good[3:]]))


@pytest.mark.parametrize(
    "wrapped", [lambda optimizer: optimizer, tl.optimizers.LossScaleOptimizer], ids=["plain", "ls"]
)
def test_a_callback_may_change_the_learning_rate(wrapped):
    net, optimizer, other = network(), wrapped(tl.optimizers.Adam(0.02)), tf.optimizers.Adam(0.02)

    def after_epoch(epoch):
        optimizer.learning_rate = 0.1 / epoch.number

    step = tl.train.GradientStep(net, error, optimizer)
    tl.train.run(step, batches(), n_epoch=3, callbacks=[after_epoch])

    def by_number(number):
        other.learning_rate = 0.1 / number

    require_equal(net, by_hand(network(), other, batches(), 3, by_number))


def test_models_train_in_threads_as_they_do_alone():
    def train(seed, found):
        net = network(seed)
        step = tl.train.GradientStep(net, error, tf.optimizers.Adam(0.01), accumulate=1 + seed)
        tl.train.run(step, batches(), n_epoch=5)
        found[seed] = net

    alone, together = {}, {}
    for seed in range(2):
        train(seed, alone)
    threads = [threading.Thread(target=train, args=(seed, together)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for seed in range(2):
        require_equal(together[seed], alone[seed], atol=0)


def test_a_run_within_a_callback_of_a_run_of_the_same_step():
    total, n_inner = tf.Variable(0.0), []

    def step(x):
        total.assign_add(x)
        return x

    ones = tf.data.Dataset.from_tensor_slices(tf.ones(10))

    def inner(_):
        if len(n_inner) < 3:
            n_inner.append(tl.train.run(step, ones)[0].n_steps)

    epochs = tl.train.run(step, ones, n_epoch=2, callbacks=[tl.train.Every(3, inner)])

    assert n_inner == [10, 10, 10]
    assert [epoch.n_steps for epoch in epochs] == [10, 10]
    assert total.numpy() == 50


def test_a_checkpoint_within_a_callback_of_a_run_that_has_one(tmp_path):
    outer, inner = tf.Variable(0.0), tf.Variable(0.0)
    ones = tf.data.Dataset.from_tensor_slices(tf.ones(10))

    def count_inner(epoch):
        saved = tl.train.Checkpoint(tmp_path / "inner", {"inner": inner})
        tl.train.run(inner.assign_add, ones, n_epoch=epoch.number, checkpoint=saved)

    for _ in range(2):  # the second time there is nothing left to do
        saved = tl.train.Checkpoint(tmp_path / "outer", {"outer": outer}, every=4)
        tl.train.run(outer.assign_add, ones, n_epoch=3, checkpoint=saved, callbacks=[count_inner])

    assert (outer.numpy(), inner.numpy()) == (30, 30)


def test_data_that_fails_half_way_has_trained_until_there():
    total = tf.Variable(0.0)

    def checked(i):
        return tf.debugging.check_numerics(1.0 / tf.cast(5 - i, tf.float32), "bad sample")

    with pytest.raises(tf.errors.InvalidArgumentError, match="bad sample"):
        tl.train.run(total.assign_add, tf.data.Dataset.range(10).map(checked))

    assert total.numpy() == pytest.approx(sum(1 / n for n in range(1, 6)))


def test_ragged_targets_are_taken_apart_too():
    ragged = tf.ragged.constant([[1.0] * (1 + i % 3) for i in range(37)])
    data = tf.data.Dataset.from_tensor_slices((POINTS, ragged)).batch(8)

    def cost(output, target):
        return tf.reduce_mean((output[:, 0] - tf.reduce_sum(target, 1)) ** 2)

    found = [network(), network()]
    for net, accumulate in zip(found, (1, 3), strict=True):
        tl.train.run(tl.train.GradientStep(net, cost, SGD(0.1), accumulate=accumulate), data)

    require_equal(*found)


def test_none_is_a_part_of_a_batch():
    data = tf.data.Dataset.from_tensor_slices([1.0, 3.0]).map(lambda x: (x, None))

    epochs = tl.train.run(lambda x, nothing: x if nothing is None else -x, data)

    assert epochs[0].metrics == {"loss": 2.0}
