"""What examples keep of a run: in the hub, or in files; and where it goes on."""

from __future__ import annotations

import argparse
import errno
import json
import os
import resource
import signal
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import record


def options_of(folder, *arguments):
    parser = argparse.ArgumentParser()
    record.add_options(parser, "run")
    return parser.parse_args(["--out", str(folder), *arguments])


def events_in(folder):
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]


@pytest.fixture
def model():
    x = tl.layers.Input([None, 2], name="x")
    return tl.models.Model(x, tl.layers.Dense(x, n_units=3, name="dense"))


def test_versions_and_events_go_to_the_hub(tmp_path, monkeypatch, model):
    monkeypatch.setenv("TENSORLAYER_HOME", str(tmp_path / "home"))

    with record.Record(options_of(tmp_path / "run"), "digits") as run:
        run.log({"loss": 0.5}, step=7)
        run.save(model, step=7)
        run.save(model, step=7, part="second")

    with tl.connect(project=record.PROJECT) as hub:
        assert [(each.step, each.value) for each in hub.models.events("digits")] == [(7, 0.5)]
        assert sorted(hub.models.keys()) == ["digits", "digits-second"]
        found = hub.models.arrays("digits-second")
        np.testing.assert_array_equal(found["dense/weights"], model.all_weights[0])


def test_without_a_hub_they_are_files(tmp_path, model):
    with record.Record(options_of(tmp_path / "a" / "run", "--no-hub"), "digits") as run:
        run.log({"loss": np.float32(0.5)}, step=7)
        run.log({"loss": 0.25}, step=8)
        run.save(model, step=8, part="second")

    folder = tmp_path / "a" / "run"
    assert [(each["step"], each["loss"]) for each in events_in(folder)] == [(7, 0.5), (8, 0.25)]
    with np.load(folder / "digits-second-8.npz") as found:
        np.testing.assert_array_equal(found["dense/weights:0"], model.all_weights[0])


def test_a_run_goes_on_or_begins_anew(tmp_path, capsys):
    counter = tf.Variable(0.0)
    data = tf.data.Dataset.from_tensors(1.0)

    def train(n_epoch, *arguments):
        counter.assign(0.0)  # as in another process
        with record.Record(options_of(tmp_path, "--no-hub", *arguments), "count") as run:
            saved = run.checkpoint({"counter": counter})
            tl.train.run(counter.assign_add, data, n_epoch=n_epoch, checkpoint=saved)
        return counter.numpy()

    assert train(2, "--resume") == 2
    assert f"nothing to go on with in {tmp_path}: the run begins" in capsys.readouterr().out
    assert train(5, "--resume") == 5
    assert "nothing" not in capsys.readouterr().out
    assert train(1) == 1


def test_trainings_of_one_run_have_checkpoints_of_their_own(tmp_path):
    data = tf.data.Dataset.from_tensors(1.0)

    def train(part, *arguments):
        counter = tf.Variable(0.0)
        with record.Record(options_of(tmp_path, "--no-hub", *arguments), "count") as run:
            saved = run.checkpoint({"counter": counter}, part=part)
            tl.train.run(counter.assign_add, data, n_epoch=2, checkpoint=saved)
        return counter.numpy()

    assert train("one") == 2
    assert train("other", "--resume") == 2
    assert train("one", "--resume") == 2
    assert (tmp_path / "checkpoint" / "one").exists()
    train("other")  # anew: of both parts nothing is left
    assert not (tmp_path / "checkpoint" / "one").exists()


def test_events_say_of_which_run_they_are(tmp_path):
    def log(*arguments):
        with record.Record(options_of(tmp_path, "--no-hub", *arguments), "digits") as run:
            run.checkpoint({"x": tf.Variable(0.0)}).save(tl.train.Place(epoch=1))
            run.log({"loss": 0.5}, step=1)

    before = datetime.now(timezone.utc)
    log()
    log("--resume")  # the same run goes on
    log()

    first, resumed, second = [datetime.fromisoformat(each["run"]) for each in events_in(tmp_path)]
    assert before <= first == resumed < second <= datetime.now(timezone.utc)


