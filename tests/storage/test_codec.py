from __future__ import annotations

import contextlib
import datetime
import math

import bson
import ml_dtypes
import numpy as np
import pytest
from bson.codec_options import CodecOptions
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tensorlayer.errors import Corrupt, InvalidArgument
from tensorlayer.storage.codec import decode_all, INLINE_BYTES, decode, encode, pack, unpack

AWARE = CodecOptions(tz_aware=True)
UTC = datetime.timezone.utc

dtypes = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="?"),
    hnp.unsigned_integer_dtypes(endianness="?"),
    hnp.floating_dtypes(endianness="?"),
    hnp.complex_number_dtypes(endianness="?"),
    hnp.byte_string_dtypes(endianness="?"),
    hnp.unicode_string_dtypes(endianness="?"),
    hnp.datetime64_dtypes(endianness="?"),
    hnp.timedelta64_dtypes(endianness="?"),
)
arrays = hnp.arrays(dtypes, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6))


def through_bson(document):
    return bson.decode(bson.encode({"value": document}), AWARE)["value"]


def assert_same(found, expected):
    assert found.dtype == expected.dtype
    assert found.dtype.byteorder == expected.dtype.byteorder
    assert found.shape == expected.shape
    assert found.tobytes() == expected.tobytes()


@given(arrays, st.sampled_from(["raw", "lz4", "zstd", "auto"]))
def test_every_array_comes_back(array, codec):
    assert_same(decode(through_bson(encode(array, codec))), array)


@pytest.mark.parametrize("codec", ["raw", "lz4", "zstd", "auto"])
@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_narrow_floats_come_back(name, codec):
    array = np.arange(-4, 4).astype(getattr(ml_dtypes, name)).reshape(2, 4)
    assert_same(decode(through_bson(encode(array, codec))), array)


@pytest.mark.parametrize(
    "array",
    [
        np.array([np.nan, np.inf, -np.inf, -0.0]),
        np.array(3.5),
        np.empty((0, 3), np.int8),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.arange(20)[::-3],
        np.broadcast_to(np.float32(1), (3, 4)),
    ],
)
def test_special_arrays_come_back(array):
    assert_same(decode(encode(array)), np.ascontiguousarray(array).reshape(array.shape))


def test_a_decoded_array_may_be_written_to():
    array = decode(encode(np.zeros(3)))
    array[1] = 7
    assert array.tolist() == [0, 7, 0]


def test_auto_compresses_what_pays_and_nothing_else():
    noise = np.random.default_rng(0).bytes(10_000)
    assert encode(np.frombuffer(noise, np.uint8))["codec"] == "raw"
    assert encode(np.zeros(10_000, np.uint8))["codec"] == "lz4"
    assert encode(np.zeros(10, np.uint8))["codec"] == "raw"


@pytest.mark.parametrize("array", [np.array([{}]), np.zeros(2, [("a", int)]), np.zeros(2, "V3")])
def test_objects_and_records_are_refused(array):
    with pytest.raises(InvalidArgument, match="no Python objects and no records"):
        encode(array)


def test_an_unknown_codec_is_refused():
    with pytest.raises(InvalidArgument, match="codec 'gzip': must be 'raw'"):
        encode(np.zeros(2), "gzip")


GOOD = encode(np.arange(1000, dtype=np.int16), "lz4")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dtype": "|O"}, "unknown dtype"),
        ({"dtype": "O"}, "unknown dtype"),
        ({"dtype": "i4,f4"}, "unknown dtype"),
        ({"dtype": 3}, "unknown dtype"),
        ({"dtype": "nonsense"}, "nonsense"),
        ({"shape": [-1]}, "impossible shape"),
        ({"shape": ["a"]}, "impossible shape"),
        ({"shape": 3}, "cannot be decoded"),
        ({"shape": [999]}, "cannot be decoded"),
        ({"shape": [1001]}, "where the shape needs 2002"),
        ({"codec": "raw"}, "where the shape needs 2000"),
        ({"codec": "zstd"}, "cannot be decoded"),
        ({"codec": "pickle"}, "unknown codec 'pickle'"),
        ({"bytes": b""}, "cannot be decoded"),
        ({"bytes": None}, "cannot be decoded"),
    ],
)
def test_nonsense_is_corrupt(change, message):
    with pytest.raises(Corrupt, match=message):
        decode(GOOD | change)


def test_a_missing_field_is_named():
    with pytest.raises(Corrupt, match="'codec' is missing"):
        decode({name: GOOD[name] for name in ("dtype", "shape", "bytes")})


@given(st.binary(max_size=60), st.sampled_from(["lz4", "zstd"]))
def test_random_bytes_never_escape_as_another_error(data, codec):
    with contextlib.suppress(Corrupt):
        assert decode({"dtype": "<i4", "shape": [4], "codec": codec, "bytes": data}).shape == (4,)


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


@pytest.mark.parametrize("codec", ["raw", "lz4", "zstd"])
def test_a_flipped_bit_is_noticed(codec):
    document = encode(np.arange(5000), codec)
    stored = bytearray(document["bytes"])
    stored[len(stored) // 2] ^= 4
    with pytest.raises(Corrupt, match="cannot be decoded"):
        decode({**document, "bytes": bytes(stored)})
    del document["crc"]  # as it was written before there were checksums
    np.testing.assert_array_equal(decode(document), np.arange(5000))


def test_many_arrays_are_decoded_into_one_whatever_their_codec():
    rng = np.random.default_rng(0)
    arrays = rng.integers(0, 3, (6, 40, 50))
    documents = [encode(each, ("raw", "lz4", "zstd")[n % 3]) for n, each in enumerate(arrays)]
    joined = decode_all(documents)
    np.testing.assert_array_equal(joined, arrays)
    joined[0, 0, 0] = 9  # it may be written to
    assert decode_all([encode(np.zeros((0, 3)))] * 2).shape == (2, 0, 3)
    assert decode_all([encode(np.array(["", ""]))] * 3).shape == (3, 2)


@pytest.mark.parametrize("other", [np.zeros(3, np.float32), np.zeros(4), np.zeros((3, 1))])
def test_arrays_that_differ_are_not_joined(other):
    with pytest.raises(Corrupt, match="of shape .* among others"):
        decode_all([encode(np.zeros(3)), encode(other)])
