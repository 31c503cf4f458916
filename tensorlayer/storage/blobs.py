"""Blobs: what is too large for a document, in GridFS, committed by whoever points at it."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pymongo
from bson import ObjectId

from tensorlayer.errors import Corrupt
from tensorlayer.storage.inserting import insert
from tensorlayer.storage.names import check_key

if TYPE_CHECKING:
    from tensorlayer.storage.connection import Store

#: One chunk is one document. Larger chunks mean fewer documents, but a
#: server with a small cache has trouble to change documents of many megabytes.
CHUNK_BYTES = 2 * 1024 * 1024
#: How many chunks are one message to or from the server.
_WINDOW_CHUNKS = 4
#: While these are on their way, the next one is read and hashed: a transfer holds at most twice as
#: many windows in memory.
_WINDOWS_SENT_AT_ONCE = 2

#: What never got a document within a day was left by somebody who is gone.
GRACE_SECONDS = 24 * 3600.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pointer:
    """Where a blob is, and how to know that it is the right one."""

    #: The id of the file in GridFS.
    id: ObjectId
    #: Checksum of the content, in hexadecimal digits.
    sha256: str
    #: Size of the content in bytes.
    length: int

    def to_document(self) -> dict[str, Any]:
        """Return what is stored in the document that commits the blob."""
        return {"id": self.id, "sha256": self.sha256, "length": self.length}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Pointer:
        """Return the pointer that a document holds.

        Raises
        ------
        Corrupt
            When a field is missing.
        """
        try:
            return cls(id=document["id"], sha256=document["sha256"], length=int(document["length"]))
        except (KeyError, TypeError, ValueError) as error:
            raise Corrupt(f"pointer to a blob: {error!r} in {sorted(document)}.") from error


class Blobs:
    """The blobs of one store.

    A blob is visible to nobody until a document points at it: the document holds the `Pointer`, and
    the blob's id in its list ``blobs``, which commits it. What no document of the owner points at
    is deleted by `sweep` after a grace period, so a broken upload costs space for a day.

    The files are those of GridFS, bucket ``blobs``: stock tools read them.

    Parameters
    ----------
    store
        Where they are.

    Examples
    --------
    >>> blobs = hub.store.blobs
    >>> pointer = blobs.put(b"weights", owner="versions")
    >>> blobs.get(pointer)
    b'weights'
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, data: bytes | memoryview | Iterable[bytes], *, owner: str) -> Pointer:
        """Upload a blob, not yet committed; memory stays bounded when ``data`` is an iterable.

        Parameters
        ----------
        data
            The content, or an iterable of its parts.
        owner
            The collection whose documents will point at it.

        Returns
        -------
        Pointer
            For the document that commits it.
        """
        check_key(owner, "owner of a blob")
        id_ = ObjectId()
        self._announce(id_, owner)
        checksum, length, first = hashlib.sha256(), 0, 0
        with ThreadPoolExecutor(_WINDOWS_SENT_AT_ONCE) as pool:
            sent: deque[Future[None]] = deque()
            for window in _windows(_chunks(data)):
                sent.append(pool.submit(self._send, id_, first, window))
                first += len(window)
                for chunk in window:
                    checksum.update(chunk)
                    length += len(chunk)
                if len(sent) > _WINDOWS_SENT_AT_ONCE:
                    sent.popleft().result()
            for each in sent:
                each.result()
        self._complete(id_, length, checksum.hexdigest())
        return Pointer(id=id_, sha256=checksum.hexdigest(), length=length)

    def get(self, pointer: Pointer) -> bytes:
        """Return the content of a blob, after its checksum was found right.

        Raises
        ------
        Corrupt
            When a chunk is missing or the content is not what was stored.
        """
        return b"".join(self.open(pointer))

    def read(self, pointer: Pointer) -> bytearray:
        """Return the content as `get` does, in a buffer that may be written to."""
        content = bytearray(pointer.length)
        position = 0
        for part in self.open(pointer):
            content[position : position + len(part)] = part
            position += len(part)
        return content

    def open(self, pointer: Pointer) -> Iterator[bytes]:
        """Return the content part by part; the checksum is verified after the last part.

        Memory stays bounded. A lost connection is resumed where it broke.

        Raises
        ------
        Corrupt
            When a chunk is missing or too much, and, after the last part, when the content is not
            what was stored: until then nothing that was read may be trusted.
        """
        checksum, length = hashlib.sha256(), 0
        for n, part in enumerate(self._parts(pointer)):
            checksum.update(part)
            length += len(part)
            if length > pointer.length:
                raise _corrupt(pointer, f"chunk {n} is too long")
            yield part
        if checksum.hexdigest() != pointer.sha256:
            raise _corrupt(pointer, "its checksum differs")

    def sweep(self, grace_seconds: float = GRACE_SECONDS) -> int:
        """Delete blobs that no document points at and that are older than the grace.

        Age is measured by the server's clock. The grace has to be longer than the longest time
        between an upload and its commit, which for a task is the time that the task runs. May run
        anywhere, at any time, by several processes; a blob that is gone already is skipped.

        Parameters
        ----------
        grace_seconds
            A day by default: longer than any single task should hold back its outputs.

        Returns
        -------
        int
            How many blobs were deleted.
        """
        oldest = self._store.now() - datetime.timedelta(seconds=grace_seconds)
        # Only ours: what somebody else put into the bucket has no owner.
        query = {"uploadDate": {"$lt": oldest}, "metadata.owner": {"$type": "string"}}
        fields = {"metadata.owner": True}
        found = self._store.call(lambda: list(self._files.find(query, fields)))
        return sum(
            self._delete(each["_id"])
            for each in found
            if not self._committed(each["_id"], each["metadata"]["owner"])
        )

    @property
    def _files(self) -> pymongo.collection.Collection:
        index = pymongo.IndexModel([("filename", 1), ("uploadDate", 1)])
        return self._store.indexes("blobs.files", index)

    @property
    def _pieces(self) -> pymongo.collection.Collection:
        index = pymongo.IndexModel([("files_id", 1), ("n", 1)], unique=True)
        return self._store.indexes("blobs.chunks", index)

    def _announce(self, id_: ObjectId, owner: str) -> None:
        """Insert the file before its chunks, so a broken upload is found by the sweep."""
        fields = {
            "filename": f"{owner}/{id_}",
            "length": 0,
            "chunkSize": CHUNK_BYTES,
            "metadata": {"owner": owner, "complete": False},
        }
        change = {"$setOnInsert": fields, "$currentDate": {"uploadDate": True}}
        self._store.call(lambda: self._files.update_one({"_id": id_}, change, upsert=True))

    def _complete(self, id_: ObjectId, length: int, sha256: str) -> None:
        change = {
            "$set": {"length": length, "metadata.sha256": sha256, "metadata.complete": True},
            "$currentDate": {"uploadDate": True},
        }
        done = self._store.call(lambda: self._files.update_one({"_id": id_}, change))
        if not done.matched_count:
            raise Corrupt(f"blob {id_}: it was swept while it was uploaded. Upload it again.")

    def _send(self, id_: ObjectId, first: int, window: list[bytes]) -> None:
        chunks = [
            {"_id": ObjectId(), "files_id": id_, "n": n, "data": data}
            for n, data in enumerate(window, first)
        ]

        insert(self._store, self._pieces, chunks)

    def _parts(self, pointer: Pointer) -> Iterator[bytes]:
        """Return the chunks in order; the next window is fetched while this one is used."""
        rest, n = pointer.length, 0
        with ThreadPoolExecutor(1) as pool:
            window = self._fetch(pointer, n) if rest > 0 else []
            while rest > 0:
                found = [each["n"] for each in window]
                if not found or found != list(range(n, n + len(found))):
                    lost = next(i for i in range(n, n + len(found) + 1) if i not in found)
                    raise _corrupt(pointer, f"chunk {lost} is missing")
                n, rest = n + len(found), rest - sum(len(each["data"]) for each in window)
                ahead = pool.submit(self._fetch, pointer, n) if rest > 0 else None
                yield from (each["data"] for each in window)
                window = ahead.result() if ahead else []

    def _fetch(self, pointer: Pointer, first: int) -> list[Mapping[str, Any]]:
        query = {"files_id": pointer.id, "n": {"$gte": first, "$lt": first + _WINDOW_CHUNKS}}
        return self._store.call(lambda: list(self._pieces.find(query).sort("n")))

    def _committed(self, id_: ObjectId, owner: str) -> bool:
        documents = self._store.database[owner]
        return self._store.call(lambda: documents.find_one({"blobs": id_}, {"_id": 1})) is not None

    def _delete(self, id_: ObjectId) -> int:
        """Delete the chunks first: what is left of a broken deletion is found by the next sweep."""
        self._store.call(lambda: self._pieces.delete_many({"files_id": id_}))
        return self._store.call(lambda: self._files.delete_one({"_id": id_})).deleted_count


