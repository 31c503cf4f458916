"""Deleting: versions and models go for good, their numbers are never given again.

    models.retired    {_id: key, n_versions}

The documents go in transactions, which also give up the claims on their blobs: versions first, then
events, and the model's own document with the last of them. The blobs are deleted after that. Killed
in between, a part of the versions is gone and the rest is whole, or a model without versions has
fewer events; deleting it again ends it, and what nothing points at any more is swept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pymongo import DESCENDING

from tensorlayer.models.head import MODELS, Head
from tensorlayer.models.version import VERSIONS, Version
from tensorlayer.storage.batching import batched

if TYPE_CHECKING:
    from bson import ObjectId
    from pymongo.client_session import ClientSession

    from tensorlayer.storage.connection import Store

__all__ = ["RETIRED", "delete_model", "delete_version", "n_retired"]

_Documents = Sequence[Mapping[str, Any]]

#: How many versions a model had that was deleted.
RETIRED = "models.retired"

#: Versions of one transaction: an update of a file and a deletion each, far below its limits.
#: Blocks of events are deletions alone.
_AT_ONCE = 500

_NEWEST: dict[str, Any] = {"sort": [("number", DESCENDING)]}


def delete_version(store: Store, key: str, number: int) -> bool:
    """Delete one version and its weights; whether it was there."""
    query = {"model": key, "number": number}
    found = store.transact(lambda session: _delete(store, query, session))
    store.blobs.discard(_blobs_of(found))
    return bool(found)


def delete_model(store: Store, key: str) -> tuple[int, bool]:
    """Delete all versions of a model, its document and its events.

    What somebody saves meanwhile is deleted too, or is the first version of a new model.

    Returns
    -------
    tuple
        How many versions were deleted, and whether there was anything at all.
    """
    newest = store.call(lambda: store.database[VERSIONS].find_one({"model": key}, **_NEWEST))
    highest = 0 if newest is None else Version.from_document(newest).number or 0
    n_deleted, has_found, heads, blobs = 0, False, None, []
    while heads is None:
        found, n_events, heads = store.transact(
            lambda session: _delete_some(store, key, highest, session)
        )
        blobs += _blobs_of([*found, *(heads or ())])
        n_deleted += len(found)
        has_found |= bool(found or n_events or heads)
    for some in batched(blobs, _AT_ONCE):
        store.blobs.discard(some)
    return n_deleted, has_found


def n_retired(store: Store, key: str, session: ClientSession) -> int:
    """Return the highest number that a deleted model of this key has used up; 0 if there is none.

    Reading it in a transaction that inserts the model's document is safe: it is written in one that
    deletes that document.
    """
    found = store.database[RETIRED].find_one({"_id": key}, session=session)
    return 0 if found is None else int(found["n_versions"])


def _delete_some(
    store: Store, key: str, highest: int, session: ClientSession
) -> tuple[_Documents, int, _Documents | None]:
    """Delete as many versions as one transaction takes; then events; and with the last, the head.

    All of that in one transaction: who saves without end could else keep the head alive for ever,
    and events that nobody lists would be left when this process is killed.
    """
    found = _delete(store, {"model": key}, session)
    if len(found) == _AT_ONCE:
        return found, 0, None
    n_events = _delete_events(store, key, session)
    if n_events == _AT_ONCE:
        return found, n_events, None
    head = store.database[MODELS].find_one_and_delete({"_id": key}, session=session)
    if head is None:
        return found, n_events, []
    # The document may be damaged and not know how many there were.
    numbers = [Head.from_document(head).n_versions or 0, highest]
    store.database[RETIRED].update_one(
        {"_id": key}, {"$max": {"n_versions": max(numbers)}}, upsert=True, session=session
    )
    store.blobs.release(_blobs_of([head]), session)
    return found, n_events, [head]


def _delete_events(store: Store, key: str, session: ClientSession) -> int:
    events = store.database["events"]
    blocks = events.find({"model": key}, {"_id": 1}, session=session).limit(_AT_ONCE)
    ids = [each["_id"] for each in blocks]
    events.delete_many({"_id": {"$in": ids}}, session=session)
    return len(ids)


def _delete(store: Store, query: Mapping[str, Any], session: ClientSession) -> _Documents:
    versions = store.database[VERSIONS]
    found = [*versions.find(query, {"blobs": 1}, session=session).limit(_AT_ONCE)]
    versions.delete_many({"_id": {"$in": [each["_id"] for each in found]}}, session=session)
    store.blobs.release(_blobs_of(found), session)
    return found


def _blobs_of(documents: _Documents) -> list[ObjectId]:
    """Return what documents point at, also damaged ones."""
    lists = [each.get("blobs") for each in documents]
    return [id_ for blobs in lists if isinstance(blobs, list) for id_ in blobs]
