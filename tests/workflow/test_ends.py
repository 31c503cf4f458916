"""Ends that are written together; each alone is tested with the claims."""

from __future__ import annotations

import pytest

from tensorlayer.workflow.claims import Claims
from tensorlayer.workflow.tasks import Status


@pytest.fixture
def claims(store):
    return Claims(store, owner="a", host="h")


@pytest.fixture
def claim(hub, claims):
    """Return a function that claims so many tasks at once."""

    def some(n_tasks, **options):
        for n in range(n_tasks):
            hub.workflow.submit("my.tasks:train", n, **options)
        return claims.claim_some(["default"], n_tasks, lease_seconds=60.0)

    return some


def states(hub):
    return sorted(task.state.value for task in hub.workflow.tasks())


def test_tasks_that_are_given_back_keep_their_place_and_their_tries(hub, claims, claim):
    held = claim(4)

    claims.release_all(held[1:])

    for task in hub.workflow.tasks(state="waiting"):
        assert (task.errors, task.crashes, task.interruptions) == (0, 0, 0)
        assert task.history[-1]["event"] == "released"
    late = hub.workflow.submit("my.tasks:train", "late")
    again = claims.claim_some(["default"], 9, lease_seconds=60.0)
    assert [task.id for task in again] == [*(task.id for task in held[1:]), late.id]


def test_one_that_cannot_be_given_back_hinders_no_other(hub, store, claims, claim):
    held = claim(4)
    Claims(store, owner="b", host="h").expire(held[1])
    hub.workflow.cancel(held[2].id)

    claims.release_all(held)

    assert states(hub) == ["cancelled", "waiting", "waiting", "waiting"]


def test_ends_that_cannot_be_together_change_nothing(hub, store, claims, claim):
    held = claim(3)
    Claims(store, owner="b", host="h").expire(held[1])
    with store.staged() as stage:
        ends = [claims.success(task, stage, 1) for task in held]

    assert not claims.end_together(ends)

    assert states(hub) == ["running", "running", "waiting"]
    assert not any(hub.workflow.notifications(task.id) for task in held)


def test_writing_ends_again_is_refused_together_and_found_alone(hub, store, claims, claim):
    """As after a commit whose outcome was never learned."""
    with store.staged() as stage:
        ends = [claims.success(task, stage, 1) for task in claim(3)]
    assert claims.end_together(ends)

    assert not claims.end_together(ends)

    assert [claims.end(each) for each in ends] == [Status.DONE] * 3
    assert all(len(hub.workflow.notifications(each.held.id)) == 1 for each in ends)


def test_those_claimed_together_are_not_blamed_the_first_time(hub, store, claims, claim):
    """Most of them had not begun when their agent died."""
    other = Claims(store, owner="b", host="h")
    for task in claim(3, max_crashes=1):
        assert other.expire(task) is Status.WAITING
    assert [(each.crashes, each.interruptions) for each in hub.workflow.tasks()] == [(0, 1)] * 3

    [again] = claims.claim_some(["default"], 8, lease_seconds=60.0)

    assert not again.lease.is_shared
    assert other.expire(again) is Status.DEAD


def test_several_sessions_are_aborted_at_once(store, claims):
    ids = []
    for _ in range(2):
        with store.client.start_session() as session:
            ids.append(session.session_id["id"].hex())

    claims.abort(*ids)
