"""The chatbot as a user runs it, and the files that it reads."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.examples.running import help_of, run, run_within

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import chatbot


@pytest.mark.slow
@pytest.mark.timeout(330)
def test_it_answers_questions_in_ways_that_it_has_not_heard(tmp_path):
    shown = run("chatbot.py", tmp_path, "--quick", "--epochs", "25")

    right = re.search(r"([\d.]+)% of 100 held-out questions answered", shown)[1]
    assert float(right) > 60, shown
    assert shown.count("beam: ") == 6
    assert shown.count("drawn: ") == 12


@pytest.mark.slow
@pytest.mark.timeout(330)
def test_dialogues_of_ones_own(tmp_path):
    lines = [f"{kind} {n}" for n in range(30) for kind in ("how many ?", "there are")]
    (tmp_path / "twitter.txt").write_text("\n".join(lines), encoding="utf-8")

    shown = run_within(
        "chatbot.py", tmp_path, "--data", "twitter.txt", "--epochs", "1", "--units", "8"
    )

    assert "29 pairs to train on, 1 held out" in shown


def test_help_teaches():
    shown = help_of("chatbot.py")

    assert "movie_lines.txt" in shown
    assert "--quick" in shown


def test_three_kinds_of_files_are_read(tmp_path):
    def read(text):
        (tmp_path / "file.txt").write_text(text, encoding="utf-8")
        return chatbot.read(tmp_path / "file.txt")

    assert read("hi\thello\n\nbye\tsee you\tx\n") == [("hi", "hello"), ("bye", "see you")]
    assert read("hi\nhello\nbye\nsee you\nalone\n") == [("hi", "hello"), ("bye", "see you")]
    films = [
        "L12 +++$+++ u1 +++$+++ m0 +++$+++ ANN +++$+++ Fine.",
        "L10 +++$+++ u1 +++$+++ m0 +++$+++ ANN +++$+++ Hello.",
        "L11 +++$+++ u2 +++$+++ m0 +++$+++ BOB +++$+++ How are you?",
        "L13 +++$+++ u3 +++$+++ m1 +++$+++ EVE +++$+++ Another film.",
        "L14 +++$+++ u3 +++$+++ m1 +++$+++ EVE +++$+++ The same one goes on.",
    ]
    assert read("\n".join(films)) == [("Hello.", "How are you?"), ("How are you?", "Fine.")]


def test_lines_with_tabs_may_be_in_latin_1(tmp_path):
    (tmp_path / "file.txt").write_bytes("un caf\xe9?\toui\nhi\thello\n".encode("latin-1"))

    assert chatbot.read(tmp_path / "file.txt") == [
        ("un caf\N{REPLACEMENT CHARACTER}?", "oui"),
        ("hi", "hello"),
    ]


def test_questions_that_are_held_out_are_of_what_was_trained_otherwise():
    train, test = chatbot.questions(50, seed=1)

    assert len(train) == 3 * len(test) == 150
    assert not set(train) & set(test)
    assert {answer for _, answer in test} <= {answer for _, answer in train}
    assert chatbot.things()["math.gcd"] == "Greatest Common Divisor."


def test_a_line_of_films_without_a_number_is_refused_in_a_line(tmp_path):
    lines = ["L1 +++$+++ u1 +++$+++ m0 +++$+++ ANN +++$+++ Fine.", "cut off +++$+++ u2"]
    (tmp_path / "file.txt").write_text("\n".join(lines))

    with pytest.raises(SystemExit, match=r"has no number: 'cut off \+\+\+\$\+\+\+ u2'"):
        chatbot.read(tmp_path / "file.txt")
