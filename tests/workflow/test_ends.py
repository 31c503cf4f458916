"""The fence, ends that are written together, tries and releases, on a real database."""

from __future__ import annotations

import random

import pytest

from tensorlayer.errors import LeaseLost
from tensorlayer.workflow.claims import Claims
from tensorlayer.workflow.ends import End
from tensorlayer.workflow.tasks import Backoff, Status


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


@pytest.fixture
def agent(store):
    """Return a function that makes claims whose failures wait for nothing."""
    at_once = Backoff(base_seconds=0.0, cap_seconds=0.0)
    return lambda owner="a": Claims(store, owner=owner, host="here", backoff=at_once)


@pytest.fixture
def output(store):
    """Return a function that stages one document, and one that counts what is visible."""
    outputs = store.database["outputs"]
    store.database.create_collection("outputs")

    def stage():
        with store.staged() as stage:
            store.commit(lambda session: outputs.insert_one({}, session=session))
        return stage

    stage.count = lambda: outputs.count_documents({})
    return stage


def submit(hub, **options):
    return hub.workflow.submit("my.tasks:train", 0, **options)


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


def test_errors_and_crashes_have_limits_of_their_own(hub, agent):
    handle = submit(hub, max_attempts=2, max_crashes=2)
    claims = agent()

    def attempt(end):
        return getattr(claims, end)(claims.claim(["default"], lease_seconds=10.0), "reason")

    assert [attempt(end) for end in ("fail", "crash")] == [Status.WAITING] * 2
    assert attempt("fail") is Status.DEAD
    assert (handle.task().errors, handle.task().crashes) == (2, 1)
    assert [each.state for each in hub.workflow.notifications(handle.id)] == [Status.DEAD]


def test_a_release_counts_nothing(hub, agent):
    handle = submit(hub, max_attempts=1, max_crashes=1)
    claims = agent()

    for _ in range(5):
        claims.release(claims.claim(["default"], lease_seconds=10.0))

    task = handle.task()
    assert (task.state, task.attempt, task.errors, task.crashes) == (Status.WAITING, 5, 0, 0)


def test_a_release_for_a_reason_is_counted_and_waits(hub, store):
    handle = submit(hub, max_attempts=1, max_crashes=1)
    claims = Claims(store, owner="a", host="h", backoff=Backoff(base_seconds=300.0))

    claims.release(claims.claim(["default"], lease_seconds=10.0), "the database was away")

    task = handle.task()
    assert (task.state, task.interruptions, task.errors, task.crashes) == (Status.WAITING, 1, 0, 0)
    assert task.not_before > store.now()
    assert task.last_failure["reason"] == "the database was away"
    assert claims.claim(["default"], lease_seconds=10.0) is None


def test_releases_for_a_reason_are_bounded(hub, agent):
    handle = submit(hub)
    claims = agent()

    while (task := claims.claim(["default"], lease_seconds=10.0)) is not None:
        claims.release(task, "the database was away")

    assert handle.status() is Status.DEAD
    assert handle.task().interruptions == 11


def test_ends_with_and_without_outputs_share_one_transaction(hub, store, claims, claim):
    first, second = claim(2)
    outputs = store.database.create_collection("outputs")
    with store.staged() as stage:
        store.commit(lambda session: outputs.insert_one({}, session=session))
    back = End(held=second, status=Status.WAITING, event={"event": "released"})

    assert claims.end_together([claims.success(first, stage, 1), back])

    assert states(hub) == ["done", "waiting"]
    assert outputs.count_documents({}) == 1


def test_finish_makes_everything_visible_at_once(hub, agent, output):
    handle = submit(hub)
    claims = agent()
    task = claims.claim(["default"], lease_seconds=10.0)
    stage = output()
    assert output.count() == 0

    assert claims.end(claims.success(task, stage, {"loss": 0.5})) is Status.DONE

    assert output.count() == 1
    assert handle.wait(1) == {"loss": 0.5}
    [message] = hub.workflow.notifications(handle.id)
    assert (message.state, message.attempt) == (Status.DONE, 1)


def test_finishing_again_changes_nothing(hub, agent, output):
    handle = submit(hub)
    claims = agent()
    task = claims.claim(["default"], lease_seconds=10.0)
    claims.end(claims.success(task, output(), 1))

    assert claims.end(claims.success(task, output(), 2)) is Status.DONE

    assert output.count() == 1
    assert handle.wait(1) == 1
    assert len(hub.workflow.notifications(handle.id)) == 1


@pytest.mark.parametrize("end", ["finish", "fail", "crash", "release", "beat", "read"])
def test_who_lost_the_lease_changes_nothing(hub, agent, output, end):
    handle = submit(hub)
    old, new = agent("old"), agent("new")
    lost = old.claim(["default"], lease_seconds=10.0)
    new.expire(lost)
    held = new.claim(["default"], lease_seconds=10.0)
    before = handle.task()

    calls = {
        "finish": lambda: old.end(old.success(lost, output(), 1)),
        "fail": lambda: old.fail(lost, "late"),
        "crash": lambda: old.crash(lost, "late"),
        "release": lambda: old.release(lost),
        "beat": lambda: old.beat(lost, {"fraction": 0.5, "message": ""}),
        "read": lambda: old.read(lost.id, lost.attempt),
    }
    with pytest.raises(LeaseLost, match="attempt 1 no longer belongs to agent old"):
        calls[end]()

    assert handle.task() == before
    assert output.count() == 0
    assert new.end(new.success(held, output(), 2)) is Status.DONE


def test_the_same_agent_cannot_write_under_an_older_attempt(hub, agent, output):
    submit(hub)
    claims = agent()
    first = claims.claim(["default"], lease_seconds=10.0)
    claims.release(first)
    second = claims.claim(["default"], lease_seconds=10.0)

    with pytest.raises(LeaseLost):
        claims.end(claims.success(first, output(), 1))

    assert second.attempt == first.attempt + 1
    assert output.count() == 0


@pytest.mark.parametrize("end", ["finish", "fail", "crash", "release"])
def test_a_cancelled_task_ends_as_cancelled_however_it_ends(hub, agent, output, end):
    handle = submit(hub)
    claims = agent()
    task = claims.claim(["default"], lease_seconds=10.0)
    handle.cancel()

    calls = {
        "finish": lambda: claims.end(claims.success(task, output(), 1)),
        "fail": lambda: claims.fail(task, "reason"),
        "crash": lambda: claims.crash(task, "reason"),
        "release": lambda: claims.release(task),
    }

    assert calls[end]() is Status.CANCELLED
    assert handle.status() is Status.CANCELLED
    assert output.count() == 0


def test_a_failed_attempt_waits(hub, store):
    submit(hub)
    patient = Claims(
        store, owner="a", host="h", backoff=Backoff(base_seconds=300.0), rng=random.Random(1)
    )

    patient.fail(patient.claim(["default"], lease_seconds=10.0), "reason")

    assert patient.claim(["default"], lease_seconds=10.0) is None


def test_texts_are_never_taken_for_fields_of_the_document(hub, agent, output):
    handle = submit(hub, max_attempts=1)
    claims = agent()

    claims.fail(claims.claim(["default"], lease_seconds=10.0), "$arguments", traceback="$$ROOT")

    assert handle.task().last_failure["reason"] == "$arguments"
    assert handle.task().last_failure["traceback"] == "$$ROOT"


def test_the_history_is_bounded(hub, agent):
    handle = submit(hub)
    claims = agent()

    for _ in range(15):
        claims.release(claims.claim(["default"], lease_seconds=10.0))

    history = handle.task().history
    assert len(history) == 20
    assert history[-1]["attempt"] == 15
