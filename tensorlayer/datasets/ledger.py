"""The book of a dataset: which batches of samples there are, and which of them can be seen.

    datasets    {_id: key, revision, n_samples, last, reserved, pending: [{batch, writer, token}],
                 aborted: [batch or [first, last]], tags: [name], indexes, created}
                 (deleted, removing: writer, begun: revision)}
    revisions   {_id, dataset, number, batch, n_added, n_samples, last, hidden: [batch], created}

A batch gets its number before its samples are written, and its revision when it is committed, in
one small transaction. Until then it is *pending* and hidden, whatever numbers come after it; if its
writer dies it is *aborted*, which hides it for ever. So a revision shows all batches up to a number
but for a few, and that never changes.

A dataset that is deleted leaves its head, with all of its batches aborted, so that no number of a
batch or revision ever means something else; one that is made under its key later takes it over.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from bson import ObjectId
from pymongo import ASCENDING, IndexModel, ReturnDocument

from tensorlayer.datasets.window import Window, in_a_row
from tensorlayer.errors import Corrupt, DatasetNotFound, StoreError

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession

    from tensorlayer.storage.connection import Store

__all__ = ["HEADS", "LIVING", "Commit", "Ledger", "is_pending"]

#: The collection of heads.
HEADS = "datasets"

_INDEXES = (
    IndexModel([("dataset", ASCENDING), ("number", ASCENDING)], unique=True),
    IndexModel([("dataset", ASCENDING), ("batch", ASCENDING)], unique=True),
)

#: Aborted batches in a list, before those in a row are written as one.
_MOST_SINGLE = 16

#: Of a head: it is not what a deleted dataset has left.
LIVING: Mapping[str, Any] = {"deleted": {"$ne": True}}

#: Written into new documents, so that a later version can tell how to read them.
_SCHEMA = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Commit:
    """A batch that became visible."""

    number: int
    batch: int
    n_added: int


class Ledger:
    """The head of one dataset and its revisions.

    Parameters
    ----------
    store
        Where they are.
    key
        Of the dataset.
    """

    def __init__(self, store: Store, key: str) -> None:
        self.key = key
        self._store = store
        self._heads = store.indexes(HEADS, IndexModel("pending.writer", sparse=True))
        self._revisions = store.indexes("revisions", *_INDEXES)

    def create(self, **fields: Any) -> bool:
        """Make an empty head with these fields; False if there is one already.

        That of a deleted dataset is taken over, and counts on.
        """
        empty = {"revision": 0, "n_samples": 0, "last": 0, "reserved": 0}
        lists = {"pending": [], "aborted": [], "tags": []}
        document = {"schema": _SCHEMA, **empty, **lists, **fields}
        change = {"$setOnInsert": document}
        update = partial(self._heads.update_one, {"_id": self.key}, change, upsert=True)
        if self._store.call(update).upserted_id is not None:
            return True
        anew = {"$set": fields, "$unset": {"deleted": True}}
        update = partial(self._heads.update_one, {"_id": self.key, "deleted": True}, anew)
        return self._store.call(update).modified_count > 0

    def retire(self, writer: str) -> dict[str, Any] | None:
        """Hide all there is for ever, and return the head as it was; None if it was gone.

        Appends that are under way cannot be committed any more. ``writer`` removes what is hidden.
        """
        every = {"$cond": ["$reserved", [[1, "$reserved"]], []]}
        given_up = {"$mergeObjects": ["$$each", {"aborted": True}]}
        changes = {
            "deleted": True,
            "removing": writer,
            "begun": "$revision",
            "aborted": every,
            "n_samples": 0,
            "last": 0,
            "tags": [],
            "indexes": [],
            "has_many_tags": False,
            "pending": {"$map": {"input": "$pending", "as": "each", "in": given_up}},
        }
        query = {"_id": self.key, **LIVING}
        return self._store.call(
            partial(self._heads.find_one_and_update, query, [{"$set": changes}])
        )

    def removed(self, head: Mapping[str, Any]) -> None:
        """Take note that what `retire` has hidden is removed; ``head`` is that which it left.

        What was hidden by a later one is not.
        """
        query = {"_id": self.key, "begun": head.get("begun")}
        change = {"$unset": {"removing": True}}
        self._store.call(partial(self._heads.update_one, query, change))

    def head(self, session: ClientSession | None = None) -> dict[str, Any]:
        """Return the head.

        Raises
        ------
        DatasetNotFound
            There is none.
        """
        find = partial(self._heads.find_one, {"_id": self.key}, session=session)
        head = find() if session else self._store.call(find)
        if head is None or head.get("deleted"):
            raise DatasetNotFound(f"Dataset {self.key!r:.120} does not exist. Create it first.")
        return self._checked(head, _HEAD, "its document")

    def window(self, head: Mapping[str, Any], revision: int | None = None) -> Window:
        """Return what can be seen at a revision that there is; by default at that of the head."""
        if revision is None or revision == head["revision"]:
            return Window.of(head["last"], _numbers(head["pending"]), head["aborted"])
        if revision == 0:
            return Window(last=0)
        self._require_after(head, revision)
        query = {"dataset": self.key, "number": revision}
        found = self._store.call(partial(self._revisions.find_one, query)) or {}
        self._checked(found, _REVISION, f"the document of revision {revision}")
        return Window.of(found["last"], found["hidden"], head["aborted"])

    def require(self, revision: int, window: Window) -> None:
        """Raise DatasetNotFound if what is shown at a revision was deleted."""
        head = self.head()
        if window.last:
            self._require_after(head, revision)

    def _require_after(self, head: Mapping[str, Any], revision: int) -> None:
        if revision <= head.get("begun", 0):
            raise DatasetNotFound(
                f"Dataset {self.key!r}: revision {revision} belonged to a dataset of this key that "
                f"was deleted. Later ones are from {head['begun'] + 1}."
            )

    def reserve(self, writer: str, begun: int = 0) -> int:
        """Return the number of a new batch, which is pending in the name of a writer.

        ``begun`` is that of the head which the writer has seen: not that of another dataset.
        """
        token = uuid.uuid4().hex
        entry = {"batch": "$reserved", "writer": writer, "token": token}
        more = {"reserved": {"$add": ["$reserved", 1]}}
        pending = {"pending": {"$concatArrays": ["$pending", [entry]]}}

        def operation() -> dict[str, Any] | None:
            # The token tells whether an attempt whose answer was lost has done it.
            self._heads.update_one(
                {
                    "_id": self.key,
                    "pending.token": {"$ne": token},
                    **LIVING,
                    "begun": begun or {"$in": [0, None]},
                },
                [{"$set": more}, {"$set": pending}],
            )
            return self._heads.find_one({"_id": self.key}, {"pending": 1})

        head = self._store.call(operation) or {}
        for each in head.get("pending", ()):
            if each.get("token") == token:
                return each["batch"]
        raise DatasetNotFound(f"Dataset {self.key!r} does not exist any more.")

    def commit(
        self, batch: int, n_added: int, tags: Iterable[str] | None, session: ClientSession
    ) -> Commit:
        """Show a pending batch with the next revision. Doing it again returns what was done.

        ``tags`` are names that samples have now; None if the dataset has too many to list them.

        Raises
        ------
        StoreError
            The batch was aborted: its writer was taken for dead.
        """
        head = self._heads.find_one_and_update(
            {
                "_id": self.key,
                "pending": {"$elemMatch": {"batch": batch, "aborted": {"$ne": True}}},
            },
            {
                "$inc": {"revision": 1, "n_samples": n_added},
                "$max": {"last": batch},
                "$pull": {"pending": {"batch": batch}},
                "$currentDate": {"changed": True},
                **_named(tags),
            },
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if head is None:
            return self._committed(batch, session)
        made = Commit(number=head["revision"], batch=batch, n_added=n_added)
        document = {
            "_id": ObjectId(),
            "schema": _SCHEMA,
            "dataset": self.key,
            **dataclasses.asdict(made),
            "n_samples": head["n_samples"],
            "last": head["last"],
            "hidden": _numbers(head["pending"]),
            "created": head["changed"],
        }
        self._revisions.insert_one(document, session=session)
        return made

    def withdraw(self, batch: int, session: ClientSession) -> None:
        """Forget a pending batch that has no samples left: others have stored all of them."""
        change = {"$pull": {"pending": {"batch": batch}}}
        self._heads.update_one({"_id": self.key}, change, session=session)

    def committed(self, batches: Iterable[int]) -> int:
        """Return the newest revision that one of these batches got; 0 if none."""
        query = {"dataset": self.key, "batch": {"$in": sorted(batches)}}
        find = partial(self._revisions.find_one, query, {"number": 1}, sort=[("number", -1)])
        found = self._store.call(find)
        if found is None:
            return 0
        return self._checked(found, {"number": _is_count}, "the document of a revision")["number"]

    def since(self, revision: int, session: ClientSession | None = None) -> list[Commit]:
        """Return what was committed after a revision, in order."""
        query = {"dataset": self.key, "number": {"$gt": revision}}
        fields = dict.fromkeys(("number", "batch", "n_added"), 1) | {"_id": 0}

        def read() -> list[Commit]:
            found = self._revisions.find(query, fields, session=session).sort("number")
            return [
                Commit(**self._checked(each, _COMMIT, "the document of a revision"))
                for each in found
            ]

        return read() if session else self._store.call(read)

    def abort(self, batch: int) -> bool:
        """Hide a pending batch for ever; False if it is not pending (any more)."""
        query = {"_id": self.key, "pending.batch": batch}
        change = {"$set": {"pending.$.aborted": True}}
        return bool(self._store.call(partial(self._heads.update_one, query, change)).matched_count)

    def forget(self, batch: int, *, is_mine: bool) -> None:
        """Take note that the samples of an aborted batch are removed.

        What a dead process has sent may still arrive at the server, so its batch stays hidden.
        """
        changes: dict[str, Any] = {"$pull": {"pending": {"batch": batch}}}
        if not is_mine:
            changes["$addToSet"] = {"aborted": batch}
        self._store.call(partial(self._heads.update_one, {"_id": self.key}, changes))
        if not is_mine:
            self._shorten()

    def _shorten(self) -> None:
        """Write aborted batches that follow each other as their first and last one.

        Every view carries them. Each of them stays hidden for ever, since nobody knows when what a
        dead process has sent arrives; who changed the list meanwhile shortens it next time.
        """
        find = partial(self._heads.find_one, {"_id": self.key}, {"aborted": 1})
        listed = (self._store.call(find) or {}).get("aborted")
        if not _is_list_of(_is_aborted)(listed) or len(listed) < _MOST_SINGLE:
            return
        shorter = in_a_row(listed)
        if len(shorter) < len(listed):
            query, change = {"_id": self.key, "aborted": listed}, {"$set": {"aborted": shorter}}
            self._store.call(partial(self._heads.update_one, query, change))

    def _checked(self, document: Any, fields: Mapping[str, Any], what: str) -> dict[str, Any]:
        """Return a document if its fields are what they have to be."""
        for name, is_right in fields.items():
            if not is_right(document.get(name)):
                raise Corrupt(
                    f"Dataset {self.key!r}: in {what} {name!r} is missing or nonsense. Restore it "
                    "from another copy."
                )
        return document

    def _committed(self, batch: int, session: ClientSession) -> Commit:
        query = {"dataset": self.key, "batch": batch}
        found = self._revisions.find_one(query, session=session)
        if found is not None:
            return Commit(number=found["number"], batch=batch, n_added=found["n_added"])
        raise StoreError(
            f"Dataset {self.key!r}: this append was given up, since its process was silent for too "
            "long or the dataset is gone. Nothing of it is visible. Append again."
        )


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_list_of(is_right: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(is_right, value))


def is_pending(value: Any) -> bool:
    """Tell whether a value is an entry of the list ``pending``."""
    return isinstance(value, Mapping) and _is_count(value.get("batch")) and "writer" in value


def _is_aborted(value: Any) -> bool:
    """Tell whether a value is a batch, or the first and the last of some in a row."""
    if isinstance(value, list):
        return len(value) == 2 and all(map(_is_count, value)) and value[0] <= value[1]
    return _is_count(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


#: What a document has to hold, to be used.
_HEAD: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("revision", "n_samples", "last", "reserved"), _is_count),
    "pending": _is_list_of(is_pending),
    "aborted": _is_list_of(_is_aborted),
    **dict.fromkeys(("tags", "indexes"), _is_list_of(_is_text)),
}
_COMMIT: Mapping[str, Callable[[Any], bool]] = dict.fromkeys(
    ("number", "batch", "n_added"), _is_count
)
_REVISION: Mapping[str, Callable[[Any], bool]] = {
    "last": _is_count,
    "hidden": _is_list_of(_is_count),
}


def _named(tags: Iterable[str] | None) -> dict[str, Any]:
    if tags is None:
        return {"$set": {"has_many_tags": True}}
    return {"$addToSet": {"tags": {"$each": sorted(tags)}}}


def _numbers(pending: Iterable[Mapping[str, Any]]) -> list[int]:
    return [each["batch"] for each in pending]
