"""Stamping: the bytes are those that encoding each document by itself gives."""

from __future__ import annotations

import bson
import numpy as np
import pytest
from bson.raw_bson import RawBSONDocument

from tensorlayer.datasets import append as appending
from tensorlayer.datasets.append import Append
from tensorlayer.datasets.content import digest
from tensorlayer.datasets.ledger import Ledger
from tensorlayer.datasets.rows import Rows

RNG = np.random.default_rng(0)


@pytest.fixture
def stamps(monkeypatch):
    """What was stamped: a list of documents for each block, None where that was not possible."""
    seen = []

    def watched(*arguments):
        seen.append(appending_stamped(*arguments))
        return seen[-1]

    appending_stamped = appending.stamped
    monkeypatch.setattr(appending, "stamped", watched)
    return seen


def both_ways(hub, monkeypatch, samples, labels=None, **options):
    """Return the documents of an append that stamps, and of one that does not."""
    found = []
    for is_stamped in (True, False):
        with monkeypatch.context() as patch:
            patch.setattr(appending.secrets, "token_bytes", lambda n: b"x" * n)
            if not is_stamped:
                patch.setattr(appending, "is_alike", lambda rows: False)
            dataset = hub.datasets.create("d")
            dataset.append(samples, labels, progress=False, **options)
            raw = hub.database.get_collection(
                "samples", codec_options=bson.CodecOptions(RawBSONDocument)
            )
            found.append([bytes(each.raw) for each in raw.find().sort("ordinal")])
            for name in ("samples", "datasets", "revisions"):
                hub.database[name].delete_many({})
    return found


SAMPLES = {
    "floats": RNG.random((50, 16)),
    "images": RNG.integers(0, 256, (20, 64, 64, 3), np.uint8),
    "bfloat": RNG.integers(0, 9, (50, 5)).astype("f2"),
    "scalars": RNG.random((50, 1)),
    "complex": RNG.random((50, 2, 3)) + 1j,
    "text": np.array([[f"a{n}", "日"] for n in range(50)]),
    "columns": list(RNG.random((50, 6, 4)).transpose(0, 2, 1)),
    "steps": RNG.random((50, 20, 4))[:, ::3, ::-1],
    "a list": [RNG.random(3) for _ in range(50)],
    "zeros": np.zeros((50, 40)),
    "no dimensions": [np.array(float(n)) for n in range(50)],
}


@pytest.mark.parametrize("name", SAMPLES)
def test_samples(hub, monkeypatch, stamps, name):
    samples = SAMPLES[name]
    stamped, single = both_ways(hub, monkeypatch, samples, np.arange(len(samples)))
    assert stamped == single
    assert [len(each) for each in stamps] == [len(samples)]


LABELS = {
    "none": None,
    "ints": list(range(-25, 25)),
    "large": [2**40 + n for n in range(50)],
    "floats": [n / 3 for n in range(50)],
    "bools": [n % 3 == 0 for n in range(50)],
    "uint8": np.arange(50, dtype=np.uint8),
    "float16": np.arange(50, dtype=np.float16),
    "bools of NumPy": np.arange(50) % 2 == 0,
    "big endian": np.arange(50, dtype=">i4"),
}


@pytest.mark.parametrize("name", LABELS)
def test_labels(hub, monkeypatch, stamps, name):
    stamped, single = both_ways(hub, monkeypatch, SAMPLES["floats"], LABELS[name])
    assert stamped == single
    assert [len(each) for each in stamps] == [50]


OTHERS = {
    "small and large": [2**31 - 25 + n for n in range(50)],
    "the smallest large one": [*[2**31 - 1] * 49, 2**31],
    "the largest small one": [*[-(2**31) - 1] * 49, -(2**31)],
    "mixed": [n if n % 2 else n / 2 for n in range(50)],
    "some": [n if n % 2 else None for n in range(50)],
    "text": [f"{n:02}" for n in range(50)],
    "huge": [2**64 + n for n in range(50)],
    "one huge": [*range(49), 2**64],
    "last one beyond 64 bits": [*(2**53 + 1 + n for n in range(49)), 2**63 + 5],
    "last one is the largest": [*(2**40 + n for n in range(49)), 2**64 - 1],
    "uint64": [np.uint64(2**63 + n) for n in range(50)],
    "last uint64 is large": [*(np.uint64(2**40 + n) for n in range(49)), np.uint64(2**63)],
    "first uint64 is large": [np.uint64(2**63), *(np.uint64(2**40 + n) for n in range(49))],
    "long doubles": [np.longdouble(n) / 3 for n in range(50)],
    "arrays": list(RNG.random((50, 2))),
    "types": [np.int8(n) if n % 2 else np.int16(n) for n in range(50)],
    "complex": [1j * n for n in RNG.random(50)],
}


