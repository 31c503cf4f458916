from __future__ import annotations

import dataclasses
import datetime
import hashlib
import os
import subprocess
import sys
import time
import tracemalloc

import gridfs
import numpy as np
import pytest
from bson import ObjectId
from pymongo.errors import WriteConcernError
from pymongo.write_concern import WriteConcern

from tensorlayer.errors import Corrupt, InvalidArgument, InvalidName
from tensorlayer.storage import sweeping
from tensorlayer.storage.blobs import CHUNK_BYTES, Pointer

SIZES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 9 * CHUNK_BYTES + 7]


def noise(size, seed=0):
    return np.random.default_rng(seed).bytes(size)


def age(store, seconds):
    """Make every blob older, as the server's clock measures it."""
    moved = {"$subtract": ["$uploadDate", 1000 * seconds]}
    store.database["blobs.files"].update_many({}, [{"$set": {"uploadDate": moved}}])


def stored(store):
    return store.database["blobs.files"].count_documents({})


@pytest.mark.parametrize("size", SIZES)
def test_a_blob_comes_back(store, size):
    content = noise(size)
    pointer = store.blobs.put(content, owner="versions")
    assert pointer.length == size
    assert store.blobs.get(pointer) == content
    assert b"".join(store.blobs.open(pointer)) == content


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b""],
        [b"a", b"", b"bc"],
        [noise(10 * CHUNK_BYTES)],
        [noise(1000, n) for n in range(6000)],
    ],
    ids=["none", "empty", "small", "one large", "many"],
)
def test_parts_of_any_size_make_one_blob(store, parts):
    pointer = store.blobs.put(iter(parts), owner="versions")
    assert store.blobs.get(pointer) == b"".join(parts)


def test_any_memory_is_content(store):
    array = np.arange(12, dtype=np.int32).reshape(3, 4)
    for content in (memoryview(array), bytearray(array.tobytes())):
        assert store.blobs.get(store.blobs.put(content, owner="x")) == array.tobytes()


def test_stock_tools_read_it(store):
    content = noise(2 * CHUNK_BYTES + 5)
    pointer = store.blobs.put(content, owner="versions")
    bucket = gridfs.GridFSBucket(store.database, "blobs")
    assert bucket.open_download_stream(pointer.id).read() == content
    bucket.delete(pointer.id)
    with pytest.raises(Corrupt, match="chunk 0 is missing"):
        store.blobs.get(pointer)


@pytest.mark.parametrize("chunk_bytes", [100, 2 * 2**20])
def test_chunks_of_another_size_are_read(store, chunk_bytes):
    """As an older version has stored them, or a later one will."""
    id_, content = ObjectId(), noise(2 * chunk_bytes + 7)
    chunks = [content[at : at + chunk_bytes] for at in range(0, len(content), chunk_bytes)]
    digests = b"".join(hashlib.sha256(each).digest() for each in chunks)
    sha256 = hashlib.sha256(digests).hexdigest()
    store.database["blobs.files"].insert_one({"_id": id_, "metadata": {"digests": digests}})
    store.database["blobs.chunks"].insert_many(
        [{"files_id": id_, "n": n, "data": each} for n, each in enumerate(chunks)]
    )
    pointer = Pointer(id=id_, sha256=sha256, length=len(content), chunk_bytes=chunk_bytes)
    assert store.blobs.get(pointer) == store.blobs.read(pointer) == content
    assert store.blobs.read_range(pointer, 50, chunk_bytes + 9) == content[50 : chunk_bytes + 9]


def test_a_pointer_survives_its_document(store):
    pointer = store.blobs.put(b"abc", owner="versions")
    store.database["versions"].insert_one({"_id": 1, "weights": pointer.to_document()})
    found = store.database["versions"].find_one({"_id": 1})["weights"]
    assert Pointer.from_document(found) == pointer


@pytest.mark.parametrize("document", [{}, {"id": 1, "sha256": "x"}, {"id": 1, "length": "x"}])
def test_a_pointer_that_is_none_is_corrupt(document):
    with pytest.raises(Corrupt, match="pointer to a blob"):
        Pointer.from_document(document)


