"""What examples on pairs of texts share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import pairs


def test_tokens_are_words_marks_and_single_digits():
    assert pairs.tokens("Don't call the str.upper() -- twenty-first 92!") == (
        [
            "don't",
            "call",
            "the",
            "str",
            ".",
            "upper",
            "(",
            ")",
            "-",
            "-",
            "twenty-first",
            "9",
            "2",
            "!",
        ]
    )
    assert pairs.joined(
        ["on", "1", "9", "9", "2", "-", "0", "3", ",", "(", "not", "late", ")", "!"]
    ) == ("on 1992-03, (not late)!")


def test_ids_and_texts():
    vocabulary = pairs.Vocabulary(["a b b", "b c"])
    ids = vocabulary.encode(["b a", "b x b"], ends=True)

    assert ids.tolist() == [[1, 4, 5, 2, 0], [1, 4, 3, 4, 2]]
    assert vocabulary.decode(ids[0, 1:]) == "b a"
    assert vocabulary.encode(["b a b a"], False, at_most=2).shape == (1, 2)
    assert pairs.Vocabulary(["a b b"], at_most=1).names[4:] == ["b"]


def test_lines_with_tabs():
    assert pairs.read_tabs(["a\tb\tc", "no tab", "\tempty", "a\tagain"]) == [("a", "b")]


def test_share_right():
    assert pairs.share_right(["a b", "c"], ["A b", "d"]) == pytest.approx(0.5)
