"""What the command lines of examples share, and what each program makes of wrong ones."""

from __future__ import annotations

import argparse
import errno
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.examples.running import EXAMPLES, run_here

sys.path.insert(0, str(EXAMPLES))

import arguments

PROGRAMS = [
    "autoencoder", "binary_net", "chatbot", "cifar10_cnn", "dcgan", "dorefa_net", "imdb_fasttext",
    "keras_bridge", "mnist_mlp", "ptb_lstm", "seq2seq_translation", "serving_export", "slim_bridge",
    "spatial_transformer", "srgan", "ternary_net", "text_generation", "tf1_graph",
    "tfslim_pretrained", "word2vec_basic",
]  # fmt: skip
READ_TEXTS = ["chatbot", "seq2seq_translation", "text_generation", "word2vec_basic"]


def parsed(monkeypatch, *given):
    """Return what is made of a command line, as numbers of epochs and pieces."""
    monkeypatch.setattr(sys, "argv", ["program", *given])
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=arguments.positive, default=60)
    parser.add_argument("--pieces", type=arguments.positive, default=400)
    parser.add_argument("--data")
    few = {"epochs": 5, "pieces": 7}
    options = arguments.parse(parser, quick=few, takes="a minute", with_data={"epochs": 20})
    return options.epochs, options.pieces


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("", (60, 400)),
        ("--quick", (5, 7)),
        ("--quick --epochs 90", (90, 7)),
        ("--epochs 90 --quick", (90, 7)),
        ("--epochs 60 --quick", (60, 7)),
        ("--data folder", (20, 400)),
        ("--data folder --quick", (5, 7)),
        ("--data folder --epochs 3", (3, 400)),
    ],
)
def test_what_is_said_counts_and_quick_changes_defaults(monkeypatch, given, wanted):
    assert parsed(monkeypatch, *given.split()) == wanted


def test_the_help_says_what_quick_changes(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        parsed(monkeypatch, "--help")

    shown = " ".join(capsys.readouterr().out.split())
    assert "--quick --epochs 5 --pieces 7, if not given: a minute" in shown


@pytest.mark.parametrize("text", ["0", "-3", "1.5", "", "x"])
def test_numbers_are_from_1_on(text):
    with pytest.raises(argparse.ArgumentTypeError, match="a whole number from 1 on is needed"):
        arguments.positive(text)


@pytest.mark.parametrize(
    ("kind", "texts", "wanted"),
    [
        (arguments.seed, ["-1", "1.5", "x", "", str(2**31)], "a whole number from 0 to 2147483647"),
        (arguments.between(1, 32), ["0", "33", "-1", "x"], "a whole number from 1 to 32 is needed"),
        (arguments.rate, ["0", "-1"], "a number above 0 is needed, not"),
        (arguments.share, ["0", "-0.5", "1.1"], "a number above 0 is needed, 1 at most, not"),
        (arguments.rate, ["nan", "inf", "x", ""], "a number is needed, not"),
        (arguments.finite, ["nan", "-inf", "x", ""], "a number is needed, not"),
    ],
)
def test_other_numbers_have_their_bounds(kind, texts, wanted):
    for text in texts:
        with pytest.raises(argparse.ArgumentTypeError, match=wanted):
            kind(text)


def test_numbers_within_their_bounds_are_taken():
    assert (arguments.seed("0"), arguments.seed("2147483647")) == (0, 2**31 - 1)
    assert (arguments.between(1, 32)("1"), arguments.between(1, 32)("32")) == (1, 32)
    assert (arguments.rate("1e-3"), arguments.share("1"), arguments.finite("-2")) == (0.001, 1, -2)


def test_the_folder_of_a_picture_is_made_at_once(tmp_path):
    path = arguments.picture_to_write(str(tmp_path / "a" / "b" / "own.png"))

    assert path == tmp_path / "a" / "b" / "own.png"
    path.write_text("a file")
    with pytest.raises(
        argparse.ArgumentTypeError, match=r"own.png cannot be made: .*own.png is no fo"
    ):
        arguments.picture_to_write(str(path / "other.png"))
    with pytest.raises(argparse.ArgumentTypeError, match="b is a folder: give the name of a file"):
        arguments.picture_to_write(str(tmp_path / "a" / "b"))


@pytest.mark.parametrize("name", ["own", "own.nothing", "own.txt"])
def test_what_no_picture_is_written_to_is_refused_before_its_folder_is_made(tmp_path, name):
    with pytest.raises(argparse.ArgumentTypeError, match=rf"{name} is no picture: .* \.png, \.jpg"):
        arguments.picture_to_write(str(tmp_path / "new" / name))

    assert not (tmp_path / "new").exists()


def test_places_that_cannot_be_written_to_are_refused(tmp_path, monkeypatch):
    picture = tmp_path / "own.png"
    picture.touch()
    monkeypatch.setattr(arguments.os, "access", lambda path, mode: path not in refused)

    refused = [tmp_path]
    with pytest.raises(argparse.ArgumentTypeError, match="cannot be written to: give another fol"):
        arguments.folder_to_write(str(tmp_path))
    with pytest.raises(argparse.ArgumentTypeError, match="cannot be written to: give another fol"):
        arguments.picture_to_write(str(picture))
    refused = [picture]
    with pytest.raises(
        argparse.ArgumentTypeError, match=r"own.png cannot be written: give another"
    ):
        arguments.picture_to_write(str(picture))


RUNS = ["cifar10_cnn", "dcgan", "ddpg", "dqn", "srgan"]


@pytest.mark.parametrize("program", [*RUNS, "autoencoder", "dorefa_net", "spatial_transformer"])
def test_a_folder_that_cannot_be_made_is_refused_in_a_line(tmp_path, monkeypatch, capsys, program):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()

    with pytest.raises(SystemExit):
        run_here(f"{program}.py", "--out", "file/folder")

    wanted = "argument --out: file/folder cannot be made: file is no folder"
    assert capsys.readouterr().err.splitlines()[-1] == f"{program}.py: error: {wanted}"


@pytest.mark.parametrize(
    "program",
    [*PROGRAMS, "a3c", "c51", "dqn", "policy_gradient", "ppo", "q_table", "sac"],
)
def test_a_seed_that_is_none_is_refused_in_a_line(tmp_path, monkeypatch, capsys, program):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit):
        run_here(f"{program}.py", "--seed=-1")

    wanted = "argument --seed: a whole number from 0 to 2147483647 is needed, not '-1'"
    assert capsys.readouterr().err.splitlines()[-1] == f"{program}.py: error: {wanted}"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("program", "option", "wanted"),
    [
        ("chatbot", "--rate=nan", "a number is needed, not 'nan'"),
        ("seq2seq_translation", "--rate=-1", "a number above 0 is needed, not '-1'"),
        ("word2vec_basic", "--learning-rate=inf", "a number is needed, not 'inf'"),
        ("imdb_fasttext", "--learning-rate=0", "a number above 0 is needed, not '0'"),
        ("imdb_fasttext", "--buckets=1", "a whole number from 2 to 2147483647 is needed, not '1'"),
        ("text_generation", "--learning-rate=x", "a number is needed, not 'x'"),
        ("text_generation", "--keep=1.5", "a number above 0 is needed, 1 at most, not '1.5'"),
        ("dorefa_net", "--bits-weights=33", "a whole number from 1 to 32 is needed, not '33'"),
        ("dorefa_net", "--bits-inputs=0", "a whole number from 1 to 32 is needed, not '0'"),
    ],
)
def test_numbers_that_make_no_sense_are_refused_in_a_line(
    tmp_path, monkeypatch, capsys, program, option, wanted
):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit):
        run_here(f"{program}.py", option)

    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"{program}.py: error: argument {option.partition('=')[0]}: {wanted}"


