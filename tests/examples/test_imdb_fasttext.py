"""Text classification as a user trains it: on Python's own reference, and on files like IMDB's."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.examples.running import help_of, run, run_here, run_within

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]


def measured(shown):
    """Return the accuracy and the share of the majority, as the script prints them."""
    found = re.search(r"accuracy ([\d.]+)% on texts held out, the majority ([\d.]+)%", shown)
    assert found, shown
    return float(found[1]), float(found[2])


def test_sentences_that_were_held_out_are_told_apart(tmp_path):
    accuracy, majority = measured(run("imdb_fasttext.py", tmp_path, "--quick"))

    assert accuracy > majority + 25


def test_reviews_in_the_file_of_imdb_are_told_apart(tmp_path):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 400)
    # Good and bad reviews have the same words; which follows 30 is what they differ in.
    ends = np.array([[30, 40], [40, 30]])[labels]
    texts = np.concatenate([rng.integers(1, 20, (400, 6)), ends], axis=1).tolist()
    reviews = np.empty(400, object)
    reviews[:] = texts
    parts = {"x_train": reviews[:300], "y_train": labels[:300]}
    np.savez(tmp_path / "imdb.npz", **parts, x_test=reviews[300:], y_test=labels[300:])

    arguments = ["--data", ".", "--epochs", "20", "--size", "16", "--buckets", "5000"]
    accuracy, _ = measured(run_within("imdb_fasttext.py", tmp_path, *arguments))
    words_only, _ = measured(run_within("imdb_fasttext.py", tmp_path, *arguments, "--n-gram", "1"))

    assert accuracy > 95
    assert words_only < 75


def test_help_teaches():
    shown = help_of("imdb_fasttext.py")

    assert "fastText" in shown
    assert "--quick" in shown


def test_too_few_reviews_are_refused_in_a_line(tmp_path):
    reviews = np.array([[1, 2], [3, 4]])
    labels = np.array([0, 1])
    np.savez(tmp_path / "imdb.npz", x_train=reviews, y_train=labels, x_test=reviews, y_test=labels)

    with pytest.raises(SystemExit, match="3 reviews to train on and 1 to test; 32 and 1 are need"):
        run_here("imdb_fasttext.py", "--data", str(tmp_path))
