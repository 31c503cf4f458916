"""Inserting documents: sending them again is safe, and nothing is stored until it is said so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pymongo.errors import BulkWriteError, WriteConcernError

if TYPE_CHECKING:
    from pymongo.collection import Collection

    from tensorlayer.storage.connection import Store

__all__ = ["insert"]

_DUPLICATE_KEY = 11000


def insert(store: Store, collection: Collection, documents: Sequence[Mapping[str, Any]]) -> None:
    """Insert documents outside of any transaction, and wait until a majority has them on disk.

    May be called again with the same documents when its outcome is unknown: the ``_id`` of each
    tells that it is there already.

    Parameters
    ----------
    store
        Whose patience is used while the server is away.
    collection
        Where they go; its write concern is what "acknowledged" means.
    documents
        Each with an ``_id`` of its own. Together no more than `limits.BATCH_BYTES`.

    Raises
    ------
    StoreUnavailable
        The server did not acknowledge them within the outage budget. They may be there or not.
    BulkWriteError
        The server refused one of them, also because another unique index has it already.

    Examples
    --------
    >>> notes = hub.database["notes"]
    >>> insert(hub.store, notes, [{"_id": 1}, {"_id": 2}])
    >>> insert(hub.store, notes, [{"_id": 2}, {"_id": 3}])
    >>> notes.count_documents({})
    3
    """

    def attempt() -> None:
        try:
            collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            _check(error)

    if documents:
        store.call(attempt)


def _check(error: BulkWriteError) -> None:
    """Raise unless all that went wrong is that documents are there already."""
    wrong = error.details["writeErrors"]
    if any(each["code"] != _DUPLICATE_KEY or [*each["keyPattern"]] != ["_id"] for each in wrong):
        raise error
    for each in error.details["writeConcernErrors"]:
        # Written, but by how many is unknown; as an error of its own it can be tried again.
        raise WriteConcernError(each.get("errmsg"), each.get("code"), each) from error
