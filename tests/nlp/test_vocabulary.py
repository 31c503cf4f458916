"""Vocabularies for captions."""

import sys

import pytest

from tensorlayer import nlp
from tensorlayer.errors import LibraryMissing


def test_a_vocabulary_of_sentences(tmp_path):
    path = tmp_path / "v.txt"
    sentences = [["<S>", "a", "cat", "</S>"], ["<S>", "a", "dog", "</S>"]]
    simple = nlp.create_vocab(sentences, path, min_word_count=2)
    assert path.read_text() == "<PAD> 0\n<S> 2\na 2\n</S> 2\n"
    assert [simple.word_to_id(w) for w in ("<PAD>", "<S>", "a", "</S>", "cat")] == [0, 1, 2, 3, 4]
    full = nlp.Vocabulary(path)
    assert [full.word_to_id(w) for w in ("<PAD>", "<S>", "a", "</S>")] == [0, 1, 2, 3]
    assert (full.pad_id, full.start_id, full.end_id, full.unk_id) == (0, 1, 3, 4)
    assert full.word_to_id("cat") == 4  # <UNK>, which the file lacks
    assert len(full) == 5
    assert full.reverse_vocab == ["<PAD>", "<S>", "a", "</S>", "<UNK>"]


def test_ids_out_of_range_are_the_unknown_word(tmp_path):
    (tmp_path / "v.txt").write_text("a 1\nb 1\n\n")
    vocabulary = nlp.Vocabulary(tmp_path / "v.txt", "START", "END", "?", "PAD")
    assert vocabulary.reverse_vocab == ["a", "b", "START", "END", "?", "PAD"]
    assert [vocabulary.id_to_word(i) for i in (0, 5, 6, 10**6, -1)] == ["a", "PAD", "?", "?", "?"]
    assert vocabulary.vocab["END"] == vocabulary.end_id == 3


def test_one_special_word_for_two_purposes_is_added_once(tmp_path):
    (tmp_path / "v.txt").write_text("a 1\n")
    vocabulary = nlp.Vocabulary(tmp_path / "v.txt", unk_word="X", pad_word="X")
    assert vocabulary.reverse_vocab == ["a", "<S>", "</S>", "X"]


def test_sentences_are_split_without_any_download(monkeypatch):
    monkeypatch.setattr("socket.socket.connect", None)
    assert nlp.process_sentence("A dog's ball, isn't it?") == [
        "<S>", "a", "dog", "'s", "ball", ",", "is", "n't", "it", "?", "</S>",
    ]  # fmt: skip
    assert nlp.process_sentence("a < b & c", None, None) == ["a", "<", "b", "&", "c"]
    assert nlp.process_sentence("") == ["<S>", "</S>"]
    assert nlp.process_sentence('He said "hi" (I can\'t).', None, None) == [
        "he", "said", "``", "hi", "''", "(", "i", "ca", "n't", ")", ".",
    ]  # fmt: skip
    assert nlp.process_sentence("Où?".encode(), None, None) == ["où", "?"]


def test_a_missing_library_is_named(monkeypatch):
    from tensorlayer.nlp import vocabulary

    vocabulary._tokenizer.cache_clear()
    monkeypatch.setitem(sys.modules, "nltk.tokenize", None)
    with pytest.raises(LibraryMissing, match=r"pip install tensorlayer\[text\]"):
        nlp.process_sentence("a")
