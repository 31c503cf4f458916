"""Views: frozen queries at a revision, and passes over them."""

import datetime
import subprocess
import sys
import threading

import numpy as np
import pytest

from tensorlayer.datasets.view import View
from tensorlayer.errors import Corrupt, InvalidArgument

UTC = datetime.timezone.utc


def labels(view, **arguments):
    return [int(each) for batch in view.batches(3, **arguments) for each in batch.labels]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, range(20)),
        ({"split": "test"}, [0, 4, 8, 12, 16]),
        ({"label": 7}, [7]),
        ({"label": {"$in": [1, 2, 99]}}, [1, 2]),
        ({"label": {"$gte": 3, "$lt": 5}}, [3, 4]),
        ({"key": {"$regex": "^k1"}}, range(10, 20)),
        ({"names": "n3"}, [3]),
        ({"missing": {"$exists": True}}, []),
        ({"missing": None}, range(20)),
        ({"score": {"$not": {"$lt": 1.8}}}, [18, 19]),
        ({"day": {"$lt": datetime.datetime(2020, 1, 3, tzinfo=UTC)}}, [0, 1]),
        ({"any": [{"label": 1}, {"split": "test", "label": {"$gt": 12}}]}, [1, 16]),
    ],
)
def test_where_selects(digits, conditions, expected):
    view = digits.where(**conditions)
    assert labels(view) == list(expected)
    assert len(view) == len(list(expected))


def test_where_narrows_and_the_original_stays(digits):
    test = digits.where(split="test")
    assert labels(test.where(label={"$gt": 5})) == [8, 12, 16]
    assert labels(test.where(label={"$gt": 5}).where(label={"$lt": 9})) == [8]
    assert len(test) == 5
    assert test.where() is test


def test_a_view_is_a_value(digits):
    one, other = digits.where(split="test"), digits.where(split="test")
    assert one == other
    assert hash(one) == hash(other)
    assert one.fingerprint == other.fingerprint
    assert one != digits.where(split="train")
    with pytest.raises(AttributeError):
        one.revision = 3
    assert "digits" in repr(one)
    assert "mongodb" not in repr(one)


def test_fingerprints_differ_by_dataset_revision_and_conditions(hub, digits):
    hub.datasets.create("other")
    views = [
        digits.where(),
        digits.at(1),
        hub.datasets["other"].where(),
        digits.where(split="test"),
        digits.where(split={"$ne": "test"}),
    ]
    assert len({view.fingerprint for view in views}) == len(views)
    narrowed = digits.where(split="test").where(label=1)
    assert narrowed.fingerprint == digits.where(label=1).where(split="test").fingerprint


def test_a_revision_is_read_the_same_while_others_append(digits):
    view = digits.at(2)
    stop = threading.Event()

    def append():
        n = 100
        while not stop.is_set():
            n += 1
            digits.append([[n, n, n]], labels=[n])

    writer = threading.Thread(target=append)
    writer.start()
    try:
        for _ in range(20):
            assert labels(view) == list(range(20))
            assert sorted(labels(view, shuffle=True)) == list(range(20))
            assert len(view) == 20
    finally:
        stop.set()
        writer.join()
    assert digits.revision > 2
    assert labels(digits.at(1)) == list(range(10))


@pytest.mark.parametrize("revision", [-1, 3, "1", 1.0])
def test_a_revision_that_is_not_there(digits, revision):
    with pytest.raises(InvalidArgument, match="has revisions 0 to 2"):
        digits.at(revision)


def test_the_shuffled_order_does_not_depend_on_the_batch_size(digits):
    view = digits.where()
    orders = [
        [key for batch in view.batches(size, shuffle=True, seed=5, epoch=2) for key in batch.keys]
        for size in (1, 3, 7, 20, 100)
    ]
    assert all(order == orders[0] for order in orders)
    assert sorted(orders[0]) == [f"k{i:02}" for i in range(20)] != orders[0]
    assert labels(view, shuffle=True, seed=5, epoch=3) != labels(
        view, shuffle=True, seed=5, epoch=2
    )
    assert labels(view, shuffle=True, seed=6) != labels(view, shuffle=True, seed=5)


