"""What the command lines of examples share, and what each program makes of wrong ones."""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pytest

from tests.examples.running import EXAMPLES, run_here

sys.path.insert(0, str(EXAMPLES))

import arguments

PROGRAMS = [
    "autoencoder", "binary_net", "chatbot", "cifar10_cnn", "dcgan", "dorefa_net", "imdb_fasttext",
    "mnist_mlp", "ptb_lstm", "seq2seq_translation", "serving_export", "spatial_transformer",
    "srgan", "ternary_net", "text_generation", "word2vec_basic",
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


def test_the_folder_of_a_file_is_made_at_once(tmp_path):
    path = arguments.file_to_write(str(tmp_path / "a" / "b" / "own.png"))

    assert path == tmp_path / "a" / "b" / "own.png"
    path.write_text("a file")
    with pytest.raises(argparse.ArgumentTypeError, match=r"own.png cannot be made \(.*\): give a"):
        arguments.file_to_write(str(path / "other.png"))
    with pytest.raises(argparse.ArgumentTypeError, match="b is a folder: give the name of a file"):
        arguments.file_to_write(str(tmp_path / "a" / "b"))


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
