"""Vocabularies and token ids in files, for translation.

Words are bytes here, as in the files. The first four ids are kept: padding, start, end, unknown.
"""

from __future__ import annotations

import logging
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tensorlayer.errors import InvalidArgument
from tensorlayer.whole import whole_file

__all__ = [
    "as_bytes",
    "as_text",
    "basic_tokenizer",
    "create_vocabulary",
    "data_to_token_ids",
    "initialize_vocabulary",
    "sentence_to_token_ids",
]

_log = logging.getLogger(__name__)

WORD_SPLIT = re.compile(rb"([.,!?\"':;)(])")
DIGIT = re.compile(rb"\d")
#: The words with the ids 0 to 3.
START_VOCAB = (b"_PAD", b"_GO", b"_EOS", b"_UNK")

Place = str | os.PathLike[str]
Tokenizer = Callable[[bytes], Sequence[bytes | str]]


def as_bytes(bytes_or_text: bytes | bytearray | str, encoding: str = "utf-8") -> bytes:
    """Return text as bytes, and bytes as they are.

    Examples
    --------
    >>> as_bytes("a"), as_bytes(b"a")
    (b'a', b'a')
    """
    if isinstance(bytes_or_text, str):
        return bytes_or_text.encode(encoding)
    return bytes(_require_text(bytes_or_text, "as_bytes"))


def as_text(bytes_or_text: bytes | bytearray | str, encoding: str = "utf-8") -> str:
    """Return bytes as text, and text as it is.

    Examples
    --------
    >>> as_text(b"a"), as_text("a")
    ('a', 'a')
    """
    if isinstance(bytes_or_text, str):
        return bytes_or_text
    return _require_text(bytes_or_text, "as_text").decode(encoding)


def _require_text(value: bytes | bytearray, who: str) -> bytes | bytearray:
    if not isinstance(value, (bytes, bytearray)):
        raise InvalidArgument(f"{who}: expected bytes or text, got {value!r}.")
    return value


def basic_tokenizer(
    sentence: bytes | str,
    _WORD_SPLIT: re.Pattern[bytes] = WORD_SPLIT,
) -> list[bytes]:
    """Split a sentence at white space, and punctuation from words.

    Parameters
    ----------
    sentence
        Bytes or text.
    _WORD_SPLIT
        What is a token of its own.

    Examples
    --------
    >>> basic_tokenizer("Stop, now!")
    [b'Stop', b',', b'now', b'!']
    """
    parts = [_WORD_SPLIT.split(part) for part in as_bytes(sentence).split()]
    return [word for part in parts for word in part if word]


def create_vocabulary(
    vocabulary_path: Place,
    data_path: Place,
    max_vocabulary_size: int,
    tokenizer: Tokenizer | None = None,
    normalize_digits: bool = True,
    _DIGIT_RE: re.Pattern[bytes] = DIGIT,
    _START_VOCAB: Sequence[bytes] | None = None,
) -> None:
    """Write the most frequent words of a text, one a line, unless the file is there.

    Parameters
    ----------
    vocabulary_path
        The file to write; one that is there is kept.
    data_path
        The text, a sentence a line.
    max_vocabulary_size
        How many words at most, the special ones included.
    tokenizer
        Splits a line; None for [`basic_tokenizer`][].
    normalize_digits
        Write every digit as 0, so that numbers do not fill the vocabulary.
    _DIGIT_RE
        What a digit is.
    _START_VOCAB
        The words with the first ids; None for ``_PAD``, ``_GO``, ``_EOS``, ``_UNK``.

    Raises
    ------
    InvalidArgument
        There is no room for the special words.
    """
    start = list(map(as_bytes, START_VOCAB if _START_VOCAB is None else _START_VOCAB))
    if max_vocabulary_size < len(start):
        raise InvalidArgument(
            f"create_vocabulary: max_vocabulary_size is at least {len(start)}, the special words, "
            f"got {max_vocabulary_size}."
        )
    if Path(vocabulary_path).is_file():
        return
    counted: Counter[bytes] = Counter()
    with open(data_path, "rb") as lines:
        for line in lines:
            words = _tokens(line, tokenizer)
            counted.update(_DIGIT_RE.sub(b"0", w) if normalize_digits else w for w in words)
    frequent = [word for word, _ in counted.most_common() if word not in start]
    vocabulary = (start + frequent)[:max_vocabulary_size]
    with whole_file(vocabulary_path) as temporary:
        temporary.write_bytes(b"".join(word + b"\n" for word in vocabulary))
    _log.info("%d words of %s written to %s", len(vocabulary), data_path, vocabulary_path)


