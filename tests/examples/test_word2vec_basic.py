"""Word vectors as a user trains them: on Python's own reference, and on a text of one's own."""

from __future__ import annotations

import re
import zipfile

import pytest

from tests.examples.running import help_of, run, run_here, run_within

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

    shown = run_within(
        "word2vec_basic.py", tmp_path, "--data", "own.zip", "--epochs", "2", "--size", "8"
    )

    assert re.search(r"cost [\d.]+", shown), shown


def test_the_result_is_printed_though_the_picture_fails(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.txt").write_text("a cat sees two cats and a king sees two kings. " * 20)
    arguments = ["--data", "own.txt", "--epochs", "1", "--png", "new/own.png"]
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "own.png").symlink_to("/dev/full")

    with pytest.raises(SystemExit, match="stopped: No space left"):
        run_here("word2vec_basic.py", *arguments)

    assert "the median rank of a plural fell from" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["short.txt", "broken.zip", "empty.zip", "latin.zip"])
def test_a_file_that_is_no_text_is_refused_in_a_line(tmp_path, name):
    path = tmp_path / name
    if path.suffix == ".txt":
        path.write_text("a few words")
    else:
        with zipfile.ZipFile(path, "w") as archive:
            if name != "empty.zip":
                archive.writestr("own", "caf\xe9 ".encode("latin-1") * 100)
        if name == "broken.zip":
            path.write_bytes(path.read_bytes().replace(b"caf", b"tea", 1))

    with pytest.raises(
        SystemExit, match=rf"{name}: (3 words, .* Give a longer|no zip with a text)"
    ):
        run_here("word2vec_basic.py", "--data", str(path), "--png", str(tmp_path / "own.png"))


def test_help_teaches():
    shown = help_of("word2vec_basic.py")

    assert "skip-gram" in shown
    assert "--quick" in shown


def test_a_text_of_few_words_is_learnt_too(tmp_path):
    (tmp_path / "own.txt").write_text("the king rules his land with the queen beside him. " * 20)

    shown = run("word2vec_basic.py", tmp_path, "--data", "own.txt", "--epochs", "1", "--every", "1")

    assert re.search(r" king: \w+, ", shown), shown
    assert "Warning" not in shown
    assert (tmp_path / "word2vec.png").exists()