@pytest.mark.parametrize("epochs", ["0", "-1"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_no_epochs_are_refused_in_a_line(tmp_path, monkeypatch, capsys, program, epochs):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit):
        run_here(f"{program}.py", f"--epochs={epochs}")

    last = capsys.readouterr().err.splitlines()[-1]
    wanted = f"argument --epochs: a whole number from 1 on is needed, not {epochs!r}"
    assert last == f"{program}.py: error: {wanted}"


def test_the_quickstart_has_a_line_of_its_own(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TENSORLAYER_HOME", str(tmp_path))

    with pytest.raises(SystemExit):
        run_here("quickstart.py", "--epochs", "0")

    assert capsys.readouterr().err.endswith("error: --epochs 0: it has to be 1 at least\n")
    with pytest.raises(SystemExit):
        run_here("quickstart.py", "--seed", "-1")
    assert capsys.readouterr().err.endswith("error: --seed -1: it has to be 0 at least\n")


@pytest.mark.parametrize("png", ["own", "own.txt", "folder.png"])
def test_the_quickstart_refuses_what_is_no_picture_before_the_training(
    tmp_path, monkeypatch, capsys, png
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.png").mkdir()

    with pytest.raises(SystemExit):
        run_here("quickstart.py", "--png", png)

    said = f"error: --png {png}: give the name of a file that ends with .png\n"
    assert capsys.readouterr().err.endswith(said)


def test_no_draws_are_refused_in_a_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit):
        run_here("autoencoder.py", "--draws", "0")

    assert "argument --draws: a whole number from 1 on" in capsys.readouterr().err


@pytest.mark.parametrize("program", READ_TEXTS)
def test_a_text_that_is_not_there_is_refused_in_a_line(tmp_path, monkeypatch, program):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit) as ended:
        run_here(f"{program}.py", "--data", "nowhere.txt")

    wanted = "nowhere.txt: No such file or directory. Give --data a file with text."
    assert str(ended.value) == wanted


@pytest.mark.parametrize("program", ["imdb_fasttext", "ptb_lstm"])
def test_a_folder_that_is_not_there_is_refused_in_a_line(tmp_path, monkeypatch, program):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit, match=r"^nowhere is no folder: make it, and load_\w+ downloads"):
        run_here(f"{program}.py", "--data", "nowhere")


