from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tensorlayer.workflow.lease import BEATS_PER_LEASE, LeaseWatch, Sighting


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
