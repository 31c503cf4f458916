"""Translation as a user runs it: dates, and a corpus of one's own."""

from __future__ import annotations

import re

import pytest

from tests.examples.running import help_of, run, run_within

pytestmark = [pytest.mark.slow, pytest.mark.timeout(330)]


def test_most_dates_are_right_after_a_minute(tmp_path):
    shown = run("seq2seq_translation.py", tmp_path, "--quick", "--pairs", "8000")

    right = re.search(r"([\d.]+)% of 1826 held-out sources translated exactly", shown)[1]
    assert float(right) > 80, shown
    assert "->  19" in shown


def test_a_corpus_with_tabs_is_read(tmp_path):
    words = {"cat": "chat", "dog": "chien", "bird": "oiseau", "fish": "poisson", "cow": "vache"}
    verbs = {
        "sleeps": "dort",
        "eats": "mange",
        "runs": "court",
        "drinks": "boit",
        "sings": "chante",
    }
    lines = [
        f"The {a} {b}.\tLe {words[a]} {verbs[b]}.\tsomebody wrote this"
        for a in words
        for b in verbs
    ]
    (tmp_path / "pairs.txt").write_text("\n".join(lines), encoding="utf-8")

    shown = run_within(
        "seq2seq_translation.py", tmp_path, "--data", "pairs.txt", "--epochs", "2", "--units", "8",
        "--beam", "3",
    )  # fmt: skip

    assert "24 pairs to train on, 1 to test" in shown
    assert "somebody" not in shown


def test_help_teaches():
    shown = help_of("seq2seq_translation.py")

    assert "the third of march nineteen ninety two" in shown
    assert "--data" in shown