def _tokens(sentence: bytes | str, tokenizer: Tokenizer | None) -> list[bytes]:
    return list(map(as_bytes, (tokenizer or basic_tokenizer)(as_bytes(sentence))))


def initialize_vocabulary(vocabulary_path: Place) -> tuple[dict[bytes, int], list[bytes]]:
    """Read a vocabulary of one word a line.

    Returns
    -------
    dict
        The id of each word, its line counted from 0.
    list of bytes
        The word of each id.

    Raises
    ------
    InvalidArgument
        There is no such file.
    """
    if not Path(vocabulary_path).is_file():
        raise InvalidArgument(
            f"initialize_vocabulary: there is no vocabulary file {str(vocabulary_path)!r}. Make it "
            "with create_vocabulary."
        )
    words = [line.strip() for line in Path(vocabulary_path).read_bytes().splitlines()]
    return {word: number for number, word in enumerate(words)}, words


def sentence_to_token_ids(
    sentence: bytes | str,
    vocabulary: Mapping[bytes, int],
    tokenizer: Tokenizer | None = None,
    normalize_digits: bool = True,
    UNK_ID: int = 3,
    _DIGIT_RE: re.Pattern[bytes] = DIGIT,
) -> list[int]:
    """Return the ids of the words of a sentence.

    Parameters
    ----------
    sentence
        Bytes or text.
    vocabulary
        The id of each word, as [`initialize_vocabulary`][] returns.
    tokenizer
        Splits the sentence; None for [`basic_tokenizer`][].
    normalize_digits
        Read every digit as 0, as the vocabulary was written.
    UNK_ID
        The id of words that are not in it.
    _DIGIT_RE
        What a digit is.

    Examples
    --------
    >>> sentence_to_token_ids("I have 21 dogs", {b"I": 1, b"have": 2, b"00": 5})
    [1, 2, 5, 3]
    """
    words = _tokens(sentence, tokenizer)
    if normalize_digits:
        words = [_DIGIT_RE.sub(b"0", word) for word in words]
    return [vocabulary.get(word, UNK_ID) for word in words]


def data_to_token_ids(
    data_path: Place,
    target_path: Place,
    vocabulary_path: Place,
    tokenizer: Tokenizer | None = None,
    normalize_digits: bool = True,
    UNK_ID: int = 3,
    _DIGIT_RE: re.Pattern[bytes] = DIGIT,
) -> None:
    """Write the ids of each line of a text, separated by blanks, unless the file is there.

    The file appears whole or not at all, so one that is there is complete.

    Parameters
    ----------
    data_path
        The text, a sentence a line.
    target_path
        The file to write.
    vocabulary_path
        Of [`create_vocabulary`][].
    tokenizer, normalize_digits, UNK_ID, _DIGIT_RE
        As for [`sentence_to_token_ids`][].

    Raises
    ------
    InvalidArgument
        There is no vocabulary.
    """
    if Path(target_path).is_file():
        return
    vocabulary, _ = initialize_vocabulary(vocabulary_path)
    with (
        open(data_path, "rb") as lines,
        whole_file(target_path) as temporary,
        temporary.open("w", encoding="ascii") as target,
    ):
        for line in lines:
            ids = sentence_to_token_ids(
                line, vocabulary, tokenizer, normalize_digits, UNK_ID, _DIGIT_RE
            )
            target.write(" ".join(map(str, ids)) + "\n")