def test_reviews_that_are_damaged_are_refused_in_a_line(tmp_path):
    np.savez(tmp_path / "imdb.npz", x_train=[1])

    with pytest.raises(SystemExit, match=r"imdb.npz'? is not .* it is damaged"):
        run_here("imdb_fasttext.py", "--data", str(tmp_path))


def test_texts_that_are_too_short_are_refused_in_a_line(tmp_path):
    folder = tmp_path / "simple-examples" / "data"
    folder.mkdir(parents=True)
    for part in ("train", "valid", "test"):
        (folder / f"ptb.{part}.txt").write_text(" a then b \n")

    with pytest.raises(SystemExit, match=r"4, 4 and 4 words are too few for 20 strips of 20"):
        run_here("ptb_lstm.py", "--data", str(tmp_path))


def test_too_few_pieces_are_refused_in_a_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit, match="50 pictures are no batch of 128: more --pieces"):
        run_here("cifar10_cnn.py", "--pieces", "5", "--no-hub")


VISION = "is needed: pip install 'tensorlayer[vision]'"


@pytest.mark.parametrize(
    ("program", "options", "missing", "wanted"),
    [
        ("q_table", [], "matplotlib", f"matplotlib {VISION}"),
        ("word2vec_basic", [], "matplotlib", f"matplotlib {VISION}"),
        ("word2vec_basic", [], "sklearn", "sklearn is needed: pip install 'scikit-learn'"),
        ("autoencoder", [], "matplotlib", f"matplotlib {VISION}"),
        ("spatial_transformer", [], "PIL", f"PIL {VISION}"),
        ("mnist_mlp", [], "PIL", f"PIL {VISION}"),
        ("ppo", [], "PIL", f"PIL {VISION}"),
        ("dqn", ["--no-hub"], "PIL", f"PIL {VISION}"),
    ],
)
def test_a_package_for_pictures_is_missing_before_the_training(
    tmp_path, monkeypatch, program, options, missing, wanted
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, missing, None)  # as Python marks what cannot be imported

    with pytest.raises(SystemExit) as ended:
        run_here(f"{program}.py", *options)

    assert str(ended.value) == wanted


def test_the_quickstart_says_which_extra_it_needs(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TENSORLAYER_HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    with pytest.raises(SystemExit):
        run_here("quickstart.py")

    wanted = "error: matplotlib is missing: pip install 'tensorlayer[examples]'\n"
    assert capsys.readouterr().err.endswith(wanted)


FULL = "No space left on device"


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (KeyboardInterrupt(), "stopped"),
        (OSError(errno.ENOSPC, FULL), f"stopped: {FULL}"),
        (OSError(errno.ENOSPC, FULL, "run/a.png"), f"stopped: {FULL}: run/a.png"),
        (
            OSError(errno.EROFS, "Read-only file system", "run"),
            "stopped: Read-only file system: run",
        ),
        (tf.errors.ResourceExhaustedError(None, None, f"run/part-0; {FULL}"), f"stopped: {FULL}"),
    ],
)
def test_what_stops_a_program_is_a_line(error, wanted):
    @arguments.program
    def main():
        raise error

    with pytest.raises(SystemExit) as ended:
        main()

    assert str(ended.value) == wanted


def test_an_error_that_an_interrupt_leads_to_is_one():
    @arguments.program
    def main():
        try:
            raise KeyboardInterrupt
        finally:  # as where TensorFlow traces a function
            raise AssertionError("Concurrent access?")

    with pytest.raises(SystemExit, match=r"^stopped$"):
        main()


def test_other_errors_stay_what_they_are():
    @arguments.program
    def main():
        raise ValueError("of the program")

    with pytest.raises(ValueError, match="of the program"):
        main()


TALKER = """
import arguments, sys
@arguments.program
def main():
    for i in range(3):
        print("line", i)
        sys.stdin.readline()
main()
"""


def talker(**how):
    """Start a program that waits after each line that it prints."""
    return subprocess.Popen(
        [sys.executable, "-c", TALKER], stdin=-1, stderr=-1, text=True,
        env={**os.environ, "PYTHONPATH": str(EXAMPLES)}, **how,
    )  # fmt: skip


def test_what_is_printed_is_seen_at_once_and_who_does_not_read_it_stops_the_program():
    with talker(stdout=-1) as process:
        assert process.stdout.readline() == "line 0\n"  # while it waits: a kill costs nothing
        process.stdout.close()
        process.stdin.write("\n" * 3)
        process.stdin.close()
        said = process.stderr.read()

    assert (process.returncode, said) == (1, "stopped, since nobody reads what is printed\n")


def test_a_program_without_output_goes_on():
    with talker(preexec_fn=lambda: os.close(1)) as process:
        said = process.communicate("\n" * 3)[1]

    assert (process.returncode, said) == (0, "")


def test_each_program_ends_with_a_line():
    shared = ["control.run_agent", "actor_critic.run_agent", "quantized.run", "dqn.run_agent"]
    for path in EXAMPLES.glob("*.py"):
        text = path.read_text()
        if "__main__" in text and path.name not in ("quickstart.py", "asking.py"):
            marks = ["@arguments.program", *(f"    {name}(" for name in shared)]
            assert any(mark in text for mark in marks), path.name
