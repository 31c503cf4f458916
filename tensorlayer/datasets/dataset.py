"""Datasets: samples under keys, appended in revisions that never change.

The revision of a dataset is the number of appends that it holds. An append becomes visible whole,
with the next revision; see `tensorlayer.datasets.ledger`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NoReturn

from pymongo import ASCENDING, IndexModel
from pymongo.collection import Collection
from tqdm import tqdm

from tensorlayer.datasets import deleting
from tensorlayer.datasets.append import INDEXES, Append
from tensorlayer.datasets.batch import Batch, Sample
from tensorlayer.datasets.ledger import HEADS, LIVING, Ledger
from tensorlayer.datasets.query import path
from tensorlayer.datasets.rows import Rows
from tensorlayer.datasets.sample import OWNER
from tensorlayer.datasets.verifying import Verification, verify
from tensorlayer.datasets.view import ORDER, View
from tensorlayer.errors import (
    Conflict,
    DatasetNotFound,
    InvalidArgument,
    InvalidName,
    StoreUnavailable,
    did_you_mean,
)
from tensorlayer.storage.connection import Store
from tensorlayer.storage.names import check_key
from tensorlayer.storage.transaction import give_up

__all__ = ["Dataset", "Datasets", "Revision"]

#: MongoDB grants a collection 64 indexes, and several clients may declare some at the same time.
_MOST_INDEXES = 50


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
        self._ledger = Ledger(store, key)
        store.indexes(OWNER, *INDEXES)

    @property
    def revision(self) -> int:
        """Number of the newest revision; 0 while the dataset is empty."""
        return self._ledger.head()["revision"]

    def append(
        self,
        samples: Any,
        labels: Any = None,
        *,
        tags: Any = None,
        keys: Any = None,
        progress: bool = True,
    ) -> Revision:
        """Add samples.

        They appear together with the next revision, all of them or none, whatever is killed in
        between and however many they are: memory and transactions carry only a few megabytes of
        them at a time. A sample that is stored already is skipped, so a call that broke off is
        simply made again. The cost does not depend on how much the dataset holds.

        Inside a stage (a task) nothing is visible before the stage is applied.

        Parameters
        ----------
        samples
            Array of n samples, list of n values, or an iterator, which is read once, in this
            thread: arrays, numbers, strings, bytes, lists, dicts. What is large goes to GridFS;
            reading does not differ.
        labels
            n labels, or None. Numbers and short strings can be searched by.
        tags
            One dict for all samples or n dicts: what views select by.
        keys
            n different strings. By default a sample's key is the hash of sample, label and tags,
            with an ordinal for equal samples in one call; so equal content sent twice is stored
            once. Give keys to store it twice.
        progress
            Show a progress bar for what takes longer than a second, if stderr is a terminal.

        Returns
        -------
        Revision
            Which revision holds the samples and how many were new.

        Raises
        ------
        Conflict
            A key is stored with other content.
        InvalidArgument, InvalidName
            The arguments do not fit together, or a name breaks a rule; the message names the index
            of the sample.
        DatasetNotFound
            The dataset does not exist.
        StoreError
            This process was stopped for so long that the append was given up.
        """
        rows = Rows(samples, labels, tags, keys)
        append = Append(self._store, self._ledger)
        try:
            with self._bar(rows.n, progress) as bar:
                append.write(rows, bar)
            made = self._store.commit(append)
        except StoreUnavailable:  # what was written is removed when this process has ended
            raise
        except BaseException:
            give_up(append)
            raise
        if made is None:
            return Revision(dataset=self.key, number=None, n_added=None, n_known=None)
        n_known = append.n_written + append.n_known - made.n_added
        return Revision(dataset=self.key, number=made.number, n_added=made.n_added, n_known=n_known)

    def where(self, **conditions: Any) -> View:
        """Return the view of the samples that fulfil all conditions, at the newest revision.

        Without conditions: of all samples. See `tensorlayer.datasets.query` for what may be asked.
        """
        return self._view(self._ledger.head()).where(**conditions)

    def at(self, revision: int) -> View:
        """Return the view of all samples that were there at a revision.

        Raises
        ------
        InvalidArgument
            There is no such revision yet.
        """
        head = self._ledger.head()
        newest = head["revision"]
        if type(revision) is not int or not 0 <= revision <= newest:
            raise InvalidArgument(
                f"Dataset {self.key!r} has revisions 0 to {newest}, got {revision!r}."
            )
        return self._view(head, revision)

    def verify(self, *, progress: bool = True) -> Verification:
        """Read all samples of the newest revision again, and compare them with their digests.

        This finds what reading does not: labels and tags that were changed to other valid values,
        and samples that are missing. Keys that were given are not part of a digest.

        Parameters
        ----------
        progress
            Show a progress bar for what takes longer than a second, if stderr is a terminal.

        Returns
        -------
        Verification
            What was found; nothing is changed.

        Raises
        ------
        DatasetNotFound
            The dataset does not exist, or was deleted meanwhile.
        """
        head = self._ledger.head()
        view = self._view(head)
        with self._bar(head["n_samples"], progress) as bar:
            found = verify(view, head["n_samples"], bar)
        self._ledger.require(view.revision, view.window)
        return found

    def summary(self) -> dict[str, Any]:
        """Return key, number of samples, revision, declared indexes and time of creation."""
        head = self._ledger.head()
        return {
            "key": self.key,
            "samples": head["n_samples"],
            "revision": head["revision"],
            "indexes": head["indexes"],
            "created": head.get("created"),
        }

    def __len__(self) -> int:
        return self._ledger.head()["n_samples"]

    def __getitem__(self, index: int | slice) -> Sample | Batch:
        """Return a sample, or a batch for a slice, of the newest revision; see `View`."""
        return self.where()[index]

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.where())

    def __repr__(self) -> str:
        return f"<Dataset {self.key!r}>"

    def _view(self, head: Mapping[str, Any], revision: int | None = None) -> View:
        is_open = not head["n_samples"] or head.get("has_many_tags", False)
        return View(
            dataset=self.key,
            revision=head["revision"] if revision is None else revision,
            window=self._ledger.window(head, revision),
            tags=None if is_open else frozenset([*head["tags"], *head["indexes"]]),
            store=self._store,
        )

    def _bar(self, total: int | None, progress: bool) -> tqdm:
        disable = None if progress else True
        return tqdm(total=total, unit="sample", desc=self.key, delay=1, disable=disable)


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
        return self._store.database[HEADS]

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
        if isinstance(indexes, str) or not isinstance(indexes, Iterable):
            raise InvalidArgument(
                f"Dataset {key!r}: indexes is a list of names, got {indexes!r}. "
                'Write indexes=["split"].'
            )
        for name in (indexes := list(indexes)):
            self._index(path(name))
        created = Ledger(self._store, key).create(indexes=[], created=self._store.now())
        if not created and not exist_ok:
            raise Conflict(
                f"Dataset {key!r} exists already. Use hub.datasets[{key!r}], or exist_ok=True."
            )
        if indexes:
            change = {"$addToSet": {"indexes": {"$each": list(indexes)}}}
            self._store.call(partial(self._heads.update_one, {"_id": key}, change))
        return dataset

    def delete(self, key: str, *, progress: bool = True) -> int:
        """Delete a dataset with all of its samples: at once, for good, also in a task.

        It is gone when this begins; then its samples are removed, and if this process is killed, by
        the next one. Appends that are under way fail. Numbers of revisions are not given again.

        Parameters
        ----------
        key
            The dataset.
        progress
            Show a progress bar for what takes longer than a second, if stderr is a terminal.

        Returns
        -------
        int
            How many samples it had.

        Raises
        ------
        DatasetNotFound
            There is none.

        Examples
        --------
        >>> _ = hub.datasets.create("tried").append([1.0, 2.0])
        >>> hub.datasets.delete("tried"), "tried" in hub.datasets
        (2, False)
        """
        n_samples = deleting.delete(self._store, key, progress=progress)
        return self._require(key) if n_samples is None else n_samples

    def keys(self) -> list[str]:
        """Return the keys of all datasets, sorted."""
        found = self._store.call(lambda: [*self._heads.find(LIVING, {"_id": 1}).sort("_id")])
        return [each["_id"] for each in found if isinstance(each["_id"], str)]

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __getitem__(self, key: str) -> Dataset:
        return Dataset(self._store, key) if key in self else self._require(key)

    def __contains__(self, key: object) -> bool:
        try:
            check_key(key, "dataset key")
        except InvalidName:
            return False
        query = {"_id": key, **LIVING}
        return bool(self._store.call(lambda: self._heads.count_documents(query, limit=1)))

    def __repr__(self) -> str:
        return f"<Datasets of {self._store.project!r}>"

    def _require(self, key: object) -> NoReturn:
        raise DatasetNotFound(
            f"There is no dataset {key!r}. {did_you_mean(str(key), self.keys())} "
            "hub.datasets.create(key) makes one."
        )

    def _index(self, where: str) -> None:
        """Let the server find samples by a tag; beyond some tags, all others share one index."""
        samples = self._store.database[OWNER]
        # With _id at its end, the ids of a shuffled view are read from the index alone.
        names = ["dataset", where, *(name for name, _ in ORDER), "_id"]
        declared = IndexModel([(name, ASCENDING) for name in names])
        if len(self._store.call(samples.index_information)) >= _MOST_INDEXES:
            declared = IndexModel([("tags.$**", ASCENDING)])
        self._store.indexes(OWNER, declared)
