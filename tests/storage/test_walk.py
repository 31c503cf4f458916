"""Walking: which values there are, and the same refusal, with its place, for everybody."""

import collections
import datetime
import enum

import ml_dtypes
import numpy as np
import pytest

from tensorlayer.datasets.content import digest
from tensorlayer.errors import InvalidArgument
from tensorlayer.storage import walk
from tensorlayer.storage.codec import pack
from tensorlayer.storage.walk import MAX_DEPTH, MAX_INT_BITS, fold
from tensorlayer.workflow.queue import identity

UTC = datetime.timezone.utc
NAIVE = datetime.datetime.fromisoformat("2020-01-01T01:01:01.000007")
EARLIEST = datetime.datetime(1, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=5)))


class Colour(enum.IntEnum):
    RED = 1


class Name(str, enum.Enum):
    A = "a"


class Text(str):
    def encode(self, *arguments):
        raise AssertionError("what a subclass says about itself is not asked")


Point = collections.namedtuple("Point", "x y")


def seen(value):
    """Return the kinds and values of the leaves."""
    found = []
    fold(value, lambda kind, leaf: found.append((kind, leaf)), lambda *_: None, "value")
    return found


def test_every_kind_is_told():
    values = [None, True, 1, 2.0, "a", b"b", NAIVE, np.zeros(2), np.int8(1)]
    kinds = ["none", "bool", "int", "float", "text", "bytes", "time", "array", "scalar"]
    assert [kind for kind, _ in seen(values)] == kinds


@pytest.mark.parametrize(
    ("value", "kind", "plain"),
    [
        (Colour.RED, "int", 1),
        (Name.A, "text", "a"),
        (Text("x"), "text", "x"),
        (bytearray(b"x"), "bytes", b"x"),
        (memoryview(b"xy")[1:], "bytes", b"y"),
    ],
    ids=["enum", "text enum", "text", "bytearray", "memoryview"],
)
def test_a_subclass_is_what_it_is_made_of(value, kind, plain):
    [(found, leaf)] = seen(value)
    assert (found, leaf, type(leaf)) == (kind, plain, type(plain))


def test_branches_get_their_keys_and_parts():
    found = fold(
        {"a": [1, 2], "b": Point(3, 4)},
        lambda kind, value: value,
        lambda kind, keys, parts: (kind, keys, parts),
        "value",
    )
    assert found == ("dict", ["a", "b"], [("list", None, [1, 2]), ("tuple", None, [3, 4])])
    mapping = collections.OrderedDict(x=1)
    assert fold(mapping, lambda *_: 0, lambda kind, keys, parts: keys, "value") == ["x"]


def nested(levels, value=0):
    for _ in range(levels):
        value = [value]
    return value


def cycle():
    value = {"a": []}
    value["a"].append(value)
    return value


REFUSED = [
    (object(), "", "a object cannot be stored"),
    ({1, 2}, "", "a set cannot be stored"),
    (1j, "", "a complex cannot be stored"),
    (datetime.date(2020, 1, 1), "", "a date cannot be stored"),
    ({"x": [0, {2}]}, r"\['x'\]\[1\]", "a set cannot be stored"),
    ({"x": ({3: 1},)}, r"\['x'\]\[0\]", "the key 3 is not a str"),
    ({"\ud800": 1}, "", "the text is not valid Unicode"),
    (["\ud800"], r"\[0\]", "the text is not valid Unicode"),
    ([np.str_("\ud800")], r"\[0\]", "the text is not valid Unicode"),
    ([np.array([object()])], r"\[0\]", "array of dtype object"),
    ([np.zeros(2, [("a", int)])], r"\[0\]", "array of dtype"),
    (np.zeros(1, "V3")[0], "", "array of dtype"),
    ([np.ma.masked_array([1, 2], [0, 1])], r"\[0\]", "a masked array would lose its mask"),
    (2**MAX_INT_BITS, "", "an int of 1048577 bits"),
    ([EARLIEST], r"\[0\]", "cannot be told in UTC"),
    (nested(MAX_DEPTH + 1), r"(\[0\])+.*", "nested deeper than 100 levels"),
    (nested(100_000), r"(\[0\])+.*", "nested deeper than 100 levels"),
    (cycle(), r"\['a'\]\[0\].*", "or contains itself"),
]


class NoBlobs:
    """Nothing is large in these tests."""

    def put(self, data, *, owner):
        raise AssertionError("a blob")


@pytest.mark.parametrize(
    ("value", "path", "message"), REFUSED, ids=[str(n) for n in range(len(REFUSED))]
)
def test_storing_and_both_digests_refuse_the_same_with_the_same_words(value, path, message):
    said = set()
    for use, place in (
        (lambda: pack(value, NoBlobs(), "tasks"), "value"),
        (lambda: identity("m:f", (value,)), "m:f args[0]"),
        (lambda: digest(value), "sample"),
    ):
        with pytest.raises(InvalidArgument, match=f"{path}: .*{message}") as caught:
            use()
        assert str(caught.value).startswith(place)
        said.add(str(caught.value).removeprefix(place).partition(": ")[2])
    assert len(said) == 1


@pytest.mark.parametrize(
    "value",
    [
        nested(40),
        [10**70, -(2**5000), float("nan"), -0.0],
        [np.float16(1), np.bool_(1), np.datetime64("2020-01-01"), np.array(3)],
        np.zeros(2, ml_dtypes.bfloat16),
        [NAIVE, datetime.datetime(2020, 1, 1, tzinfo=UTC)],
        {"": 1, "$a.b": (), "~x": bytearray(b"1")},
        [Colour.RED, Name.A, Text("x"), Point(1, 2)],
    ],
)
def test_all_three_accept_the_same(value):
    pack(value, NoBlobs(), "tasks")
    assert len(identity("m:f", (value,))) == len(digest(value)) == 64


def test_a_path_stays_short():
    with pytest.raises(InvalidArgument) as caught:
        digest(nested(90, {"k" * 1000: object()}))
    assert len(str(caught.value)) < 600


def test_known_dtypes():
    assert walk.dtype_name(np.dtype(">i4")) == ">i4"
    assert walk.dtype_name(np.dtype(ml_dtypes.float8_e5m2)) == "float8_e5m2"
    with pytest.raises(walk.Refused):
        walk.dtype_name(np.dtype(object))
