"""Batches: what a pass over a view yields, as arrays where the samples agree."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tensorlayer.datasets.sample import decode_label
from tensorlayer.errors import Corrupt
from tensorlayer.storage.arrays import decode_all
from tensorlayer.storage.blobs import Blobs
from tensorlayer.storage.codec import unpack

__all__ = ["Batch", "Sample", "from_documents", "stack"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    """One sample of a view."""

    key: str
    sample: Any
    label: Any
    tags: dict[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Batch:
    """Some samples of a view, in the order of the pass.

    Parameters
    ----------
    keys
        Keys of the samples.
    samples
        One array with a first axis of the batch's length if all samples have one type and shape,
        else a list. Strings, bytes, lists and dicts are always in a list.
    labels
        Likewise; None if no sample has a label.
    tags
        One dict for each sample.
    """

    keys: list[str]
    samples: np.ndarray | list[Any]
    labels: np.ndarray | list[Any] | None
    tags: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[Sample]:
        labels = [None] * len(self) if self.labels is None else self.labels
        for key, sample, label, tags in zip(
            self.keys, self.samples, labels, self.tags, strict=True
        ):
            yield Sample(key=key, sample=sample, label=label, tags=tags)


def from_documents(documents: Sequence[Mapping[str, Any]], blobs: Blobs) -> Batch:
    """Decode documents of samples; the only decoder of them.

    Raises
    ------
    Corrupt
        A stored value is not what was stored; the message names the sample.
    """
    for each in documents:
        _check(each)
    samples = _joined([document["sample"] for document in documents])
    if samples is None:
        samples = stack([_decoded(each, _sample, blobs) for each in documents])
    labels = [_decoded(each, decode_label, blobs) for each in documents]
    return Batch(
        keys=[document["key"] for document in documents],
        samples=samples,
        labels=None if all(label is None for label in labels) else stack(labels),
        tags=[document["tags"] for document in documents],
    )


#: What the document of a sample has to hold, to be read.
_FIELDS: Mapping[str, type] = {"key": str, "sample": object, "label": object, "tags": Mapping}


def _check(document: Mapping[str, Any]) -> None:
    for name, kind in _FIELDS.items():
        if name not in document or not isinstance(document[name], kind):
            raise Corrupt(
                f"Sample {document.get('key', document.get('_id'))!r:.80} of dataset "
                f"{document.get('dataset')!r:.120}: in its document {name!r} is missing or "
                "nonsense. Restore it from another copy."
            )


def stack(values: list[Any]) -> np.ndarray | list[Any]:
    """Return one array if all values are numbers or arrays of one type and shape, else the list.

    Nothing is converted to make it fit: 1 and 1.5 stay a list.

    Examples
    --------
    >>> stack([1, 2])
    array([1, 2])
    >>> stack([np.zeros(2), np.zeros(3)])
    [array([0., 0.]), array([0., 0., 0.])]
    >>> stack(["a", "b"])
    ['a', 'b']
    """
    kinds = {_kind(value) for value in values}
    return np.stack(values) if len(kinds) == 1 and None not in kinds else values


def _kind(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype, value.shape
    if isinstance(value, int) and not isinstance(value, bool):
        return int if -(2**63) <= value < 2**63 else None
    return type(value) if isinstance(value, bool | float) else None


def _joined(packed: list[Any]) -> np.ndarray | None:
    """Decode equal arrays into one, without any of them by itself; None if they are not that."""
    if not packed or not all(type(each) is dict and "~array" in each for each in packed):
        return None
    arrays = [each["~array"] for each in packed]
    if not all(type(each) is dict for each in arrays):
        return None
    if not all("bytes" in each and _alike(each, arrays[0]) for each in arrays):
        return None
    try:
        joined = decode_all(arrays)
    except Corrupt:  # decoded one by one, the damaged one is found and named
        return None
    native = joined.dtype.newbyteorder("=") if joined.dtype.byteorder == ">" else joined.dtype
    return joined.astype(native, copy=False)


def _alike(array: Mapping[str, Any], first: Mapping[str, Any]) -> bool:
    return all(array.get(name) == first.get(name) for name in ("dtype", "shape"))


def _sample(document: Mapping[str, Any], blobs: Blobs) -> Any:
    return unpack(document["sample"], blobs)


def _decoded(
    document: Mapping[str, Any], decoder: Callable[[Mapping[str, Any], Blobs], Any], blobs: Blobs
) -> Any:
    try:
        return decoder(document, blobs)
    except (Corrupt, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise Corrupt(
            f"Sample {document['key']!r} of dataset {document['dataset']!r}: {error}"
        ) from error
