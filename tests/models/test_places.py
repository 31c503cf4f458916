from __future__ import annotations

import pytest

from tensorlayer.errors import BrokenConfig, NotSerializable, WrongShape
from tensorlayer.models.places import MAX_DEPTH, check_depth, item, reading


def test_the_innermost_place_is_named_once():
    with pytest.raises(BrokenConfig, match=r"^inner: KeyError: 'x'$") as raised:  # noqa: SIM117
        with reading("outer"), reading("inner"):
            {}["x"]
    assert isinstance(raised.value.__cause__, KeyError)
    assert isinstance(raised.value, NotSerializable)


def test_what_the_library_says_stands_for_itself():
    with pytest.raises(BrokenConfig, match=r"^here: too flat$"), reading("here"):
        raise WrongShape("too flat")


@pytest.mark.parametrize(
    ("config", "kind", "message"),
    [
        ([], int, r"place: it has to be an object, got \[\]"),
        ({"a": 1}, int, r"place: 'key' is missing. There is \['a'\]"),
        ({"key": "1"}, int, r"place\['key'\]: it has to be an integer, got '1'"),
        ({"key": True}, int, r"it has to be an integer, got True"),
        ({"key": None}, list, r"it has to be a list, got None"),
    ],
)
def test_what_is_not_there_or_of_another_kind(config, kind, message):
    with pytest.raises(BrokenConfig, match=message):
        item(config, "key", kind, "place")


def test_long_values_are_shortened():
    with pytest.raises(BrokenConfig) as raised:
        item({"key": ["x" * 1000] * 1000}, "key", str, "place")
    assert len(str(raised.value)) < 300


def test_depth_and_cycles():
    deep = 0
    for _ in range(MAX_DEPTH):
        deep = {"a": 1, "b": deep}
    check_depth(deep, "config")
    cycle = {"a": 1}
    cycle["b"] = [cycle, cycle]
    for config in ([deep], cycle):
        with pytest.raises(BrokenConfig, match=r"config: it is nested deeper than 128 levels"):
            check_depth(config, "config")