HOLDER = """
import argparse, sys
sys.path.insert(0, sys.argv.pop(1))
import record
parser = argparse.ArgumentParser()
record.add_options(parser, "run")
with record.Record(parser.parse_args(), "digits"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_run_keeps_its_folder_from_others_until_it_is_killed(tmp_path):
    kept = tmp_path / "checkpoint" / "checkpoint"
    kept.parent.mkdir()
    kept.write_text("of the first run")
    command = [sys.executable, "-c", HOLDER, str(Path(record.__file__).parent)]
    arguments = ["--no-hub", "--resume", "--out", str(tmp_path)]
    with subprocess.Popen([*command, *arguments], stdin=-1, stdout=-1, text=True) as first:
        assert first.stdout.readline() == "held\n"

        for others in ([], ["--resume"]):
            with pytest.raises(SystemExit) as ended:
                record.Record(options_of(tmp_path, "--no-hub", *others), "digits")
            assert str(ended.value) == (
                f"--out: another run is using the folder '{tmp_path}', and a folder is for one "
                "run. Wait for it to end, or take another folder."
            )
            assert kept.read_text() == "of the first run"

        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        with record.Record(options_of(tmp_path, "--no-hub"), "digits") as run:
            run.checkpoint({})
            assert not kept.exists()


def test_a_checkpoint_that_cannot_be_removed_is_no_secret(tmp_path):
    (tmp_path / "checkpoint").write_text("no folder")

    with (
        pytest.raises(NotADirectoryError),
        record.Record(options_of(tmp_path, "--no-hub"), "digits") as run,
    ):
        run.checkpoint({})


def test_a_run_that_finds_no_data_costs_no_checkpoint(tmp_path):
    kept = tmp_path / "checkpoint" / "checkpoint"
    kept.parent.mkdir()
    kept.write_text("of the first run")
    (tmp_path / "begun").write_text("before")

    with (
        pytest.raises(SystemExit, match="no data"),
        record.Record(options_of(tmp_path, "--no-hub"), "digits"),
    ):
        raise SystemExit("no data")

    assert kept.exists()
    assert (tmp_path / "begun").read_text() == "before"


def test_help_says_what_is_removed():
    parser = argparse.ArgumentParser()
    record.add_options(parser, "run")

    shown = " ".join(parser.format_help().split())
    assert "without it a checkpoint that is there is removed" in shown


def test_the_hub_and_files_exclude_each_other(tmp_path, capsys):
    with pytest.raises(SystemExit):
        options_of(tmp_path, "--no-hub", "--uri", "mongodb://localhost/x")

    assert "argument --uri: not allowed with argument --no-hub" in capsys.readouterr().err


def test_a_hub_that_cannot_be_had_is_a_line_and_costs_no_checkpoint(tmp_path):
    kept = tmp_path / "checkpoint" / "checkpoint"
    kept.parent.mkdir()
    kept.write_text("of the first run")

    for _ in range(2):  # the folder is free again
        with pytest.raises(SystemExit, match=r"^Store: a URI starts .* files instead: --no-hub\.$"):
            record.Record(options_of(tmp_path, "--uri", "hello"), "digits")

    assert kept.exists()


def test_a_run_of_other_options_is_a_line(tmp_path):
    def train(shape, *arguments):
        counter = tf.Variable(tf.zeros(shape))
        with record.Record(options_of(tmp_path, "--no-hub", *arguments), "count") as run:
            saved = run.checkpoint({"counter": counter})
            data = tf.data.Dataset.from_tensors(tf.ones(shape))
            tl.train.run(
                lambda each: tf.reduce_sum(counter.assign_add(each)), data, checkpoint=saved
            )

    train([2])
    with pytest.raises(SystemExit) as ended:
        train([3], "--resume")

    assert str(ended.value) == (
        f"--resume: what is in {tmp_path} was not made by this program with these options. Give "
        "those of the first run, or begin anew without --resume."
    )
    train([3])


def test_an_error_of_something_else_stays_what_it_is(tmp_path):
    with (
        pytest.raises(tl.errors.StructureMismatch, match="of a file"),
        record.Record(options_of(tmp_path, "--no-hub"), "count"),
    ):
        raise tl.errors.StructureMismatch("of a file")


def test_a_checkpoint_that_is_damaged_is_a_line(tmp_path):
    def train(*arguments):
        counter = tf.Variable(0.0)
        with record.Record(options_of(tmp_path, "--no-hub", *arguments), "count") as run:
            saved = run.checkpoint({"counter": counter})
            tl.train.run(counter.assign_add, tf.data.Dataset.from_tensors(1.0), checkpoint=saved)

    train()
    (tmp_path / "checkpoint" / "checkpoint").write_bytes(b"\0")

    with pytest.raises(SystemExit, match=r"^--resume: Checkpoint: .* it is damaged"):
        train("--resume")
    train()  # anew


def test_a_run_that_is_interrupted_says_how_it_goes_on(tmp_path):
    with (
        pytest.raises(SystemExit, match=r"^stopped; with --resume it goes on after what was saved"),
        record.Record(options_of(tmp_path, "--no-hub"), "count"),
    ):
        raise KeyboardInterrupt
    with record.Record(options_of(tmp_path, "--no-hub"), "count"):
        pass  # its folder is free


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "stopped: No space left on device; with",
        ),
        (BrokenPipeError(), "stopped, since nobody reads what is printed; with"),
        (tl.errors.StoreUnavailable("Store here: gone."), "Store here: gone. Then with"),
    ],
)
def test_a_run_that_is_stopped_says_how_it_goes_on(tmp_path, error, wanted):
    with (
        pytest.raises(SystemExit, match=f"^{wanted} --resume it goes on after what was saved last"),
        record.Record(options_of(tmp_path, "--no-hub"), "count"),
    ):
        raise error


def test_of_an_event_that_does_not_fit_on_the_disk_nothing_is_written(tmp_path):
    with record.Record(options_of(tmp_path, "--no-hub"), "count") as run:
        run.log({"loss": 0.5}, step=1)
        n_bytes = (tmp_path / "events.jsonl").stat().st_size
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes + 10, before[1]))
        try:
            with pytest.raises(OSError, match=r"No space left on device: .*events.jsonl"):
                run.log({"loss": 0.4}, step=2)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        run.log({"loss": 0.3}, step=3)

    assert [each["step"] for each in events_in(tmp_path)] == [1, 3]
