"""Parts: whatever layouts are mixed, a batch is what decoding its documents one by one gives."""

from __future__ import annotations

import threading
import time
import tracemalloc

import numpy as np
import pytest

from tensorlayer.datasets import parts, replies
from tensorlayer.datasets.batch import from_documents
from tensorlayer.datasets.reading import ORDER
from tensorlayer.errors import Corrupt
from tests.threads import at_once

RNG = np.random.default_rng(0)


@pytest.fixture
def decoded(monkeypatch):
    """How many samples were decoded one by one."""
    counts = []

    def counted(documents, blobs):
        counts.append(len(documents))
        return from_documents(documents, blobs)

    monkeypatch.setattr(parts, "from_documents", counted)
    return counts


def add(dataset, samples, labels=None, **options):
    dataset.append(samples, labels, progress=False, **options)


def by_hand(hub, view, size):
    """Return the batches that the driver's own documents make."""
    found = list(hub.database["samples"].find(view.filter).sort(list(ORDER)))
    return [
        from_documents(found[n : n + size], hub.store.blobs) for n in range(0, len(found), size)
    ]


def assert_same(batches, expected):
    for one, other in zip(batches, expected, strict=True):
        assert one.keys == other.keys
        assert one.tags == other.tags
        for name in ("samples", "labels"):
            mine, its = getattr(one, name), getattr(other, name)
            assert type(mine) is type(its)
            if isinstance(its, np.ndarray):
                assert (mine.dtype, mine.shape) == (its.dtype, its.shape)
            else:
                assert list(map(type, mine or [])) == list(map(type, its or []))
            np.testing.assert_equal(mine, its)


KINDS = {
    "floats": RNG.random((200, 16)),
    "images": RNG.integers(0, 256, (70, 64, 64, 3), np.uint8),
    "not whole words": RNG.integers(0, 256, (60, 9_001), np.uint8),
    "scalars": RNG.random(50).astype(np.float32),
    "compressed": np.zeros((40, 3000)),
    "some compressed": [RNG.random(900) if n % 3 else np.ones(900) for n in range(60)],
    "shapes": [RNG.random(4 if n < 30 else 5) for n in range(60)],
    "types": [RNG.random(4).astype("f4" if n % 2 else "f8") for n in range(60)],
    "kinds": [n if n % 5 == 0 else RNG.random(3) for n in range(60)],
    "ints": list(range(40)),
    "text": [f"t{n}" for n in range(40)],
    "images of two shapes": [RNG.random((40, 9 if n < 30 else 8)) for n in range(60)],
    "images and numbers": [n if n % 25 == 24 else RNG.random((40, 9)) for n in range(60)],
    "some images compressed": [RNG.random(900) if n % 30 else np.ones(900) for n in range(60)],
    "blobs": [RNG.random(40_000) if n == 7 else RNG.random(4) for n in range(20)],
}


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
@pytest.mark.parametrize("kind", KINDS)
def test_batches_are_those_of_single_documents(hub, dataset, kind, size):
    samples = KINDS[kind]
    add(dataset, samples, np.arange(len(samples)), keys=[f"k{n}" for n in range(len(samples))])
    view = dataset.where()
    expected = by_hand(hub, view, size)
    assert_same(view.batches(size, prefetch=0), expected)
    assert_same(view.batches(size), expected)


@pytest.mark.parametrize("size", [10, 33])
@pytest.mark.parametrize("reply_bytes", [1, 5_000, 40_000])
@pytest.mark.parametrize("most_room", [0, 2**30])
def test_batches_that_reach_over_replies(hub, dataset, monkeypatch, size, reply_bytes, most_room):
    add(dataset, KINDS["floats"], np.arange(200))
    expected = by_hand(hub, dataset.where(), size)
    monkeypatch.setattr(replies, "REPLY_BYTES", reply_bytes)
    monkeypatch.setattr(parts, "_MOST_ROOM", most_room)
    assert_same(dataset.where().batches(size), expected)
    whole = dataset.where().batches(size, drop_remainder=True)
    assert_same(whole, [each for each in expected if len(each) == size])


