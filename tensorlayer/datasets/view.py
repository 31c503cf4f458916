"""Views: a query at a revision, and the passes over what it selects."""

from __future__ import annotations

import dataclasses
import hashlib
import operator
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorlayer.datasets import feed, parts, reading
from tensorlayer.datasets.batch import Batch, Sample, from_documents
from tensorlayer.datasets.ledger import Ledger
from tensorlayer.datasets.memory import Memory
from tensorlayer.datasets.order import check_integer, permutation
from tensorlayer.datasets.patterns import told
from tensorlayer.datasets.query import canonical, check_known, compile_query
from tensorlayer.datasets.reading import ORDER
from tensorlayer.datasets.sample import OWNER
from tensorlayer.datasets.window import Window
from tensorlayer.storage.connection import Store

if TYPE_CHECKING:
    import tensorflow as tf
    from bson import CodecOptions

    from tensorlayer.storage.blobs import Blobs

__all__ = ["ORDER", "View"]

#: Small samples that are decoded at once when they are asked for one by one.
_ITERATED = 16


@dataclasses.dataclass(frozen=True, kw_only=True)
class View:
    """The samples of a dataset, at a revision, that fulfil conditions. A frozen value.

    The same view gives the same samples in the same order for ever, whoever appends meanwhile. It
    costs no storage. Two views are equal if dataset, revision and conditions are.

    Parameters
    ----------
    dataset
        Key of the dataset.
    revision
        Samples of later revisions do not exist for this view.
    conditions
        MongoDB filters, made by `where`, that must all hold.
    window
        What the revision shows.
    tags
        Names that conditions may use; None if any name may be one.
    store
        Where the samples are.

    Examples
    --------
    >>> digits = hub.datasets.create("digits")
    >>> _ = digits.append(np.eye(4), labels=[0, 1, 2, 3], tags={"split": "train"})
    >>> view = digits.where(split="train").where(label={"$lt": 3})
    >>> [batch.labels.tolist() for batch in view.batches(2)]
    [[0, 1], [2]]
    >>> int(view[-1].label), view[:2].labels.tolist(), [int(each.label) for each in view]
    (2, [0, 1], [0, 1, 2])
    """

    dataset: str
    revision: int
    conditions: tuple[dict[str, Any], ...] = dataclasses.field(default=(), hash=False)
    window: Window = dataclasses.field(repr=False, compare=False)
    tags: frozenset[str] | None = dataclasses.field(default=None, repr=False, compare=False)
    store: Store = dataclasses.field(repr=False, compare=False)
    #: Batches of the next pass are made in what those of the last one were in.
    _memory: Memory = dataclasses.field(
        default_factory=Memory, init=False, repr=False, compare=False
    )

    def where(self, **conditions: Any) -> View:
        """Return the view of those samples that fulfil these conditions, too.

        Raises
        ------
        InvalidArgument, InvalidName
            A condition is not one of `tensorlayer.datasets.query`, or no sample has such a tag.
        """
        if not conditions:
            return self
        compiled = compile_query(conditions)
        if self.tags is not None:
            check_known(conditions, self.tags, f"Dataset {self.dataset!r}")
        return dataclasses.replace(self, conditions=(*self.conditions, compiled))

    @property
    def filter(self) -> dict[str, Any]:
        """The MongoDB filter that selects the samples in the collection ``samples``."""
        every = {"$and": list(self.conditions)} if self.conditions else {}
        return {"dataset": self.dataset, **self.window.filter, **every}

    @property
    def fingerprint(self) -> str:
        """SHA-256 of dataset, revision and conditions: the name of this view in a lineage."""
        name = canonical([self.dataset, self.revision, sorted(map(canonical, self.conditions))])
        return hashlib.sha256(name.encode()).hexdigest()

    def __len__(self) -> int:
        samples = self.store.database[OWNER]
        with told():
            n_samples = self.store.call(lambda: samples.count_documents(self.filter))
        self._require()
        return n_samples

    def __getitem__(self, index: int | slice) -> Sample | Batch:
        """Return one sample by its place in the order of insertion, or a `Batch` for a slice.

        For looking at data; a training reads `batches`.

        Raises
        ------
        IndexError
            There are not so many samples.
        """
        if isinstance(index, slice):
            return self._batch(range(len(self))[index])
        index = operator.index(index)
        n = len(self)
        if not -n <= index < n:
            raise IndexError(f"{self} has {n} samples, got the index {index}.")
        return next(iter(self._batch(range(n)[index:][:1])))

    def __iter__(self) -> Iterator[Sample]:
        for part in self._still_there(self._in_order()):
            n = _ITERATED if isinstance(part, parts.Table) else 1
            for at in range(0, len(part), n):
                yield from self._joined([part[at : at + n]])

    def batches(
        self,
        batch_size: int,
        *,
        shuffle: bool = False,
        seed: int = 0,
        epoch: int = 0,
        drop_remainder: bool = False,
        prefetch: int = 2,
    ) -> Iterator[Batch]:
        """Make one pass; every sample comes once.

        Without ``shuffle`` in the order of insertion. With it in an order that depends on nothing
        but seed, epoch and fingerprint; the batch size only cuts it. Memory is bounded by the
        batches that are read ahead and, with ``shuffle``, 12 bytes for each sample. Outages within
        the budget of the store are waited for, and the pass goes on where it was.

        Parameters
        ----------
        batch_size
            Samples in a batch.
        shuffle, seed, epoch
            Whether and how to shuffle.
        drop_remainder
            Leave out the last batch if it is smaller.
        prefetch
            Batches that a background thread reads ahead: 2 hide the database behind a training
            step. 0 reads in the caller's thread.

        Raises
        ------
        InvalidArgument
            ``batch_size`` is not positive, ``prefetch`` is negative, or one of the numbers is no
            integer.
        Corrupt
            A stored value is not what was stored.
        """
        batch_size = check_integer("batch_size", batch_size, 1)
        prefetch = check_integer("prefetch", prefetch, 0)
        seed, epoch = check_integer("seed", seed), check_integer("epoch", epoch)
        found = self._still_there(self._shuffled(seed, epoch) if shuffle else self._in_order())
        if prefetch:  # the next reply comes while a batch is made of the last one
            found = feed.prefetched(found, 1)
        drafts = parts.batches(found, batch_size, drop_remainder, self._memory)
        batches = (each.batch(*self._decoding) for each in drafts)
        return feed.prefetched(batches, prefetch) if prefetch else batches

    def arrays(self) -> tuple[Any, Any]:
        """Read all samples into memory: ``(samples, labels)``, stacked as in a `Batch`."""
        batch = self._joined(list(self._still_there(self._in_order())))
        return batch.samples, batch.labels

    def to_tf(
        self,
        batch_size: int,
        *,
        shuffle: bool = False,
        seed: int = 0,
        first_epoch: int = 0,
        repeat: bool = False,
        drop_remainder: bool = False,
        prefetch: int = 2,
    ) -> tf.data.Dataset:
        """Return a `tf.data.Dataset` of batches; see `tensorlayer.datasets.feed.to_tf`."""
        return feed.to_tf(
            self,
            batch_size,
            shuffle=shuffle,
            seed=seed,
            first_epoch=first_epoch,
            repeat=repeat,
            drop_remainder=drop_remainder,
            prefetch=prefetch,
        )

    def _batch(self, places: range) -> Batch:
        """Return the samples at these places."""
        if not places:
            return from_documents([], self.store.blobs)
        if abs(places.step) > 1:
            ids = reading.all_ids(self.store, self.filter)[places.start :: places.step]
            return self._joined(list(self._still_there(self._with_ids(ids[: len(places)]))))
        first, last = min(places), max(places)
        some = {"skip": first, "limit": last - first + 1, "sort": list(ORDER)}
        samples = self.store.database[OWNER]
        with told():
            found = self.store.call(lambda: list(samples.find(self.filter, **some)))
        self._require()
        return from_documents([found[place - first] for place in places], self.store.blobs)

    def _in_order(self) -> Iterator[parts.Part]:
        tables = parts.Tables(self.store.database.codec_options)
        return tables.parts(reading.in_order(self.store, self.filter))

    def _still_there(self, found: Iterator[parts.Part]) -> Iterator[parts.Part]:
        """Yield all parts; raise DatasetNotFound if some are gone, since the dataset is."""
        yield from found
        self._require()

    def _require(self) -> None:
        Ledger(self.store, self.dataset).require(self.revision, self.window)

    def _shuffled(self, seed: int, epoch: int) -> Iterator[parts.Part]:
        ids = reading.all_ids(self.store, self.filter)
        order = permutation(len(ids), seed=seed, epoch=epoch, fingerprint=self.fingerprint)
        yield from self._with_ids(ids[order])

    def _with_ids(self, ids: np.ndarray) -> Iterator[parts.Part]:
        tables = parts.Tables(self.store.database.codec_options)
        for found in reading.by_ids(self.store, ids):
            yield from tables.gathered(found)

    def _joined(self, found: Sequence[parts.Part]) -> Batch:
        return parts.joined(found, *self._decoding)

    @property
    def _decoding(self) -> tuple[Blobs, CodecOptions]:
        """What decodes documents one by one."""
        return self.store.blobs, self.store.database.codec_options
