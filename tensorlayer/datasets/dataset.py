"""Datasets: samples under keys, appended in revisions that never change.

::

    datasets   {_id: key, revision, n_samples, indexes, created}
    samples    one document for each sample, see `tensorlayer.datasets.sample`

The revision of a dataset is the number of batches that it holds. A batch is inserted in the
transaction that raises the revision, so batches become visible whole, in the order of their
numbers, without gaps.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from pymongo import ASCENDING, IndexModel, ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from tqdm import tqdm

from tensorlayer.datasets import append as appending
from tensorlayer.datasets.feed import prefetched
from tensorlayer.datasets.query import path
from tensorlayer.datasets.sample import OWNER
from tensorlayer.datasets.view import ORDER, View
from tensorlayer.errors import Conflict, DatasetNotFound, InvalidArgument, did_you_mean
from tensorlayer.storage.connection import Store
from tensorlayer.storage.names import check_key

__all__ = ["Dataset", "Datasets", "Revision"]

_INDEXES = (
    IndexModel([("dataset", ASCENDING), ("key", ASCENDING)], unique=True),
    # With _id at its end, the ids of a whole view are read from the index alone.
    IndexModel([("dataset", ASCENDING), *ORDER, ("_id", ASCENDING)]),
    IndexModel("blobs", sparse=True),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Revision:
    """What an append did.

    Parameters
    ----------
    dataset
        Key of the dataset.
    number
        The revision at which all samples of the call are visible; None inside a stage, where that
        is not known yet.
    n_added
        Samples that are new; None inside a stage.
    n_known
        Samples that were there before with the same content; None inside a stage.
    """

    dataset: str
    number: int | None
    n_added: int | None
    n_known: int | None


class Dataset:
    """One dataset; made by `Datasets.create` and ``hub.datasets[key]``.

    Instances hold no state but the key, so any number of them, in any threads and processes, may
    append to and read one dataset at the same time.

    Examples
    --------
    >>> digits = hub.datasets.create("digits")
    >>> revision = digits.append([[0.0, 0.1], [0.9, 1.0]], labels=[0, 1], tags={"split": "train"})
    >>> revision.number, revision.n_added, len(digits)
    (1, 2, 2)
    >>> digits.append([[0.0, 0.1], [0.9, 1.0]], labels=[0, 1], tags={"split": "train"}).n_added
    0
    >>> len(digits.where(label={"$gte": 1}))
    1
    """

    def __init__(self, store: Store, key: str) -> None:
        self.key = check_key(key, "dataset key")
        self._store = store
        self._heads = store.database["datasets"]
        self._samples = store.indexes(OWNER, *_INDEXES)

    @property
    def revision(self) -> int:
        """Number of the newest revision; 0 while the dataset is empty."""
        return self._head()["revision"]

    def append(
        self,
        samples: Any,
        labels: Any = None,
        *,
        tags: Any = None,
        keys: Sequence[str] | None = None,
        progress: bool = True,
    ) -> Revision:
        """Add samples.

        The samples appear as one batch with the next revision, all of them or none, whatever is
        killed in between. A call with more than `append.MAX_SAMPLES` samples or `append.MAX_BYTES`
        bytes becomes several batches, each whole, with consecutive revisions as far as nobody else
        appends meanwhile. A sample that is stored already is skipped, so a call that broke off is
        simply made again. All keys of a call are compared before anything is stored. The cost does
        not depend on how much the dataset holds.

        Inside a stage (a task) nothing is visible before the stage is applied.

        Parameters
        ----------
        samples
            Array of n samples or list of n values: arrays, numbers, strings, bytes, lists, dicts.
            What is large goes to GridFS; reading does not differ.
        labels
            n labels, or None. Numbers and short strings can be searched by.
        tags
            One dict for all samples or a list of n dicts: what views select by.
        keys
            n different strings. By default a sample's key is the hash of sample, label and tags,
            with an ordinal for equal samples in one call; so equal content sent twice is stored
            once. Give keys to store it twice.
        progress
            Show a progress bar for more than one batch, if stderr is a terminal.

        Returns
        -------
        Revision
            Which revision holds the samples and how many were new.

        Raises
        ------
        Conflict
            A key is stored with other content.
        InvalidArgument, InvalidName
            The arguments do not fit together, or a name breaks a rule.
        DatasetNotFound
            The dataset does not exist.
        """
        head = self._head()
        columns = appending.Columns(samples, labels, tags, keys)
        missing, number = self._missing(columns, head)
        commits = [
            self._store.commit(partial(self._insert, documents))
            for documents in self._batches(columns, missing, progress)
        ]
        if self._store.stage is not None:
            return Revision(dataset=self.key, number=None, n_added=None, n_known=None)
        n_added = sum(n for _, n in commits)
        number = max([number, *(each for each, _ in commits)])
        return Revision(
            dataset=self.key, number=number, n_added=n_added, n_known=len(columns) - n_added
        )

    def where(self, **conditions: Any) -> View:
        """Return the view of the samples that fulfil all conditions, at the newest revision.

        Without conditions: of all samples. See `tensorlayer.datasets.query` for what may be asked.
        """
        return self.at(self.revision).where(**conditions)

    def at(self, revision: int) -> View:
        """Return the view of all samples that were there at a revision.

        Raises
        ------
        InvalidArgument
            There is no such revision yet.
        """
        newest = self.revision
        if not isinstance(revision, int) or not 0 <= revision <= newest:
            raise InvalidArgument(
                f"Dataset {self.key!r} has revisions 0 to {newest}, got {revision!r}."
            )
        return View(dataset=self.key, revision=revision, store=self._store)

    def summary(self) -> dict[str, Any]:
        """Return key, number of samples, revision, declared indexes and time of creation."""
        head = self._head()
        return {
            "key": self.key,
            "samples": head["n_samples"],
            "revision": head["revision"],
            "indexes": head["indexes"],
            "created": head["created"],
        }

    def __len__(self) -> int:
        return self._head()["n_samples"]

    def __repr__(self) -> str:
        return f"<Dataset {self.key!r}>"

    def _head(self) -> dict[str, Any]:
        head = self._store.call(partial(self._heads.find_one, {"_id": self.key}))
        if head is None:
            raise DatasetNotFound(f"Dataset {self.key!r} does not exist. Create it first.")
        return head

    def _batches(
        self, columns: appending.Columns, missing: list[int], progress: bool
    ) -> Iterator[list[dict[str, Any]]]:
        shown = progress and len(missing) > appending.MAX_SAMPLES
        with tqdm(
            total=len(missing), unit="sample", desc=self.key, disable=None if shown else True
        ) as bar:
            batches = appending.batches(columns, missing, self.key, self._store.blobs)
            for documents in prefetched(batches, 1):  # encode one while another one is sent
                yield documents
                bar.update(len(documents))

    def _missing(self, columns: appending.Columns, head: dict[str, Any]) -> tuple[list[int], int]:
        """Return the positions of new samples, and the revision that holds the others."""
        if not head["n_samples"]:
            return list(range(len(columns))), head["revision"]
        missing, number = [], 0
        for start in range(0, len(columns), appending.MAX_SAMPLES):
            part = range(start, min(start + appending.MAX_SAMPLES, len(columns)))
            known = self._store.call(partial(self._known, [columns.keys[i] for i in part]))
            for i in part:
                stored = known.get(columns.keys[i])
                if stored is None:
                    missing.append(i)
                else:
                    appending.check_same(self.key, stored, columns.keys[i], columns.digests[i])
                    number = max(number, stored["revision"])
        return missing, number

    def _known(
        self, keys: list[str], session: ClientSession | None = None
    ) -> dict[str, dict[str, Any]]:
        found = self._samples.find(
            {"dataset": self.key, "key": {"$in": keys}},
            {"key": 1, "digest": 1, "revision": 1},
            session=session,
        )
        return {each["key"]: each for each in found}

    def _insert(self, documents: list[dict[str, Any]], session: ClientSession) -> tuple[int, int]:
        """Store one batch in a transaction; return its revision and how many samples are new.

        It may run again after it was committed, when the answer was lost: then the samples are
        there with the very ids of this call.
        """
        known = self._known([each["key"] for each in documents], session)
        fresh, mine, number = [], 0, 0
        for document in documents:
            stored = known.get(document["key"])
            if stored is None:
                fresh.append(document)
                continue
            appending.check_same(self.key, stored, document["key"], document["digest"])
            mine += stored["_id"] == document["_id"]
            number = max(number, stored["revision"])
        if fresh:
            number = self._raise_revision(len(fresh), session)
            self._samples.insert_many(
                [
                    {**document, "revision": number, "ordinal": ordinal}
                    for ordinal, document in enumerate(fresh)
                ],
                session=session,
            )
        return number, mine + len(fresh)

    def _raise_revision(self, n_samples: int, session: ClientSession) -> int:
        head = self._heads.find_one_and_update(
            {"_id": self.key},
            {"$inc": {"revision": 1, "n_samples": n_samples}},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if head is None:
            raise DatasetNotFound(f"Dataset {self.key!r} does not exist any more.")
        return head["revision"]


class Datasets:
    """All datasets of a project; this is ``hub.datasets``. Safe to use from any thread.

    Examples
    --------
    >>> dataset = hub.datasets.create("mnist", indexes=["split"])
    >>> "mnist" in hub.datasets, hub.datasets.keys()
    (True, ['mnist'])
    >>> hub.datasets["minst"]
    Traceback (most recent call last):
    tensorlayer.errors.DatasetNotFound: There is no dataset 'minst'. Did you mean 'mnist'? ...
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def _heads(self) -> Collection:
        return self._store.database["datasets"]

    def create(self, key: str, *, indexes: Sequence[str] = (), exist_ok: bool = True) -> Dataset:
        """Make an empty dataset, or return the one that is there.

        Takes effect at once, also inside a stage: an empty dataset says nothing yet.

        Parameters
        ----------
        key
            Its name.
        indexes
            Tags, or ``"label"``, that views will select by: a selective view then costs what it
            yields, not what the dataset holds. May be given later, too.
        exist_ok
            Return the dataset if there is one already.

        Raises
        ------
        Conflict
            It is there, and ``exist_ok`` is false.
        InvalidName
            The key or the name of a tag breaks a rule.
        """
        dataset = Dataset(self._store, key)
        paths = {name: path(name) for name in indexes}
        created = self._store.now()
        document = {"revision": 0, "n_samples": 0, "indexes": [], "created": created}
        result = self._store.call(
            partial(self._heads.update_one, {"_id": key}, {"$setOnInsert": document}, upsert=True)
        )
        if result.upserted_id is None and not exist_ok:
            raise Conflict(
                f"Dataset {key!r} exists already. Use hub.datasets[{key!r}], or exist_ok=True."
            )
        for name, each in paths.items():
            self._index(key, name, each)
        return dataset

    def keys(self) -> list[str]:
        """Return the keys of all datasets, sorted."""
        return self._store.call(lambda: sorted(self._heads.distinct("_id")))

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __getitem__(self, key: str) -> Dataset:
        if key not in self:
            raise DatasetNotFound(
                f"There is no dataset {key!r}. {did_you_mean(str(key), self.keys())} "
                "hub.datasets.create(key) makes one."
            )
        return Dataset(self._store, key)

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, str):
            return False
        return bool(self._store.call(lambda: self._heads.count_documents({"_id": key}, limit=1)))

    def __repr__(self) -> str:
        return f"<Datasets of {self._store.project!r}>"

    def _index(self, key: str, name: str, where: str) -> None:
        self._store.indexes(OWNER, IndexModel([("dataset", ASCENDING), (where, ASCENDING), *ORDER]))
        self._store.call(
            partial(self._heads.update_one, {"_id": key}, {"$addToSet": {"indexes": name}})
        )