def damage(store, pointer, kind):
    chunks = store.database["blobs.chunks"]
    where = {"files_id": pointer.id, "n": 1}
    data = bytearray(chunks.find_one(where)["data"])
    match kind:
        case "bit":
            data[7] ^= 1
            chunks.update_one(where, {"$set": {"data": bytes(data)}})
        case "long":
            chunks.update_one(where, {"$set": {"data": bytes(data) + bytes(CHUNK_BYTES)}})
        case "short":
            chunks.update_one(where, {"$set": {"data": bytes(data[:-1])}})
        case "missing":
            chunks.delete_one(where)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("bit", "chunk 1: its checksum differs"),
        ("long", "chunk 1 is too long"),
        ("short", "chunk 1 is too short"),
        ("missing", "chunk 1 is missing"),
    ],
)
def test_damage_is_found_and_located(store, kind, message):
    pointer = store.blobs.put(noise(2 * CHUNK_BYTES + 5), owner="versions")
    damage(store, pointer, kind)
    with pytest.raises(Corrupt, match=f"blob {pointer.id} of {pointer.length} bytes: {message}"):
        store.blobs.get(pointer)
    for read in (store.blobs.open, store.blobs.read):
        with pytest.raises(Corrupt, match=message):
            list(read(pointer))


def test_a_pointer_with_another_checksum_is_corrupt(store):
    pointer = store.blobs.put(b"", owner="versions")
    with pytest.raises(Corrupt, match="its checksum differs"):
        store.blobs.get(dataclasses.replace(pointer, sha256="0" * 64))


def test_an_owner_is_checked(store):
    with pytest.raises(InvalidName, match="owner of a blob"):
        store.blobs.put(b"", owner="$x")


