"""Sweeping: which blobs nobody points at, in one question, and how they are deleted safely."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pymongo
from bson import ObjectId
from pymongo.errors import OperationFailure

from tensorlayer.errors import InvalidName
from tensorlayer.storage.batching import batched
from tensorlayer.storage.names import check_key

if TYPE_CHECKING:
    from pymongo.collection import Collection

    from tensorlayer.storage.connection import Store

__all__ = ["INDEX", "is_owner", "pipeline", "sweep"]

#: Only what is not committed can be swept; the index is as small as that. What nobody has claimed,
#: but a document points at, stays in it, so that it is found when the document is deleted.
INDEX = pymongo.IndexModel(
    [("metadata.writer", 1), ("uploadDate", 1)],
    name="uncommitted",
    partialFilterExpression={"metadata.committed": False},
)

#: So many files are deleted in one command: of 2 GB each, that are 100,000 chunks.
_BATCH = 25

#: IndexOptionsConflict, IndexKeySpecsConflict: there is an index on ``blobs`` of another form.
_INDEXED = frozenset({85, 86})

_logger = logging.getLogger(__name__)


def sweep(store: Store, files: Collection, pieces: Collection, query: Mapping[str, Any]) -> int:
    """Delete the files that ``query`` finds, that nobody has claimed and nothing points at.

    Parameters
    ----------
    store
        Whose patience is used.
    files, pieces
        The two collections of GridFS.
    query
        About ``metadata.writer`` and ``uploadDate``, which have an index.

    Returns
    -------
    int
        How many files were deleted.
    """
    query = {**query, "metadata.committed": False}
    owners = store.call(lambda: files.distinct("metadata.owner", query))
    known = [each for each in owners if is_owner(each)]
    if len(known) < len(owners):
        _logger.warning("%d owners of blobs have names that are not ours", len(owners) - len(known))
    if not known:
        return 0
    for owner in known:
        _make_index(store, owner)
    stages = pipeline(files.name, query, known)
    found = store.call(lambda: [each["_id"] for each in files.aggregate(stages)])
    return sum(_delete(store, files, pieces, part) for part in batched(found, _BATCH))


def is_owner(name: Any) -> bool:
    """Tell whether a name, read from a document, may be the collection of an owner.

    Examples
    --------
    >>> is_owner("versions"), is_owner("$cmd"), is_owner("system.users"), is_owner(None)
    (True, False, False, False)
    """
    try:
        return not check_key(name, "owner of a blob").startswith("system.")
    except InvalidName:
        return False


def pipeline(files: str, query: Mapping[str, Any], owners: Sequence[str]) -> list[dict[str, Any]]:
    """Return one aggregation that yields the ids of all files of these owners without a document.

    Examples
    --------
    >>> stages = pipeline("blobs.files", {"metadata.committed": False}, ["versions", "tasks"])
    >>> [next(iter(each)) for each in stages]
    ['$match', '$lookup', '$match', '$project', '$unionWith']
    """
    first, *others = (_without_document(query, owner) for owner in owners)
    return [*first, *({"$unionWith": {"coll": files, "pipeline": each}} for each in others)]


def _without_document(query: Mapping[str, Any], owner: str) -> list[dict[str, Any]]:
    pointing = {
        "from": owner,
        "localField": "_id",
        "foreignField": "blobs",
        # With a pipeline the server uses an index that is sparse, too.
        "pipeline": [{"$limit": 1}, {"$project": {"_id": 1}}],
        "as": "pointing",
    }
    return [
        {"$match": {**query, "metadata.owner": owner}},
        {"$lookup": pointing},
        {"$match": {"pointing": []}},
        {"$project": {"_id": 1}},
    ]


def _make_index(store: Store, owner: str) -> None:
    """Make sure that the question for a blob's document never reads the whole collection."""
    try:
        store.indexes(owner, pymongo.IndexModel("blobs", sparse=True))
    except OperationFailure as error:
        if error.code not in _INDEXED:
            raise


def _delete(store: Store, files: Collection, pieces: Collection, ids: list[ObjectId]) -> int:
    """Delete files, unless they have been claimed meanwhile.

    They are marked first, which and a claim exclude each other. Then their chunks go, then they: a
    deletion that breaks off is found again by the next sweep.
    """
    free = {"_id": {"$in": ids}, "metadata.committed": False}
    mark = {"$set": {"metadata.doomed": True}}
    store.call(lambda: files.update_many(free, mark))
    marked = {**free, "metadata.doomed": True}
    doomed = store.call(lambda: [each["_id"] for each in files.find(marked, {"_id": 1})])
    store.call(lambda: pieces.delete_many({"files_id": {"$in": doomed}}))
    return store.call(lambda: files.delete_many({"_id": {"$in": doomed}})).deleted_count
