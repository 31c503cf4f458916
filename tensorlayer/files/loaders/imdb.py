"""IMDB: 50,000 film reviews, as word ids, that are positive or negative."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tensorlayer.errors import InvalidArgument
from tensorlayer.files import pickled
from tensorlayer.files.loaders.place import fetch, find, read_whole
from tensorlayer.files.npz import read_npz

__all__ = ["load_imdb_dataset"]

URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
ARCHIVE = "imdb.npz"
CHECKSUM = "sha256:69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"

Reviews = list[list[int]]


def load_imdb_dataset(
    path: str | os.PathLike[str] = "data",
    nb_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Load IMDB reviews.

    Parameters
    ----------
    path
        Where ``imdb.npz`` or, of earlier releases, ``imdb.pkl`` is; or where ``imdb.npz`` is to be
        downloaded to (``path/imdb``).
    nb_words
        Ids from this one on are out of vocabulary; None for no limit. Ids fall with frequency.
    skip_top
        Ids below this one are out of vocabulary too: the most frequent words say little.
    maxlen
        Keep only the reviews that are shorter.
    test_split
        The share of the reviews that is for testing.
    seed
        Of the order. NumPy's global generator is not touched.
    start_char
        The id that each review begins with; None for none.
    oov_char
        The id that stands for a word out of vocabulary; None to leave such words out.
    index_from
        Added to each id, so that ids below are free for the two above and for padding.

    Returns
    -------
    tuple
        X_train, y_train, X_test, y_test: arrays of lists of ids, and int64 arrays of 0 and 1.

    Raises
    ------
    InvalidArgument
        ``test_split`` is no share, or no review is shorter than ``maxlen``.
    DownloadFailed
        It is not there and cannot be downloaded.
    Corrupt
        The file is damaged, or pickles something else than arrays and lists. Nothing in it is
        executed.

    References
    ----------
    A. Maas and others: Learning word vectors for sentiment analysis. ACL 2011.
    """
    if not 0 <= test_split <= 1:
        raise InvalidArgument(
            f"load_imdb_dataset: test_split is a share from 0 to 1, got {test_split!r}."
        )
    file = find(path, "imdb", "imdb.pkl") or fetch(path, "imdb", ARCHIVE, URL, CHECKSUM)
    reviews, labels = _read(file)
    order = np.random.RandomState(seed).permutation(len(reviews))  # the draw of earlier releases
    start = [] if start_char is None else [start_char]
    X = [start + [word + index_from for word in reviews[i]] for i in order]
    kept = [i for i, review in enumerate(X) if maxlen is None or len(review) < maxlen]
    if not kept:
        raise InvalidArgument(
            f"load_imdb_dataset: no review is shorter than maxlen={maxlen}. Increase it."
        )
    X = [_limit(X[i], nb_words, skip_top, oov_char) for i in kept]
    y = labels[order][kept]
    n_train = int(len(X) * (1 - test_split))
    return _ragged(X[:n_train]), y[:n_train], _ragged(X[n_train:]), y[n_train:]


def _read(path: Path) -> tuple[Sequence[Sequence[int]], np.ndarray]:
    with read_whole(path, "the IMDB reviews"):
        if path.suffix == ".npz":
            arrays = read_npz(path)
            reviews = [*arrays["x_train"], *arrays["x_test"]]
            labels = np.concatenate([arrays["y_train"], arrays["y_test"]])
        else:
            with path.open("rb") as file:
                reviews, labels = pickled.load(file)
        if len(reviews) != len(labels) or not len(reviews):
            raise ValueError(f"{len(reviews)} reviews for {len(labels)} labels")
        return reviews, np.asarray(labels, np.int64)


def _limit(review: list[int], nb_words: int | None, skip_top: int, oov: int | None) -> list[int]:
    last = float("inf") if nb_words is None else nb_words
    if oov is None:
        return [word for word in review if skip_top <= word < last]
    return [word if skip_top <= word < last else oov for word in review]


def _ragged(reviews: Reviews) -> np.ndarray:
    """Return an array of lists; NumPy would make a matrix of lists that are equally long."""
    array = np.empty(len(reviews), object)
    for i, review in enumerate(reviews):
        array[i] = review
    return array
