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


def insert(
    store: Store, collection: Collection, documents: Sequence[Mapping[str, Any]]
) -> list[int]:
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

    Returns
    -------
    list of int
        The positions of those that a unique index other than that of ``_id`` refused.

    Raises
    ------
    StoreUnavailable
        The server did not acknowledge them within the outage budget. They may be there or not.

    Examples
    --------
    >>> notes = hub.database["notes"]
    >>> insert(hub.store, notes, [{"_id": 1}, {"_id": 2}])
    []
    >>> insert(hub.store, notes, [{"_id": 2}, {"_id": 3}])
    []
    >>> notes.count_documents({})
    3
    """

    def attempt() -> list[int]:
        try:
            collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            return _refused(error)
        return []

    return store.call(attempt) if documents else []


def _refused(error: BulkWriteError) -> list[int]:
    """Return the positions that were refused as duplicates; whatever else went wrong is raised."""
    wrong = error.details["writeErrors"]
    if any(each["code"] != _DUPLICATE_KEY for each in wrong):
        raise error
    for each in error.details["writeConcernErrors"]:
        # Written, but by how many is unknown; as an error of its own it can be tried again.
        raise WriteConcernError(each.get("errmsg"), each.get("code"), each) from error
    return [each["index"] for each in wrong if list(each["keyPattern"]) != ["_id"]]