def _chunks(data: bytes | memoryview | Iterable[bytes]) -> Iterator[bytes]:
    """Cut ``data`` into chunks of equal size but for the last."""
    if isinstance(data, (bytes, bytearray, memoryview)):
        view = memoryview(data).cast("B")
        yield from (bytes(view[n : n + CHUNK_BYTES]) for n in range(0, len(view), CHUNK_BYTES))
        return
    rest = bytearray()
    for part in data:
        rest += part
        while len(rest) >= CHUNK_BYTES:
            yield bytes(memoryview(rest)[:CHUNK_BYTES])
            del rest[:CHUNK_BYTES]
    if rest:
        yield bytes(rest)


def _windows(chunks: Iterator[bytes]) -> Iterator[list[bytes]]:
    window: list[bytes] = []
    for chunk in chunks:
        window.append(chunk)
        if len(window) == _WINDOW_CHUNKS:
            yield window
            window = []
    if window:
        yield window


def _corrupt(pointer: Pointer, what: str) -> Corrupt:
    return Corrupt(
        f"blob {pointer.id} of {pointer.length} bytes: {what}. The stored bytes are damaged; "
        "restore it from another copy, or store it again."
    )


__all__ = ["Blobs", "Pointer", "CHUNK_BYTES", "GRACE_SECONDS"]
