"""The query compiler: pure functions."""

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorlayer.datasets.query import (
    MAX_REGEX,
    OPERATORS,
    canonical,
    check_tag,
    compile_query,
    path,
)
from tensorlayer.errors import InvalidArgument, InvalidName

UTC = datetime.timezone.utc


def test_plain_values_are_compared_for_equality():
    compiled = compile_query({"split": "train", "label": 3, "key": "a/b", "flag": True, "x": None})
    assert compiled == {
        "tags.split": {"$eq": "train"},
        "label": {"$eq": 3},
        "key": {"$eq": "a/b"},
        "tags.flag": {"$eq": True},
        "tags.x": {"$eq": None},
    }


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"$in": (1, 2)}, {"$in": [1, 2]}),
        ({"$in": np.array([1, 2])}, {"$in": [1, 2]}),
        ({"$nin": {3, 1, 2}}, {"$nin": [1, 2, 3]}),
        ({"$gte": np.float32(0.5), "$lt": 2}, {"$gte": 0.5, "$lt": 2}),
        ({"$exists": False}, {"$exists": False}),
        ({"$regex": "^img-"}, {"$regex": "^img-"}),
        ({"$not": {"$gt": 3}}, {"$not": {"$gt": 3}}),
        ({"$ne": "a"}, {"$ne": "a"}),
        ({"$eq": [1, 2]}, {"$eq": [1, 2]}),
    ],
)
def test_operators(condition, expected):
    assert compile_query({"label": condition}) == {"label": expected}


def test_alternatives_nest():
    compiled = compile_query({"any": [{"a": 1}, {"any": [{"b": 2}, {"c": 3}]}]})
    inner = {"$or": [{"tags.b": {"$eq": 2}}, {"tags.c": {"$eq": 3}}]}
    assert compiled == {"$or": [{"tags.a": {"$eq": 1}}, inner]}


@pytest.mark.parametrize("operator", ["$where", "$expr", "$function", "$jsonSchema", "$gt ", "gt"])
def test_unknown_operators_are_refused(operator):
    with pytest.raises(InvalidArgument, match="is not an operator of views"):
        compile_query({"label": {operator: "sleep(1000)"}})


def test_a_mistyped_operator_is_answered_with_the_right_one():
    with pytest.raises(InvalidArgument, match=r"Did you mean '\$gte'"):
        compile_query({"label": {"$gtee": 1}})


@pytest.mark.parametrize("name", ["$where", "a.b", "", "a\0b", "$or", "x" * 1000])
def test_hostile_names_are_refused(name):
    with pytest.raises(InvalidName):
        compile_query({name: 1})


@pytest.mark.parametrize("name", ["label", "key", "any"])
def test_tags_cannot_take_the_names_of_conditions(name):
    with pytest.raises(InvalidName, match="has another meaning"):
        check_tag(name)


@pytest.mark.parametrize(
    "value",
    [
        {"$in": 3},
        {"$in": "abc"},
        {"$in": [[1]]},
        {"$in": [{"$gt": 1}]},
        {"$in": [0] * 100_001},
        {"$gt": {"$gt": 1}},
        {"$gt": [1]},
        {"$exists": 1},
        {"$regex": "("},
        {"$regex": 3},
        {"$regex": "a" * (MAX_REGEX + 1)},
        {"$regex": "a\0"},
        {"$not": 3},
        {"$not": {"$not": {"$gt": 1}}},
        {"$not": {"$where": "1"}},
        {},
        b"bytes",
        object(),
        datetime.datetime(2020, 1, 1),  # noqa: DTZ001
    ],
)
def test_operands_of_another_kind_are_refused(value):
    with pytest.raises(InvalidArgument, match=r"where\(label=\.\.\.\)"):
        compile_query({"label": value})


@pytest.mark.parametrize("value", [[], {}, 3, "a", [3], [{}]])
def test_any_takes_a_list_of_conditions(value):
    with pytest.raises(InvalidArgument, match="any"):
        compile_query({"any": value})


def test_any_is_not_nested_for_ever():
    query = {"a": 1}
    for _ in range(5):
        query = {"any": [query]}
    with pytest.raises(InvalidArgument, match="nested more than"):
        compile_query(query)


def test_canonical_does_not_depend_on_order_and_knows_times():
    time = datetime.datetime(2020, 1, 1, tzinfo=UTC)
    assert canonical({"a": 1, "b": time}) == canonical({"b": time, "a": 1})
    assert canonical({"a": 1}) != canonical({"a": "1"})


def test_paths():
    assert [path("label"), path("key"), path("split")] == ["label", "key", "tags.split"]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
ANYTHING = st.recursive(
    SCALARS | st.binary(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.sampled_from([*OPERATORS]), inner)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), ANYTHING))
def test_whatever_compiles_holds_only_operators_of_the_list(conditions):
    """No input, however odd, brings another operator or a path of its own into a query."""
    try:
        compiled = compile_query(conditions)
    except InvalidArgument:
        return
    _only_known(compiled)


def _only_known(compiled):
    for name, operators in compiled.items():
        if name == "$or":
            for each in operators:
                _only_known(each)
            continue
        assert name in ("label", "key") or (name.startswith("tags.") and name.count(".") == 1)
        _only_known_operators(operators)


def _only_known_operators(operators):
    for operator, operand in operators.items():
        assert operator in OPERATORS
        if operator == "$not":
            _only_known_operators(operand)
        else:
            assert not isinstance(operand, dict)
