"""Verifying: what any kind of sample is read back as has the digest that was stored."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from tensorlayer.errors import DatasetNotFound

UTC = datetime.timezone.utc


@pytest.mark.parametrize(
    ("samples", "labels", "tags"),
    [
        (np.arange(40).reshape(20, 2), np.arange(20), None),
        (np.arange(40.0, dtype=">f4").reshape(20, 2), np.arange(20, dtype=np.float32), None),
        (np.arange(3.0), [True, False, None], {"names": ["a", "b"], "large": 2**40}),
        (
            [np.array(1.5), np.array(2)],
            ["a", "b" * 2000],
            {"day": datetime.datetime.now(UTC).replace(microsecond=0)},
        ),
        (
            [1, 2.5, "text", b"bytes", None],
            [(1, 2), [3], {"a": 2**70}, np.uint64(2**63), -0.0],
            None,
        ),
        ([np.zeros((300, 300)), np.random.default_rng(0).random((300, 300))], None, {"t": None}),
        (
            [{"x": np.eye(2), "y": (1, {"~z": 2})}, np.float16(1)],
            None,
            [{}, {"a": 1.0}],
        ),
    ],
    ids=["arrays", "big endian", "numbers", "no dimensions", "anything", "blobs", "nested"],
)
def test_what_was_stored_is_intact(dataset, samples, labels, tags):
    dataset.append(samples, labels, tags=tags)
    found = dataset.verify()
    assert (found.n_samples, found.n_missing, found.damaged) == (len(samples), 0, {})
    assert found.is_intact


@pytest.mark.parametrize(
    "change",
    [
        {"label": 5},
        {"tags.split": "test"},
        {"tags.more": 1},
        {"label_dtype": "<i4"},
        {"digest": "0" * 64},
        {"sample.~array.dtype": "<i8"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_that_stays_valid_is_found(hub, dataset, change):
    values = np.arange(60.0).reshape(20, 3)
    keys = [f"k{n}" for n in range(20)]
    dataset.append(values, labels=np.arange(20), tags={"split": "train"}, keys=keys)
    hub.database["samples"].update_one({"key": "k7"}, {"$set": change})
    sum(len(batch) for batch in dataset.where().batches(5))  # reading does not notice
    found = dataset.verify()
    same = change == {"label_dtype": "<i4"}  # an equal number: 7 is 7
    assert found.damaged == (
        {} if same else {"k7": "its sample, label or tags are not what was stored"}
    )
    assert (found.n_samples, found.n_missing, found.is_intact) == (20, 0, same)


def test_what_cannot_be_read_is_named_and_the_rest_is_verified(hub, dataset):
    dataset.append([np.arange(3), np.zeros(100_000), 1], labels=[0, 1, 2], keys=["a", "b", "c"])
    hub.database["samples"].update_one({"key": "a"}, {"$set": {"sample.~array.check": 0}})
    hub.database["blobs.chunks"].delete_many({})
    hub.database["samples"].update_one({"key": "c"}, {"$unset": {"tags": 1}})
    found = dataset.verify().damaged
    assert list(found) == ["a", "b", "c"]
    assert "their checksum differs" in found["a"]
    assert "chunk 0 is missing" in found["b"]
    assert "tags" in found["c"]


def test_missing_samples_are_counted(hub, dataset):
    dataset.append([1, 2, 3])
    hub.database["samples"].delete_one({})
    found = dataset.verify()
    assert (found.n_samples, found.n_missing, found.is_intact) == (2, 1, False)


def test_an_empty_dataset_is_intact_and_a_deleted_one_an_error(hub, dataset):
    assert dataset.verify().is_intact
    dataset.append([1])
    hub.datasets.delete("d")
    with pytest.raises(DatasetNotFound):
        dataset.verify()
