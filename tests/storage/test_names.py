from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorlayer.errors import InvalidArgument, InvalidName
from tensorlayer.storage.names import check_field, check_int, check_key, check_project

HOSTILE = [
    "",
    ".",
    "..",
    "a..b",
    "../x",
    "/etc",
    "a/b",
    "a\\b",
    "$where",
    "a\0b",
    "a b",
    "é",
    "-rf",
]


@pytest.mark.parametrize("name", ["a", "0", "_x", "mnist.train", "a:b@c+d=e-f", "x" * 120])
def test_a_key_is_returned(name):
    assert check_key(name, "key") == name


@pytest.mark.parametrize("name", [*HOSTILE, "x" * 121, None, 3, b"a", ["a"], {"$ne": 1}])
def test_a_hostile_key_is_refused(name):
    with pytest.raises(InvalidName, match=r"dataset key .*: must be 1 to 120 .* Choose"):
        check_key(name, "dataset key")


@pytest.mark.parametrize("name", ["loss", "train/loss", "val accuracy", "größe", "a$b", "_x"])
def test_a_field_is_returned(name):
    assert check_field(name, "tag") == name


@pytest.mark.parametrize("name", ["", "$where", "a.b", "a\0", "a\nb", "x" * 121, None, {"$gt": ""}])
def test_a_hostile_field_is_refused(name):
    with pytest.raises(InvalidName, match=r"tag .* not start with '\$'"):
        check_field(name, "tag")


@pytest.mark.parametrize("name", ["admin", "config", "local", "a.b", "a/b", "x" * 64, "", None])
def test_a_project_that_is_no_database_of_ours_is_refused(name):
    with pytest.raises(InvalidName, match=r"project .* which are the server's"):
        check_project(name)


def test_a_message_stays_short_whatever_was_given():
    with pytest.raises(InvalidName) as caught:
        check_key("x" * 1_000_000, "key")
    assert len(str(caught.value)) < 500


@given(st.text())
def test_an_accepted_key_never_leaves_a_folder_nor_starts_an_operator(name):
    try:
        check_key(name, "key")
    except InvalidName:
        return
    assert not set(name) & set("/\\\0$\n ")
    assert ".." not in name
    assert name[0] not in ".-"


@pytest.mark.parametrize("value", [0, 2**63 - 1, -(2**63)])
def test_an_integer_of_64_bits_is_returned(value):
    assert check_int(value, "step") == value


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1])
def test_a_larger_integer_is_refused(value):
    with pytest.raises(InvalidArgument, match="step: must be an integer of at most 64 bits"):
        check_int(value, "step")