LABELS = {
    "none": None,
    "some": [n if n % 3 else None for n in range(100)],
    "int32 and int64": [n * 2**28 for n in range(100)],
    "kinds": [n if n % 2 else n / 2 for n in range(100)],
    "types": [np.int8(n) if n < 50 else np.int16(n) for n in range(100)],
    "bools": [n % 2 == 0 for n in range(100)],
    "text": ["abc"[n % 3] * (n % 3) for n in range(100)],
    "arrays": RNG.random((100, 2)),
}


@pytest.mark.parametrize("name", LABELS)
def test_labels(hub, dataset, name):
    add(dataset, RNG.random((100, 3)), LABELS[name])
    view = dataset.where()
    assert_same(view.batches(32), by_hand(hub, view, 32))
    np.testing.assert_equal(view.arrays()[1], by_hand(hub, view, 100)[0].labels)


TAGS = {
    "none": None,
    "common": {"split": "train", "n": 3, "x": None},
    "lists": {"names": ["a", "b"]},
    "different": [{"n": n} for n in range(100)],
    "missing": [{"n": n} if n % 4 else {} for n in range(100)],
    "one more": [{"n": 1, "m": 2} if n == 50 else {"n": 1} for n in range(100)],
}


@pytest.mark.parametrize("name", TAGS)
def test_tags(hub, dataset, name):
    add(dataset, RNG.random((100, 3)), tags=TAGS[name])
    view = dataset.where()
    assert_same(view.batches(32), by_hand(hub, view, 32))
    assert_same(view.batches(30, shuffle=True), [_ordered(hub, view, 30, n) for n in range(4)])


def _ordered(hub, view, size, n):
    batches = list(view.batches(size, shuffle=True, prefetch=0))
    found = {each["key"]: each for each in hub.database["samples"].find(view.filter)}
    return from_documents([found[key] for key in batches[n].keys], hub.store.blobs)


def test_tags_belong_to_one_sample(dataset):
    add(dataset, RNG.random((10, 3)), tags={"split": "train", "names": ["a"]})
    (batch,) = dataset.where().batches(10)
    batch.tags[0]["split"] = "test"
    batch.tags[0]["names"].append("b")
    assert batch.tags[1] == {"split": "train", "names": ["a"]}


def test_equal_documents_are_not_decoded(dataset, decoded):
    add(dataset, KINDS["floats"], np.arange(200), tags={"split": "train"})
    list(dataset.where().batches(64))
    list(dataset.where().batches(64, shuffle=True))
    assert decoded == []


