"""Measures over data that is held out: exact, in inference mode, and recorded."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tensorlayer.train import Checkpoint, Evaluation, early_stop, run

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(23, 3)).astype("float32")
Y = RANDOM.integers(0, 2, 23)


def network():
    x = tl.layers.BatchNorm(tl.layers.Input([None, 3]), name="bn")
    x = tl.layers.Dropout(tl.layers.Dense(x, 16, act="tanh", name="hidden"), keep=0.5, name="drop")
    return tl.layers.Dense(x, 2, name="logits")


def accuracy(logits, classes):
    return tf.reduce_mean(tf.cast(tf.argmax(logits, 1) == tf.cast(classes, tf.int64), tf.float32))


MEASURES = {"loss": tl.cost.cross_entropy, "accuracy": accuracy}


def wanted(net):
    """Return loss and accuracy over all samples, by NumPy from the logits of inference."""
    logits = net(X, is_train=False).numpy().astype("float64")
    shifted = logits - logits.max(1, keepdims=True)
    logarithms = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    loss = -logarithms[np.arange(len(Y)), Y].mean()
    return {"val_loss": loss, "val_accuracy": (logits.argmax(1) == Y).mean()}


def in_batches(n):
    return [(X[i : i + n], Y[i : i + n]) for i in range(0, len(X), n)]


@pytest.mark.parametrize("n", [1, 4, 22, 23, 100])
@pytest.mark.parametrize("kind", ["dataset", "list"])
def test_it_is_that_of_all_samples_whatever_the_batches(kind, n):
    net = network()
    dataset = tf.data.Dataset.from_tensor_slices((X, Y)).batch(n)

    found = Evaluation(net, MEASURES, dataset if kind == "dataset" else in_batches(n))()

    assert found == pytest.approx(wanted(net), rel=1e-5)


def test_nothing_changes_by_it():
    net = network()
    before = [each.numpy() for each in net.all_weights]

    Evaluation(net, MEASURES, in_batches(5))()

    assert all(np.array_equal(*each) for each in zip(net.all_weights, before, strict=True))


def test_it_is_traced_once_with_a_short_last_batch_and_when_it_is_called_again():
    traces = []

    def loss(output, target):
        traces.append(1)
        return tl.cost.cross_entropy(output, target)

    evaluation = Evaluation(
        network(), {"loss": loss}, tf.data.Dataset.from_tensor_slices((X, Y)).batch(7)
    )

    assert evaluation() == evaluation() == evaluation()
    assert len(traces) == 1


def training(net, **options):
    step = tl.train.GradientStep(net, tl.cost.cross_entropy, tf.optimizers.SGD(0.1))
    return run(step, tf.data.Dataset.from_tensor_slices((X, Y)).batch(8), **options)


def test_it_is_recorded_with_the_metrics_of_the_epoch():
    net, seen = network(), []

    epochs = training(
        net,
        n_epoch=3,
        evaluate=Evaluation(net, MEASURES, in_batches(5)),
        callbacks=[lambda epoch: seen.append((epoch.metrics, wanted(net)))],
    )

    assert [list(epoch.metrics) for epoch in epochs] == [["loss", "val_loss", "val_accuracy"]] * 3
    for metrics, right in seen:
        assert {name: metrics[name] for name in right} == pytest.approx(right, rel=1e-5)


def test_training_may_stop_by_it():
    found = iter([3.0, 2.0, 2.5, 2.6, 0.0])

    epochs = training(
        network(),
        n_epoch=9,
        evaluate=lambda: {"val_loss": next(found)},
        callbacks=[early_stop("val_loss", patience=1)],
    )

    assert [epoch.metrics["val_loss"] for epoch in epochs] == [3.0, 2.0, 2.5, 2.6]


def test_a_run_that_goes_on_knows_what_was_measured(tmp_path):
    def train(n_epoch):
        w, found = tf.Variable(0.0), iter([np.float32(n) for n in (0.5, 0.25, 0.125)])
        saved = Checkpoint(tmp_path, {"w": w})
        return run(
            w.assign_add,
            [1.0, 2.0],
            n_epoch=n_epoch,
            checkpoint=saved,
            evaluate=lambda: {"val": next(found)},
        )

    train(1)
    epochs = train(2)

    assert [epoch.metrics for epoch in epochs] == [
        {"loss": 2.0, "val": 0.5},
        {"loss": 5.0, "val": 0.5},
    ]


def test_events_of_the_hub_have_it(hub):
    net = network()

    epochs = training(
        net,
        n_epoch=2,
        evaluate=Evaluation(net, MEASURES, in_batches(5)),
        callbacks=[lambda epoch: hub.models.log("net", epoch.metrics, step=epoch.number)],
    )

    hub.models.flush()
    events = hub.models.events("net", "val_loss")
    assert [(each.step, each.value) for each in events] == [
        (epoch.number, epoch.metrics["val_loss"]) for epoch in epochs
    ]


def test_names_of_training_are_not_taken():
    with pytest.raises(InvalidArgument, match=r"both return 'loss'.*such as 'val_loss'"):
        training(network(), evaluate=lambda: {"loss": 1.0})


@pytest.mark.parametrize(
    ("metrics", "data", "message"),
    [
        ({}, [], r"Evaluation: there is no metric\. Give one by name\."),
        ([accuracy], [], r"metrics are functions of \(output, target\) by name, got \[<function"),
        (MEASURES, iter([]), "got a list_iterator, which cannot be. Give a list or a dataset"),
        (MEASURES, lambda epoch: [], "got a function, which cannot be. Give a list or a dataset"),
    ],
)
def test_arguments_are_looked_at_at_once(metrics, data, message):
    with pytest.raises(InvalidArgument, match=message):
        Evaluation(network(), metrics, data)


@pytest.mark.parametrize("data", [[], tf.data.Dataset.from_tensor_slices((X, Y)).take(0)])
def test_data_has_a_batch(data):
    with pytest.raises(InvalidArgument, match="Evaluation: the data has no batch"):
        Evaluation(network(), MEASURES, data)()


def test_a_batch_has_a_target():
    with pytest.raises(InvalidArgument, match=r"got 1 value of type .*dataset\.map"):
        Evaluation(network(), MEASURES, [X])()


class Stop(Exception):
    """The program ends here."""


def test_an_evaluation_that_is_killed_does_not_cost_the_epoch(tmp_path):
    def train(is_killed):
        w = tf.Variable(0.0)

        def evaluate():
            if is_killed and w == 6.0:
                raise Stop
            return {"val": w.numpy()}

        saved = Checkpoint(tmp_path, {"w": w})
        return run(w.assign_add, [1.0, 2.0], n_epoch=3, checkpoint=saved, evaluate=evaluate)

    with pytest.raises(Stop):
        train(is_killed=True)
    epochs = train(is_killed=False)

    assert [epoch.metrics for epoch in epochs] == [
        {"loss": 2.0, "val": 3.0},
        {"loss": 5.0, "val": 6.0},
        {"loss": 8.0, "val": 9.0},
    ]


@pytest.mark.parametrize("until", [5, 10, 13, 20])
def test_data_that_counts_its_passes_counts_those_of_evaluation(tmp_path, until):
    net = tl.layers.Lambda(tl.layers.Input([None], dtype=tf.int64), lambda x: x)

    def train(checkpoint, *callbacks):
        w = tf.Variable(0.0, dtype=tf.float64)
        data = tf.data.Dataset.range(10).shuffle(10, seed=1)
        pairs = data.map(lambda x: (x[None], x[None])).take(3)
        first = {"first": lambda output, _: tf.reduce_mean(tf.cast(output, tf.float64))}
        return w, run(
            lambda x: w.assign(0.5 * w + tf.cast(x, w.dtype)),
            data,
            n_epoch=3,
            callbacks=callbacks,
            checkpoint=Checkpoint(tmp_path, {"w": w}, every=1) if checkpoint else None,
            evaluate=Evaluation(net, first, pairs),
        )

    def stop(_):
        raise Stop

    with pytest.raises(Stop):
        train(True, tl.train.Every(until, stop))
    (w, epochs), (right, others) = train(True), train(False)

    assert float(w) == float(right)
    assert [epoch.metrics for epoch in epochs] == [epoch.metrics for epoch in others]


def test_what_is_evaluated_may_know_the_epochs_before(tmp_path):
    class Best:
        def __init__(self):
            self.best = 0

        def __call__(self):
            self.best += 1
            return {"n": self.best}

        def resume(self, history):
            self.best = history[-1].metrics["n"]

    def train(n_epoch):
        saved = Checkpoint(tmp_path, {})
        return run(lambda x: x, [1.0], n_epoch=n_epoch, checkpoint=saved, evaluate=Best())

    train(2)

    assert [epoch.metrics["n"] for epoch in train(3)] == [1, 2, 3]


def test_what_is_evaluated_returns_numbers_by_name_or_nothing():
    with pytest.raises(InvalidArgument, match=r"by name, or nothing, got a float\. Return"):
        training(network(), evaluate=lambda: 0.0)

    assert list(training(network(), evaluate=lambda: None)[0].metrics) == ["loss"]


def test_what_is_evaluated_is_a_function():
    with pytest.raises(InvalidArgument, match=r"got a list. Make one of data: tl.train.Evaluation"):
        run(lambda x: x, [1.0], evaluate=[X])
