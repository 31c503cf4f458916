"""Reading the documents of a view: in order through one cursor, or by their ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from bson import ObjectId
from pymongo import ASCENDING
from pymongo.cursor import Cursor
from pymongo.errors import CursorNotFound, PyMongoError

from tensorlayer.datasets.patterns import told
from tensorlayer.datasets.sample import OWNER
from tensorlayer.errors import Corrupt
from tensorlayer.storage.connection import Store
from tensorlayer.storage.retry import is_passing

__all__ = ["ORDER", "all_ids", "by_ids", "in_order"]

#: The order of insertion: batches by their number, samples by their place in the batch.
ORDER = (("batch", ASCENDING), ("ordinal", ASCENDING))

#: Documents fetched by id at once: many enough to hide a round trip, and 64 MB at the very most.
CHUNK = 256

_ID_BYTES = 12


def in_order(store: Store, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the documents of a query in the order of insertion.

    The cursor is opened again behind the last document when the connection is lost or the server
    has given it up, so every document comes once.
    """
    last: dict[str, Any] | None = None
    while True:
        with told():
            cursor, document = store.call(lambda after=last: _open(store, query, after))
        try:
            while document is not None:
                last = document
                yield document
                with told():
                    document = next(cursor, None)
            return
        except PyMongoError as error:
            if not (is_passing(error) or isinstance(error, CursorNotFound)):
                raise


def all_ids(store: Store, query: dict[str, Any]) -> np.ndarray:
    """Return the ids of a query in the order of insertion, as an array of 12 bytes each."""
    samples = store.database[OWNER]

    def read() -> bytes:
        found = samples.find(query, {"_id": 1}).sort(list(ORDER))
        try:
            return b"".join([each["_id"].binary for each in found])
        except AttributeError as error:
            raise Corrupt(f"A sample in collection {OWNER!r} has an _id that is no id.") from error

    with told():
        return np.frombuffer(store.call(read), np.uint8).reshape(-1, _ID_BYTES)


def by_ids(store: Store, ids: np.ndarray) -> Iterator[dict[str, Any]]:
    """Yield the documents with these ids, in this order.

    Raises
    ------
    Corrupt
        One of them is gone.
    """
    samples = store.database[OWNER]
    for start in range(0, len(ids), CHUNK):
        chunk = [ObjectId(each.tobytes()) for each in ids[start : start + CHUNK]]
        query = {"_id": {"$in": chunk}}
        found = {
            each["_id"]: each for each in store.call(lambda query=query: list(samples.find(query)))
        }
        for each in chunk:
            if each not in found:
                raise Corrupt(f"Sample {each} in collection {OWNER!r} is gone while it is read.")
            yield found[each]


def _open(
    store: Store, query: dict[str, Any], after: dict[str, Any] | None
) -> tuple[Cursor, dict[str, Any] | None]:
    cursor = store.database[OWNER].find(query if after is None else _behind(query, after))
    cursor = cursor.sort(list(ORDER))
    return cursor, next(cursor, None)


def _behind(query: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    batch, ordinal = after["batch"], after["ordinal"]
    same = {"batch": batch, "ordinal": {"$gt": ordinal}}
    return {"$and": [query, {"$or": [same, {"batch": {"$gt": batch}}]}]}
