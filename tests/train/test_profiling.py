"""A profile of real steps: a trace for TensorBoard, and a table that is printed."""

from __future__ import annotations

import io
import logging

import pytest
import tensorflow as tf
from rich.console import Console

from tensorlayer.errors import InvalidArgument
from tensorlayer.train import Checkpoint, Every, Profile, run
from tensorlayer.train.profiling import table
from tensorlayer.train.xplane import Operation

DATA = tf.data.Dataset.from_tensors(tf.ones([300, 300])).repeat(50)


def product(x):
    return tf.reduce_sum(tf.matmul(x, x))


def is_product(operation):
    return operation.type.endswith("MatMul")  # also that of oneDNN


def products(profile):
    """Return how many products the profile has seen."""
    return sum(each.n_calls for each in profile.operations if is_product(each))


def files(folder):
    return sorted(folder.glob("plugins/profile/*/*.xplane.pb"))


def test_a_folder_gets_a_trace_and_the_table_is_printed(tmp_path, capsys):
    folder = tmp_path / "a" / "profile"

    (epoch,) = run(product, DATA, profile=folder)

    assert epoch.n_steps == 50
    assert len(files(folder)) == 1
    shown = capsys.readouterr().out
    assert "The most expensive operations of 20 steps" in shown
    assert "MatMul" in shown


@pytest.mark.parametrize("batches", [DATA, [tf.ones([300, 300])] * 50], ids=["dataset", "list"])
@pytest.mark.parametrize(("skip", "n_steps"), [(0, 1), (0, 7), (3, 11), (40, 10)])
def test_it_is_of_as_many_steps_as_are_asked_for(tmp_path, batches, skip, n_steps):
    profile = Profile(tmp_path, skip=skip, n_steps=n_steps)

    run(product, batches, profile=profile)

    assert products(profile) == n_steps
    assert is_product(profile.operations[0])  # 300 times the work of the sum


def test_steps_are_counted_over_epochs_beside_those_of_callbacks(tmp_path):
    profile, seen = Profile(tmp_path, skip=5, n_steps=6), []

    run(
        product,
        DATA.take(4),
        n_epoch=4,
        profile=profile,
        callbacks=[Every(3, lambda interval: seen.append(interval.step))],
    )

    assert seen == [3, 6, 9, 12, 15]
    assert products(profile) == 6


def test_what_is_compiled_is_shown_by_its_names(tmp_path):
    profile = Profile(tmp_path, skip=2, n_steps=5)

    run(lambda x: tf.reduce_sum(tf.sin(x)), DATA, profile=profile, jit_compile=True)

    assert 5 in [each.n_calls for each in profile.operations if each.type == "XLA"]


def test_a_run_that_ends_ends_the_profile(tmp_path, capsys):
    profile = Profile(tmp_path, skip=2, n_steps=100)

    run(product, DATA.take(9), profile=profile)

    assert products(profile) == 7
    assert "operations of 7 steps" in capsys.readouterr().out


def test_a_run_that_is_too_short_is_told(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, "tensorlayer"):
        run(product, DATA.take(3), profile=tmp_path)

    assert "over after 3 steps, and 10 were to be skipped, so there is none." in caplog.text
    assert not files(tmp_path)


def test_a_run_that_is_complete_has_nothing_to_show(tmp_path, caplog):
    def train():
        saved = Checkpoint(tmp_path / "saved", {})
        profile = Profile(tmp_path / "profile", skip=0)
        return run(product, DATA.take(3), checkpoint=saved, profile=profile)

    epochs = train()
    with caplog.at_level(logging.WARNING, "tensorlayer"):
        assert train() == epochs

    assert "the run was over after 0 steps, and 0 were to be skipped" in caplog.text


def test_a_step_that_fails_lets_the_profiler_go(tmp_path):
    def fail(x):
        with tf.control_dependencies([tf.debugging.assert_less(x, 2.0)]):
            return tf.identity(x)

    with pytest.raises(tf.errors.InvalidArgumentError):
        run(fail, [1.0, 1.0, 3.0], profile=Profile(tmp_path, skip=0))

    run(product, DATA.take(3), profile=Profile(tmp_path, skip=0))


def test_a_profile_may_be_taken_of_each_run(tmp_path):
    profile = Profile(tmp_path, skip=1, n_steps=2)
    for _ in range(2):
        profile.operations = []
        run(product, DATA.take(5), profile=profile)
        assert profile.operations


def test_what_is_no_folder_is_refused_before_the_first_step(tmp_path):
    steps = tf.Variable(0)
    (tmp_path / "file").write_text("mine")

    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InvalidArgument, match="is not a folder, nor can it become one"):
            run(lambda x: steps.assign_add(1), [1.0], profile=path)
    assert steps.numpy() == 0
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("skip", [0, 3])
def test_a_profile_of_somebody_else_is_no_reason_to_end_training(skip, tmp_path, caplog):
    tf.profiler.experimental.start(str(tmp_path / "other"))
    try:
        (epoch,) = run(product, DATA, profile=Profile(tmp_path / "mine", skip=skip))
    finally:
        tf.profiler.experimental.stop()

    assert epoch.n_steps == len(DATA)
    assert "somebody else takes one, so there is none of this run" in caplog.text


@pytest.mark.parametrize("options", [{"skip": -1}, {"n_steps": 0}, {"skip": "3"}, {"n_steps": 2.5}])
def test_arguments_are_looked_at_at_once(options):
    with pytest.raises(InvalidArgument, match="skip is at least 0 and n_steps at least 1, got"):
        Profile("folder", **options)


def test_the_table_has_ten_rows_and_the_rest():
    found = [
        Operation(name=f"op{n}", type="Mul", n_calls=10, seconds=0.1 * (12 - n)) for n in range(12)
    ]
    console = Console(width=100, file=io.StringIO())

    made = table(found, n_steps=5)
    console.print(made)

    assert made.row_count == 10
    text = console.file.getvalue()
    assert "240.000" in text  # 1.2 s of 5 steps
    assert "15.4%" in text  # of 7.8 s
    assert "2 others: 3.8%" in text
