"""Training that is killed, interrupted, and started again, in real processes."""

from __future__ import annotations

import gc
import re
import signal

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import Corrupt, InvalidArgument, StructureMismatch
from tensorlayer.train import Checkpoint, Every, early_stop, run
from tests.train import killed

N_STEPS = killed.N_EPOCH * killed.N_BATCHES
KILL, TERM, INT = (int(number) for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT))


def without_calls(result):
    return {name: value for name, value in result.items() if name != "calls"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "calls"),
    [
        ("shuffled", (2, 6, 5, 4)),  # in the middle of steps 2, 6, 10 and 12 of 15
        ("stateful", (6, 5)),
        ("list", (6, 5)),
        ("distributed", (6, 5)),
        ("accumulated", (6, 5)),
    ],
)
def test_after_kill_9_training_goes_on_as_if_nothing_had_happened(tmp_path, kind, calls):
    undisturbed, folder = [None, kind], [str(tmp_path), kind]

    kills = [[*folder, KILL, call] for call in calls]  # each in a process of its own
    first, *ended, last, nothing = killed.run("train", undisturbed, *kills, folder, folder)

    assert ended == [-KILL] * len(kills)
    assert without_calls(last) == without_calls(first)
    assert 0 < last["calls"] < N_STEPS
    assert without_calls(nothing) == without_calls(first)  # there is nothing left to do
    assert nothing["calls"] == 0


@pytest.mark.slow
def test_it_may_be_killed_while_it_saves(tmp_path):
    # Every step is saved, so most of the time is spent with that. Each process comes to at least
    # one checkpoint, and is killed so many milliseconds after it.
    folder = [str(tmp_path), "shuffled", None, 0, 1]
    kills = [[*folder, milliseconds] for milliseconds in (0, 2, 4, 6, 8, 10)]

    found = killed.run("train_until_saved", *kills)
    (undisturbed, after) = killed.run("train", [None], folder)

    assert found == [-KILL] * len(kills)
    assert without_calls(after) == without_calls(undisturbed)


@pytest.mark.parametrize(("number", "ended"), [(TERM, -TERM), (INT, "KeyboardInterrupt")])
def test_signals_save_before_they_end_the_program(tmp_path, number, ended):
    # Saved are epochs only, so what was done in the second one is known by the signal alone.
    folder = [str(tmp_path), "shuffled", number, 8, None]

    found = killed.run("train", [None], folder, [*folder[:2], None, 0, None])

    assert found[1] == ended
    assert without_calls(found[2]) == without_calls(found[0])
    assert found[2]["calls"] < N_STEPS - killed.N_BATCHES


def counting():
    """Return a variable of what was seen, and a step that sees."""
    seen = tf.Variable(tf.zeros([0], tf.int64), shape=[None])

    def step(x):
        seen.assign(tf.concat([seen, x[None]], 0))
        return tf.cast(x, tf.float32)

    return seen, step


class Stop(Exception):
    """The program ends here."""


def stop(*_):
    raise Stop


@pytest.mark.parametrize("buffer_size", [3, 10, 99])
@pytest.mark.parametrize("until", [7, 10, 17, 20, 30])
def test_batches_come_in_the_order_that_they_would_have_had(tmp_path, buffer_size, until):
    def train(checkpoint, *callbacks):
        seen, step = counting()
        data = tf.data.Dataset.range(10).shuffle(buffer_size, seed=1).prefetch(2)
        saved = Checkpoint(tmp_path, {"seen": seen}, every=2) if checkpoint else None
        run(step, data, n_epoch=4, callbacks=callbacks, checkpoint=saved)
        return seen.numpy().tolist()

    with pytest.raises(Stop):
        train(True, Every(until, stop))

    assert train(True) == train(False)


def test_callbacks_history_and_intervals_go_on(tmp_path):
    def train(until=None):
        steps = tf.Variable(0.0)
        intervals, epochs = [], []

        def after_steps(interval):
            intervals.append(interval)
            if interval.step == until:
                raise Stop

        callbacks = [Every(4, after_steps), epochs.append]
        saved = Checkpoint(tmp_path, {"steps": steps}, every=3)
        data = tf.data.Dataset.range(5)
        history = run(
            lambda _: steps.assign_add(1.0), data, n_epoch=3, callbacks=callbacks, checkpoint=saved
        )
        return intervals, epochs, history

    with pytest.raises(Stop):
        train(until=8)
    intervals, epochs, history = train()

    assert [epoch.metrics["loss"] for epoch in history] == [3.0, 8.0, 13.0]
    assert [epoch.number for epoch in epochs] == [2, 3]
    assert [(each.step, each.n_steps, each.metrics["loss"]) for each in intervals] == [
        (8, 4, 6.5),
        (12, 4, 10.5),
    ]


