from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo import errors

from tensorlayer.errors import StoreUnavailable
from tensorlayer.storage.retry import (
    LONGEST_PAUSE_SECONDS,
    Patience,
    is_denied,
    is_passing,
    is_transient,
)


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.now = 0.0
        self.slept = []

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def patience(clock, budget=10.0, jitter=lambda: 1.0):
    return Patience(
        budget, "Store here/p", clock=lambda: clock.now, sleep=clock.sleep, jitter=jitter
    )


@pytest.mark.parametrize(
    "error",
    [
        errors.AutoReconnect("x"),
        errors.NetworkTimeout("x"),
        errors.NotPrimaryError("x"),
        errors.ServerSelectionTimeoutError("x"),
        errors.OperationFailure("shutting down", code=91),
    ],
)
def test_an_outage_may_pass(error):
    assert is_passing(error)
    assert is_transient(error)


@pytest.mark.parametrize(
    "error",
    [
        errors.DuplicateKeyError("x", code=11000),
        errors.InvalidOperation("Cannot use MongoClient after close"),
        errors.DocumentTooLarge("x"),
        errors.OperationFailure("unknown operator: $foo", code=2),
        ValueError("x"),
    ],
)
def test_a_mistake_does_not_pass(error):
    assert not is_passing(error)
    assert not is_transient(error)
    assert not is_denied(error)


def test_wrong_credentials_are_told_from_mistakes():
    assert is_denied(errors.OperationFailure("Authentication failed.", code=18))
    assert not is_passing(errors.OperationFailure("Authentication failed.", code=18))


def test_a_lost_write_conflict_is_transient_but_no_outage():
    error = errors.OperationFailure(
        "WriteConflict", code=112, details={"errorLabels": ["TransientTransactionError"]}
    )
    assert is_transient(error)
    assert not is_passing(error)


def test_the_budget_counts_from_the_first_failure():
    clock = Clock()
    waiting = patience(clock, budget=1.0)
    clock.now = 1000.0
    waiting.wait(errors.AutoReconnect("x"))
    assert clock.slept == [0.01]


def test_a_used_up_budget_says_what_to_do():
    clock = Clock()
    waiting = patience(clock, budget=2.0)
    failure = errors.AutoReconnect("no")
    while clock.now < 2.0:
        waiting.wait(failure)
    with pytest.raises(StoreUnavailable, match=r"Store here/p: .* 2 s, last AutoReconnect. Check"):
        waiting.wait(failure)
    assert clock.now == pytest.approx(2.0)


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=40))
def test_pauses_are_bounded_and_never_exceed_the_budget(jitters):
    clock, values = Clock(), iter(jitters)
    waiting = patience(clock, budget=5.0, jitter=lambda: next(values))
    try:
        for _ in jitters:
            waiting.wait(errors.AutoReconnect("x"))
    except StoreUnavailable:
        assert clock.now >= 5.0
    assert clock.now <= 5.0 + 1e-9
    assert max(clock.slept) <= LONGEST_PAUSE_SECONDS


def test_a_long_outage_is_told_once(caplog):
    clock = Clock()
    waiting = patience(clock, budget=60.0)

    while clock.now < 2:
        assert not caplog.messages
        waiting.wait(errors.ServerSelectionTimeoutError("no"))
    while clock.now < 50:
        waiting.wait(errors.ServerSelectionTimeoutError("no"))

    said = "Store here/p: no success yet, last ServerSelectionTimeoutError; trying on for 58 s."
    assert caplog.messages == [said]