def test_a_batch_keeps_no_replies(dataset, monkeypatch):
    add(dataset, RNG.integers(0, 256, (500, 64, 64, 3), np.uint8))
    monkeypatch.setattr(replies, "REPLY_BYTES", 200_000)
    view = dataset.where()
    tracemalloc.start()
    try:
        (batch,) = view.batches(500, prefetch=0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert batch.samples.nbytes < peak < 1.5 * batch.samples.nbytes


def test_room_is_not_taken_for_samples_that_may_never_come(hub, dataset):
    add(dataset, KINDS["images"])
    view = dataset.where()
    assert_same(view.batches(10**15), by_hand(hub, view, 70))


def test_the_next_pass_uses_the_memory_of_the_last_one(dataset):
    add(dataset, RNG.integers(0, 256, (100, 64, 64, 3), np.uint8))
    view = dataset.where()
    places = [
        batch.samples.ctypes.data for _ in range(3) for batch in view.batches(100, prefetch=0)
    ]
    assert len(set(places)) == 2  # one is made while the other is still a value of the loop


def test_a_document_that_has_a_field_more(hub, dataset, decoded):
    add(dataset, KINDS["floats"], np.arange(200))
    hub.database["samples"].update_one({"ordinal": 100}, {"$set": {"later": 1}})
    view = dataset.where()
    assert_same(view.batches(50), by_hand(hub, view, 50))
    assert decoded == [50]  # the batch that it is in


def test_documents_of_older_versions(hub, dataset):
    """With the checksum of before, or with none."""
    add(dataset, KINDS["floats"], np.arange(200))
    array = "sample.~array"
    hub.database["samples"].update_many(
        {"ordinal": {"$lt": 100}}, {"$unset": {f"{array}.check": 1}}
    )
    view = dataset.where()
    assert_same(view.batches(50), by_hand(hub, view, 50))


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("shape", [(16,), (64, 64, 3)])
def test_a_flipped_bit_in_one_of_many_is_named(hub, dataset, shape, shuffle):
    add(dataset, RNG.random((60, *shape)).astype(np.float16), keys=[f"k{n:02}" for n in range(60)])
    found = hub.database["samples"].find_one({"key": "k41"})
    content = bytearray(found["sample"]["~array"]["bytes"])
    content[len(content) // 2] ^= 8
    change = {"$set": {"sample.~array.bytes": bytes(content)}}
    hub.database["samples"].update_one({"key": "k41"}, change)
    for size in (7, 60):
        with pytest.raises(Corrupt, match=r"Sample 'k41' of dataset 'd': .*checksum differs"):
            list(dataset.where().batches(size, shuffle=shuffle))


@pytest.mark.parametrize(
    "change",
    [
        {"sample.~array.bytes": b"short"},
        {"sample.~array.shape": [17]},
        {"sample.~array.dtype": "<f4"},
        {"sample.~array.dtype": "|O8"},
        {"sample.~array.codec": "xyz"},
        {"sample.~array.check": 0},
        {"sample": {"~other": 1}},
        {"label_dtype": "<q8"},
        {"label": 300},
        {"key": 5},
        {"tags": 5},
    ],
    ids=str,
)
def test_every_damage_gives_the_error_of_a_single_document(hub, dataset, change):
    add(dataset, RNG.random((60, 16)), np.arange(60, dtype=np.uint8))
    hub.database["samples"].update_one({"ordinal": 33}, {"$set": change})
    document = hub.database["samples"].find_one({"ordinal": 33})
    with pytest.raises(Corrupt) as expected:
        from_documents([document], hub.store.blobs)
    with pytest.raises(Corrupt) as found:
        list(dataset.where().batches(20))
    assert str(found.value) == str(expected.value)


def test_an_empty_view(dataset):
    view = dataset.where()
    assert list(view.batches(3)) == list(view.batches(3, shuffle=True)) == list(view) == []
    assert view.arrays() == ([], None)


def test_two_threads_read_at_once(hub, dataset):
    add(dataset, KINDS["images"], np.arange(70))
    view = dataset.where()
    expected = by_hand(hub, view, 9)
    found = []
    at_once(*[lambda: found.append(list(view.batches(9)))] * 3)
    assert len(found) == 3
    for each in found:
        assert_same(each, expected)


def reading_threads():
    return [each for each in threading.enumerate() if each.name == "tensorlayer-prefetch"]


@pytest.mark.parametrize("shuffle", [False, True])
def test_an_iterator_that_is_closed_leaves_no_thread_and_no_cursor(
    hub, dataset, monkeypatch, shuffle
):
    monkeypatch.setattr(replies, "REPLY_BYTES", 5_000)
    add(dataset, RNG.random((3000, 16)))
    batches = dataset.where().batches(7, shuffle=shuffle)
    next(batches)
    assert len(reading_threads()) == 2
    batches.close()
    end = time.monotonic() + 5
    while reading_threads() and time.monotonic() < end:
        time.sleep(0.01)
    assert reading_threads() == []
    admin = hub.store.client.admin
    idle = admin.aggregate(
        [{"$currentOp": {"idleCursors": True}}, {"$match": {"type": "idleCursor"}}]
    )
    assert [each for each in idle if each["ns"] == f"{hub.store.project}.samples"] == []


def test_samples_of_a_batch_may_be_written_to_and_kept(dataset):
    add(dataset, KINDS["images"])
    kept = list(dataset.where().batches(30))
    copies = [each.samples.copy() for each in kept]
    list(dataset.where().batches(30))
    kept[0].samples[:] = 0
    for each, copy in zip(kept[1:], copies[1:], strict=True):
        np.testing.assert_array_equal(each.samples, copy)
