"""The text that examples share, against Python's own pages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import prose


def test_paragraphs_are_those_of_the_pages_and_there_once():
    from pydoc_data.topics import topics as pages

    found = prose.topics()
    each = [paragraph for page in found.values() for paragraph in page]
    assert len(each) == len(set(each)) > 800
    for name, paragraphs in found.items():
        page = " ".join(pages[name].replace("’", "'").split())
        assert all(paragraph in page for paragraph in paragraphs)


def test_code_tables_grammar_and_headings_are_left_out():
    text = prose.text()
    for code in (">>>", "::=", "***", "====", "+----"):
        assert code not in text


def test_sentences_and_words():
    assert prose.sentences('It is "x.y". The "for" loop.') == ['It is "x.y".', 'The "for" loop.']
    assert prose.words('Don\'t call "__new__()", e.g. x1!') == (
        ["don't", "call", "__new__", "e", "g", "x1"]
    )


def test_a_text_of_ones_own(tmp_path):
    (tmp_path / "own.txt").write_bytes(b"caf\xc3\xa9")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")

    assert prose.read_text(tmp_path / "own.txt") == "caf\xe9"
    assert prose.read_text(tmp_path / "latin.txt", errors="replace")[:3] == "caf"
    with pytest.raises(SystemExit, match=r"latin.txt: no text in UTF-8, from byte 3 on. Give --d"):
        prose.read_text(tmp_path / "latin.txt")
    with pytest.raises(SystemExit, match=r"Is a directory. Give --data a file with text.$"):
        prose.read_text(tmp_path)


def test_splits_are_of_whole_pages():
    train, valid, test = prose.splits()
    n_words = len(train) + len(valid) + len(test)
    ends = sum(split.count(prose.END) for split in (train, valid, test))
    assert n_words - ends == len(prose.words(prose.text()))
    for split in (valid, test):
        assert len(split) / n_words == pytest.approx(0.1, abs=0.02)
        assert split[-1] == prose.END
    assert prose.splits() == (train, valid, test)


@pytest.mark.parametrize("errors", ["strict", "replace"])
def test_a_file_with_zero_bytes_is_no_text(tmp_path, errors):
    (tmp_path / "own.bin").write_bytes(b"a\0b\n" * 30)

    with pytest.raises(SystemExit, match=r"own\.bin: no text, there are zero bytes\. Give --data"):
        prose.read_text(tmp_path / "own.bin", errors)
