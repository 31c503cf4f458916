"""Digests: what is read back as the same has one, everywhere and for ever."""

import datetime
import hashlib
import itertools
import os
import struct
import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorlayer.storage.digests import digest, digest_rows

UTC = datetime.timezone.utc
EAST = datetime.timezone(datetime.timedelta(hours=5))
NOON = datetime.datetime(2020, 1, 1, 12, tzinfo=UTC)


def of(value, **options):
    return digest([("value", value)], **options)


DIFFERENT = [
    *(None, True, False, 0, 1, -1, 1.0, 0.0, -0.0, 2**70, "1", "", b"1", b"", float("nan")),
    *([], (), {}, [1], (1,), [[1]], [1, 1], ["1"], {"a": 1}, {"a": None}, {"b": 1}, {"1": "1"}),
    *(NOON, NOON.replace(tzinfo=None), NOON.replace(microsecond=1)),
    *(np.array(1), np.int64(1), np.int8(1), np.float32(1), np.float16(1), np.bool_(1)),
    *(np.zeros(2), np.zeros(2, np.float32), np.zeros(2, np.float16), np.zeros((2, 1))),
    *(np.zeros(2, ml_dtypes.bfloat16), np.zeros(2, np.int16), np.zeros(0), np.zeros((0, 2))),
    *(np.zeros(2, ml_dtypes.float8_e5m2), np.zeros(2, ml_dtypes.float8_e4m3fn), np.zeros(2, bool)),
    *(np.array([0.0, -0.0]), np.array(["a"]), np.array([b"a"]), np.str_("1"), np.zeros(20_000)),
]


def test_different_values_have_different_digests():
    digests = [of(each) for each in DIFFERENT]
    for (one, a), (other, b) in itertools.combinations(zip(DIFFERENT, digests, strict=True), 2):
        assert a != b, (one, other)


BIG = np.arange(40_000, dtype=np.float64).reshape(200, 200)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": [2]}, {"b": [2], "a": 1}),
        (np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6.0).reshape(2, 3))),
        (np.arange(3, dtype=">i4"), np.arange(3, dtype="<i4")),
        (np.arange(6)[::-2], np.array([5, 3, 1])),
        (BIG, np.asfortranarray(BIG.astype(">f8"))),
        (NOON, NOON.astimezone(EAST)),
        (float("nan"), struct.unpack("<d", struct.pack("<Q", 0xFFF8000000000001))[0]),
        (bytearray(b"x"), b"x"),
    ],
)
def test_equal_values_have_one_digest(one, other):
    assert of(one) == of(other)
    assert of([one, 1]) == of([other, 1])


@pytest.mark.parametrize("kind", [np.int8, np.uint64, np.float16, np.float32, np.bool_, np.str_])
def test_by_number_a_scalar_is_its_number(kind):
    scalar = kind(1)
    assert of(scalar, by_number=True) == of(scalar.item()) != of(scalar)
    assert of([scalar], by_number=True) == of([scalar.item()])


def test_the_encoding_is_what_it_always_was():
    """Written by hand: kind, length and content of each value."""
    array = np.arange(2, dtype=np.int16)
    by_hand = (
        b"m2;s1;bl4;nti2;ff" + b"d" + struct.pack("<d", 0.5) + b"s1;xa<i2(2,);" + array.tobytes()
    )
    assert digest([("v", {"x": array, "b": [None, True, 255, 0.5]})]) == (
        hashlib.sha256(by_hand).hexdigest()
    )


@given(st.lists(st.integers() | st.text(st.characters(exclude_categories=["Cs"])) | st.none()))
def test_short_and_long_ways_encode_alike(values):
    """Alone, a value is encoded without a walk."""
    for each in values:
        assert of(each) == of(type("Sub", (type(each),), {})(each) if each is not None else None)


def test_where_one_value_ends_matters():
    assert digest([("a", "ab"), ("b", "c")]) != digest([("a", "a"), ("b", "bc")])
    assert digest([("a", 1), ("b", 2)]) != digest([("a", [1, 2])])


def test_other_processes_agree():
    code = (
        "import numpy as np; from tensorlayer.storage.digests import digest\n"
        "print(digest([('v', {'b': {'x', 'y'} and 1, 'a': [np.arange(3), 'é', 2.5]})]))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {of({"a": [np.arange(3), "é", 2.5], "b": 1})}


COLUMNS = {
    "arrays": list(np.random.default_rng(0).random((5, 3, 2))),
    "steps": list(np.arange(60).reshape(5, 6, 2)[:, ::2, ::-1]),
    "one object": ["same"] * 5,
    "numbers": [np.int16(n) for n in range(5)],
    "ints": [0, 1, -1, 2**70, 5],
    "text": ["a", "", "b" * 100, "1", "n"],
    "none": [None] * 5,
    "large": list(np.zeros((5, 10_000))),
    "mixed": [1, "a", None, 2.5, b"x"],
    "shapes": [np.zeros(n) for n in range(5)],
    "big endian": list(np.arange(5, dtype=">i4")[:, None]),
    "language": ["日", "本", "é", "a", "b"],
    "objects": [np.array([object()])] * 5,
}


@pytest.mark.parametrize("second", COLUMNS)
@pytest.mark.parametrize("first", COLUMNS)
def test_rows_have_the_digests_of_their_values(first, second):
    columns = [COLUMNS[first], COLUMNS[second]]
    found = digest_rows(columns)
    is_short = {"arrays", "steps", "one object", "numbers", "ints", "text", "none"}
    assert (found is not None) is ({first, second} <= is_short)
    if found is not None:
        rows = zip(*columns, strict=True)
        assert found == [digest([("a", a), ("b", b)], by_number=True) for a, b in rows]
