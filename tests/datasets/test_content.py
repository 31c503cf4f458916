"""Digests of content, and the keys that follow from them."""

import datetime

import ml_dtypes
import numpy as np
import pytest

from tensorlayer.datasets.content import MAX_KEY, check_sample_key, digest
from tensorlayer.errors import InvalidArgument, InvalidName

DISTINCT = [
    None,
    True,
    False,
    0,
    1,
    1.0,
    float("nan"),
    float("inf"),
    "",
    "1",
    b"",
    b"1",
    [],
    [1],
    [[1]],
    [1, 1],
    (),
    (1, 1),
    -0.0,
    {},
    {"a": 1},
    {"a": [1]},
    {"b": 1},
    datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc),
    np.zeros(0),
    np.zeros((0, 2)),
    np.zeros(2),
    np.zeros(2, np.float32),
    np.zeros((2, 1)),
    np.zeros((1, 2)),
    np.zeros(2, ml_dtypes.bfloat16),
    np.zeros((), np.float64),
    np.array(["a"]),
    np.zeros(2, ml_dtypes.float8_e5m2),
    np.zeros(2, ml_dtypes.float8_e4m3fn),
    np.zeros(2, np.float16),
]


def test_different_content_has_different_digests():
    assert len({digest(each) for each in DISTINCT}) == len(DISTINCT)
    assert digest(1, 2) != digest([1, 2]) != digest(12)
    assert digest("ab", "c") != digest("a", "bc")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6.0).reshape(2, 3))),
        (np.arange(3, dtype=">i4"), np.arange(3, dtype="<i4")),
        (np.arange(6)[::2], np.array([0, 2, 4])),
        (np.int64(3), 3),
        (np.float64(0.5), 0.5),
        (np.float16(0.5), 0.5),
        (np.str_("a"), "a"),
        (np.bool_(1), True),
        (bytearray(b"x"), b"x"),
    ],
)
def test_equal_content_has_one_digest(one, other):
    assert digest(one) == digest(other)


def test_the_digest_is_the_same_for_ever():
    """These digits are the keys in databases that exist; they must not change."""
    value = [1, 2.5, "a", b"b", None, True, np.arange(3, dtype=np.int16), {"k": []}]
    assert digest(value) == "b6610a7acc0ab38dee5d07675f49b7c565f6d5c0797485f02c873a4ed9331531"


@pytest.mark.parametrize("value", [object(), {1: 2}, np.array([object()]), {1, 2}, lambda: 0])
def test_what_cannot_be_stored_is_refused(value):
    with pytest.raises(InvalidArgument, match=r"^sample: .*(cannot be stored|not a str|of dtype)"):
        digest(value)
    with pytest.raises(InvalidArgument, match=r"^label\['a'\]\[0\]: "):
        digest(1, {"a": [value]})


@pytest.mark.parametrize("key", ["", "a\0b", "a\nb", "x" * (MAX_KEY + 1), 3, None, b"a"])
def test_keys_that_are_refused(key):
    with pytest.raises(InvalidName, match="Sample key"):
        check_sample_key(key)


@pytest.mark.parametrize("key", ["a", "train/img 1.png", "$where", "日本"])
def test_keys_that_are_fine(key):
    assert check_sample_key(key) == key
