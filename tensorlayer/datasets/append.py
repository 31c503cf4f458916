"""Appending: samples become documents, documents become batches, each batch is one revision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tensorlayer.datasets.content import check_sample_key, default_keys, digest
from tensorlayer.datasets.sample import check_tags, encode, size
from tensorlayer.errors import Conflict, InvalidArgument
from tensorlayer.storage.blobs import Blobs

__all__ = ["MAX_BYTES", "MAX_SAMPLES", "Columns", "batches", "check_same"]

#: Samples in one batch: a transaction of this size takes a fraction of a second, far from MongoDB's
#: limit of 60 s, and one list of keys in a query stays below 1 MB.
MAX_SAMPLES = 5_000

#: Bytes in one batch, without blobs: below the 48 MB of one message to the server.
MAX_BYTES = 32 * 1024 * 1024


class Columns:
    """The arguments of one append, checked, with a key and a digest for each sample.

    Parameters
    ----------
    samples
        Array with a first axis of n, or list of n values.
    labels
        n labels, or None.
    tags
        One dict for all samples, a list of n dicts, or None.
    keys
        n strings, all different, or None: then the content is the key.

    Raises
    ------
    InvalidArgument
        The lengths differ, a key is there twice, or a value is of a kind that cannot be stored.
    InvalidName
        The name of a tag or a key breaks a rule.

    Examples
    --------
    >>> columns = Columns([[1], [2]], labels=[0, 1], tags={"split": "train"})
    >>> len(columns), columns.tags[1]
    (2, {'split': 'train'})
    """

    def __init__(
        self, samples: Any, labels: Any = None, tags: Any = None, keys: Any = None
    ) -> None:
        self.samples = _sequence(samples, "samples")
        n = len(self.samples)
        self.labels = [None] * n if labels is None else _of_length(n, labels, "labels")
        self.tags = _tags(n, tags)
        self.digests = list(map(digest, self.samples, self.labels, _digests(self.tags)))
        self.keys = default_keys(self.digests) if keys is None else _keys(n, keys)

    def __len__(self) -> int:
        return len(self.keys)

    def document(self, position: int, dataset: str, blobs: Blobs) -> dict[str, Any]:
        """Return the document of one sample, without the revision; large values are uploaded."""
        fields = encode(self.samples[position], self.labels[position], self.tags[position], blobs)
        return {
            "dataset": dataset,
            "key": self.keys[position],
            "digest": self.digests[position],
            **fields,
        }


def batches(
    columns: Columns, positions: Sequence[int], dataset: str, blobs: Blobs
) -> Iterator[list[dict[str, Any]]]:
    """Yield the documents of the samples at ``positions``, in order, in batches of bounded size."""
    batch: list[dict[str, Any]] = []
    n_bytes = 0
    for position in positions:
        document = columns.document(position, dataset, blobs)
        n_document = size(document)
        if batch and (len(batch) == MAX_SAMPLES or n_bytes + n_document > MAX_BYTES):
            yield batch
            batch, n_bytes = [], 0
        batch.append(document)
        n_bytes += n_document
    if batch:
        yield batch


def check_same(dataset: str, known: Mapping[str, Any], key: str, digest: str) -> None:
    """Raise unless the stored sample has the digest of the one that is sent again.

    Raises
    ------
    Conflict
        It has another one: this key was used for other content.
    """
    if known["digest"] != digest:
        raise Conflict(
            f"Dataset {dataset!r}: sample {key!r} is stored since revision "
            f"{known['revision']} with other content (stored {known['digest'][:12]}, sent "
            f"{digest[:12]}). Nothing of this batch was stored. Give the new sample another key."
        )


def _sequence(values: Any, what: str) -> Sequence[Any]:
    if hasattr(values, "__array__"):  # also a tensor of TensorFlow, without importing it
        values = np.asarray(values)
        if values.ndim:
            return values
    if isinstance(values, list | tuple):
        return values
    raise InvalidArgument(
        f"{what} must be an array with a first axis, or a list, got {type(values).__name__}. "
        f"For one sample write [{what[:-1]}]."
    )


def _of_length(n: int, values: Any, what: str) -> Sequence[Any]:
    values = _sequence(values, what)
    if len(values) != n:
        raise InvalidArgument(
            f"There are {n} samples and {len(values)} {what}. Give one for each sample."
        )
    return values


def _tags(n: int, tags: Any) -> Sequence[dict[str, Any]]:
    if tags is None or isinstance(tags, Mapping):
        return [check_tags(tags or {})] * n
    return [check_tags(each) for each in _of_length(n, tags, "tags")]


def _digests(tags: Sequence[dict[str, Any]]) -> list[str]:
    """Return a digest of each dict; one that all samples share is hashed once."""
    known = {id(each): digest(each) for each in {id(each): each for each in tags}.values()}
    return [known[id(each)] for each in tags]


def _keys(n: int, keys: Any) -> list[str]:
    checked = [check_sample_key(_text(key)) for key in _of_length(n, keys, "keys")]
    if len(set(checked)) < n:
        twice = next(key for i, key in enumerate(checked) if key in checked[:i])
        raise InvalidArgument(
            f"Sample key {twice!r} is there twice in one append. A key names one sample."
        )
    return checked


def _text(key: Any) -> Any:
    return str(key) if isinstance(key, np.str_) else key
