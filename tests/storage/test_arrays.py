"""Arrays as documents: every type and shape, compressed or not, damaged or not."""

from __future__ import annotations

import contextlib
import zlib

import bson
import ml_dtypes
import numpy as np
import pytest
from bson.codec_options import CodecOptions
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tensorlayer.errors import Corrupt, InvalidArgument
from tensorlayer.storage.arrays import decode, decode_all, encode

AWARE = CodecOptions(tz_aware=True)

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


def test_a_large_array_is_judged_by_its_middle():
    noise = np.frombuffer(np.random.default_rng(0).bytes(2**20), np.uint8)
    middle = slice(2**19 - 2**16, 2**19 + 2**16)
    for outside, inside, expected in ((noise, 0 * noise, "lz4"), (0 * noise, noise, "raw")):
        array = outside.copy()
        array[middle] = inside[middle]
        assert encode(array)["codec"] == expected


def test_what_saves_less_than_a_fifth_is_not_compressed():
    rng = np.random.default_rng(0)
    for n_zeros, expected in ((1_500, "raw"), (2_500, "lz4")):
        data = rng.bytes(10_000 - n_zeros) + bytes(n_zeros)
        assert encode(np.frombuffer(data, np.uint8))["codec"] == expected


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


@pytest.mark.parametrize("codec", ["raw", "lz4", "zstd"])
def test_a_flipped_bit_is_noticed(codec):
    document = encode(np.arange(5000), codec)
    stored = bytearray(document["bytes"])
    stored[len(stored) // 2] ^= 4
    with pytest.raises(Corrupt, match="cannot be decoded"):
        decode({**document, "bytes": bytes(stored)})
    del document["check"]  # as it was written before there were checksums
    np.testing.assert_array_equal(decode(document), np.arange(5000))


def test_a_checksum_of_an_older_version_is_still_checked():
    document = encode(np.arange(5000), "raw")
    del document["check"]
    document["crc"] = zlib.crc32(document["bytes"])
    np.testing.assert_array_equal(decode(document), np.arange(5000))
    with pytest.raises(Corrupt, match="checksum differs"):
        decode({**document, "crc": document["crc"] ^ 1})


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
    with pytest.raises(Corrupt, match=r"of shape .* among others"):
        decode_all([encode(np.zeros(3)), encode(other)])
