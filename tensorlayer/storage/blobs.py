"""Blobs: what is too large for a document, in GridFS, committed by whoever points at it.

    blobs.files    {_id, filename, length, chunkSize, uploadDate,
                    metadata: {schema, owner, writer, complete, committed, digests, sha256}}
    blobs.chunks   {_id, files_id, n, data}

Every chunk has a digest of its own, so chunks are verified in parallel, a part can be read and
trusted without the rest, and a damaged chunk is named. The digest of the blob, which its pointer
holds, is taken over the digests of its chunks.
"""

from __future__ import annotations

import datetime
import functools
import hashlib
import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pymongo
from bson import ObjectId

from tensorlayer.errors import Corrupt, InvalidArgument
from tensorlayer.storage import sweeping
from tensorlayer.storage.ahead import ahead
from tensorlayer.storage.inserting import insert
from tensorlayer.storage.names import check_key
from tensorlayer.storage.pointer import CHUNK_BYTES, Pointer, windows

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession

    from tensorlayer.storage.connection import Store

T = TypeVar("T")
#: What is done with the number and the bytes of a chunk.
_Use = Callable[[int, bytes], T]

#: How many chunks are one message from the server: what was just received is still in the
#: processor's cache when it is copied and hashed. Reading took 20 % less time from the processors
#: with 1 MB than with 4 MB.
_FETCHED_CHUNKS = 2
#: How many are one message to the server.
_SENT_CHUNKS = 8
#: So many messages are received, hashed and copied at the same time; a transfer holds twice as many
#: in memory.
_FETCHED_AT_ONCE = 4
#: Of those that are sent most wait for the server's disk.
_SENT_AT_ONCE = 6

#: Bytes of a SHA-256.
_DIGEST_BYTES = 32

#: What never got a document within a day was left by somebody who is gone.
GRACE_SECONDS = 24 * 3600.0

#: Version of the layout of a file.
SCHEMA = 1


