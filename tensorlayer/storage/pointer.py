"""Pointers to blobs, and how a content is cut into chunks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bson import ObjectId

from tensorlayer.errors import Corrupt
from tensorlayer.storage.batching import batched

__all__ = ["CHUNK_BYTES", "SCHEMA", "Pointer", "windows"]

#: One chunk is one document. Larger chunks mean fewer documents, but a server with a small cache
#: has trouble to store documents of megabytes: saving 300 MB took 15 % less time from the
#: processors than with chunks of 2 MB, and with 8 MB twice as much. Smaller ones gain nothing.
CHUNK_BYTES = 512 * 1024
#: MongoDB has no larger documents: what claims to have larger chunks is nonsense.
_LARGEST_CHUNK = 16 * 1024 * 1024

#: Version of the layout of a pointer.
SCHEMA = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pointer:
    """Where a blob is, and how to know that it is the right one."""

    #: The id of the file in GridFS.
    id: ObjectId
    #: SHA-256 over the SHA-256 digests of the chunks, in hexadecimal digits: equal for equal
    #: content, but not what a tool says that hashes the content in one piece.
    sha256: str
    #: Size of the content in bytes.
    length: int
    #: Size of all chunks but the last.
    chunk_bytes: int = CHUNK_BYTES

    @property
    def n_chunks(self) -> int:
        """Number of chunks."""
        return -(-self.length // self.chunk_bytes)

    def to_document(self) -> dict[str, Any]:
        """Return what is stored in the document that commits the blob."""
        return {"schema": SCHEMA, **{each.name: getattr(self, each.name) for each in _FIELDS}}

    @classmethod
    def from_document(cls, document: Any) -> Pointer:
        """Return the pointer that a document holds; fields that are not known are ignored.

        Raises
        ------
        Corrupt
            When a field is missing or nonsense.
        """
        if not isinstance(document, Mapping):
            raise Corrupt(f"pointer to a blob: {type(document).__name__} instead of a document.")
        fields = {each.name: document.get(each.name, each.default) for each in _FIELDS}
        if fields["chunk_bytes"] is None:
            fields["chunk_bytes"] = CHUNK_BYTES
        for name, is_fine in _RULES.items():
            if not is_fine(fields[name]):
                known = "missing" if name not in document else repr(document[name])[:80]
                raise Corrupt(f"pointer to a blob: the field {name!r} is {known}.")
        return cls(**fields)


_FIELDS = dataclasses.fields(Pointer)


def _is_size(value: Any, smallest: int, largest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and smallest <= value <= largest


_RULES = {
    "id": lambda value: isinstance(value, ObjectId),
    "sha256": lambda value: isinstance(value, str),
    "length": lambda value: _is_size(value, 0, 2**62),
    "chunk_bytes": lambda value: _is_size(value, 1, _LARGEST_CHUNK),
}


def _chunks(data: bytes | memoryview | Iterable[bytes]) -> Iterator[bytes | memoryview]:
    """Cut ``data`` into chunks of equal size but for the last; what is in memory is not copied."""
    if isinstance(data, (bytes, bytearray, memoryview)):
        view = memoryview(data)
        view = view.cast("B") if view.nbytes else memoryview(b"")
        yield from (view[n : n + CHUNK_BYTES] for n in range(0, len(view), CHUNK_BYTES))
        return
    rest = bytearray()
    for part in data:
        rest += part
        while len(rest) >= CHUNK_BYTES:
            yield bytes(memoryview(rest)[:CHUNK_BYTES])
            del rest[:CHUNK_BYTES]
    if rest:
        yield bytes(rest)


def windows(
    data: bytes | memoryview | Iterable[bytes], n_chunks: int
) -> Iterator[list[bytes | memoryview]]:
    """Cut ``data`` into chunks, and yield lists of ``n_chunks`` of them.

    Examples
    --------
    >>> [[len(chunk) for chunk in window] for window in windows(bytes(CHUNK_BYTES + 1), 4)]
    [[524288, 1]]
    """
    yield from batched(_chunks(data), n_chunks)