def test_early_stop_remembers(tmp_path):
    def train(n_epoch):
        def data(epoch):
            return [[3.0, 1.0, 2.0, 2.0, 2.0, 2.0][epoch - 1]]

        callbacks = [early_stop("loss", patience=2)]
        saved = Checkpoint(tmp_path, {})
        return run(lambda x: x, data, n_epoch=n_epoch, callbacks=callbacks, checkpoint=saved)

    assert len(train(3)) == 3
    assert len(train(6)) == 5
    assert len(train(6)) == 5  # it has ended


def test_only_the_last_checkpoint_is_kept(tmp_path):
    seen, step = counting()
    saved = Checkpoint(tmp_path, {"seen": seen}, every=2)
    run(step, tf.data.Dataset.range(5), n_epoch=3, checkpoint=saved)

    assert len(list(tmp_path.glob("*.index"))) == 1


def test_a_network_of_layers_and_an_optimizer_are_values(tmp_path):
    def train(n_epoch):
        network = killed.Network()
        values = {"net": network.net, "optimizer": network.optimizer}
        saved = Checkpoint(tmp_path, values)
        run(network.step, killed.samples(), n_epoch=n_epoch, checkpoint=saved)
        return network

    train(1)
    twice = train(2)

    whole = killed.Network()
    run(whole.step, killed.samples(), n_epoch=2)
    assert twice.weights() == whole.weights()
    assert twice.optimizer.iterations.numpy() == 2 * killed.N_BATCHES


def test_a_value_that_is_missing_is_named_before_the_first_step(tmp_path):
    network = killed.Network()
    before = network.weights()

    saved = Checkpoint(tmp_path, {"net": network.net, "random": network.random})
    with pytest.raises(InvalidArgument, match=r"not among the values: adam.*such as the optimizer"):
        run(network.noisy_step, killed.samples(), checkpoint=saved)
    saved = Checkpoint(tmp_path, {"net": network.net, "optimizer": network.optimizer})
    with pytest.raises(InvalidArgument, match="not among the values: StateVar:0"):
        run(network.noisy_step, killed.samples(), checkpoint=saved)
    assert network.weights() == before


def test_the_checkpoint_of_something_else_is_refused(tmp_path):
    def train(**values):
        (value,) = values.values()
        step = lambda x: tf.reduce_sum(value.assign_add(x * tf.ones_like(value)))  # noqa: E731
        run(step, [1.0, 2.0], checkpoint=Checkpoint(tmp_path, values))

    train(a=tf.Variable([0.0]))

    for values in ({"b": tf.Variable([0.0])}, {"a": tf.Variable([0.0, 0.0])}):
        with pytest.raises(StructureMismatch, match=re.escape(str(tmp_path)) + ".*something else"):
            train(**values)


def test_a_foreign_checkpoint_is_refused(tmp_path):
    w = tf.Variable(0.0)
    tf.train.CheckpointManager(tf.train.Checkpoint(w=w), tmp_path, max_to_keep=1).save()

    with pytest.raises(StructureMismatch, match="something else"):
        run(w.assign_add, [1.0], checkpoint=Checkpoint(tmp_path, {"w": w}))


def test_arguments_are_looked_at_at_once(tmp_path):
    for every in (0, 1.5, "2"):
        with pytest.raises(InvalidArgument, match="whole number of steps, at least 1, got"):
            Checkpoint(tmp_path, {}, every=every)
    for name in ("self", "root", "save_counter"):
        with pytest.raises(InvalidArgument, match=f"TensorFlow uses the name '{name}' itself"):
            Checkpoint(tmp_path, {name: tf.Variable(0.0)})
    with pytest.raises(InvalidArgument, match=r"a value cannot be saved.*got 3"):
        Checkpoint(tmp_path, {"n": 3})


def test_other_data_than_before_is_noticed(tmp_path):
    w = tf.Variable(0.0)
    saved = Checkpoint(tmp_path, {"w": w}, every=2)
    with pytest.raises(Stop):
        run(w.assign_add, [1.0] * 5, callbacks=[Every(4, stop)], checkpoint=saved)

    with pytest.raises(InvalidArgument, match="2 of them were used already, and now there are 1"):
        run(w.assign_add, [1.0], checkpoint=saved)


def test_the_folder_may_be_relative_and_move(tmp_path, monkeypatch):
    w = tf.Variable(0.0)
    monkeypatch.chdir(tmp_path)
    run(w.assign_add, [1.0, 2.0], checkpoint=Checkpoint("a", {"w": w}))
    (tmp_path / "a").rename(tmp_path / "b")
    w.assign(0.0)

    run(w.assign_add, [1.0, 2.0], n_epoch=2, checkpoint=Checkpoint(tmp_path / "b", {"w": w}))

    np.testing.assert_equal(w.numpy(), 6.0)


