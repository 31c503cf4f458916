"""Vocabularies and ids in files."""

import os
import re

import pytest

from tensorlayer import nlp
from tensorlayer.errors import InvalidArgument

TEXT = b"I have 21 dogs .\nYou have 7 dogs, no cats!\n"


@pytest.fixture
def text(tmp_path):
    (tmp_path / "text").write_bytes(TEXT)
    return tmp_path / "text"


def test_bytes_and_text():
    assert nlp.as_bytes("é") == "é".encode() == nlp.as_bytes("é".encode())
    assert nlp.as_text("é".encode()) == "é" == nlp.as_text("é")
    assert nlp.as_bytes("é", "latin-1") == b"\xe9"
    assert nlp.as_text(bytearray(b"\xe9"), encoding="latin-1") == "é"
    for function in (nlp.as_bytes, nlp.as_text):
        with pytest.raises(InvalidArgument, match="expected bytes or text, got 3"):
            function(3)


def test_punctuation_is_split_from_words():
    expected = [b"He", b"said", b":", b'"', b"No", b"!", b'"', b"(", b"twice", b")"]
    assert nlp.basic_tokenizer('He said: "No!" (twice)') == expected
    assert nlp.basic_tokenizer(b"a-b.c", _WORD_SPLIT=re.compile(b"(-)")) == [b"a", b"-", b"b.c"]
    assert nlp.basic_tokenizer("  ") == []


def test_a_vocabulary_of_a_text(text, tmp_path):
    path = tmp_path / "vocabulary"
    nlp.create_vocabulary(path, text, max_vocabulary_size=7)
    ids, words = nlp.initialize_vocabulary(path)
    assert words == [b"_PAD", b"_GO", b"_EOS", b"_UNK", b"have", b"dogs", b"I"]
    assert ids == {word: number for number, word in enumerate(words)}
    nlp.create_vocabulary(tmp_path / "all", text, 100)
    assert b"00" in nlp.initialize_vocabulary(tmp_path / "all")[0]
    nlp.create_vocabulary(tmp_path / "digits", text, 100, normalize_digits=False)
    assert b"21" in nlp.initialize_vocabulary(tmp_path / "digits")[0]


def test_a_file_that_is_there_is_kept(text, tmp_path):
    (tmp_path / "v").write_bytes(b"mine\n")
    nlp.create_vocabulary(tmp_path / "v", text, 10)
    nlp.data_to_token_ids(text, tmp_path / "v", tmp_path / "missing")
    assert (tmp_path / "v").read_bytes() == b"mine\n"


def test_other_special_words_and_tokenizers(text, tmp_path):
    split = bytes.split
    nlp.create_vocabulary(tmp_path / "v", text, 100, tokenizer=split, _START_VOCAB=[b"?", b"have"])
    _, words = nlp.initialize_vocabulary(tmp_path / "v")
    assert words[:3] == [b"?", b"have", b"I"]
    assert b"dogs," in words
    assert words.count(b"have") == 1
    with pytest.raises(InvalidArgument, match="max_vocabulary_size is at least 4"):
        nlp.create_vocabulary(tmp_path / "w", text, 3)


def test_sentences_as_ids():
    vocabulary = {b"I": 4, b"have": 5, b"00": 6, b"21": 7}
    assert nlp.sentence_to_token_ids(b"I have 21 cats", vocabulary) == [4, 5, 6, 3]
    assert nlp.sentence_to_token_ids("I have 21", vocabulary, normalize_digits=False) == [4, 5, 7]
    ids = nlp.sentence_to_token_ids(
        "Ihave", vocabulary, lambda s: [s[:1], s[1:].decode()], UNK_ID=0
    )
    assert ids == [4, 5]


def test_a_text_as_ids(text, tmp_path):
    nlp.create_vocabulary(tmp_path / "v", text, 7)
    nlp.data_to_token_ids(text, tmp_path / "ids", tmp_path / "v")
    assert (tmp_path / "ids").read_text() == "6 4 3 5 3\n3 4 3 5 3 3 3 3\n"
    assert sorted(os.listdir(tmp_path)) == ["ids", "text", "v"]


def test_a_failing_tokenizer_leaves_no_half_file(text, tmp_path):
    def fail(sentence):
        if sentence.startswith(b"You"):
            raise RuntimeError("half way")
        return sentence.split()

    nlp.create_vocabulary(tmp_path / "v", text, 7)
    with pytest.raises(RuntimeError, match="half way"):
        nlp.data_to_token_ids(text, tmp_path / "ids", tmp_path / "v", fail)
    assert sorted(os.listdir(tmp_path)) == ["text", "v"]


def test_a_missing_vocabulary_is_named(text, tmp_path):
    with pytest.raises(InvalidArgument, match=r"no vocabulary file '.*v'. Make it with create_"):
        nlp.initialize_vocabulary(tmp_path / "v")
    with pytest.raises(ValueError, match="no vocabulary file"):
        nlp.data_to_token_ids(text, tmp_path / "ids", tmp_path / "v")