class Blobs:
    """The blobs of one store.

    A blob is visible to nobody until a document points at it: the document holds the `Pointer`, and
    the blob's id in its list ``blobs``, which commits it. The owner's collection has an index on
    ``blobs``. Where nothing may go wrong between upload and commit, the transaction that inserts
    the document also calls `claim`.

    What a process has uploaded and not committed is deleted when the process is gone, see
    `tensorlayer.storage.presence`; as long as it lives, it may take its time.

    The files are those of GridFS, bucket ``blobs``: stock tools read them.

    Parameters
    ----------
    store
        Where they are.

    Examples
    --------
    >>> blobs = hub.store.blobs
    >>> pointer = blobs.put(b"weights", owner="versions")
    >>> blobs.get(pointer), blobs.read_range(pointer, 2, 5)
    (b'weights', b'igh')
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        store.presence.on_gone(self.abandon)

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
        send = functools.partial(self._send, id_)
        numbered = enumerate(windows(data, _SENT_CHUNKS))
        sent = [*chain.from_iterable(ahead(send, numbered, _SENT_AT_ONCE))]
        digests = [digest for digest, _ in sent]
        length = sum(n_bytes for _, n_bytes in sent)
        pointer = Pointer(id=id_, sha256=_overall(digests), length=length)
        self._complete(pointer, b"".join(digests))
        return pointer

    def get(self, pointer: Pointer) -> bytes:
        """Return the content of a blob, after its digests were found right.

        Raises
        ------
        Corrupt
            When a chunk is missing, too short or too long, or not what was stored; names it.
        """
        content = io.BytesIO()  # hands out what it holds without a copy
        for part in self.open(pointer):
            content.write(part)
        return content.getvalue()

    def read(self, pointer: Pointer) -> memoryview:
        """Return the content as `get` does, but faster, in a buffer that may be written to.

        Memory is needed for the content once, and for the chunks that are on their way.
        """
        return self._into_buffer(pointer, 0, pointer.length)

    def read_range(self, pointer: Pointer, start: int, stop: int) -> bytes:
        """Return the bytes from ``start`` to before ``stop``; only their chunks are read.

        Raises
        ------
        InvalidArgument
            The blob has no such bytes.
        Corrupt
            One of these chunks is damaged. Damage elsewhere does not matter.
        """
        if not 0 <= start <= stop <= pointer.length:
            raise InvalidArgument(
                f"blob {pointer.id}: has bytes 0 to {pointer.length}, got {start!r} to {stop!r}. "
                "Give 0 <= start <= stop <= length."
            )
        return bytes(self._into_buffer(pointer, start, stop))

    def open(self, pointer: Pointer) -> Iterator[bytes]:
        """Return the content part by part.

        Memory stays bounded. A lost connection is resumed where it broke. A blob of more than a
        megabyte is verified part by part, before each is returned; a smaller one, to save the way
        to the database, when its last part was read.

        Raises
        ------
        Corrupt
            When a chunk is missing, too short or too long, or not what was stored; names it.
        """
        return self._whole(pointer, lambda _, data: data)

    def claim(self, ids: Iterable[ObjectId], session: ClientSession | None = None) -> None:
        """Commit blobs in the transaction that inserts the document which points at them.

        Either the sweep comes first, then this raises and the transaction has no effect, or it does
        not touch them any more.

        Parameters
        ----------
        ids
            What the document's list ``blobs`` holds.
        session
            Of the transaction; without one they are claimed by themselves.

        Raises
        ------
        Corrupt
            One of them is not there, or not complete.
        """
        wanted = list(dict.fromkeys(ids))
        if not wanted:
            return
        query = {"_id": {"$in": wanted}, "metadata.complete": True, "metadata.doomed": None}
        change = {"$set": {"metadata.committed": True}}
        files = self._store.database["blobs.files"]  # without making indexes in a transaction
        update = functools.partial(files.update_many, query, change, session=session)
        done = update() if session else self._store.call(update)
        if done.matched_count < len(wanted):
            there = {each["_id"] for each in files.find(query, {"_id": 1}, session=session)}
            lost = next(each for each in wanted if each not in there)
            raise Corrupt(
                f"blob {lost}: it was swept before the document that points at it was committed, "
                "because its writer seemed to be gone. Nothing was committed; save again."
            )

    def release(self, ids: Iterable[ObjectId], session: ClientSession | None = None) -> None:
        """Undo `claim`, when the document that points at the blobs is deleted.

        What nothing points at then is deleted by the next `sweep`, or when this process is gone.
        """
        writer = self._store.presence.register()
        change = {"$set": {"metadata.committed": False, "metadata.writer": writer}}
        files = self._store.database["blobs.files"]
        query = {"_id": {"$in": list(ids)}}
        if session is not None:
            files.update_many(query, change, session=session)  # tried again with its transaction
        else:
            self._store.call(lambda: files.update_many(query, change))

    def sweep(self, grace_seconds: float = GRACE_SECONDS) -> int:
        """Delete blobs that nothing points at and that are older than the grace.

        Blobs of other processes that live are spared, however old they are; the grace is for those
        of this process. Age is measured by the server's clock. May run anywhere, at any time, by
        several processes; a blob that is gone already is skipped.

        There is no need to call it: what a process leaves is removed when it is gone.

        Parameters
        ----------
        grace_seconds
            A day by default: longer than any single task should hold back its outputs.

        Returns
        -------
        int
            How many blobs were deleted.
        """
        presence = self._store.presence
        oldest = self._store.now() - datetime.timedelta(seconds=grace_seconds)
        # Whoever ended after this list was made is spared, not the other way round.
        writers = self._store.call(lambda: self._store.database["writers"].distinct("_id"))
        living = set(writers) - set(presence.gone()) - {presence.register()}
        query = {"metadata.writer": {"$nin": sorted(living)}, "uploadDate": {"$lt": oldest}}
        return sweeping.sweep(self._store, self._files, self._pieces, query)

    def abandon(self, writer_id: str) -> int:
        """Delete what a writer that is gone has uploaded and no document points at.

        Returns
        -------
        int
            How many blobs were deleted.
        """
        query = {"metadata.writer": writer_id}
        return sweeping.sweep(self._store, self._files, self._pieces, query)

    def discard(self, ids: Iterable[ObjectId]) -> int:
        """Delete those of some blobs that no document points at any more; return how many."""
        query = {"_id": {"$in": list(ids)}}
        return sweeping.sweep(self._store, self._files, self._pieces, query)

    @property
    def _files(self) -> pymongo.collection.Collection:
        by_name = pymongo.IndexModel([("filename", 1), ("uploadDate", 1)])  # that of GridFS
        return self._store.indexes("blobs.files", by_name, sweeping.INDEX)

    @property
    def _pieces(self) -> pymongo.collection.Collection:
        index = pymongo.IndexModel([("files_id", 1), ("n", 1)], unique=True)
        return self._store.indexes("blobs.chunks", index)

    def _announce(self, id_: ObjectId, owner: str) -> None:
        """Insert the file before its chunks, so a broken upload is found by the sweep."""
        metadata = {"schema": SCHEMA, "owner": owner, "writer": self._store.presence.register()}
        fields = {
            "filename": f"{owner}/{id_}",
            "length": 0,
            "chunkSize": CHUNK_BYTES,
            "metadata": {**metadata, "complete": False, "committed": False},
        }
        change = {"$setOnInsert": fields, "$currentDate": {"uploadDate": True}}
        self._store.call(lambda: self._files.update_one({"_id": id_}, change, upsert=True))

    def _complete(self, pointer: Pointer, digests: bytes) -> None:
        metadata = {"sha256": pointer.sha256, "digests": digests, "complete": True}
        change = {
            "$set": {"length": pointer.length}
            | {f"metadata.{name}": value for name, value in metadata.items()},
            "$currentDate": {"uploadDate": True},
        }
        query = {"_id": pointer.id, "metadata.doomed": None}
        done = self._store.call(lambda: self._files.update_one(query, change))
        if not done.matched_count:
            raise Corrupt(
                f"blob {pointer.id}: it was swept while it was uploaded. Upload it again."
            )

    def _send(
        self, id_: ObjectId, numbered: tuple[int, list[bytes | memoryview]]
    ) -> list[tuple[bytes, int]]:
        """Store the chunks of a window; return the digest and the length of each."""
        index, window = numbered
        chunks = [
            {"_id": ObjectId(), "files_id": id_, "n": n, "data": bytes(data)}
            for n, data in enumerate(window, index * _SENT_CHUNKS)
        ]
        insert(self._store, self._pieces, chunks)
        return [(hashlib.sha256(data).digest(), len(data)) for data in window]

    def _digests(self, pointer: Pointer) -> list[bytes] | None:
        """Return the digests of the chunks, verified; None if the file's document is lost."""
        fields = {"metadata.digests": 1}
        found = self._store.call(lambda: self._files.find_one({"_id": pointer.id}, fields))
        if found is None:
            return None
        data = found.get("metadata", {}).get("digests")
        if (
            not isinstance(data, bytes)
            or len(data) != _DIGEST_BYTES * pointer.n_chunks
            or hashlib.sha256(data).hexdigest() != pointer.sha256
        ):
            raise _corrupt(pointer, "its checksum differs")
        return [data[at : at + _DIGEST_BYTES] for at in range(0, len(data), _DIGEST_BYTES)]

    def _whole(self, pointer: Pointer, use: _Use[T]) -> Iterator[T]:
        """Yield what was made of all chunks, see `open`."""
        digests = self._digests(pointer) if pointer.n_chunks > _FETCHED_CHUNKS else None
        found = []
        for made, digest in self._verified(pointer, 0, pointer.n_chunks, digests, use):
            found.append(digest)
            yield made
        if digests is None and _overall(found) != pointer.sha256:
            stored = self._digests(pointer) or found
            bad = next((f"chunk {n}: " for n, each in enumerate(found) if each != stored[n]), "")
            raise _corrupt(pointer, f"{bad}its checksum differs")

    def _into_buffer(self, pointer: Pointer, start: int, stop: int) -> memoryview:
        try:
            # Of NumPy, which asks the system for large pages and copies without holding the
            # interpreter's lock: other chunks are received, hashed and copied meanwhile.
            content = np.empty(stop - start, np.uint8)
        except MemoryError as error:
            raise _corrupt(pointer, "so much does not fit into memory") from error

        def place(n: int, data: bytes) -> None:
            at = n * pointer.chunk_bytes
            inside = np.frombuffer(data, np.uint8)[max(start - at, 0) : max(stop - at, 0)]
            to = max(at - start, 0)
            content[to : to + len(inside)] = inside

        if (start, stop) == (0, pointer.length):
            placed = self._whole(pointer, place)
        else:
            digests = self._digests(pointer)
            if digests is None:
                raise _corrupt(pointer, "the document of its file is missing")
            first, last = start // pointer.chunk_bytes, -(-stop // pointer.chunk_bytes)
            placed = self._verified(pointer, first, last, digests, place)
        deque(placed, maxlen=0)
        return content.data

    def _verified(
        self, pointer: Pointer, first: int, last: int, digests: list[bytes] | None, use: _Use[T]
    ) -> Iterator[tuple[T, bytes]]:
        """Yield what was made of chunks, in order, with their digests.

        Windows ahead are fetched, hashed and used by other threads, before they are compared.
        """
        n, starts = first, range(first, last, _FETCHED_CHUNKS)
        fetch = functools.partial(self._fetch, pointer, last=last, use=use)
        for made, digest in chain.from_iterable(ahead(fetch, starts, _FETCHED_AT_ONCE)):
            if digests is not None and digest != digests[n]:
                raise _corrupt(pointer, f"chunk {n}: its checksum differs")
            yield made, digest
            n += 1

    def _fetch(
        self, pointer: Pointer, first: int, last: int, use: _Use[T]
    ) -> list[tuple[T, bytes]]:
        """Return what was made of the chunks of one window, with their digests."""
        last = min(first + _FETCHED_CHUNKS, last)
        query = {"files_id": pointer.id, "n": {"$gte": first, "$lt": last}}
        # Whole documents: to leave a field out, the server would copy all others.
        found = self._store.call(lambda: list(self._pieces.find(query)))
        chunks = {each["n"]: each["data"] for each in found}
        for n in range(first, last):
            length = min(pointer.chunk_bytes, pointer.length - n * pointer.chunk_bytes)
            data = chunks.get(n)
            if not isinstance(data, bytes):
                raise _corrupt(pointer, f"chunk {n} is missing")
            if len(data) != length:
                wrong = "too long" if len(data) > length else "too short"
                raise _corrupt(pointer, f"chunk {n} is {wrong}")
        some = [(n, chunks[n]) for n in range(first, last)]
        return [(use(n, data), hashlib.sha256(data).digest()) for n, data in some]


def _overall(digests: Iterable[bytes]) -> str:
    return hashlib.sha256(b"".join(digests)).hexdigest()


def _corrupt(pointer: Pointer, what: str) -> Corrupt:
    return Corrupt(
        f"blob {pointer.id} of {pointer.length} bytes: {what}. The stored bytes are damaged; "
        "restore it from another copy, or store it again."
    )


__all__ = ["Blobs", "Pointer", "CHUNK_BYTES", "GRACE_SECONDS"]
