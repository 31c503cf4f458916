"""What ``run`` says about its arguments; what it does is in test_train.py and beside this file."""

from __future__ import annotations

import signal
import sys

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.train import Checkpoint, Every, run


def test_an_iterator_is_passed_over_once():
    steps = tf.Variable(0)

    with pytest.raises(InvalidArgument, match=r"for 2 epochs.*got a generator.*passed over once"):
        run(lambda x: steps.assign_add(x), (n for n in [1, 2]), n_epoch=2)
    assert steps.numpy() == 0

    epochs = run(lambda x: steps.assign_add(x), lambda _: (n for n in [1, 2]), n_epoch=2)
    assert [epoch.n_steps for epoch in epochs] == [2, 2]


@pytest.mark.parametrize("data", [[], iter([]), tf.data.Dataset.range(3).filter(lambda x: x > 3)])
def test_data_of_unknown_length_has_to_have_a_batch_too(data):
    with pytest.raises(InvalidArgument, match="epoch 1 of training has no batch"):
        run(lambda x: x, data)


def test_a_list_has_a_length_for_the_progress_bar(capsys):
    run(lambda x: x, [1.0, 2.0, 3.0], progress=True)

    assert "3/3" in capsys.readouterr().err


def test_the_time_of_an_epoch_includes_its_trace():
    (epoch,) = run(lambda x: x, [1.0])

    assert epoch.seconds > 0


@pytest.mark.parametrize(
    ("answer", "ends"),
    [
        (True, True),
        (np.True_, True),
        (tf.constant(True), True),
        (tf.constant(False), False),
        (1, False),
        (1.0, False),
        (np.ones(3), False),
        (tf.fill([2], True), False),
        ("x", False),
    ],
    ids=str,
)
@pytest.mark.parametrize("when", ["epoch", "steps"])
def test_only_true_ends_training(answer, ends, when):
    def callback(_):
        return answer

    callbacks = [callback if when == "epoch" else Every(1, callback)]

    assert len(run(lambda x: x, [1.0], n_epoch=3, callbacks=callbacks)) == (1 if ends else 3)


class Killed(Exception):
    """As if the process ended here."""


def test_a_kill_in_a_callback_costs_no_step(tmp_path):
    def train(is_killed):
        steps, called = tf.Variable(0), []

        def callback(epoch):
            if is_killed and epoch.number == 2:
                raise Killed
            called.append(epoch.number)

        saved = Checkpoint(tmp_path, {"steps": steps})
        run(
            lambda x: steps.assign_add(1), [1.0, 1.0], n_epoch=3, checkpoint=saved,
            callbacks=[callback],
        )  # fmt: skip
        return int(steps), called

    with pytest.raises(Killed):
        train(is_killed=True)

    assert train(is_killed=False) == (6, [2, 3])


def test_a_callback_is_told_the_epochs_before_if_there_are_some(tmp_path):
    class Counting:
        def __init__(self, ends):
            self.ends, self.told = ends, []

        def __call__(self, _):
            if self.ends:
                raise Killed

        def resume(self, history):
            self.told.append(len(history))

    def train(*callbacks):
        saved = Checkpoint(tmp_path, {})
        run(lambda x: x, [1.0, 1.0], n_epoch=2, checkpoint=saved, callbacks=callbacks)

    with pytest.raises(Killed):
        train(Counting(ends=True))  # in its first epoch
    first, often = Counting(ends=False), Counting(ends=False)
    train(first, Every(1, often))
    again, as_often = Counting(ends=False), Counting(ends=False)
    train(again, Every(1, as_often))

    assert first.told == often.told == []
    assert again.told == as_often.told == [2]


def test_ctrl_c_ends_an_evaluation_at_once_and_costs_no_step(tmp_path):
    after = []

    def train(is_interrupted):
        steps = tf.Variable(0)

        def evaluate():
            if is_interrupted:
                signal.raise_signal(signal.SIGINT)
                after.append("the signal waited")

        saved = Checkpoint(tmp_path, {"steps": steps})
        run(
            lambda x: steps.assign_add(1), [1.0, 1.0], n_epoch=2, checkpoint=saved,
            evaluate=evaluate,
        )  # fmt: skip
        return int(steps)

    with pytest.raises(KeyboardInterrupt):
        train(is_interrupted=True)

    assert after == []
    assert train(is_interrupted=False) == 4


def test_ctrl_c_waits_where_a_callback_has_ended_an_epoch_that_is_not_saved_yet(tmp_path):
    def train(is_interrupted):
        steps = tf.Variable(0)

        def evaluate():
            if is_interrupted:
                signal.raise_signal(signal.SIGINT)

        saved = Checkpoint(tmp_path, {"steps": steps})
        run(
            lambda x: steps.assign_add(1), [1.0] * 5, checkpoint=saved, evaluate=evaluate,
            callbacks=[Every(3, lambda interval: True)],
        )  # fmt: skip
        return int(steps)

    with pytest.raises(KeyboardInterrupt):
        train(is_interrupted=True)

    assert train(is_interrupted=False) == 3


def test_callbacks_may_come_from_an_iterator():
    seen = []

    run(lambda x: x, [1.0], callbacks=iter([seen.append]))

    assert len(seen) == 1


def test_the_bar_is_closed_before_callbacks_are_called(capsys):
    run(lambda x: x, [1.0], callbacks=[lambda _: sys.stderr.write("called")], progress=True)

    assert capsys.readouterr().err.endswith("\ncalled")


def test_what_has_not_changed_is_not_saved_again(tmp_path):
    w = tf.Variable(0.0)
    saved = Checkpoint(tmp_path, {"w": w}, every=2)

    run(w.assign_add, [1.0, 1.0], n_epoch=3, checkpoint=saved, callbacks=[lambda _: None])

    # After the steps of each epoch, and after its callbacks.
    assert (tmp_path / "training-6.index").exists()


def test_data_of_an_evaluation_of_ones_own_is_not_touched(tmp_path):
    class Evaluate:
        def __init__(self):
            self.data = iter([1, 2, 3])

        def __call__(self):
            return {}

    for n_epoch in (1, 3):
        evaluate = Evaluate()
        saved = Checkpoint(tmp_path, {})
        run(lambda x: x, [1.0], n_epoch=n_epoch, checkpoint=saved, evaluate=evaluate)
        assert list(evaluate.data) == [1, 2, 3]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_epoch": 1.5}, r"n_epoch is a whole number, at least 0, got 1\.5"),
        ({"n_epoch": -1}, "n_epoch is a whole number, at least 0, got -1"),
        ({"data": 5}, "data is a dataset or another iterable of batches, .*, got 5"),
        ({"data": None}, "data is a dataset or another iterable of batches, .*, got None"),
        ({"callbacks": print}, "callbacks is a list of functions and tl.train.Every, got <built"),
        ({"callbacks": ["x"]}, "callbacks is a list of functions and tl.train.Every, got .'x'"),
        (
            {"checkpoint": "run"},
            r"checkpoint is a tl\.train\.Checkpoint\(folder, values\), got 'run'",
        ),
    ],
    ids=str,
)
def test_arguments_that_are_of_no_use_are_named(wrong, message):
    arguments = {"data": [1.0], **wrong}
    with pytest.raises(InvalidArgument, match=message):
        run(lambda x: x, **arguments)


@pytest.mark.parametrize("n_steps", [0, -3, 1.5, "2", True, None])
def test_every_so_many_steps_is_a_whole_number(n_steps):
    with pytest.raises(InvalidArgument, match="n_steps is a whole number, at least 1, got"):
        Every(n_steps, print)
