from __future__ import annotations

import collections
import types

import pytest
import tensorflow as tf

from tensorlayer.layers.structure import leaves, rebuild

Pair = collections.namedtuple("Pair", "first second")


def test_leaves_come_in_the_order_in_which_they_were_written():
    assert leaves({"z": [1, (2,)], "a": {"y": 3, "b": 4}}) == [1, 2, 3, 4]


@pytest.mark.parametrize("leaf", ["text", None, {1, 2}, b"ab", 3])
def test_what_is_no_list_tuple_or_dictionary_is_a_leaf(leaf):
    assert leaves(leaf) == [leaf]
    assert rebuild(leaf, lambda value: [value]) == [leaf]


@pytest.mark.parametrize("empty", [[], (), {}, [[], {}]])
def test_empty_structures_have_no_leaves_and_stay_what_they_are(empty):
    assert leaves(empty) == []
    assert rebuild(empty, str) == empty


def test_every_leaf_is_changed_in_its_place():
    structure = {"z": [1, (2,)], "a": 3}

    changed = rebuild(structure, lambda value: 10 * value)

    assert changed == {"z": [10, (20,)], "a": 30}
    assert list(changed) == ["z", "a"]
    assert structure == {"z": [1, (2,)], "a": 3}


def test_leaves_are_changed_from_left_to_right():
    seen = []

    rebuild(({"b": 1, "a": 2}, [3], Pair(4, 5)), seen.append)

    assert seen == [1, 2, 3, 4, 5]


def test_a_named_tuple_stays_one():
    changed = rebuild(Pair([1], second=2), str)

    assert changed == Pair(["1"], "2")
    assert type(changed) is Pair


def test_other_kinds_of_mappings_and_tuples_become_plain_ones():
    class Tuple(tuple):
        __slots__ = ()

    mapping = rebuild(types.MappingProxyType({"a": 1}), str)

    assert (mapping, type(mapping)) == ({"a": "1"}, dict)
    assert type(rebuild(Tuple([1]), str)) is tuple


def test_what_a_module_wrapped_becomes_plain():
    module = tf.Module()
    module.held = {"z": [1, (2,)], "a": 3}

    plain = rebuild(module.held, str)

    assert plain == {"z": ["1", ("2",)], "a": "3"}
    assert (type(plain), type(plain["z"]), type(plain["z"][1])) == (dict, list, tuple)
