"""Words and ids."""

import os
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlayer import nlp
from tensorlayer.errors import InvalidArgument

texts = st.lists(st.sampled_from(["a", "b", "c", "dd", "UNK", "é"]), min_size=1, max_size=30)


def test_words_of_a_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("à b\nc\n\nd", encoding="utf-8")
    assert nlp.simple_read_words(path) == "à b\nc\n\nd"
    assert nlp.read_words(path) == ["à", "b", "<eos>", "c", "<eos>", "<eos>", "d"]
    assert nlp.read_words(str(path), replace=["\n", ""]) == ["à", "bcd"]
    for wrong in (["\n"], "ab", ["", "x"]):
        with pytest.raises(InvalidArgument, match="replace is a pair"):
            nlp.read_words(path, wrong)


@given(texts)
def test_a_vocabulary_falls_with_frequency_then_rises_with_the_alphabet(words):
    vocabulary = nlp.build_vocab(words)
    counted = Counter(words)
    order = sorted(vocabulary, key=vocabulary.get)
    assert list(vocabulary.values()) == list(range(len(counted)))
    keys = [(-counted[word], word) for word in order]
    assert keys == sorted(keys)


@settings(max_examples=50)
@given(texts, st.data())
def test_a_dataset_of_the_most_frequent_words(words, data):
    size = data.draw(st.integers(1, len(set(words))))
    ids, count, dictionary, reverse = nlp.build_words_dataset(words, size, printable=False)
    assert len(ids) == len(words)
    assert dictionary["UNK"] == 0
    assert reverse == {number: word for word, number in dictionary.items()}
    assert len(dictionary) == len(count) <= size
    assert sum(n for _, n in count) == len(words)
    for word, number in zip(words, ids, strict=True):
        assert reverse[number] == (word if word in dictionary else "UNK")
    assert [word for word, _ in count] == [reverse[i] for i in range(len(count))]
    for word, n in count:
        assert n == ids.count(dictionary[word])
    frequencies = [n for _, n in count[1:]]
    assert frequencies == sorted(frequencies, reverse=True)


@pytest.mark.parametrize("size", [0, 4, 50000])
def test_a_size_that_does_not_fit_is_named(size):
    with pytest.raises(InvalidArgument, match=rf"vocabulary_size is from 1 .* 3, got {size}"):
        nlp.build_words_dataset(["a", "b", "c", "a"], size)


def test_words_to_ids_and_back():
    ids = {"UNK": 0, "a": 1, "b": 2}
    assert nlp.words_to_word_ids(["b", "x", "a"], ids) == [2, 0, 1]
    assert nlp.word_ids_to_words([2, 0, 1], nlp.build_reverse_dictionary(ids)) == ["b", "UNK", "a"]
    assert nlp.word_ids_to_words([1, 0], ["UNK", "a"]) == ["a", "UNK"]
    assert nlp.words_to_word_ids() == []
    assert nlp.words_to_word_ids(["a"], {"a": 5}) == [5]  # no unknown word, no need for its id
    with pytest.raises(InvalidArgument, match=r"'x' is not in the vocabulary of 3 words.*'<unk>'"):
        nlp.words_to_word_ids(["a", "x"], ids, unk_key="<unk>")


def test_analogies_with_known_words(tmp_path):
    path = tmp_path / "q.txt"
    path.write_text("// a note\n: capitals\nAthens Greece Baghdad Iraq\nA B C\nx Greece a Iraq\n")
    ids = {"athens": 3, "greece": 2, "baghdad": 1, "iraq": 0}
    questions = nlp.read_analogies_file(path, ids)
    np.testing.assert_array_equal(questions, [[3, 2, 1, 0]])
    assert questions.dtype == np.int32
    assert nlp.read_analogies_file(path).shape == (0, 4)


def test_a_vocabulary_is_saved_whole(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    nlp.save_vocab([["UNK", 3], ("é", 1)], name="v.txt")
    assert (tmp_path / "v.txt").read_text(encoding="utf-8") == "UNK 3\né 1\n"
    assert nlp.Vocabulary("v.txt").word_to_id("é") == 1
    assert os.listdir() == ["v.txt"]


def as_array(words):
    return np.array(words)


@pytest.mark.parametrize("kind", [list, tuple, iter, as_array])
def test_words_in_anything_that_holds_words(kind, tmp_path, monkeypatch):
    """Arrays have no truth value, and iterators can be read once."""
    words = ["a", "b", "a", "c", "a", "b"]
    data, count, dictionary, reverse = nlp.build_words_dataset(kind(words), 3, printable=False)
    assert data == [1, 2, 1, 0, 1, 2]
    assert count == [["UNK", 1], ["a", 3], ["b", 2]]
    assert {type(word) for word in [*dictionary, *reverse.values()]} == {str}
    assert nlp.words_to_word_ids(kind(words), dictionary) == data
    monkeypatch.chdir(tmp_path)
    nlp.save_vocab(kind(count), "v.txt")
    assert (tmp_path / "v.txt").read_text() == "UNK 1\na 3\nb 2\n"
