"""Vocabularies for image captions: sentences with start, end, padding and unknown words."""

from __future__ import annotations

import functools
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tensorlayer.errors import LibraryMissing
from tensorlayer.nlp.words import save_vocab

__all__ = ["SimpleVocabulary", "Vocabulary", "create_vocab", "process_sentence"]

PAD = "<PAD>"

Place = str | os.PathLike[str]


class SimpleVocabulary:
    """Ids of words, and one for all others.

    Parameters
    ----------
    vocab
        The id of each word.
    unk_id
        The id of all others.

    Examples
    --------
    >>> SimpleVocabulary({"a": 0}, unk_id=9).word_to_id("b")
    9
    """

    def __init__(self, vocab: Mapping[str, int], unk_id: int) -> None:
        self._vocab = vocab
        self._unk_id = unk_id

    def word_to_id(self, word: str) -> int:
        """Return the id of a word."""
        return self._vocab.get(word, self._unk_id)


class Vocabulary:
    r"""The vocabulary that [`create_vocab`][] wrote: a word at the start of each line.

    Parameters
    ----------
    vocab_file
        The path.
    start_word, end_word, unk_word, pad_word
        The special words. Those that the file lacks get the next ids.

    Attributes
    ----------
    vocab : dict
        The id of each word.
    reverse_vocab : list of str
        The word of each id.
    start_id, end_id, unk_id, pad_id : int
        The ids of the special words.

    Examples
    --------
    >>> _ = Path("vocab.txt").write_text("<PAD> 0\na 2\ncat 1\n")
    >>> vocabulary = Vocabulary("vocab.txt")
    >>> vocabulary.word_to_id("cat"), vocabulary.id_to_word(1), vocabulary.id_to_word(99)
    (2, 'a', '<UNK>')
    """

    def __init__(
        self,
        vocab_file: Place,
        start_word: str = "<S>",
        end_word: str = "</S>",
        unk_word: str = "<UNK>",
        pad_word: str = PAD,
    ) -> None:
        lines = Path(vocab_file).read_text(encoding="utf-8").split("\n")
        words = [line.split()[0] for line in lines if line.strip()]
        for word in (start_word, end_word, unk_word, pad_word):
            if word not in words:
                words.append(word)
        self.reverse_vocab = words
        self.vocab = {word: number for number, word in enumerate(words)}
        self.start_id = self.vocab[start_word]
        self.end_id = self.vocab[end_word]
        self.unk_id = self.vocab[unk_word]
        self.pad_id = self.vocab[pad_word]

    def word_to_id(self, word: str) -> int:
        """Return the id of a word, that of the unknown word if it is not there."""
        return self.vocab.get(word, self.unk_id)

    def id_to_word(self, word_id: int) -> str:
        """Return the word of an id, the unknown word if there is none."""
        is_known = 0 <= word_id < len(self.reverse_vocab)
        return self.reverse_vocab[word_id if is_known else self.unk_id]

    def __len__(self) -> int:
        return len(self.reverse_vocab)


def create_vocab(
    sentences: Iterable[Iterable[str]], word_counts_output_file: Place, min_word_count: int = 1
) -> SimpleVocabulary:
    """Count the words of sentences, write them by falling frequency, and return their ids.

    Parameters
    ----------
    sentences
        Lists of words, as [`process_sentence`][] makes them.
    word_counts_output_file
        Where the lines "word number" are written, for [`Vocabulary`][].
    min_word_count
        Rarer words are left out.

    Returns
    -------
    SimpleVocabulary
        ``<PAD>`` has id 0; words that were left out have the id after the last.

    Examples
    --------
    >>> vocabulary = create_vocab([["a", "cat"], ["a", "dog"]], "vocab.txt", min_word_count=2)
    >>> vocabulary.word_to_id("a"), vocabulary.word_to_id("cat")
    (1, 2)
    """
    counted = Counter(word for sentence in sentences for word in sentence)
    counted.pop(PAD, None)
    kept = [(PAD, 0), *((w, n) for w, n in counted.most_common() if n >= min_word_count)]
    save_vocab(kept, word_counts_output_file)
    return SimpleVocabulary({word: i for i, (word, _) in enumerate(kept)}, len(kept))


def process_sentence(
    sentence: str | bytes, start_word: str | None = "<S>", end_word: str | None = "</S>"
) -> list[str]:
    """Split a sentence into words in lower case, between a start and an end word.

    The words are those of the Penn Treebank, by NLTK's tokeniser, which needs no data that would
    have to be downloaded. (TensorLayer split the text into sentences first; here it is one.)

    Parameters
    ----------
    sentence
        English text; bytes are UTF-8.
    start_word, end_word
        Added before and after; None for none.

    Raises
    ------
    LibraryMissing
        The extra ``text`` is not installed.

    Examples
    --------
    >>> process_sentence("How are you?")
    ['<S>', 'how', 'are', 'you', '?', '</S>']
    """
    text = sentence.decode("utf-8") if isinstance(sentence, bytes) else sentence
    words = _tokenizer().tokenize(text.lower())
    start = [] if start_word is None else [start_word]
    end = [] if end_word is None else [end_word]
    return [*start, *words, *end]


@functools.lru_cache(maxsize=1)  # its rules are compiled
def _tokenizer() -> Any:
    try:
        from nltk.tokenize import NLTKWordTokenizer
    except ImportError as error:
        raise LibraryMissing(
            "process_sentence needs NLTK. Install it with: pip install tensorlayer[text]"
        ) from error
    return NLTKWordTokenizer()
