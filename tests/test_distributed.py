"""`Trainer`: in one process, and on several devices and workers."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.distributed import Trainer
from tensorlayer.errors import InvalidArgument
from tests.train import cluster

X = np.random.default_rng(0).normal(size=[64, 2]).astype("float32")
Y = X[:, :1] - 2 * X[:, 1:]


def network(x, reuse=False):
    """Declare a network in the style of 1.x."""
    with tl.layers.variable_scope("mlp", reuse=reuse):
        return tl.layers.DenseLayer(tl.layers.InputLayer(x, name="x"), 1, name="out")


def build(x, y):
    net = network(x)
    return net, tl.cost.mean_squared_error(net.outputs, y), {"mean": tf.reduce_mean(net.outputs)}


def build_validation(x, y):
    net = network(x, reuse=True)
    return net, [tf.reduce_mean(tf.abs(net.outputs - y))]


def data(n=64):
    return tf.data.Dataset.from_tensor_slices((X[:n], Y[:n]))


def trainer(**options):
    given = {
        "training_dataset": data().repeat(40),
        "build_training_func": build,
        "optimizer": tl.optimizers.SGD,
        "optimizer_args": {"learning_rate": 0.1},
        "batch_size": 16,
        "log_step_size": 50,
    }
    return Trainer(**{**given, **options})


def descended(n_steps, batch_size=16, rate=0.1, first=None):
    """Return the weights and the last cost of gradient descent, by NumPy."""
    if first is None:
        first = [each.numpy() for each in trainer().training_network.all_weights]
    w, b = (np.array(each) for each in first)
    for step in range(n_steps):
        rows = np.arange(step * batch_size, (step + 1) * batch_size) % len(X)
        error = X[rows] @ w + b - Y[rows]
        cost = np.mean(error**2)
        w = w - rate * 2 * X[rows].T @ error / batch_size
        b = b - rate * 2 * error.mean(axis=0)
    return w, b, cost


def test_a_wrong_cluster_is_named_before_anything_waits(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker"}}')

    with pytest.raises(InvalidArgument, match="the index of a worker is a number from 0 to 0"):
        trainer()


def test_it_descends_as_numpy_does():
    tf.keras.utils.set_random_seed(1)
    expected = descended(160)
    tf.keras.utils.set_random_seed(1)
    found = trainer()

    found.train_to_end()

    assert found.global_step == 160
    for each, value in zip(found.training_network.all_weights, expected[:2], strict=True):
        np.testing.assert_allclose(each, value, atol=1e-5)
    assert found.session.should_stop()


def test_a_loop_of_ones_own_ends_with_the_data():
    found, costs = trainer(training_dataset=data()), []

    while not found.session.should_stop():
        try:
            costs.append(found.train_on_batch()["loss"])
        except tf.errors.OutOfRangeError:
            break

    assert len(costs) == found.global_step == 4
    assert costs[-1] < costs[0]
    assert found.session.should_stop()


def test_it_validates_with_the_same_weights(caplog):
    found = trainer(validation_dataset=data(40), build_validation_func=build_validation)

    with caplog.at_level(logging.INFO, logger="tensorlayer"):
        found.train_and_validate_to_end(validate_step_size=80)

    net = found.training_network
    assert [each.shape.as_list() for each in net.all_weights] == [[2, 1], [1]]
    w, b = (each.numpy() for each in net.all_weights)
    expected = np.abs(X[:40] @ w + b - Y[:40]).mean()
    assert found.validation_metrics["value_0"] == pytest.approx(expected, abs=1e-6)
    said = [each.getMessage() for each in caplog.records if each.name == "tensorlayer.distributed"]
    assert [line.partition(":")[0] for line in said] == [
        *("step 50", "validation after step 80", "step 100"),
        *("step 150", "validation after step 160"),
    ]
    assert "loss" in said[0]
    assert "mean" in said[0]


def test_it_ends_after_so_many_steps():
    found = trainer(max_iteration=7)

    found.train_to_end()

    assert found.global_step == 7


def test_it_goes_on_from_its_checkpoint(tmp_path):
    first = trainer(checkpoint_dir=tmp_path)
    first.train_to_end()

    second = trainer(checkpoint_dir=tmp_path)
    second.train_to_end()

    assert second.global_step == 160
    for one, other in zip(
        first.training_network.all_weights, second.training_network.all_weights, strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_whatever_ends_it_half_way_it_goes_on_with_what_was_saved(tmp_path):
    pairs, failing = data().repeat(150), tf.data.Dataset.from_tensors((X[0], Y[0]))
    failing = failing.map(lambda x, y: (tf.debugging.check_numerics(x / 0.0, "here"), y))

    tf.keras.utils.set_random_seed(1)
    whole = trainer(training_dataset=pairs)
    whole.train_to_end()
    tf.keras.utils.set_random_seed(1)
    broken = trainer(
        training_dataset=pairs.take(550 * 16).concatenate(failing.repeat(16)),
        checkpoint_dir=tmp_path,
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match="here"):
        broken.train_to_end()
    assert [path.name for path in tmp_path.glob("*.index")] == ["training-1.index"]
    again = trainer(training_dataset=pairs, checkpoint_dir=tmp_path)
    again.train_to_end()

    assert again.global_step == 600
    for one, other in zip(
        again.training_network.all_weights, whole.training_network.all_weights, strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"training_dataset": X}, r"training_dataset is a tf.data.Dataset .* got a ndarray"),
        ({"validation_dataset": [X]}, r"validation_dataset is a tf.data.Dataset .* got a list"),
        ({"batch_size": 0}, "batch_size is a positive whole number, got 0"),
        ({"log_step_size": 0.5}, "log_step_size is a positive whole number, got 0.5"),
        (
            {"build_training_func": lambda x, y: y},
            r"returns \(network, cost, what is logged\), got",
        ),
        ({"validation_dataset": data()}, "Give build_validation_func="),
    ],
)
def test_what_is_wrong_is_named(options, message):
    with pytest.raises(InvalidArgument, match=message):
        trainer(**options)


def test_the_cost_is_what_is_trained_whatever_is_logged():
    def build_with(loss):
        def declare(x, y):
            net, cost, _ = build(x, y)
            return net, cost, {"loss": cost if loss is None else loss}

        return declare

    same = trainer(build_training_func=build_with(None))
    assert same.train_on_batch()["loss"] > 0
    with pytest.raises(InvalidArgument, match=r"recorded as 'loss'.*Rename the metric"):
        trainer(build_training_func=build_with(tf.zeros([])))


def test_a_loop_of_ones_own_keeps_no_checkpoint(tmp_path):
    with pytest.raises(InvalidArgument, match=r"train_on_batch\(\) with a checkpoint_dir. Leave"):
        trainer(checkpoint_dir=tmp_path).train_on_batch()


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["trainer_on_two_devices", "trainer_of_two_workers"])
def test_of_two_each_takes_its_part(name):
    found = cluster.ended(cluster.start(2 if name == "trainer_of_two_workers" else 1, name))
    expected = descended(80, batch_size=16, rate=0.1, first=found[0]["first"])

    for each in found:
        assert each["n_steps"] == 80
        np.testing.assert_allclose(each["weights"], expected[:2][0].ravel(), atol=1e-5)


def test_validation_needs_data():
    with pytest.raises(InvalidArgument, match="validation_dataset= and build_validation_func="):
        trainer().train_and_validate_to_end()
    with pytest.raises(InvalidArgument, match="validate_step_size is a positive whole number"):
        trainer().train_and_validate_to_end(0)
