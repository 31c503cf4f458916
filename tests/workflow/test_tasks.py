from __future__ import annotations

import dataclasses
import datetime
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorlayer.errors import Corrupt, InvalidArgument
from tensorlayer.workflow.tasks import TRANSITIONS, Backoff, Lease, Status, Task

NOW = datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.timezone.utc)


def make_task(**changes):
    task = Task(id="ab" * 16, identity="cd", function="m:f", created=NOW, not_before=NOW)
    return dataclasses.replace(task, **changes)


def test_every_state_has_its_transitions():
    assert set(TRANSITIONS) == set(Status)
    assert set().union(*TRANSITIONS.values()) <= set(Status)


def test_only_waiting_and_running_are_not_final():
    assert {state for state in Status if not state.is_final} == {Status.WAITING, Status.RUNNING}


def test_a_done_task_stays_done():
    assert TRANSITIONS[Status.DONE] == frozenset()


def test_every_end_but_success_leads_back():
    again = {state for state, following in TRANSITIONS.items() if Status.WAITING in following}

    assert again == {Status.RUNNING, Status.DEAD, Status.CANCELLED}


@pytest.mark.parametrize("state", list(Status))
def test_documents_round_trip(state):
    lease = Lease(owner="a", host="h", token="t", seconds=1.5, expires=NOW, suspect=NOW)
    task = make_task(state=state, lease=lease, history=({"event": "claimed"},), blobs=("b",))

    assert Task.from_document(task.to_document()) == task


def test_fields_of_later_versions_are_ignored():
    document = {**make_task().to_document(), "priority": 7}

    assert Task.from_document(document) == make_task()


def test_a_document_says_its_version_and_its_module():
    document = make_task().to_document()

    assert (document["schema"], document["module"]) == (1, "m")
    assert "broken" not in document


def test_missing_fields_take_their_defaults():
    document = {"_id": "ab" * 16, "function": "m:f", "state": "waiting", "created": NOW}

    task = Task.from_document({**document, "errors": None})

    assert task == Task(id="ab" * 16, function="m:f", created=NOW, not_before=NOW)


def test_what_is_no_task_is_listed_as_such():
    broken = Task.listed({"_id": 7, "function": "m:f", "state": "dead", "created": 3})

    assert (broken.id, broken.function, broken.state) == ("7", "m:f", Status.DEAD)
    assert broken.broken == "document 7 of 'tasks': 'id' must be a text, got 7."


def test_what_runs_needs_a_lease():
    document = make_task(state=Status.RUNNING).to_document()

    with pytest.raises(Corrupt, match="nobody holds a lease"):
        Task.from_document(document)


def test_the_last_failure_is_the_newest_event_with_a_reason():
    task = make_task(history=({"reason": "first"}, {"reason": "second"}, {"event": "claimed"}))

    assert task.last_failure == {"reason": "second"}
    assert make_task().last_failure is None


@pytest.mark.parametrize(
    ("state", "progress", "fraction"),
    [
        (Status.WAITING, None, 0.0),
        (Status.RUNNING, {"fraction": 0.25, "message": ""}, 0.25),
        (Status.DONE, {"fraction": 0.8, "message": "the last report"}, 1.0),
        (Status.DONE, None, 1.0),
    ],
)
def test_a_done_task_has_come_all_the_way(state, progress, fraction):
    assert make_task(state=state, progress=progress).fraction == fraction


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
    task = make_task(errors=errors, crashes=crashes, max_attempts=3, max_crashes=2)

    assert task.is_exhausted is expected
