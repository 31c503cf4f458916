"""Appending: samples are written where nobody sees them, and shown by one small write.

No transaction carries samples, so an append may be of any size and take any time. It writes them in
blocks of bounded size under a batch number of its own (see `tensorlayer.datasets.ledger`); killed
in between, nothing of it is ever visible, and the next process that writes removes it.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from pymongo import ASCENDING, IndexModel

from tensorlayer.datasets.ledger import HEADS, Commit, Ledger, is_pending
from tensorlayer.datasets.rows import Row, Rows
from tensorlayer.datasets.sample import OWNER, encode
from tensorlayer.datasets.stamping import is_alike, stamped
from tensorlayer.errors import Conflict, Corrupt, DatasetNotFound
from tensorlayer.storage.batching import batched
from tensorlayer.storage.inserting import insert
from tensorlayer.storage.transaction import Outdated

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession
    from tqdm import tqdm

    from tensorlayer.storage.connection import Store

__all__ = ["INDEXES", "Append", "abandon_of", "delete_samples"]

#: The order of samples: batches by their number, samples by their place in the batch.
INDEXES = (
    IndexModel([("dataset", ASCENDING), ("key", ASCENDING), ("batch", ASCENDING)], unique=True),
    # With _id at its end, the ids of a whole view are read from the index alone.
    IndexModel([(name, ASCENDING) for name in ("dataset", "batch", "ordinal", "_id")]),
    IndexModel("blobs", sparse=True),
)

#: Keys in one query: below 1 MB with the longest keys.
_KEYS_AT_ONCE = 1_000

#: Blocks that are inserted at the same time: the server works on one while another one waits for
#: the disk.
_INSERTS_AT_ONCE = 2

#: While one block is hashed, one is encoded, and others are inserted.
_BLOCKS_UNDER_WAY = 1 + _INSERTS_AT_ONCE

#: An id of MongoDB has 12 bytes: these are chance, and one append has not more than 2**32 samples.
_PREFIX_BYTES = 8

#: Names of tags that a dataset remembers, to tell a typo; with more of them they are data.
_TAG_NAMES = 1_000


class _Block(NamedTuple):
    """Some rows of an append, and what is to be stored of them."""

    n_rows: int
    documents: Sequence[Mapping[str, Any]]
    blobs: list[ObjectId]


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
        self._is_first, self._begun = not head["n_samples"], head.get("begun", 0)
        #: the revision up to which no sample of this append is stored twice
        self._checked = head["revision"]
        self._tags: set[str] = set()
        self._known_batches: set[int] = set()
        self._stage = store.stage
        self._own = self._staged()
        #: batches of the same stage that were compared with this one
        self._compared: set[int] = set()
        #: whether nothing of this append can be on its way to the server
        self._is_quiet = True
        #: whether samples were deleted, and how many is not known
        self._is_uncertain = False
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
        encoder, inserter = ThreadPoolExecutor(1), ThreadPoolExecutor(_INSERTS_AT_ONCE)
        self._is_quiet = False
        under_way: deque[Future[_Block]] = deque()
        try:
            # The caller's own thread reads the samples: an iterator may belong to it.
            for block in rows.blocks():
                encoded = encoder.submit(self._fresh, block)
                under_way.append(inserter.submit(self._insert, encoded))
                if len(under_way) > _BLOCKS_UNDER_WAY:
                    self._inserted(under_way.popleft().result(), bar)
            for each in under_way:
                self._inserted(each.result(), bar)
        finally:
            # After this nothing is on its way any more; unless it is interrupted itself.
            encoder.shutdown(cancel_futures=True)
            inserter.shutdown(cancel_futures=True)
            self._is_quiet = True

    def prepare(self) -> None:
        """Compare with what others have committed meanwhile, and drop what they have stored."""
        head = self._ledger.head()
        if self.batch is None:
            return
        others = {each.batch: each.n_added for each in self._ledger.since(self._checked)}
        earlier = {batch: n for batch, n in self._staged().items() if batch not in self._compared}
        for twins in batched(self._twins(others | earlier, None), _KEYS_AT_ONCE):
            self._is_uncertain = True
            delete_samples(self._store, {"_id": {"$in": twins}})
            self.n_added -= len(twins)
            self._is_uncertain = False
        self._compared |= set(earlier)
        self._checked = head["revision"]

    def apply(self, session: ClientSession) -> Commit:
        """Show the batch with the next revision.

        Raises
        ------
        Conflict
            A key was stored meanwhile with other content.
        DatasetNotFound
            The dataset was deleted meanwhile.
        StoreError
            This process was silent for so long that others took it for dead.
        Outdated
            Others were faster with so much that it does not fit into a transaction.
        """
        head = self._ledger.head(session)
        if self.batch is None:
            return self._nothing(head)
        n_added = self._count(session) if self._is_uncertain else self.n_added
        n_added -= self._drop(session)
        if n_added:
            names = self._tags | set(head["tags"])
            tags = self._tags if len(names) <= _TAG_NAMES else None
            return self._ledger.commit(self.batch, n_added, tags, session)
        self._ledger.withdraw(self.batch, session)
        return Commit(number=head["revision"], batch=self.batch, n_added=0)

    def abandon(self) -> None:
        """Remove what was written, unless it is visible."""
        if self.batch is not None:
            _remove(self._store, self._ledger, self.batch, is_mine=self._is_quiet)

    def _nothing(self, head: Mapping[str, Any]) -> Commit:
        """Return where the samples are if none of them is new."""
        if head.get("begun", 0) != self._begun:  # where they were found is gone
            raise DatasetNotFound(f"Dataset {self.dataset!r} does not exist any more.")
        found = self._ledger.committed(self._known_batches)
        return Commit(number=found or self._checked, batch=0, n_added=0)

    def _staged(self) -> dict[int, int]:
        """Return the batches that become visible just before this one, and their samples."""
        found: dict[int, int] = {}
        for each in self._stage.changes if self._stage is not None else ():
            if each is self:
                break
            if isinstance(each, Append) and each.dataset == self.dataset and each.batch:
                found[each.batch] = each.n_added
        return found

    def _insert(self, encoded: Future[_Block]) -> _Block:
        block = encoded.result()
        insert(self._store, self._samples, block.documents)
        # From now on no sweep takes them; what was swept before is an error, here and not later.
        self._store.blobs.claim(block.blobs)
        return block

    def _inserted(self, block: _Block, bar: tqdm) -> None:
        self.n_added += len(block.documents)
        bar.update(block.n_rows)

    def _fresh(self, rows: list[Row]) -> _Block:
        """Return the documents of those rows that are not stored yet."""
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
        if not fresh:
            return _Block(len(rows), [], [])
        documents = self._documents(fresh)
        is_stamped = isinstance(documents[0], RawBSONDocument)  # of arrays without blobs
        blobs = [] if is_stamped else [id_ for each in documents for id_ in each.get("blobs", ())]
        return _Block(len(rows), documents, blobs)

    def _documents(self, rows: list[Row]) -> Sequence[Mapping[str, Any]]:
        if self.batch is None:
            self.batch = self._ledger.reserve(self._store.presence.register(), self._begun)
        first = self.n_written
        self.n_written += len(rows)
        if is_alike(rows):
            self._remember(rows[0])
            one = self._document(rows[0], first)
            documents = stamped(rows, one, self._store.database.codec_options)
            if documents is not None:
                return documents
        for row in rows:
            self._remember(row)
        return [self._document(row, ordinal) for ordinal, row in enumerate(rows, first)]

    def _remember(self, row: Row) -> None:
        if len(self._tags) <= _TAG_NAMES:
            self._tags.update(row.tags)

    def _document(self, row: Row, ordinal: int) -> dict[str, Any]:
        return {
            # In the order of the samples, so that the index of ids grows at its end.
            "_id": ObjectId(self._prefix + ordinal.to_bytes(4, "big")),
            "dataset": self.dataset,
            "key": row.key,
            "batch": self.batch,
            "ordinal": ordinal,
            "digest": row.digest,
            **encode(row.sample, row.label, row.tags, self._store.blobs),
        }

    def _known(self, rows: list[Row]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for keys in batched((row.key for row in rows), _KEYS_AT_ONCE):
            query = {"dataset": self.dataset, "key": {"$in": keys}}
            fields = {"key": 1, "digest": 1, "batch": 1}
            stored = self._store.call(partial(_listed, self._samples, query, fields))
            for each in map(self._whole, stored):
                if self._window.shows(each["batch"]) or each["batch"] in self._own:
                    found[each["key"]] = each
        return found

    def _check_same(self, stored: dict[str, Any], key: str, digest: str) -> None:
        if stored["digest"] != digest:
            since = self._ledger.committed([stored["batch"]])
            when = f"since revision {since}" if since else "by the same task"
            raise Conflict(
                f"Dataset {self.dataset!r}: sample {key!r} is stored {when} with other content "
                f"(stored {stored['digest'][:12]}, sent {digest[:12]}). Nothing of "
                "this append was stored. Give the new sample another key."
            )

    def _drop(self, session: ClientSession) -> int:
        """Delete, in a transaction, the few samples that others have stored since `prepare`."""
        since = self._ledger.since(self._checked, session)
        mine = {self.batch, *self._compared}
        others = {each.batch: each.n_added for each in since if each.batch not in mine}
        twins = list(islice(self._twins(others, session), _KEYS_AT_ONCE + 1))
        if len(twins) > _KEYS_AT_ONCE:
            raise Outdated
        if twins:
            query = {"_id": {"$in": twins}}
            self._store.blobs.release(_pointed_at(self._samples, query, session), session)
            self._samples.delete_many(query, session=session)
        return len(twins)

    def _count(self, session: ClientSession) -> int:
        query = {"dataset": self.dataset, "batch": self.batch}
        return self._samples.count_documents(query, session=session)

    def _twins(self, others: dict[int, int], session: ClientSession | None) -> Iterator[Any]:
        """Yield the ids of own samples whose key one of the other batches has, too.

        The keys of the smaller side are read and looked up in the larger one.
        """
        if not others:
            return
        mine_is_smaller = self.n_added <= sum(others.values())
        wanted = others if mine_is_smaller else {self.batch}
        for small in self._read([self.batch] if mine_is_smaller else list(others), session):
            near = {each["key"]: each for each in small}
            for far in self._asked({"key": {"$in": list(near)}}, session):
                if far["batch"] in wanted:
                    pair = near[far["key"]], far
                    mine, stored = pair if mine_is_smaller else reversed(pair)
                    self._check_same(stored, mine["key"], mine["digest"])
                    yield mine["_id"]

    def _read(
        self, batches: list[int | None], session: ClientSession | None
    ) -> Iterator[list[dict[str, Any]]]:
        """Yield the samples of batches in parts, each of which is one question."""
        for batch in batches:
            last = -1
            while part := self._asked(
                {"batch": batch, "ordinal": {"$gt": last}}, session, limit=True
            ):
                yield part
                last = part[-1]["ordinal"]

    def _asked(
        self, query: dict[str, Any], session: ClientSession | None, *, limit: bool = False
    ) -> list[dict[str, Any]]:
        fields = dict.fromkeys(("key", "digest", "batch", "ordinal"), 1)
        some = {"limit": _KEYS_AT_ONCE, "sort": [("ordinal", ASCENDING)]} if limit else {}
        query = {"dataset": self.dataset, **query}
        read = partial(_listed, self._samples, query, fields, session=session, **some)
        return list(map(self._whole, read() if session else self._store.call(read)))

    def _whole(self, stored: dict[str, Any]) -> dict[str, Any]:
        """Return what is stored of a sample, if it can be compared with another one."""
        for name, kind in {"key": str, "digest": str, "batch": int}.items():
            if not isinstance(stored.get(name), kind):
                raise Corrupt(
                    f"Sample {stored.get('key', stored['_id'])!r:.80} of dataset "
                    f"{self.dataset!r}: in its document {name!r} is missing or nonsense. Restore "
                    "it from another copy."
                )
        return stored


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
        for each in head["pending"]:  # of a head that is damaged, nothing is touched
            if is_pending(each) and each["writer"] not in living:
                _remove(store, Ledger(store, head["_id"]), each["batch"], is_mine=False)


def _remove(store: Store, ledger: Ledger, batch: int, *, is_mine: bool) -> None:
    """Hide a batch for ever, then delete its samples, then their blobs; each step may run again.

    One that is not pending any more is visible, or others have given it up: then only what arrived
    after that is left to delete.
    """
    if not ledger.abort(batch) and ledger.committed([batch]):
        return
    delete_samples(store, {"dataset": ledger.key, "batch": batch})
    ledger.forget(batch, is_mine=is_mine)


def delete_samples(store: Store, query: dict[str, Any]) -> None:
    """Delete samples and what only they point at; each step may be the last one of this process.

    The blobs are released first: killed after that, the documents are still there to find them by;
    killed after the next step, they are uncommitted blobs of this process.
    """
    samples = store.database[OWNER]
    ids = store.call(partial(_pointed_at, samples, query))
    for some in batched(ids, _KEYS_AT_ONCE):
        store.blobs.release(some)
    store.call(partial(samples.delete_many, query))
    for some in batched(ids, _KEYS_AT_ONCE):
        store.blobs.discard(some)


def _pointed_at(
    samples: Any, query: dict[str, Any], session: ClientSession | None = None
) -> list[ObjectId]:
    """Return the blobs of samples."""
    found = samples.find({**query, "blobs.0": {"$exists": True}}, {"blobs": 1}, session=session)
    return [id_ for each in found for id_ in each["blobs"]]


def _listed(
    collection: Any, query: dict[str, Any], fields: Any, **options: Any
) -> list[dict[str, Any]]:
    return list(collection.find(query, fields, **options))
