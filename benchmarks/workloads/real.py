"""Real input of the three workloads: the official files, or what needs no network.

Each function returns batches to train on and batches held out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import skimage.data

import tensorlayer as tl
from benchmarks.workloads import cifar10, ptb, skipgram
from examples import prose

Batches = list[tuple[np.ndarray, np.ndarray]]
#: Pictures that come with scikit-image: the ten classes, if there is no CIFAR-10.
PHOTOGRAPHS = (
    "astronaut", "brick", "cat", "coffee", "grass", "gravel", "hubble_deep_field",
    "immunohistochemistry", "retina", "rocket",
)  # fmt: skip
HELD_OUT = 20  # batches


def images(data: Path | None, n_batches: int, seed: int) -> tuple[Batches, Batches]:
    """Return 24x24 crops of CIFAR-10, or of photographs, whose right quarter is held out."""
    rng = np.random.default_rng(seed)
    if data is None:
        wholes = [_rgb(getattr(skimage.data, name)()) for name in PHOTOGRAPHS]
        cut = [3 * whole.shape[1] // 4 for whole in wholes]
        train = [whole[:, :at] for whole, at in zip(wholes, cut, strict=True)]
        test = [whole[:, at:] for whole, at in zip(wholes, cut, strict=True)]
        classes = classes_of_test = np.arange(len(wholes))
    else:
        train, classes, test, classes_of_test = tl.files.load_cifar10_dataset(path=str(data))
    return (
        [_crops(train, classes, rng) for _ in range(n_batches)],
        [_crops(test, classes_of_test, rng) for _ in range(HELD_OUT)],
    )


def _rgb(image: np.ndarray) -> np.ndarray:
    return np.broadcast_to(image[..., None], (*image.shape, 3)) if image.ndim == 2 else image


def _crops(
    wholes: Sequence[np.ndarray], classes: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return a batch of crops at random places, each normalised by itself."""
    side, drawn = cifar10.SIDE, rng.integers(0, len(wholes), cifar10.BATCH)
    found = []
    for index in drawn:
        whole = wholes[index]
        top, left = (rng.integers(0, n - side + 1) for n in whole.shape[:2])
        crop = whole[top : top + side, left : left + side].astype(np.float32)
        found.append((crop - crop.mean()) / max(crop.std(), 1.0))
    return np.stack(found), np.asarray(classes)[drawn].astype(np.int64)


def text(data: Path | None, n_batches: int, seed: int) -> tuple[Batches, Batches]:
    """Return words of the Penn Treebank, or of Python's reference, and those that follow.

    Batches go along the text, and begin anew at its end.
    """
    if data is None:
        train, test = _numbered(*prose.splits()[:2], ptb.WORDS)
    else:
        train, test, _, _ = tl.files.load_ptb_dataset(path=str(data))
    n = ptb.BATCH, ptb.STEPS
    once = list(tl.iterate.ptb_iterator(train, *n))
    start = seed % len(once)
    order = [(start + i) % len(once) for i in range(n_batches)]
    return [once[i] for i in order], list(tl.iterate.ptb_iterator(test, *n))


def _numbered(
    words: Sequence[str], held_out: Sequence[str], n_words: int
) -> tuple[list[int], list[int]]:
    """Return both texts as numbers; words that stand once, or are rarer, are all one."""
    counts = [each for each in Counter(words).most_common(n_words - 1) if each[1] > 1]
    vocabulary = {word: number for number, (word, _) in enumerate([("<unk>", 0), *counts])}
    train, test = (
        tl.nlp.words_to_word_ids(part, vocabulary, unk_key="<unk>") for part in (words, held_out)
    )
    return train, test


def neighbours(data: Path | None, n_batches: int, seed: int) -> tuple[Batches, Batches]:
    """Return words and their neighbours of text8, or of Python's reference."""
    if data is None:
        train, _, held_out = prose.splits()
    else:
        words = tl.files.load_matt_mahoney_text8_dataset(path=str(data))
        at = 19 * len(words) // 20
        train, held_out = words[:at], words[at:]
    parts = []
    for ids, count in zip(
        _numbered(train, held_out, skipgram.WORDS), (n_batches, HELD_OUT), strict=True
    ):
        found, place = [], 0
        for index in range(count):
            x, y, place = tl.nlp.generate_skip_gram_batch(
                ids, skipgram.BATCH, 2, 1, place, seed=seed * 1_000_003 + index
            )
            found.append((x.astype(np.int64), y.astype(np.int64)))
        parts.append(found)
    return parts[0], parts[1]
