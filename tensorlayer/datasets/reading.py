"""Reading the documents of a view: in order through one cursor, or by their ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import bson
import numpy as np
from bson import ObjectId
from pymongo import ASCENDING
from pymongo.errors import PyMongoError

from tensorlayer.datasets.patterns import told
from tensorlayer.datasets.replies import Reply, find, question
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
#: What precedes an id: a length, the type and the name of the field.
_ID_HEAD = b"\x07_id\x00"
_ID_START = 4 + len(_ID_HEAD)


def in_order(store: Store, query: Mapping[str, Any]) -> Iterator[Reply]:
    """Yield the documents of a query in the order of insertion.

    The cursor is opened again behind the last document when the connection is lost or the server
    has given it up, so every document comes once.
    """
    last: Reply | None = None
    while True:
        asked = query if last is None else _behind(query, last, store)
        try:
            for reply in find(store, question(OWNER, asked, dict(ORDER))):
                last = reply if len(reply) else last
                yield reply
            return
        except PyMongoError as error:
            if not is_passing(error):
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


def by_ids(store: Store, ids: np.ndarray) -> Iterator[list[memoryview]]:
    """Yield the documents with these ids, in this order, some at a time.

    Raises
    ------
    Corrupt
        One of them is gone.
    """
    for start in range(0, len(ids), CHUNK):
        chunk = [each.tobytes() for each in ids[start : start + CHUNK]]
        query = {"_id": {"$in": [ObjectId(each) for each in chunk]}}
        found = _by_id(store, query)
        for each in chunk:
            if each not in found:
                raise Corrupt(
                    f"Sample {ObjectId(each)} in collection {OWNER!r} is gone while it is read."
                )
        yield [found[each] for each in chunk]


def _by_id(store: Store, query: Mapping[str, Any]) -> dict[bytes, memoryview]:
    """Return documents by their ids; what was read of them before an outage is read again."""

    def read() -> dict[bytes, memoryview]:
        replies = find(store, question(OWNER, query))
        return {_id(each): each for reply in replies for each in reply}

    return store.call(read)


def _id(document: memoryview) -> bytes:
    """Return the id of a document: the server stores it as the first field."""
    head = bytes(document[: _ID_START + _ID_BYTES])
    return head[_ID_START:] if head[4:_ID_START] == _ID_HEAD else b""


def _behind(query: Mapping[str, Any], reply: Reply, store: Store) -> dict[str, Any]:
    after = bson.decode(reply[-1], store.database.codec_options)
    batch, ordinal = after["batch"], after["ordinal"]
    same = {"batch": batch, "ordinal": {"$gt": ordinal}}
    return {"$and": [query, {"$or": [same, {"batch": {"$gt": batch}}]}]}
