"""When a lease is lost, and when an attempt is repeated."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorlayer.errors import InvalidArgument
from tensorlayer.workflow.lease import BEATS_PER_LEASE, Backoff, LeaseWatch, Sighting, is_exhausted


def seen(task="t", mark=0, seconds=10.0, is_expired=True):
    return Sighting(task=task, mark=mark, seconds=seconds, is_expired=is_expired)


def test_an_expired_lease_is_lost_after_half_its_length():
    watch = LeaseWatch(max_gap_seconds=3.0)

    lost = [watch.look([seen()], now=now) for now in (0.0, 2.5, 4.9, 5.0)]

    assert lost == [[], [], [], ["t"]]


def test_a_lease_that_has_not_expired_is_never_lost():
    watch = LeaseWatch(max_gap_seconds=3.0)

    assert not any(watch.look([seen(is_expired=False)], now=now) for now in range(30))


def test_it_is_lost_as_soon_as_it_expires_if_it_was_suspect_long_enough():
    watch = LeaseWatch(max_gap_seconds=3.0)
    for now in range(8):
        watch.look([seen(is_expired=False)], now=now)

    assert watch.look([seen()], now=8.0) == ["t"]


@given(st.floats(0, 1), st.integers(1, 200))
def test_a_jump_of_the_server_clock_takes_no_lease_of_a_living_agent(phase, looks):
    """Every lease looks expired, but each beat changes it."""
    watch = LeaseWatch(max_gap_seconds=3.0)
    beat_seconds = 10.0 / BEATS_PER_LEASE

    for look in range(looks):
        now = look * 1.0
        mark = int((now + phase * beat_seconds) // beat_seconds)
        assert watch.look([seen(mark=mark)], now=now) == []


def test_a_gap_starts_the_observation_anew():
    watch = LeaseWatch(max_gap_seconds=3.0)
    watch.look([seen()], now=0.0)

    assert watch.look([seen()], now=100.0) == []
    assert watch.look([seen()], now=102.5) == []
    assert watch.look([seen()], now=105.0) == ["t"]


def test_a_lease_that_was_beaten_meanwhile_is_forgotten():
    watch = LeaseWatch(max_gap_seconds=3.0)
    watch.look([seen()], now=0.0)
    watch.look([], now=2.5)

    assert watch.look([seen()], now=5.0) == []


def test_leases_of_several_lengths_are_judged_apart():
    watch = LeaseWatch(max_gap_seconds=9.0)
    both = [seen("short", seconds=2.0), seen("long", seconds=20.0)]
    watch.look(both, now=0.0)

    assert watch.look(both, now=1.0) == ["short"]


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
