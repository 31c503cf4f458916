"""Words and their ids."""

from __future__ import annotations

import itertools
import logging
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tensorlayer.errors import InvalidArgument
from tensorlayer.logging import printed

__all__ = [
    "build_reverse_dictionary",
    "build_vocab",
    "build_words_dataset",
    "read_analogies_file",
    "read_words",
    "save_vocab",
    "simple_read_words",
    "word_ids_to_words",
    "words_to_word_ids",
]

_log = logging.getLogger(__name__)

Place = str | os.PathLike[str]

#: The word that marks the end of a line.
END_OF_LINE = "<eos>"


# -- reading


def simple_read_words(filename: Place = "nietzsche.txt") -> str:
    """Return the text of a file, read as UTF-8."""
    return Path(filename).read_text(encoding="utf-8")


def read_words(
    filename: Place = "nietzsche.txt", replace: Sequence[str] | None = None
) -> list[str]:
    r"""Return the words of a file, which white space separates.

    Parameters
    ----------
    filename
        A text in UTF-8.
    replace
        A pair: what is replaced first, and by what. By default each end of a line becomes the word
        ``<eos>``.

    Raises
    ------
    InvalidArgument
        ``replace`` is no pair.

    Examples
    --------
    >>> _ = Path("two.txt").write_text("a b\nc d\n")
    >>> read_words("two.txt")
    ['a', 'b', '<eos>', 'c', 'd', '<eos>']
    >>> read_words("two.txt", replace=["\n", " "])
    ['a', 'b', 'c', 'd']
    """
    old, new = _pair(("\n", f" {END_OF_LINE} ") if replace is None else replace)
    return simple_read_words(filename).replace(old, new).split()


def _pair(replace: Sequence[str]) -> tuple[str, str]:
    if isinstance(replace, str) or len(replace) != 2 or not replace[0]:
        raise InvalidArgument(
            f"read_words: replace is a pair such as ['\\n', '<eos>'], got {replace!r}."
        )
    return replace[0], replace[1]


def read_analogies_file(
    eval_file: Place = "questions-words.txt", word2id: Mapping[str, int] | None = None
) -> np.ndarray:
    r"""Return questions such as *Athens is to Greece as Baghdad to Iraq*, as word ids.

    Parameters
    ----------
    eval_file
        Four words a line. Lines that start with ``:`` or ``#`` are titles.
    word2id
        Ids of words in lower case. Questions with a word that it lacks are left out.

    Returns
    -------
    ndarray of int32, (n_questions, 4)

    Examples
    --------
    >>> _ = Path("q.txt").write_text(": capital\nAthens Greece Baghdad Iraq\nA b c d\n")
    >>> read_analogies_file("q.txt", {"athens": 0, "greece": 1, "baghdad": 2, "iraq": 3})
    array([[0, 1, 2, 3]], dtype=int32)
    """
    ids = {} if word2id is None else word2id
    lines = [
        line.lower().split()
        for line in simple_read_words(eval_file).split("\n")
        if not line.startswith((":", "#"))
    ]
    questions = [
        [ids[word] for word in line]
        for line in lines
        if len(line) == 4 and all(word in ids for word in line)
    ]
    _log.info("%d of %d questions have known words only", len(questions), len(lines))
    return np.array(questions, np.int32).reshape(-1, 4)


# -- vocabularies


def build_vocab(data: Iterable[str]) -> dict[str, int]:
    """Return the id of each word: by falling frequency, then by the alphabet.

    Examples
    --------
    >>> build_vocab(["b", "c", "b", "a"])
    {'b': 0, 'a': 1, 'c': 2}
    """
    counted = sorted(Counter(data).items(), key=lambda item: (-item[1], item[0]))
    return {word: number for number, (word, _) in enumerate(counted)}


def build_reverse_dictionary(word_to_id: Mapping[str, int]) -> dict[int, str]:
    """Return the word of each id.

    Examples
    --------
    >>> build_reverse_dictionary({"b": 0, "a": 1})
    {0: 'b', 1: 'a'}
    """
    return {number: word for word, number in word_to_id.items()}


