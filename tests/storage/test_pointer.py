"""Pointers: tolerant of what is not known, strict with what is needed."""

import pytest
from bson import ObjectId

from tensorlayer.errors import Corrupt
from tensorlayer.storage.pointer import CHUNK_BYTES, Pointer, windows

POINTER = Pointer(id=ObjectId(), sha256="a" * 64, length=2 * CHUNK_BYTES + 1)


def test_it_comes_back_from_its_document():
    assert POINTER.to_document()["schema"] == 1
    assert Pointer.from_document(POINTER.to_document()) == POINTER
    assert POINTER.n_chunks == 3


def test_it_needs_no_more_than_what_it_points_at():
    known = {name: POINTER.to_document()[name] for name in ("id", "sha256", "length")}
    assert Pointer.from_document(known) == POINTER
    assert Pointer.from_document({**known, "region": "eu", "chunk_bytes": None}) == POINTER


@pytest.mark.parametrize("name", ["id", "sha256", "length"])
def test_a_missing_field_is_named(name):
    document = POINTER.to_document()
    del document[name]
    with pytest.raises(Corrupt, match=f"pointer to a blob: the field '{name}' is missing"):
        Pointer.from_document(document)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", {"$gt": ""}),
        ("sha256", 3),
        ("length", -1),
        ("length", True),
        ("length", "9"),
        ("chunk_bytes", 0),
        ("chunk_bytes", 2**40),
    ],
)
def test_nonsense_is_named(name, value):
    with pytest.raises(Corrupt, match=f"the field '{name}' is "):
        Pointer.from_document({**POINTER.to_document(), name: value})


@pytest.mark.parametrize("document", [None, 3, "x", []])
def test_what_is_no_document_is_corrupt(document):
    with pytest.raises(Corrupt, match="instead of a document"):
        Pointer.from_document(document)


@pytest.mark.parametrize("n_chunks", [1, 2, 3])
def test_windows_hold_everything_in_order(n_chunks):
    content = bytes(range(256)) * (5 * CHUNK_BYTES // 256) + b"end"
    for data in (content, [content[:100], content[100:]], memoryview(content)):
        found = list(windows(data, n_chunks))
        assert [len(each) for each in found[:-1]] == [n_chunks] * (len(found) - 1)
        chunks = [chunk for window in found for chunk in window]
        assert {len(each) for each in chunks[:-1]} == {CHUNK_BYTES}
        assert b"".join(chunks) == content
