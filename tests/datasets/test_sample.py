"""The document of a sample."""

import datetime

import numpy as np
import pytest

from tensorlayer.datasets.sample import check_tags
from tensorlayer.errors import InvalidArgument

UTC = datetime.timezone.utc


@pytest.mark.parametrize("dtype", "bBhHiIlLfde?")
def test_numeric_labels_are_plain_numbers_for_queries(hub, dtype):
    dataset = hub.datasets.create("d")
    dataset.append([1, 2], labels=np.array([0, 1], dtype))
    assert len(dataset.where(label=np.array(1, dtype)[()])) == 1
    assert hub.database["samples"].find_one({"ordinal": 1})["label"] == 1


def test_unsigned_labels_beyond_64_bits_survive(hub):
    labels = np.array([2**64 - 1, 0], np.uint64)
    dataset = hub.datasets.create("d")
    dataset.append([1, 2], labels)
    back = dataset.where().arrays()[1]
    np.testing.assert_array_equal(np.asarray(back, np.uint64), labels)


def test_tags_come_back(hub):
    tags = {
        "s": "a",
        "n": None,
        "b": True,
        "f": float("inf"),
        "i": 2**62,
        "t": datetime.datetime(2020, 1, 1, tzinfo=UTC),
        "l": ["x", 1],
    }
    dataset = hub.datasets.create("d")
    dataset.append([1], tags=tags)
    [batch] = dataset.where().batches(1)
    assert batch.tags == [tags]


def test_tags_of_numpy_become_plain():
    checked = check_tags({"n": np.int64(3), "s": np.str_("a"), "l": np.arange(2), "t": (1, "x")})
    assert checked == {"n": 3, "s": "a", "l": [0, 1], "t": [1, "x"]}
    assert [type(each) for each in checked.values()] == [int, str, list, list]


@pytest.mark.parametrize("value", [b"bytes", {"a": 1}, [[1]], object(), 1j, 2**63])
def test_tags_of_another_kind_are_refused(value):
    with pytest.raises(InvalidArgument, match="Tag 'a'"):
        check_tags({"a": value})


def test_a_document_says_what_it_holds(hub):
    hub.datasets.create("d").append(
        [np.eye(2), "text"], labels=[np.int16(3), None], keys=["a", "b"]
    )
    one, other = hub.database["samples"].find().sort("ordinal")
    assert set(one) - set(other) == {"label_dtype"}
    assert (one["dataset"], one["key"], one["batch"], one["ordinal"]) == ("d", "a", 1, 0)
    assert (one["label"], one["label_dtype"], other["label"]) == (3, "<i2", None)
    assert other["sample"] == "text"
    assert one["sample"]["~array"]["shape"] == [2, 2]


MICROSECONDS = datetime.datetime(2020, 1, 1, microsecond=123_456, tzinfo=datetime.timezone.utc)


def test_a_time_that_the_database_would_cut_is_no_tag():
    whole = MICROSECONDS.replace(microsecond=123_000)
    assert check_tags({"t": whole}) == {"t": whole}
    for value in (MICROSECONDS, [whole, MICROSECONDS]):
        with pytest.raises(InvalidArgument, match=r"Tag 't': .*whole milliseconds.*Round it"):
            check_tags({"t": value})


def test_a_time_with_microseconds_is_a_sample_and_a_label(hub):
    dataset = hub.datasets.create("d")
    dataset.append([MICROSECONDS], labels=[MICROSECONDS])
    assert (dataset[0].sample, dataset[0].label) == (MICROSECONDS, MICROSECONDS)


def test_bounds_with_microseconds_count_exactly(hub):
    whole = MICROSECONDS.replace(microsecond=123_000)
    dataset = hub.datasets.create("d")
    dataset.append([1], tags={"t": whole})
    found = {
        operator: len(dataset.where(t={operator: MICROSECONDS}))
        for operator in ("$lt", "$lte", "$gt", "$gte")
    }
    assert found == {"$lt": 1, "$lte": 1, "$gt": 0, "$gte": 0}
