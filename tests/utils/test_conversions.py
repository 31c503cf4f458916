"""Small conversions."""

import random

import numpy as np
import pytest

from tensorlayer.errors import InvalidArgument
from tensorlayer.utils.conversions import (
    dict_to_one,
    flatten_list,
    get_random_int,
    list_string_to_dict,
)


def test_conversions():
    given = {"a": 0.5, 3: 0.1}
    assert dict_to_one(given) == {"a": 1, 3: 1}
    assert given == {"a": 0.5, 3: 0.1}
    assert flatten_list([[1], [], (2, 3)]) == [1, 2, 3]
    assert flatten_list(iter([["a"]] * 2)) == ["a", "a"]
    assert list_string_to_dict(["b", "a"]) == {"b": 0, "a": 1}


def test_random_integers_reach_both_ends_and_nothing_else():
    assert set(get_random_int(3, 5, 500, seed=1)) == {3, 4, 5}
    assert get_random_int(7, 7, 2) == [7, 7]


def test_every_seed_counts_also_zero():
    assert get_random_int(0, 10**9, 3, seed=0) == get_random_int(0, 10**9, 3, seed=0)
    assert get_random_int(0, 10**9, 3, seed=0) != get_random_int(0, 10**9, 3, seed=1)
    assert get_random_int(0, 10**9, 3) != get_random_int(0, 10**9, 3)


def test_the_numbers_of_a_seed_are_those_of_earlier_releases():
    generator = random.Random(10)
    assert get_random_int(0, 10, 5, seed=10) == [generator.randint(0, 10) for _ in range(5)]


def test_the_global_generator_is_not_touched():
    before = random.getstate()
    get_random_int(seed=3)
    assert random.getstate() == before


def test_a_generator_goes_on_and_reaches_both_ends():
    rng = np.random.default_rng(0)
    first, second = (get_random_int(3, 5, 500, seed=rng) for _ in range(2))

    assert set(first) == {3, 4, 5}
    assert first != second
    assert first == get_random_int(3, 5, 500, seed=np.random.default_rng(0))
    assert all(type(each) is int for each in first)


def test_a_range_that_is_empty_is_named():
    with pytest.raises(InvalidArgument, match="got min_v=3, max_v=2"):
        get_random_int(3, 2)