@pytest.mark.parametrize("prefetch", [0, 1, 4])
def test_batches(digits, prefetch):
    batches = list(digits.where().batches(8, prefetch=prefetch))
    assert [len(batch) for batch in batches] == [8, 8, 4]
    assert batches[0].samples.shape == (8, 3)
    assert batches[0].labels.dtype == np.int64
    assert batches[0].keys[:2] == ["k00", "k01"]
    assert batches[0].tags[1]["split"] == "train"
    dropped = list(digits.where().batches(8, drop_remainder=True, prefetch=prefetch))
    assert [len(batch) for batch in dropped] == [8, 8]


@pytest.mark.parametrize("size", [0, -1, 1.5, "3", None])
def test_impossible_batch_sizes(digits, size):
    with pytest.raises(InvalidArgument, match="batch_size must be a positive integer"):
        digits.where().batches(size)


def test_arrays(digits):
    samples, numbers = digits.where(split="test").arrays()
    np.testing.assert_array_equal(numbers, [0, 4, 8, 12, 16])
    np.testing.assert_array_equal(samples, numbers[:, None] * np.ones(3))


def test_one_sample_or_a_slice_by_place(digits):
    view = digits.where(split="test")
    assert (view[1].key, int(view[1].label), view[1].tags["score"]) == ("k04", 4, 0.4)
    np.testing.assert_array_equal(view[-1].sample, np.full(3, 16.0))
    assert view[np.int64(0)].key == digits[0].key == "k00"
    assert view[1:3].keys == ["k04", "k08"]
    assert view[::-2].keys == ["k16", "k08", "k00"]
    assert view[7:].keys == view[2:2].keys == []
    assert digits[18:].samples.shape == (2, 3)


@pytest.mark.parametrize("index", [5, -6])
def test_a_place_that_is_not_there(digits, index):
    with pytest.raises(IndexError, match=f"has 5 samples, got the index {index}"):
        digits.where(split="test")[index]
    with pytest.raises(TypeError):
        digits["k01"]


def test_iterating_yields_every_sample_once_in_order(hub, digits):
    assert [each.key for each in digits] == [f"k{i:02}" for i in range(20)]
    assert [int(each.label) for each in digits.where(split="test")] == [0, 4, 8, 12, 16]
    plain = hub.datasets.create("plain")
    plain.append(["a", None, {"x": 1}])
    assert [(each.sample, each.label) for each in plain] == [
        ("a", None),
        (None, None),
        ({"x": 1}, None),
    ]
    assert list(hub.datasets.create("empty")) == []


def test_a_damaged_sample_is_named(hub, digits):
    change = {"$set": {"sample.~array.bytes": b"123"}}
    hub.database["samples"].update_one({"key": "k07"}, change)
    for view in (digits.where(), digits.where(key="k07")):
        with pytest.raises(Corrupt, match="Sample 'k07' of dataset 'digits'"):
            view.arrays()


def test_views_are_exported():
    import tensorlayer.datasets

    assert tensorlayer.datasets.View is View


def test_neither_datasets_nor_versions_import_tensorflow():
    code = (
        "import sys, tensorlayer.datasets, tensorlayer.models.versions, tensorlayer.models.events;"
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("method", ["batches", "to_tf"])
@pytest.mark.parametrize(
    ("name", "value"), [("prefetch", -1), ("prefetch", 1.5), ("prefetch", None), ("seed", 1.5)]
)
def test_numbers_that_mean_nothing_are_refused_before_anything_is_read(digits, method, name, value):
    with pytest.raises(InvalidArgument, match=f"{name} must be an integer"):
        getattr(digits.where(), method)(2, **{name: value})