def test_memory_stays_bounded(store):
    size, part = 200 * 2**20, bytes(2**20)
    tracemalloc.start()
    try:
        pointer = store.blobs.put((part for _ in range(size // len(part))), owner="versions")
        assert sum(map(len, store.blobs.open(pointer))) == size
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 128 * 2**20


def test_the_sweep_takes_only_what_is_old_and_not_committed(store):
    kept = store.blobs.put(b"kept", owner="versions")
    store.database["versions"].insert_one({"blobs": [kept.id]})
    store.blobs.put(b"orphan", owner="versions")
    assert store.blobs.sweep() == 0
    age(store, 25 * 3600)
    fresh = store.blobs.put(b"fresh", owner="versions")
    assert store.blobs.sweep() == 1
    assert store.blobs.get(kept) == b"kept"
    assert store.blobs.get(fresh) == b"fresh"
    assert store.database["blobs.chunks"].count_documents({}) == 2


def test_a_broken_upload_is_swept_with_its_chunks(store):
    def breaking():
        yield noise(40 * CHUNK_BYTES)
        raise KeyError("gone")

    with pytest.raises(KeyError):
        store.blobs.put(breaking(), owner="versions")
    assert store.database["blobs.chunks"].count_documents({}) > 0
    age(store, 25 * 3600)
    assert store.blobs.sweep() == 1
    assert store.database["blobs.chunks"].count_documents({}) == 0


def test_a_missing_blob_or_foreign_file_never_stops_the_sweep(store):
    store.database["versions"].insert_one({"blobs": [ObjectId()]})
    gridfs.GridFSBucket(store.database, "blobs").upload_from_stream("theirs", b"abc")
    lost = store.blobs.put(b"lost", owner="versions")
    store.database["blobs.chunks"].delete_many({"files_id": lost.id})
    store.blobs.put(b"orphan", owner="versions")
    age(store, 25 * 3600)
    assert store.blobs.sweep() == 2
    assert stored(store) == 1


def test_age_is_measured_by_the_server(store):
    store.blobs.put(b"x", owner="versions")
    uploaded = store.database["blobs.files"].find_one()["uploadDate"]
    assert abs(store.now() - uploaded) < datetime.timedelta(seconds=30)
    assert store.blobs.sweep(grace_seconds=60) == 0


def test_an_upload_that_outlives_its_grace_is_told(store):
    def slow():
        yield noise(CHUNK_BYTES)
        age(store, 25 * 3600)
        assert store.blobs.sweep() == 1
        yield b"rest"

    with pytest.raises(Corrupt, match="swept while it was uploaded"):
        store.blobs.put(slow(), owner="versions")


def test_a_thousand_rounds_leave_nothing(store):
    for n in range(1000):
        store.blobs.put(b"%d" % n, owner="versions")
    assert store.blobs.sweep(grace_seconds=-60) == 1000
    assert stored(store) == 0
    assert store.database["blobs.chunks"].count_documents({}) == 0


def test_an_upload_that_no_majority_has_is_no_success(store, monkeypatch):
    two = store.blobs._pieces.with_options(write_concern=WriteConcern(w=2, wtimeout=100))
    monkeypatch.setattr(type(store.blobs), "_pieces", two)  # there is one server
    with pytest.raises(WriteConcernError, match="Not enough data-bearing nodes"):
        store.blobs.put(b"abc", owner="versions")


def documents(store):
    return list(store.database["blobs.files"].find().sort("_id"))


def test_a_blob_says_who_wrote_it_and_is_not_committed(store):
    pointer = store.blobs.put(noise(3 * CHUNK_BYTES), owner="versions")
    (file,) = documents(store)
    metadata = file["metadata"]
    assert metadata["writer"] == store.presence.register()
    assert (metadata["complete"], metadata["committed"], metadata["schema"]) == (True, False, 1)
    assert len(metadata["digests"]) == 3 * 32
    assert metadata["sha256"] == pointer.sha256


def test_equal_content_has_one_digest_for_ever(store):
    digests = {
        store.blobs.put(content, owner="x").sha256
        for content in (b"abc", [b"a", b"bc"], memoryview(b"abc"))
    }
    assert digests == {"4f8b42c22dd3729b519ba6f68d2da7cc5b2d606d05daed5ad5128cc03e6c6358"}


@pytest.mark.parametrize("n", [0, 4, 8])
def test_the_bad_chunk_of_a_large_blob_is_named(store, n):
    pointer = store.blobs.put(noise(9 * CHUNK_BYTES), owner="versions")
    where = {"files_id": pointer.id, "n": n}
    store.database["blobs.chunks"].update_one(where, {"$set": {"data": noise(CHUNK_BYTES, 1)}})
    with pytest.raises(Corrupt, match=f"chunk {n}: its checksum differs"):
        store.blobs.get(pointer)
    read = []
    with pytest.raises(Corrupt, match=f"chunk {n}: its checksum differs"):
        read.extend(store.blobs.open(pointer))
    assert len(read) == n  # nothing is returned before it is verified


RANGES = [(0, 0), (0, 1), (5, CHUNK_BYTES), (CHUNK_BYTES, CHUNK_BYTES + 1), (7, 9 * CHUNK_BYTES)]


@pytest.mark.parametrize(("start", "stop"), [*RANGES, (9 * CHUNK_BYTES, 9 * CHUNK_BYTES + 7)])
def test_a_part_is_read(store, start, stop):
    content = noise(9 * CHUNK_BYTES + 7)
    pointer = store.blobs.put(content, owner="versions")
    assert store.blobs.read_range(pointer, start, stop) == content[start:stop]


def test_a_part_is_verified_without_the_rest(store):
    content = noise(6 * CHUNK_BYTES)
    pointer = store.blobs.put(content, owner="versions")
    damage(store, pointer, "bit")
    assert store.blobs.read_range(pointer, 0, CHUNK_BYTES) == content[:CHUNK_BYTES]
    after = slice(2 * CHUNK_BYTES, 5 * CHUNK_BYTES + 3)
    assert store.blobs.read_range(pointer, after.start, after.stop) == content[after]
    with pytest.raises(Corrupt, match="chunk 1: its checksum differs"):
        store.blobs.read_range(pointer, CHUNK_BYTES - 1, CHUNK_BYTES + 1)


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (2, 1), (0, 4)])
def test_a_part_that_is_not_there_is_refused(store, start, stop):
    pointer = store.blobs.put(b"abc", owner="versions")
    with pytest.raises(InvalidArgument, match="has bytes 0 to 3, got"):
        store.blobs.read_range(pointer, start, stop)


def test_a_pointer_that_claims_any_length_is_corrupt(store):
    pointer = store.blobs.put(b"abc", owner="versions")
    for length in (4, 2**50, 2**62):
        with pytest.raises(Corrupt):
            store.blobs.read(dataclasses.replace(pointer, length=length))


def commit(store, pointer, note="versions"):
    """Insert a document that points at a blob, and claim the blob with it."""

    def operation(session):
        store.blobs.claim([pointer.id], session)
        store.database[note].insert_one({"blobs": [pointer.id]}, session=session)

    store.database[note].create_index("blobs", sparse=True)
    store.transact(operation)


def test_what_is_claimed_is_never_swept(store):
    pointer = store.blobs.put(b"abc", owner="versions")
    commit(store, pointer)
    assert store.blobs.sweep(grace_seconds=-60) == 0
    assert store.blobs.get(pointer) == b"abc"


def test_what_was_swept_cannot_be_committed(store):
    pointer = store.blobs.put(b"abc", owner="versions")
    assert store.blobs.sweep(grace_seconds=-60) == 1
    with pytest.raises(Corrupt, match=f"blob {pointer.id}: it was swept before.*save again"):
        commit(store, pointer)
    assert store.database["versions"].count_documents({}) == 0


def test_a_claim_and_a_sweep_exclude_each_other(store):
    """The sweep has decided, on what it read before the claim, and comes too late."""
    pointer = store.blobs.put(b"abc", owner="versions")
    commit(store, pointer)
    store.database["versions"].delete_many({})
    arguments = (store, store.blobs._files, store.blobs._pieces, [pointer.id])
    assert sweeping._delete(*arguments) == 0
    assert store.blobs.get(pointer) == b"abc"


def test_what_is_released_is_swept(store):
    pointer = store.blobs.put(b"abc", owner="versions")
    commit(store, pointer)
    store.blobs.release([pointer.id])
    assert store.blobs.sweep(grace_seconds=-60) == 0  # its document is still there
    store.database["versions"].delete_many({})
    assert store.blobs.sweep(grace_seconds=-60) == 1


def wait_until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


UPLOADING = """
import sys, tensorlayer as tl
hub = tl.connect()
pointer = hub.store.blobs.put(b"theirs", owner="versions")
committed = hub.store.blobs.put(b"committed", owner="samples")
hub.database["samples"].insert_one({"blobs": [committed.id]})
print(hub.store.presence.register(), flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def uploader(hub):
    """Return a process that has uploaded two blobs, and lives until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", UPLOADING],
        env=os.environ | hub.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    process.id = process.stdout.readline().strip()
    yield process
    process.kill()
    process.communicate()


def test_a_living_writer_is_spared_for_ever_and_a_dead_one_is_not(store, uploader):
    age(store, 1000 * 24 * 3600)
    assert store.blobs.sweep(grace_seconds=0) == 0
    uploader.kill()
    uploader.wait()
    assert store.blobs.sweep() <= 1  # or this process has noticed by itself
    wait_until(lambda: len(documents(store)) == 1)
    (left,) = documents(store)
    assert left["metadata"]["owner"] == "samples"
    assert store.database["blobs.chunks"].count_documents({}) == 1


def test_what_a_dead_writer_left_is_removed_without_a_call(hub, store, uploader):
    uploader.kill()
    uploader.wait()
    store.blobs.put(b"mine", owner="versions")  # from now on this process looks after others
    wait_until(lambda: len(documents(store)) == 2)
    assert {each["metadata"]["owner"] for each in documents(store)} == {"samples", "versions"}


def test_discarding_deletes_only_what_nothing_points_at(hub):
    blobs, samples = hub.store.blobs, hub.database["samples"]
    free, used, gone = (blobs.put(data, owner="samples") for data in (b"free", b"used", b"gone"))
    samples.insert_one({"blobs": [used.id]})
    assert blobs.discard([gone.id]) == 1
    assert blobs.discard([free.id, used.id, gone.id]) == 1
    assert blobs.get(used) == b"used"
    assert hub.database["blobs.chunks"].distinct("files_id") == [used.id]
