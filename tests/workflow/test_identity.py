"""Pure functions."""

from __future__ import annotations

import datetime
import itertools

import numpy as np
import pytest

from tensorlayer.errors import InvalidArgument
from tensorlayer.workflow.identity import bind, identity

DIFFERENT = [
    1,
    1.0,
    True,
    "1",
    b"1",
    None,
    [1],
    (1,),
    [[1]],
    [1, 1],
    {"a": 1},
    {"a": [1]},
    np.array(1),
    np.array([1]),
    np.array([[1]]),
    np.array([1], np.float32),
    np.array([1, 0], np.int8),
    np.float32(1),
    datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc),
    "",
    [],
    {},
    [""],
]


def test_different_arguments_are_different_tasks():
    digests = [identity("m:f", (value,)) for value in DIFFERENT]

    for (a, one), (b, other) in itertools.combinations(zip(DIFFERENT, digests, strict=True), 2):
        assert one != other, (a, b)


def test_where_an_argument_stands_matters():
    different = {
        identity("m:f", (1, 2)),
        identity("m:f", (2, 1)),
        identity("m:f", (1,), {"b": 2}),
        identity("m:g", (1, 2)),
        identity("m:f", (1, 2), input="2"),
        identity("m:f", (1, 2), output="2"),
        identity("m:f", ("1", "2")),
        identity("m:f", ("12",)),
    }

    assert len(different) == 8


def test_order_of_keys_and_layout_of_arrays_do_not_matter():
    array = np.arange(6, dtype=">i4").reshape(2, 3)

    one = identity("m:f", (array,), {"a": 1, "b": float("nan")})
    other = identity("m:f", (np.asfortranarray(array.astype("<i4")),), {"b": float("nan"), "a": 1})

    assert one == other


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({1, 2}, r"m:f args\[0\]: a set cannot be stored"),
        ([object()], r"m:f args\[0\]\[0\]: a object cannot be stored"),
        ({"a": {2: 1}}, r"m:f args\[0\]\['a'\]: the key 2 is not a str"),
        (np.array([None]), r"m:f args\[0\]: array of dtype object"),
        (["\ud800"], r"m:f args\[0\]\[0\]: the text is not valid Unicode"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_its_place(value, message):
    with pytest.raises(InvalidArgument, match=message):
        identity("m:f", (value,))


def test_the_identity_is_the_same_for_ever():
    """These digits are the ids of tasks in databases that exist; they must not change."""
    args = (1, 2.5, "a", b"b", None, True, (1, [2]), np.arange(3, dtype=">i2"), np.float32(1))
    found = identity("m:f", args, {"b": {"x": 1}, "a": -0.0}, input="i", output="o")
    assert found == "e8e381e10c9347bcff9991a5d5e11d74930726df29e4225ceaa734f74bf545e3"


def train(rate, *, model=None): ...


def anything(*args, **kwargs): ...


def test_keys_reach_parameters_of_their_name_only():
    keys = {"model": "mlp", "input": "mnist", "output": None}

    assert bind(train, [0.1], {}, keys).arguments == {"rate": 0.1, "model": "mlp"}
    assert bind(anything, [], {}, keys).arguments == {}


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ([], {}, "missing a required argument: 'rate'"),
        ([1, 2], {}, "too many positional arguments"),
        ([1], {"momentum": 2}, "unexpected keyword argument 'momentum'"),
    ],
)
def test_what_does_not_fit_is_refused(args, kwargs, message):
    with pytest.raises(InvalidArgument, match=message):
        bind(train, args, kwargs, {})