def build_words_dataset(
    words: Iterable[str] | None = None,
    vocabulary_size: int = 50000,
    printable: bool = True,
    unk_key: str = "UNK",
) -> tuple[list[int], list[list[str | int]], dict[str, int], dict[int, str]]:
    """Turn words into ids and make a vocabulary of the most frequent ones.

    Parameters
    ----------
    words
        The text.
    vocabulary_size
        How many ids there are, that of the unknown word included.
    printable
        Whether to log the numbers.
    unk_key
        The word for all words that are less frequent; its id is 0.

    Returns
    -------
    data : list of int
        The text as ids.
    count : list
        ``[unk_key, n_unknown]`` and then ``[word, n]`` by falling frequency: in the order of ids.
    dictionary : dict
        The id of each word.
    reverse_dictionary : dict
        The word of each id.

    Raises
    ------
    InvalidArgument
        ``vocabulary_size`` is larger than the number of different words, or not positive.

    Examples
    --------
    >>> data, count, dictionary, reverse = build_words_dataset(["a", "b", "a", "c"], 2)
    >>> data, count, dictionary
    ([1, 0, 1, 0], [['UNK', 2], ['a', 2]], {'UNK': 0, 'a': 1})
    """
    listed = _listed(words)
    counted = Counter(listed)
    if not 1 <= vocabulary_size <= len(counted):
        raise InvalidArgument(
            f"build_words_dataset: vocabulary_size is from 1 to the number of different words, "
            f"{len(counted)}, got {vocabulary_size}."
        )
    n_words = counted.total()
    counted.pop(unk_key, None)  # it stands for the unknown ones, in the text as well
    frequent = counted.most_common(vocabulary_size - 1)
    dictionary = {unk_key: 0} | {word: i for i, (word, _) in enumerate(frequent, 1)}
    data = [dictionary.get(word, 0) for word in listed]
    n_unknown = n_words - sum(n for _, n in frequent)
    if printable:
        printed.info("%d words, %d different, %d unknown", n_words, len(counted), n_unknown)
    count: list[list[str | int]] = [[unk_key, n_unknown], *([word, n] for word, n in frequent)]
    return data, count, dictionary, build_reverse_dictionary(dictionary)


def words_to_word_ids(
    data: Iterable[str] | None = None,
    word_to_id: Mapping[str, int] | None = None,
    unk_key: str = "UNK",
) -> list[int]:
    """Return the id of each word, and that of ``unk_key`` for unknown words.

    Raises
    ------
    InvalidArgument
        There is an unknown word, and ``unk_key`` has no id either.

    Examples
    --------
    >>> words_to_word_ids(["a", "x"], {"UNK": 0, "a": 1})
    [1, 0]
    """
    ids = {} if word_to_id is None else word_to_id
    words = _listed(data)
    if (unknown := ids.get(unk_key)) is not None:
        return list(map(ids.get, words, itertools.repeat(unknown)))
    try:
        return [ids[word] for word in words]
    except KeyError as error:
        raise InvalidArgument(
            f"words_to_word_ids: {error} is not in the vocabulary of {len(ids)} words, nor is the "
            f"word for unknown ones, {unk_key!r}. Give the right unk_key."
        ) from None


def _listed(words: Any) -> list[Any]:
    """Return words, in an array or an iterator, as a list of plain strings."""
    if words is None:
        return []
    return words.tolist() if isinstance(words, np.ndarray) else list(words)


def word_ids_to_words(
    data: Iterable[int], id_to_word: Mapping[int, str] | Sequence[str]
) -> list[str]:
    """Return the word of each id.

    Examples
    --------
    >>> word_ids_to_words([1, 0], {0: "UNK", 1: "a"})
    ['a', 'UNK']
    """
    return [id_to_word[number] for number in data]


def save_vocab(
    count: Sequence[Sequence[str | int]] | None = None, name: Place = "vocab.txt"
) -> None:
    """Write a vocabulary, a word and its number in each line, for [`Vocabulary`][].

    Parameters
    ----------
    count
        Pairs, as [`build_words_dataset`][] returns.
    name
        The path; a plain name is in the current folder. The file appears whole or not at all.
    """
    from tensorlayer.whole import whole_file

    with whole_file(name) as temporary:
        lines = [f"{word} {number}\n" for word, number in _listed(count)]
        temporary.write_text("".join(lines), encoding="utf-8")
    _log.info("%d words saved to %s", len(lines), name)
