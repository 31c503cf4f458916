"""Word vectors as a user trains them: on Python's own reference, and on a text of one's own."""

from __future__ import annotations

import re
import zipfile

import pytest

from tests.examples.running import help_of, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(330)]


def test_words_that_are_used_alike_come_near_each_other(tmp_path):
    shown = run("word2vec_basic.py", tmp_path, "--quick")

    first, last = re.search(r"rank of a plural fell from ([\d,]+) to ([\d,]+)", shown).groups()
    assert int(last) < 0.5 * int(first), shown
    assert (tmp_path / "word2vec.png").read_bytes()[:4] == b"\x89PNG"
    assert "method: " in shown  # one of the words whose neighbours are listed


def test_a_zip_with_a_text_is_read(tmp_path):
    sentence = "the king and the queen rule the land of cats while the cat hunts kings "
    with zipfile.ZipFile(tmp_path / "own.zip", "w") as archive:
        words = " ".join(f"word{n // 4}" for n in range(200))
        archive.writestr("own", sentence * 20 + words)

    shown = run("word2vec_basic.py", tmp_path, "--data", "own.zip", "--epochs", "2", "--size", "8")

    assert re.search(r"cost [\d.]+", shown), shown


def test_help_teaches():
    shown = help_of("word2vec_basic.py")

    assert "skip-gram" in shown
    assert "--quick" in shown