@pytest.mark.parametrize("name", OTHERS)
def test_labels_that_are_encoded_one_by_one(hub, dataset, name):
    labels = OTHERS[name] if name != "complex" else list(np.array(OTHERS[name]))
    dataset.append(SAMPLES["floats"], labels, progress=False)
    np.testing.assert_array_equal(dataset.where().arrays()[0], SAMPLES["floats"])
    back = [each.label for each in dataset]
    np.testing.assert_equal(back, labels)
    if name != "last one beyond 64 bits":
        return
    assert [type(each) for each in dataset.where().batches(50).__next__().labels] == [int] * 50


NOT_ALIKE = {
    "few": RNG.random((7, 4)),
    "compressed": np.zeros((20, 1000)),
    "some compressed": [np.zeros(1000) if n % 8 == 0 else RNG.random(1000) for n in range(20)],
    "shapes": [RNG.random(3 + n % 2) for n in range(20)],
    "types": [RNG.random(3).astype("f4" if n % 2 else "f8") for n in range(20)],
    "big endian": RNG.random((20, 3)).astype(">f8"),
    "empty": [np.zeros((0, n)) for n in range(20)],
    "large": RNG.random((9, 40_000)),
    "kinds": [RNG.random(3) if n % 2 else n for n in range(20)],
}


@pytest.mark.parametrize("name", NOT_ALIKE)
def test_samples_that_are_not_alike(hub, dataset, stamps, name):
    samples = NOT_ALIKE[name]
    dataset.append(samples, progress=False)
    assert not any(stamps)
    np.testing.assert_equal([each.sample for each in dataset], list(samples))


def test_keys_and_tags(hub, monkeypatch):
    keys = [f"k{n:03}" for n in range(50)]
    tags = {"split": "train", "names": ["a", "b"]}
    stamped, single = both_ways(hub, monkeypatch, SAMPLES["floats"], keys=keys, tags=tags)
    assert stamped == single
    unlike = [f"k{n}" for n in range(50)]
    stamped, single = both_ways(hub, monkeypatch, SAMPLES["floats"], keys=unlike, tags=tags)
    assert stamped == single
    other = ["é" + "x" * n for n in range(50)]
    stamped, single = both_ways(hub, monkeypatch, SAMPLES["floats"], keys=other)
    assert stamped == single


def test_blocks_go_on_where_the_last_one_ended(dataset, small_blocks, monkeypatch):
    from tensorlayer.datasets import rows

    monkeypatch.setattr(rows, "BATCH_DOCUMENTS", 20)
    dataset.append(SAMPLES["floats"], np.arange(50), progress=False)
    samples, labels = dataset.where().arrays()
    np.testing.assert_array_equal(samples, SAMPLES["floats"])
    assert labels.tolist() == list(range(50))


def test_equal_samples_have_keys_of_their_own(hub, dataset, stamps):
    dataset.append(np.ones((30, 4)), progress=False)
    keys = [each["key"] for each in hub.database["samples"].find().sort("ordinal")]
    name = digest(np.ones(4), None, digest({}))
    assert keys == [f"{name}-{n}" for n in range(30)]


def test_what_is_known_is_left_out(dataset, stamps):
    dataset.append(SAMPLES["floats"][:20], progress=False)
    revision = dataset.append(SAMPLES["floats"], progress=False)
    assert (revision.n_added, revision.n_known) == (30, 20)
    assert [len(each) for each in stamps] == [20, 30]
    np.testing.assert_array_equal(dataset.where().arrays()[0], SAMPLES["floats"])


@pytest.mark.parametrize("first", [2**31 - 20, 2**31 - 19, 2**31 - 1, 2**31])
def test_ordinals_of_a_very_long_append(hub, dataset, first):
    append = Append(hub.store, Ledger(hub.store, dataset.key))
    append.n_written = first
    (rows,) = Rows(RNG.random((20, 3)), tags={"split": "a"}).blocks()
    found = append._documents(rows)
    append.abandon()
    assert [each["ordinal"] for each in found] == list(range(first, first + 20))
    assert [each["_id"].binary[8:] for each in found] == [
        n.to_bytes(4, "big") for n in range(first, first + 20)
    ]
    assert isinstance(found[0], RawBSONDocument) is (first == 2**31 - 20)
