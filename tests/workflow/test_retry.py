from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorlayer.errors import InvalidArgument
from tensorlayer.workflow.retry import Backoff, is_exhausted


@given(st.integers(1, 10_000), st.integers(0, 2**32))
def test_a_delay_lies_between_zero_and_the_ceiling(failures, seed):
    backoff = Backoff(base_seconds=0.5, cap_seconds=60.0)

    assert 0 <= backoff.delay(failures, random.Random(seed)) <= backoff.ceiling(failures) <= 60.0


def test_the_ceiling_doubles_up_to_the_cap():
    backoff = Backoff(base_seconds=1.0, cap_seconds=5.0)

    assert [backoff.ceiling(n) for n in range(1, 6)] == [1, 2, 4, 5, 5]


def test_the_jitter_is_full():
    rng = random.Random(0)
    delays = [Backoff(base_seconds=1.0).delay(1, rng) for _ in range(1000)]

    assert min(delays) < 0.05
    assert max(delays) > 0.95


@pytest.mark.parametrize(("base", "cap"), [(-1.0, 5.0), (6.0, 5.0)])
def test_impossible_times_are_refused(base, cap):
    with pytest.raises(InvalidArgument, match="base_seconds <= cap_seconds"):
        Backoff(base_seconds=base, cap_seconds=cap)


@pytest.mark.parametrize(
    ("errors", "crashes", "expected"),
    [(0, 0, False), (2, 1, False), (3, 0, True), (0, 2, True), (3, 2, True)],
)
def test_errors_and_crashes_are_counted_apart(errors, crashes, expected):
    assert is_exhausted(errors, crashes, max_attempts=3, max_crashes=2) is expected
