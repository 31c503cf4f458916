"""The order of a pass."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorlayer.datasets.order import permutation
from tensorlayer.errors import InvalidArgument


@given(st.integers(0, 300), st.integers(), st.integers(0, 2**40), st.text(max_size=5))
def test_every_order_is_a_permutation_and_is_repeatable(n, seed, epoch, fingerprint):
    order = permutation(n, seed=seed, epoch=epoch, fingerprint=fingerprint)
    assert sorted(order.tolist()) == list(range(n))
    again = permutation(n, seed=seed, epoch=epoch, fingerprint=fingerprint)
    np.testing.assert_array_equal(order, again)


def test_seed_epoch_and_fingerprint_each_change_the_order():
    orders = {
        tuple(permutation(50, **arguments))
        for arguments in ({}, {"seed": 1}, {"epoch": 1}, {"fingerprint": "f"})
    }
    assert len(orders) == 4


def test_the_order_is_the_same_for_ever():
    """These numbers must not change: a training run that is taken up again depends on them."""
    assert permutation(10, seed=7, epoch=3, fingerprint="f").tolist() == [
        6,
        3,
        5,
        8,
        1,
        7,
        2,
        0,
        4,
        9,
    ]


def test_no_position_is_preferred():
    """Every item is first about as often: chi-square of 3,000 orders of 8 below 24.3 (0.1 %)."""
    first = [int(permutation(8, epoch=epoch)[0]) for epoch in range(3000)]
    counts = np.bincount(first, minlength=8)
    assert ((counts - 375) ** 2 / 375).sum() < 24.3


@pytest.mark.parametrize("value", [1.5, 1.0, "1", None, True, np.float64(2)])
@pytest.mark.parametrize("name", ["seed", "epoch"])
def test_what_is_no_integer_is_refused(name, value):
    with pytest.raises(InvalidArgument, match=f"{name} must be an integer"):
        permutation(3, **{name: value})


def test_integers_of_numpy_are_integers():
    assert (permutation(9, seed=np.uint8(3)) == permutation(9, seed=3)).all()
    assert (permutation(9, seed=-(2**70)) != permutation(9, seed=2**70)).any()
