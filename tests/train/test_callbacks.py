"""What callbacks are told, and when."""

from __future__ import annotations

import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.train import Epoch, Every, Interval, early_stop, run


def numbers(n):
    return tf.data.Dataset.range(1, n + 1)


def test_a_callback_is_called_after_every_so_many_steps_of_the_whole_run():
    seen = []

    run(lambda x: x, numbers(5), n_epoch=2, callbacks=[Every(2, seen.append)])

    assert seen == [
        Interval(epoch=1, step=2, n_steps=2, metrics={"loss": 1.5}),
        Interval(epoch=1, step=4, n_steps=2, metrics={"loss": 3.5}),
        Interval(epoch=2, step=6, n_steps=2, metrics={"loss": 3.0}),  # of 5 and 1
        Interval(epoch=2, step=8, n_steps=2, metrics={"loss": 2.5}),
        Interval(epoch=2, step=10, n_steps=2, metrics={"loss": 4.5}),
    ]


def test_several_periods_go_together_with_callbacks_of_epochs():
    seen = []
    callbacks = [
        Every(3, lambda interval: seen.append((3, interval.step, interval.metrics["loss"]))),
        lambda epoch: seen.append(epoch.number),
        Every(4, lambda interval: seen.append((4, interval.step, interval.metrics["loss"]))),
    ]

    run(lambda x: x, numbers(6), n_epoch=2, callbacks=callbacks)

    expected = [(3, 3, 2.0), (4, 4, 2.5), (3, 6, 5.0), 1, (4, 8, 3.5), (3, 9, 2.0), (3, 12, 5.0)]
    assert seen == [*expected, (4, 12, 4.5), 2]


def test_true_ends_training_at_once_and_the_epoch_counts():
    total, seen = tf.Variable(0, dtype=tf.int64), []
    stop = Every(4, lambda interval: interval.step == 8)

    epochs = run(total.assign_add, numbers(5), n_epoch=9, callbacks=[stop, seen.append])

    assert total.numpy() == 15 + 6
    assert [epoch.n_steps for epoch in epochs] == [5, 3]
    assert seen == epochs


def test_a_period_is_positive():
    with pytest.raises(
        InvalidArgument, match="Every: n_steps is a whole number, at least 1, got 0"
    ):
        Every(0, print)


def test_early_stop_begins_with_the_first_epoch_that_has_the_metric():
    def epoch(number, **metrics):
        return Epoch(number=number, n_steps=1, seconds=0.0, metrics=metrics)

    stop = early_stop("val_loss", patience=0)
    stop.resume([epoch(1, loss=0.1), epoch(2, loss=0.1, val_loss=0.5)])

    assert not stop(epoch(3, val_loss=0.4))
    with pytest.raises(
        InvalidArgument, match=r"neither the step nor evaluate returns .*'val_loss'"
    ):
        stop(epoch(4, loss=0.1))


def test_early_stop_knows_the_epochs_before_a_run_that_goes_on():
    def epoch(number, loss):
        return Epoch(number=number, n_steps=1, seconds=0.0, metrics={"loss": loss})

    stop = early_stop("loss", patience=1)
    stop(epoch(1, 0.1))

    stop.resume([epoch(1, 0.5), epoch(2, 0.6)])

    assert not stop(epoch(3, 0.4))
    assert [stop(epoch(n, 0.4)) for n in (4, 5)] == [False, True]


def test_early_stop_begins_anew_with_another_run():
    stop = early_stop("loss", patience=1)
    first = run(lambda x: 0 * x + 1, [1.0], n_epoch=9, callbacks=[stop])
    second = run(lambda x: 0 * x + 2, [1.0], n_epoch=9, callbacks=[stop])
    goes_on = run(lambda x: 0 * x + 2, [1.0], n_epoch=9, first_epoch=4, callbacks=[stop])

    assert [len(each) for each in (first, second, goes_on)] == [3, 3, 1]


@pytest.mark.parametrize("patience", [-1, "5", 1.5, True, None])
def test_patience_is_a_number_of_epochs(patience):
    with pytest.raises(InvalidArgument, match="patience is a number of epochs, 0 or more, got"):
        early_stop("loss", patience=patience)
