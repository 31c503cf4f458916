"""Appending: samples are written where nobody sees them, and shown by one small write.

No transaction carries samples, so an append may be of any size and take any time. It writes them in
blocks of bounded size under a batch number of its own (see `tensorlayer.datasets.ledger`); killed
in between, nothing of it is ever visible, and the next process that writes removes it.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from bson import ObjectId
from pymongo import ASCENDING, IndexModel

from tensorlayer.datasets.ledger import HEADS, Commit, Ledger
from tensorlayer.datasets.rows import Row, Rows
from tensorlayer.datasets.sample import OWNER, encode
from tensorlayer.errors import Conflict
from tensorlayer.storage.inserting import insert

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession
    from tqdm import tqdm

    from tensorlayer.storage.connection import Store

__all__ = ["INDEXES", "Append", "abandon_of"]

#: The order of samples: batches by their number, samples by their place in the batch.
INDEXES = (
    IndexModel([("dataset", ASCENDING), ("key", ASCENDING), ("batch", ASCENDING)], unique=True),
    # With _id at its end, the ids of a whole view are read from the index alone.
    IndexModel([(name, ASCENDING) for name in ("dataset", "batch", "ordinal", "_id")]),
    IndexModel("blobs", sparse=True),
)

#: Keys in one query: below 1 MB with the longest keys.
_KEYS_AT_ONCE = 1_000

#: While one block is hashed, one is encoded and one is inserted.
_BLOCKS_UNDER_WAY = 2

#: An id of MongoDB has 12 bytes: these are chance, and one append has not more than 2**32 samples.
_PREFIX_BYTES = 8

#: Names of tags that a dataset remembers, to tell a typo; with more of them they are data.
_TAG_NAMES = 1_000


class Append:
    """One append: a change that becomes visible in a transaction. For one thread.

    Parameters
    ----------
    store
        Where the samples go.
    ledger
        The book of the dataset.

    Raises
    ------
    DatasetNotFound
        There is no such dataset.
    """

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store, self._ledger = store, ledger
        self._samples = store.indexes(OWNER, *INDEXES)
        head = ledger.head()
        self._window = ledger.window(head)
        self._is_first = not head["n_samples"]
        #: the revision up to which no sample of this append is stored twice
        self._checked = head["revision"]
        self._tags: set[str] = set()
        self._known_batches: set[int] = set()
        self._own = self._staged_batches()
        self._prefix = secrets.token_bytes(_PREFIX_BYTES)
        #: number of the batch; None as long as nothing was written
        self.batch: int | None = None
        #: samples that were not stored when they were looked up
        self.n_written = 0
        #: samples that are new
        self.n_added = 0
        #: samples that were stored when they were looked up, with the same content
        self.n_known = 0

    @property
    def dataset(self) -> str:
        """Key of the dataset."""
        return self._ledger.key

    def write(self, rows: Rows, bar: tqdm) -> None:
        """Write the samples that are not stored yet, where nobody sees them.

        Raises
        ------
        Conflict
            A key is stored with other content.
        InvalidArgument, InvalidName
            A sample cannot be stored.
        """
        encoder, inserter = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        under_way: deque[Future[int]] = deque()
        try:
            # The caller's own thread reads the samples: an iterator may belong to it.
            for block in rows.blocks():
                encoded = encoder.submit(self._fresh, block)
                under_way.append(inserter.submit(self._insert, encoded))
                if len(under_way) > _BLOCKS_UNDER_WAY:
                    bar.update(under_way.popleft().result())
            for each in under_way:
                bar.update(each.result())
        finally:
            # After this nothing of the append is on its way any more.
            encoder.shutdown(cancel_futures=True)
            inserter.shutdown(cancel_futures=True)

    def prepare(self) -> None:
        """Compare with what others have committed meanwhile, and drop what they have stored."""
        head = self._ledger.head()
        dropped = self._drop(head["revision"])
        self.n_added -= dropped
        self._checked = head["revision"]

    def apply(self, session: ClientSession) -> Commit:
        """Show the batch with the next revision.

        Raises
        ------
        Conflict
            A key was stored meanwhile with other content.
        StoreError
            This process was silent for so long that others took it for dead.
        """
        if self.batch is None:
            return self._nothing()
        revision = self._ledger.head(session)["revision"]
        n_added = self.n_added - self._drop(revision, session)
        if n_added:
            return self._ledger.commit(self.batch, n_added, self._tags, session)
        self._ledger.withdraw(self.batch, session)
        return Commit(number=revision, batch=self.batch, n_added=0)

    def abandon(self) -> None:
        """Remove what was written, unless it is visible."""
        if self.batch is not None:
            _remove(self._store, self._ledger, self.batch, is_mine=True)

    def _nothing(self) -> Commit:
        """Return where the samples are if none of them is new."""
        found = self._ledger.committed(self._known_batches)
        return Commit(number=found or self._checked, batch=0, n_added=0)

    def _staged_batches(self) -> frozenset[int]:
        """Return the batches that become visible together with this one."""
        stage = self._store.stage
        changes = stage.changes if stage is not None else ()
        mine = (each for each in changes if isinstance(each, Append))
        return frozenset(each.batch for each in mine if each.dataset == self.dataset and each.batch)

    def _insert(self, encoded: Future[tuple[int, list[dict[str, Any]]]]) -> int:
        n_rows, documents = encoded.result()
        insert(self._store, self._samples, documents)
        self.n_added += len(documents)
        return n_rows

    def _fresh(self, rows: list[Row]) -> tuple[int, list[dict[str, Any]]]:
        """Return how many rows there are, and the documents of those that are not stored yet."""
        known = self._known(rows) if not self._is_first or self._own else {}
        fresh = []
        for row in rows:
            stored = known.get(row.key)
            if stored is None:
                fresh.append(row)
            else:
                self._check_same(stored, row.key, row.digest)
                self._known_batches.add(stored["batch"])
        self.n_known += len(rows) - len(fresh)
        return len(rows), self._documents(fresh)

    def _documents(self, rows: list[Row]) -> list[dict[str, Any]]:
        if rows and self.batch is None:
            self.batch = self._ledger.reserve(self._store.presence.id)
        documents = []
        for ordinal, row in enumerate(rows, self.n_written):
            if len(self._tags) < _TAG_NAMES:
                self._tags.update(row.tags)
            documents.append(
                {
                    # In the order of the samples, so that the index of ids grows at its end.
                    "_id": ObjectId(self._prefix + ordinal.to_bytes(4, "big")),
                    "dataset": self.dataset,
                    "key": row.key,
                    "batch": self.batch,
                    "ordinal": ordinal,
                    "digest": row.digest,
                    **encode(row.sample, row.label, row.tags, self._store.blobs),
                }
            )
        self.n_written += len(documents)
        return documents

    def _known(self, rows: list[Row]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for keys in _cut(row.key for row in rows):
            query = {"dataset": self.dataset, "key": {"$in": keys}}
            fields = {"key": 1, "digest": 1, "batch": 1}
            stored = self._store.call(partial(_listed, self._samples, query, fields))
            for each in stored:
                if self._window.shows(each["batch"]) or each["batch"] in self._own:
                    found[each["key"]] = each
        return found

    def _check_same(self, stored: dict[str, Any], key: str, digest: str) -> None:
        if stored["digest"] != digest:
            since = self._ledger.committed([stored["batch"]])
            raise Conflict(
                f"Dataset {self.dataset!r}: sample {key!r} is stored since revision {since} with "
                f"other content (stored {stored['digest'][:12]}, sent {digest[:12]}). Nothing of "
                "this append was stored. Give the new sample another key."
            )

    def _drop(self, revision: int, session: ClientSession | None = None) -> int:
        """Delete what others have committed since the last look; return how many samples."""
        if self.batch is None or revision == self._checked:
            return 0
        others = {
            each.batch: each.n_added
            for each in self._ledger.since(self._checked, session)
            if each.batch != self.batch
        }
        twins = list(self._twins(others, session)) if others else []
        for ids in _cut(twins):
            delete = partial(self._samples.delete_many, {"_id": {"$in": ids}}, session=session)
            if session is None:
                self._store.call(delete)
            else:
                delete()
        return len(twins)

    def _twins(self, others: dict[int, int], session: ClientSession | None) -> Iterator[Any]:
        """Yield the ids of own samples whose key one of the other batches has, too.

        The keys of the smaller side are read and looked up in the larger one.
        """
        mine_is_smaller = self.n_added <= sum(others.values())
        batches = [self.batch] if mine_is_smaller else list(others)
        fields = {"key": 1, "digest": 1, "batch": 1}
        for some in _cut(batches):
            query = {"dataset": self.dataset, "batch": {"$in": some}}
            found = self._samples.find(query, fields, session=session)
            for small in _cut(found):
                keys = {"dataset": self.dataset, "key": {"$in": [each["key"] for each in small]}}
                wanted = others if mine_is_smaller else {self.batch}
                near = {each["key"]: each for each in small}
                for far in self._samples.find(keys, fields, session=session):
                    if far["batch"] in wanted:
                        pair = near[far["key"]], far
                        mine, stored = pair if mine_is_smaller else reversed(pair)
                        self._check_same(stored, mine["key"], mine["digest"])
                        yield mine["_id"]


def abandon_of(store: Store, writer: str) -> None:
    """Remove what a writer that is gone, or one that nobody knows, has not committed."""
    heads = store.database[HEADS]
    query = {"pending.writer": {"$exists": True}}
    found = store.call(partial(_listed, heads, query, {"pending": 1}))
    if not found:
        return
    # Asked after the heads: a writer is listed before it reserves anything.
    living = set(store.call(lambda: store.database["writers"].distinct("_id"))) - {writer}
    for head in found:
        for each in head["pending"]:
            if each["writer"] not in living:
                _remove(store, Ledger(store, head["_id"]), each["batch"], is_mine=False)


def _remove(store: Store, ledger: Ledger, batch: int, *, is_mine: bool) -> None:
    """Hide a batch for ever, then delete its samples, then their blobs; each step may run again."""
    if not ledger.abort(batch):
        return
    samples = store.database[OWNER]
    query = {"dataset": ledger.key, "batch": batch}
    pointing = store.call(
        partial(_listed, samples, {**query, "blobs.0": {"$exists": True}}, ["blobs"])
    )
    store.call(partial(samples.delete_many, query))
    for some in _cut(id_ for each in pointing for id_ in each["blobs"]):
        store.blobs.discard(some)
    ledger.forget(batch, is_mine=is_mine)


def _listed(collection: Any, query: dict[str, Any], fields: Any) -> list[dict[str, Any]]:
    return list(collection.find(query, fields))


def _cut(items: Iterable[Any]) -> Iterator[list[Any]]:
    items = iter(items)
    while some := list(islice(items, _KEYS_AT_ONCE)):
        yield some
