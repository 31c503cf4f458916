from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tensorlayer.train import Epoch, early_stop, run


def counting():
    seen = tf.Variable(tf.zeros([0], tf.int64), shape=[None])

    def step(x):
        seen.assign(tf.concat([seen, x], 0))
        return tf.reduce_mean(tf.cast(x, tf.float32))

    return seen, step


@pytest.mark.parametrize("n", [1, 2, 7, 1000])
def test_every_batch_is_seen_once_and_in_order(n):
    seen, step = counting()

    epochs = run(step, tf.data.Dataset.range(n).batch(2), n_epoch=2)

    assert seen.numpy().tolist() == [*range(n), *range(n)]
    assert [e.number for e in epochs] == [1, 2]
    assert [e.n_steps for e in epochs] == [-(-n // 2)] * 2
    batches = [np.arange(n)[i : i + 2].mean() for i in range(0, n, 2)]
    assert epochs[0].metrics["loss"] == pytest.approx(np.mean(batches))


def test_the_step_is_traced_once_and_python_is_called_back_rarely():
    traces, calls = [], []

    def step(x):
        traces.append(1)
        tf.py_function(lambda: calls.append(1), [], [])
        return tf.cast(x, tf.float32)

    run(step, tf.data.Dataset.range(500), n_epoch=3)

    assert len(traces) <= 2  # TensorFlow traces again once variables exist
    assert len(calls) == 1500


def test_variables_of_an_optimizer_are_made_by_the_first_step():
    w = tf.Variable(5.0)
    optimizer = tf.optimizers.Adam(0.1)

    def step(x):
        with tf.GradientTape() as tape:
            loss = (w - x) ** 2
        optimizer.apply_gradients([(tape.gradient(loss, w), w)])
        return {"loss": loss, "w": w}

    epochs = run(step, tf.data.Dataset.from_tensors(2.0).repeat(100), n_epoch=2)

    assert w.numpy() == pytest.approx(2.0, abs=0.2)
    assert set(epochs[0].metrics) == {"loss", "w"}


def test_tuples_are_arguments_and_dictionaries_are_one():
    pairs = tf.data.Dataset.from_tensor_slices(([1.0, 2.0], [3.0, 4.0]))
    named = tf.data.Dataset.from_tensor_slices({"a": [1.0, 2.0], "b": [3.0, 4.0]})

    assert run(lambda a, b: a * b, pairs)[0].metrics["loss"] == pytest.approx(5.5)
    assert run(lambda d: d["a"] * d["b"], named)[0].metrics["loss"] == pytest.approx(5.5)


def test_data_may_be_a_function_of_the_epoch():
    numbers = []

    def data(epoch):
        numbers.append(epoch)
        return tf.data.Dataset.from_tensors(float(epoch))

    epochs = run(lambda x: x, data, n_epoch=3, first_epoch=5)

    assert numbers == [5, 6, 7]
    assert [e.metrics["loss"] for e in epochs] == [5.0, 6.0, 7.0]


def test_a_callback_that_returns_true_ends_training_after_all_were_called():
    seen = []
    data = tf.data.Dataset.from_tensors(1.0)

    epochs = run(lambda x: x, data, n_epoch=9, callbacks=[lambda e: e.number == 2, seen.append])

    assert len(epochs) == 2
    assert seen == epochs


def test_early_stop_waits_for_its_patience():
    stop = early_stop("acc", patience=2, mode="max")
    values = [0.5, 0.7, 0.6, 0.7, 0.65, 0.8]

    answers = [
        stop(Epoch(number=i, n_steps=1, seconds=0.0, metrics={"acc": value}))
        for i, value in enumerate(values)
    ]

    assert answers == [False, False, False, False, True, False]


def test_early_stop_names_the_metrics_there_are():
    stop = early_stop("los")
    with pytest.raises(InvalidArgument, match=r"returns a metric 'los', only \['loss'\]"):
        stop(Epoch(number=1, n_steps=1, seconds=0.0, metrics={"loss": 1.0}))
    with pytest.raises(InvalidArgument, match="mode is 'min' or 'max', got 'least'"):
        early_stop("loss", mode="least")


def test_an_empty_dataset_is_refused():
    with pytest.raises(InvalidArgument, match="epoch 1 of training has no batch"):
        run(lambda x: x, tf.data.Dataset.range(3).batch(5, drop_remainder=True))


def test_a_step_returns_scalars():
    with pytest.raises(InvalidArgument, match=r"got 'loss' of shape \(2,\). Reduce it"):
        run(lambda x: tf.stack([x, x]), tf.data.Dataset.from_tensors(1.0))


def test_a_progress_bar_shows_the_epoch_and_the_metrics(capsys):
    run(lambda x: {"cost": x}, tf.data.Dataset.from_tensors(2.5).repeat(3), progress=True)

    shown = capsys.readouterr().err
    assert "epoch 1/1" in shown
    assert "cost=2.5" in shown
    assert "3/3" in shown


def test_it_trains_under_a_distribution_strategy():
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        net = tl.layers.Dense(tl.layers.Input([None, 2]), 1, name="d")
        optimizer = tf.optimizers.SGD(0.1)
    x = np.random.default_rng(0).normal(size=(64, 2)).astype("float32")
    data = tf.data.Dataset.from_tensor_slices((x, x[:, :1])).batch(16)

    def replica_step(x, y):
        with tf.GradientTape() as tape:
            loss = tl.cost.mean_squared_error(net(x, is_train=True), y)
        gradients = tape.gradient(loss, net.trainable_weights)
        optimizer.apply_gradients(zip(gradients, net.trainable_weights, strict=True))
        return loss

    def step(x, y):
        losses = strategy.run(replica_step, args=(x, y))
        return strategy.reduce(tf.distribute.ReduceOp.MEAN, losses, axis=None)

    epochs = run(step, strategy.experimental_distribute_dataset(data), n_epoch=20)

    assert epochs[-1].metrics["loss"] < 0.05 < epochs[0].metrics["loss"]
