"""What examples on pairs of texts share: tokens and their ids, a step of training, answers.

vocabulary = pairs.Vocabulary(texts)
source = vocabulary.encode(questions, ends=False)
target = vocabulary.encode(answers, ends=True)      # <start> ... <end>, and pads behind
step = pairs.training(model, optimizer)             # for tl.train.run
found = pairs.answers(model, vocabulary, questions, n_steps=20)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf

import tensorlayer as tl

PAD, START, END, UNKNOWN = range(4)
SPECIAL = ["<pad>", "<start>", "<end>", "<unknown>"]

Pairs = list[tuple[str, str]]


def read_tabs(lines: Iterable[str]) -> Pairs:
    """Return the pairs of lines that have a tab in between; what a second tab brings is not."""
    found = {}
    for line in lines:
        source, target = [*line.split("\t"), "", ""][:2]
        if source.strip() and target.strip():
            found.setdefault(source.strip(), target.strip())
    return list(found.items())


def tokens(text: str) -> list[str]:
    """Cut a text into words, single digits, and marks."""
    return re.findall(r"[^\W\d]+(?:[-'][^\W\d]+)*|\d|\S", text.lower())


def joined(tokens: Iterable[str]) -> str:
    """Return a text: numbers and dates in one piece, marks behind their words."""
    return re.sub(r"(?<=[\d-]) (?=[\d-])| (?=[.,!?)])|(?<=\() ", "", " ".join(tokens))


class Vocabulary:
    """The most frequent words, numbers and marks, and their ids."""

    def __init__(self, texts: Iterable[str], at_most: int = 20_000) -> None:
        counts = Counter(token for text in texts for token in tokens(text))
        self.names = [*SPECIAL, *(token for token, _ in counts.most_common(at_most))]
        self.ids = {name: index for index, name in enumerate(self.names)}

    def encode(self, texts: list[str], ends: bool, at_most: int = 60) -> np.ndarray:
        """Return ids, a row for each text, with pads behind; ``ends`` puts start and end around."""
        rows = [
            [self.ids.get(token, UNKNOWN) for token in tokens(text)[:at_most]] for text in texts
        ]
        rows = [[START, *row, END] if ends else row for row in rows]
        padded = np.full([len(rows), max(1, *map(len, rows))], PAD, np.int32)
        for row, ids in zip(padded, rows, strict=True):
            row[: len(ids)] = ids
        return padded

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ids up to the end."""
        ids = list(ids)
        return joined(self.names[each] for each in ids[: ids.index(END) if END in ids else None])


def training(model: tl.models.Model, optimizer: tf.optimizers.Optimizer) -> tl.train.GradientStep:
    """Return the step of training."""

    def cost(logits: tf.Tensor, answer: tf.Tensor) -> tf.Tensor:
        return tl.cost.cross_entropy_seq_with_mask(logits, answer, answer != PAD)

    return tl.train.GradientStep(model, cost, optimizer, clip_norm=5.0)


def batches(source: np.ndarray, target: np.ndarray, batch_size: int, seed: int) -> tf.data.Dataset:
    """Return batches of one shape, in a new order in each epoch.

    A batch has the sources, the targets as the decoder reads them, and a token further on.
    """
    each = source, target[:, :-1], target[:, 1:]
    data = tf.data.Dataset.from_tensor_slices(each).shuffle(len(source), seed)
    return data.batch(min(batch_size, len(source)), drop_remainder=True).prefetch(2)


def answers(
    model: tl.models.Model,
    vocabulary: Vocabulary,
    sources: list[str],
    n_steps: int,
    search: Callable | None = None,
) -> list[str]:
    """Return what a model makes of texts."""
    found = []
    for first in range(0, len(sources), 250):
        ids = vocabulary.encode(sources[first : first + 250], ends=False)
        best = model.translate(ids, n_steps, START, END, search=search).best.ids
        found += [vocabulary.decode(row) for row in best.numpy()]
    return found


def share_right(found: list[str], wanted: list[str]) -> float:
    """Return how many texts are the wanted ones, of those that were found."""
    right = [a == joined(tokens(b)) for a, b in zip(found, wanted, strict=False)]
    return float(np.mean(right))
