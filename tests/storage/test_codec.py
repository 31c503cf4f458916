from __future__ import annotations

import datetime
import math

import bson
import numpy as np
import pytest
from bson.codec_options import CodecOptions
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlayer.errors import Corrupt, InvalidArgument
from tensorlayer.storage.codec import INLINE_BYTES, pack, unpack
from tests.storage.test_arrays import arrays, assert_same, through_bson

AWARE = CodecOptions(tz_aware=True)
UTC = datetime.timezone.utc


class NoBlobs:
    """Nothing is large in these tests, so whoever uploads is wrong."""


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
)
keys = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ["", "$set", "a.b", "~array", "~", "a\0b", "_id"]
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(keys, inner, max_size=4),
    ),
    max_leaves=12,
)


def same(found, expected):
    if isinstance(expected, float) and math.isnan(expected):
        return isinstance(found, float) and math.isnan(found)
    if type(found) is not type(expected):
        return False
    if isinstance(expected, (list, tuple)):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, dict):
        return list(found) == list(expected) and all(same(found[k], expected[k]) for k in expected)
    return found == expected


@settings(max_examples=300)
@given(values)
def test_every_value_comes_back(value):
    document, ids = pack(value, NoBlobs(), "tasks")
    assert same(unpack(through_bson(document), NoBlobs()), value)
    assert ids == []


@given(arrays)
def test_arrays_and_scalars_inside_values_come_back(array):
    document, _ = pack({"a": [array]}, NoBlobs(), "tasks")
    assert_same(unpack(through_bson(document), NoBlobs())["a"][0], array)
    if array.size:
        scalar = array.reshape(-1)[0]
        document, _ = pack(scalar, NoBlobs(), "tasks")
        found = unpack(through_bson(document), NoBlobs())
        assert type(found) is type(scalar)
        assert found.tobytes() == scalar.tobytes()


def test_plain_values_stay_queryable():
    value = {"rate": 0.5, "names": ["a"], "none": None}
    assert pack(value, NoBlobs(), "tasks") == (value, [])


def test_a_time_of_another_zone_is_the_same_instant_in_utc():
    zone = datetime.timezone(datetime.timedelta(hours=5))
    for micro in (0, 123):
        value = datetime.datetime(2024, 2, 3, 4, 5, 6, micro, tzinfo=zone)
        found = unpack(through_bson(pack(value, NoBlobs(), "t")[0]), NoBlobs())
        assert found == value
        assert found.utcoffset() == datetime.timedelta(0)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": [1, {2}]}, r"value\['a'\]\[1\]: a set cannot be stored"),
        ({"a": {3: 4}}, r"value\['a'\]: the key 3 is not a str"),
        (object(), "value: a object cannot be stored"),
        (["\ud800"], r"value\[0\]: the text is not valid Unicode"),
        (1j, "value: a complex cannot be stored"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_its_place(value, place):
    with pytest.raises(InvalidArgument, match=place):
        pack(value, NoBlobs(), "tasks")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"~unknown": 1}, "unknown tag '~unknown'"),
        ({"~int": "x"}, "'~int' cannot be decoded"),
        ({"~tuple": 3}, "'~tuple' cannot be decoded"),
        ({"~array": {}}, "is missing"),
        ({"~str": {"id": 1}}, "pointer to a blob"),
        ({"~int": "1", "~tuple": []}, "unknown tag"),
    ],
)
def test_a_damaged_document_is_corrupt(document, message):
    with pytest.raises(Corrupt, match=message):
        unpack(document, NoBlobs())


@pytest.mark.parametrize(
    "value",
    [
        "ä" * INLINE_BYTES,
        b"\x00" * (INLINE_BYTES + 1),
        list(range(100_000)),
        {"many": {f"k{n}": "x" * 1000 for n in range(1000)}},
        {"mixed": [list(range(60_000)), "y" * INLINE_BYTES, ("z" * (INLINE_BYTES + 1), 1)]},
    ],
    ids=["text", "bytes", "list", "dict", "mixed"],
)
def test_large_values_go_to_blobs_and_come_back(store, value):
    document, ids = pack(value, store.blobs, "tasks")
    assert ids
    assert len(bson.encode({"v": document})) <= INLINE_BYTES
    assert unpack(through_bson(document), store.blobs) == value


def test_a_large_array_goes_to_a_blob_and_may_be_written_to(store):
    array = np.random.default_rng(0).normal(size=(3, 100_000))
    document, ids = pack([array], store.blobs, "tasks")
    assert len(ids) == 1
    (found,) = unpack(through_bson(document), store.blobs)
    assert_same(found, array)
    found += 1


def test_twenty_megabytes_of_arguments_fit_into_a_document(store):
    value = {"arrays": [np.full(25_000, n, np.float64) for n in range(100)]}
    document, _ = pack(value, store.blobs, "tasks")
    store.database["tasks"].insert_one({"_id": 1, "arguments": document})
    found = unpack(store.database["tasks"].find_one()["arguments"], store.blobs)
    assert all((a == b).all() for a, b in zip(found["arrays"], value["arrays"], strict=True))


def deep(levels, kind):
    value = 0
    for _ in range(levels):
        value = {"list": [value], "tuple": (value,), "dict": {"a": value}, "odd": {"$": value}}[
            kind
        ]
    return value


@pytest.mark.parametrize("kind", ["list", "tuple", "dict", "odd"])
@pytest.mark.parametrize("levels", [49, 99, 100])
def test_the_deepest_value_is_stored_in_a_document_and_comes_back(store, levels, kind):
    document, _ = pack(deep(levels, kind), store.blobs, "tasks")
    store.database["tasks"].insert_one({"_id": 1, "arguments": {"args": [document]}})
    found = store.database["tasks"].find_one()["arguments"]["args"][0]
    assert unpack(found, store.blobs) == deep(levels, kind)


@pytest.mark.parametrize("tag", [None, "~tuple", "~dict"])
def test_a_hostile_depth_is_corrupt(tag):
    document = 0
    for _ in range(50_000):
        document = [document] if tag is None else {tag: [document]}
        document = [["k", document]] if tag == "~dict" else document
    with pytest.raises(Corrupt, match="packed value: "):
        unpack(document, NoBlobs())


def test_a_blob_that_holds_itself_is_corrupt(store):
    """Its document is written after it, so only somebody hostile can make one."""

    class Circular:
        def get(self, pointer):
            return bson.encode({"value": {"~bson": pointer.to_document()}})

    pointer = store.blobs.put(b"", owner="tasks")
    with pytest.raises(Corrupt, match="nested deeper than"):
        unpack({"~bson": pointer.to_document()}, Circular())


@pytest.mark.parametrize("bits", [63, 64, 20_000, 1_000_000])
def test_an_integer_of_any_size_comes_back(bits):
    value = -(2**bits) - 1
    document, _ = pack([value], NoBlobs(), "tasks")
    assert unpack(through_bson(document), NoBlobs()) == [value]


def test_a_hostile_integer_is_corrupt():
    with pytest.raises(Corrupt, match="'~int' cannot be decoded"):
        unpack({"~int": "9" * 10**6}, NoBlobs())