def test_what_a_killed_process_left_while_it_saved_is_removed(tmp_path):
    w = tf.Variable(0.0)
    run(w.assign_add, [1.0], checkpoint=Checkpoint(tmp_path, {"w": w}))
    (tmp_path / "training-7_temp").mkdir()
    (tmp_path / "training-7_temp" / "part-00000-of-00001").touch()
    (tmp_path / "training-10.data-00000-of-00001").touch()
    (tmp_path / "notes.txt").touch()

    run(w.assign_add, [1.0], n_epoch=1, checkpoint=Checkpoint(tmp_path, {"w": w}))

    names = [
        "checkpoint",
        "lock",
        "notes.txt",
        "training-1.data-00000-of-00001",
        "training-1.index",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_a_function_of_the_epoch_is_called_once_for_each(tmp_path):
    w, numbers = tf.Variable(0.0), []

    def data(epoch):
        numbers.append(epoch)
        return [1.0, 2.0, 3.0]

    saved = Checkpoint(tmp_path, {"w": w}, every=2)
    with pytest.raises(Stop):
        run(w.assign_add, data, n_epoch=3, callbacks=[Every(5, stop)], checkpoint=saved)
    numbers.clear()
    run(w.assign_add, data, n_epoch=3, checkpoint=Checkpoint(tmp_path, {"w": w}, every=2))

    assert numbers == [2, 3]
    assert w.numpy() == 18.0


def test_an_end_in_the_middle_of_an_epoch_is_saved_with_its_callbacks(tmp_path):
    def train(*callbacks):
        w, seen = tf.Variable(0.0), []
        saved = Checkpoint(tmp_path, {"w": w}, every=2)
        callbacks = [Every(4, lambda _: True), *callbacks, seen.append]
        return run(w.assign_add, [1.0] * 9, callbacks=callbacks, checkpoint=saved), seen

    with pytest.raises(Stop):
        train(stop)
    history, seen = train()
    again, nothing = train()

    assert [epoch.n_steps for epoch in history] == [4]
    assert (seen, again, nothing) == (history, history, [])


def test_what_others_keep_in_the_folder_stays(tmp_path):
    w = tf.Variable(0.0)
    data = tf.data.Dataset.from_tensor_slices([1.0, 2.0])
    values = {"w": w}
    run(lambda x: w.assign_add(x), data, checkpoint=Checkpoint(tmp_path, values))
    (tmp_path / "training-data").mkdir()
    (tmp_path / "training-data" / "x").write_text("mine")
    (tmp_path / "training-curve.png").write_text("mine")

    run(lambda x: w.assign_add(x), data, n_epoch=2, checkpoint=Checkpoint(tmp_path, values))

    assert (tmp_path / "training-data" / "x").read_text() == "mine"
    assert (tmp_path / "training-curve.png").exists()


def test_a_folder_is_for_one_run(tmp_path):
    seen = []

    def again(_):
        with pytest.raises(InvalidArgument, match=r"another run is using the folder '.*', and a"):
            run(lambda x: x, [1.0], checkpoint=Checkpoint(tmp_path, {}))
        run(lambda x: x, [1.0], checkpoint=Checkpoint(tmp_path / "other", {}))
        seen.append("refused")

    run(lambda x: x, [1.0], checkpoint=Checkpoint(tmp_path, {}), callbacks=[again])
    run(lambda x: x, [1.0], n_epoch=2, checkpoint=Checkpoint(tmp_path, {}))  # it is free again

    assert seen == ["refused"]


def test_a_run_that_fails_leaves_its_folder_to_others(tmp_path):
    with pytest.raises(InvalidArgument, match="has no batch"):
        run(lambda x: x, [], checkpoint=Checkpoint(tmp_path, {}))

    assert len(run(lambda x: x, [1.0], checkpoint=Checkpoint(tmp_path, {}))) == 1


def test_a_damaged_file_is_no_reason_to_begin_anew(tmp_path):
    w, data = tf.Variable(0.0), tf.data.Dataset.from_tensors(1.0)
    run(w.assign_add, data, n_epoch=2, checkpoint=Checkpoint(tmp_path, {"w": w}), progress=False)
    path = tmp_path / "checkpoint"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    kept = {each.name for each in tmp_path.iterdir()}

    with pytest.raises(Corrupt, match=re.escape(f"{str(path)!r} names no checkpoint, it is dam")):
        run(w.assign_add, data, n_epoch=2, checkpoint=Checkpoint(tmp_path, {"w": w}))

    assert {each.name for each in tmp_path.iterdir()} == kept


def test_the_checkpoint_of_something_else_is_refused_without_further_words(tmp_path, caplog):
    data = tf.data.Dataset.from_tensors(1.0)

    def train(name):
        w = tf.Variable(0.0)
        run(w.assign_add, data, checkpoint=Checkpoint(tmp_path, {name: w}), progress=False)

    train("one")
    with pytest.raises(StructureMismatch):
        train("other")

    gc.collect()  # what was not restored is logged when it goes
    assert "could not be found" not in caplog.text
