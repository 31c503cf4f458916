"""What the server answers to a question, as it came over the wire: nothing is decoded.

`find` asks like a cursor of the driver does, with the same commands, but hands out whole replies,
in which the documents lie one behind the other.
"""

from __future__ import annotations

import contextlib
import dataclasses
import struct
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pymongo
from bson import CodecOptions, Int64
from bson.raw_bson import RawBSONDocument
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError

from tensorlayer.datasets.layout import elements
from tensorlayer.datasets.patterns import told
from tensorlayer.storage.connection import Store

__all__ = ["REPLY_BYTES", "Reply", "find", "question"]

#: About how many bytes the server is asked for at once. Each reply costs some 100 us besides its
#: bytes, but what is larger does not stay in the processor's cache until it is copied: images of
#: 150 KB took 7 % more time from the processors with 8 MB and with 2 MB.
REPLY_BYTES = 4 * 2**20

#: The first reply says how large the documents are. They may have 16 MB.
_FIRST_DOCUMENTS = 16

#: Closing does not wait longer for a server that is away.
_CLOSE_SECONDS = 2.0

_INT, _LONG = struct.Struct("<i"), struct.Struct("<q")
_RAW = CodecOptions(document_class=RawBSONDocument)


@dataclasses.dataclass(frozen=True)
class Reply:
    """Some documents in the order in which they were asked for.

    Parameters
    ----------
    data
        The bytes that they are in.
    starts, lengths
        Where each document starts, and how many bytes it has.
    """

    data: memoryview
    starts: np.ndarray
    lengths: np.ndarray

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: int) -> memoryview:
        """Return the bytes of a document."""
        start = int(self.starts[index])
        return self.data[start : start + int(self.lengths[index])]

    def __iter__(self) -> Iterator[memoryview]:
        places = zip(self.starts.tolist(), self.lengths.tolist(), strict=True)
        return (self.data[start : start + length] for start, length in places)

    def rows(self, first: int, last: int) -> np.ndarray:
        """Return documents of one length, each as far behind the last one, as rows of a table."""
        start, length = int(self.starts[first]), int(self.lengths[first])
        step = int(self.starts[first + 1]) - start if last - first > 1 else length
        shape, strides = (last - first, length), (step, 1)
        return np.ndarray(shape, np.uint8, self.data, start, strides)


def question(
    collection: str,
    query: Mapping[str, Any],
    sort: Mapping[str, int] | None = None,
    fields: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Return the command that asks for documents.

    Examples
    --------
    >>> question("samples", {"dataset": "digits"})
    {'find': 'samples', 'filter': {'dataset': 'digits'}}
    """
    more = {"sort": sort, "projection": fields}
    asked = {name: dict(value) for name, value in more.items() if value is not None}
    return {"find": collection, "filter": dict(query), **asked}


def find(store: Store, command: Mapping[str, Any]) -> Iterator[Reply]:
    """Yield replies until all documents have come; closing the iterator closes the cursor.

    An outage is waited for only before the first reply.

    Raises
    ------
    StoreUnavailable
        The server could not be asked within the outage budget.
    PyMongoError
        The connection or the cursor was lost on the way.
    """
    database, collection = store.database, command["find"]
    with told():
        session, found = store.call(lambda: _begun(store, command))
    cursor = 0
    try:
        while True:
            cursor, reply = _read(found)
            yield reply
            if not cursor:
                return
            more = {"getMore": Int64(cursor), "collection": collection, "batchSize": _n_more(reply)}
            with told():
                found = database.command(more, codec_options=_RAW, session=session).raw
    except PyMongoError:
        cursor = 0  # it is lost; and the server, if it is there, closes it with its session
        raise
    finally:
        with contextlib.suppress(PyMongoError), pymongo.timeout(_CLOSE_SECONDS):
            if cursor:
                database.command(
                    "killCursors", collection, cursors=[Int64(cursor)], session=session
                )
            session.end_session()


def _begun(store: Store, command: Mapping[str, Any]) -> tuple[ClientSession, bytes | memoryview]:
    session = store.client.start_session()
    # A command does not take over what the database was opened with, as a collection does.
    concern = {"readConcern": store.database.read_concern.document}
    first = {**command, **concern, "batchSize": _FIRST_DOCUMENTS}
    try:
        return session, store.database.command(first, codec_options=_RAW, session=session).raw
    except BaseException:
        session.end_session()
        raise


def _read(found: bytes | memoryview) -> tuple[int, Reply]:
    """Return the cursor that has more, or zero, and what a reply brought."""
    data = memoryview(found)
    outer = {name: span for _, name, span in elements(data, 0)}
    inner = {name: span for _, name, span in elements(data, outer["cursor"].start)}
    documents = inner.get("firstBatch") or inner["nextBatch"]
    starts, lengths = [], []
    at, stop = documents.start + 4, documents.stop - 1
    while at < stop:
        at += 2 + len(str(len(starts)))  # the type and the name, which is the index, with a zero
        (length,) = _INT.unpack_from(data, at)
        starts.append(at)
        lengths.append(length)
        at += length
    (cursor,) = _LONG.unpack_from(data, inner["id"].start)
    return cursor, Reply(data, np.array(starts, np.int64), np.array(lengths, np.int64))


def _n_more(reply: Reply) -> int:
    """Return how many documents like these make a reply."""
    return max(1, REPLY_BYTES * len(reply) // max(1, int(reply.lengths.sum())))
