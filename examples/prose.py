"""A real English text that needs no network: the prose of Python's own reference.

Every Python carries the pages that ``help("for")`` shows, in ``pydoc_data``. Here they are without
their code, tables and grammar, and with each paragraph once, though pages share many: 36,000 words.

    import prose

    prose.text()                            # all of it, as one string
    train, valid, test = prose.splits()     # lists of words, whole pages in each of them
    prose.read_text("book.txt")             # or a text of one's own

Text and splits are the same in each run with one version of Python.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

END = "<eos>"

# A capital or a quoted name, words, and a mark at the end; what looks like code is none.
_PARAGRAPH = re.compile(r"[\"*(]*[A-Z_a-z].*[.:!?][)\"]*", re.DOTALL)
_CODE = re.compile(r">>>|::=|^\s*(?:\||def |class |import |from |#|\(Pdb\)|\+[-=])", re.MULTILINE)
_END_OF_SENTENCE = re.compile(r"(?<=[.!?:])\s+(?=[\"*(]*[A-Z])")
_WORD = re.compile(r"[a-z_][a-z_0-9]*(?:'[a-z]+)?")


def topics() -> dict[str, list[str]]:
    """Return the paragraphs of each page by its name; one that pages share is in the first."""
    from pydoc_data.topics import topics as pages

    found, seen = {}, set()
    for name, page in sorted(pages.items()):
        for block in re.split(r"\n\s*\n", page.replace("’", "'")):
            paragraph = " ".join(block.split())
            if paragraph not in seen and _reads_as_prose(block):
                seen.add(paragraph)
                found.setdefault(name, []).append(paragraph)
    return found


def _reads_as_prose(block: str) -> bool:
    is_long = len(words(block)) >= 6
    return is_long and bool(_PARAGRAPH.fullmatch(block.strip())) and not _CODE.search(block)


def text() -> str:
    """Return all of the prose, a paragraph on each line."""
    return "\n".join(paragraph for page in topics().values() for paragraph in page)


def read_text(path: str, errors: str = "strict") -> str:
    """Return a text of one's own, or end the program with a line that says what is the matter."""
    try:
        text = Path(path).read_text(encoding="utf-8", errors=errors)
    except OSError as error:
        raise SystemExit(f"{path}: {error.strerror}. Give --data a file with text.") from error
    except UnicodeDecodeError as error:
        raise SystemExit(
            f"{path}: no text in UTF-8, from byte {error.start} on. Give --data a file with text, "
            "or convert it: iconv -f latin1 -t utf-8"
        ) from error
    if "\0" in text:  # in no text; where errors are replaced, nothing else tells
        raise SystemExit(f"{path}: no text, there are zero bytes. Give --data a file with text.")
    return text


def sentences(paragraph: str) -> list[str]:
    """Return the sentences of a paragraph."""
    return _END_OF_SENTENCE.split(paragraph)


def words(text: str) -> list[str]:
    """Return the words of a text in lower case, without what stands between them."""
    return _WORD.findall(text.lower())


def splits(share: float = 0.1) -> tuple[list[str], list[str], list[str]]:
    """Return the words to train, validate and test on, with ``<eos>`` after each sentence.

    A page is in one of them as a whole. ``share`` is how much validation and test are of all.
    """
    pages = [_words_and_ends(paragraphs) for paragraphs in topics().values()]
    random.Random(0).shuffle(pages)
    held_out = share * sum(map(len, pages))
    test, valid, train = [], [], []
    for page in pages:
        is_short = len(page) < held_out / 2  # one long page would be a split of its own
        for split in (test, valid):
            if is_short and len(split) + len(page) / 2 < held_out:
                split += page
                break
        else:
            train += page
    return train, valid, test


def _words_and_ends(paragraphs: list[str]) -> list[str]:
    each = [sentence for paragraph in paragraphs for sentence in sentences(paragraph)]
    return [word for sentence in each for word in [*words(sentence), END]]
