from __future__ import annotations

import datetime
import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from tensorlayer.errors import InvalidArgument, InvalidName, TaskError, TaskNotFound
from tensorlayer.workflow import queue
from tensorlayer.workflow.claims import Claims
from tensorlayer.workflow.queue import identity
from tensorlayer.workflow.tasks import Status


def test_the_same_task_has_one_handle(hub, tasks):
    first = hub.workflow.submit(tasks.add, 1, b=2)

    assert hub.workflow.submit(tasks.add, 1, b=2) == first
    assert hub.workflow.submit("sample_tasks:add", 1, b=2) == first
    assert len(hub.workflow.tasks()) == 1


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((2,), {"b": 2}), ((1,), {"b": 3}), ((1, 2), {}), ((1,), {"b": 2, "output": "o"})],
)
def test_another_task_has_another_handle(hub, tasks, args, kwargs):
    first = hub.workflow.submit(tasks.add, 1, b=2)

    assert hub.workflow.submit(tasks.add, *args, **kwargs) != first


def test_rerun_is_a_new_task_and_then_the_newest(hub, tasks):
    first = hub.workflow.submit(tasks.add, 1)

    again = hub.workflow.submit(tasks.add, 1, rerun=True)

    assert again != first
    assert again.task().identity == first.task().identity
    assert hub.workflow.submit(tasks.add, 1) == again


def test_what_was_marked_holds_unless_it_is_chosen(hub, tasks):
    marked = hub.workflow.submit(tasks.crashes, "x").task()
    chosen = hub.workflow.submit(tasks.crashes, "y", max_crashes=9, run_timeout_seconds=5.0).task()

    assert (marked.max_attempts, marked.max_crashes, marked.run_timeout_seconds) == (3, 2, None)
    assert (chosen.max_attempts, chosen.max_crashes, chosen.run_timeout_seconds) == (3, 9, 5.0)


def test_wrong_submissions_are_refused_and_leave_nothing(hub, tasks):
    with pytest.raises(InvalidArgument, match="is not a task"):
        hub.workflow.submit(tasks.unmarked)
    with pytest.raises(InvalidArgument, match="missing a required argument: 'a'"):
        hub.workflow.submit(tasks.add)
    with pytest.raises(InvalidArgument, match="a object cannot be stored"):
        hub.workflow.submit(tasks.add, object())
    with pytest.raises(InvalidArgument, match="max_attempts must be at least 1"):
        hub.workflow.submit(tasks.add, 1, max_attempts=0)
    with pytest.raises(InvalidName, match="queue"):
        hub.workflow.submit(tasks.add, 1, queue="$where")
    with pytest.raises(InvalidName, match="model"):
        hub.workflow.submit(tasks.add, 1, model="../x")

    assert hub.workflow.tasks() == []


def test_large_arguments_are_committed_blobs(hub, tasks):
    handle = hub.workflow.submit(tasks.add, np.ones(100_000))

    assert len(handle.task().blobs) == 1
    assert hub.store.blobs.sweep(grace_seconds=-1.0) == 0


def test_a_waiting_task_is_cancelled_at_once(hub, tasks):
    handle = hub.workflow.submit(tasks.add, 1)

    assert handle.cancel() is Status.CANCELLED

    assert handle.status() is Status.CANCELLED
    assert [each.state for each in hub.workflow.notifications(handle.id)] == [Status.CANCELLED]
    assert handle.cancel() is Status.CANCELLED


def test_requeue_gives_new_tries(hub, store, tasks):
    handle = hub.workflow.submit(tasks.add, 1, max_attempts=1)
    claims = Claims(store, owner="a", host="h")
    hub.database["tasks"].update_one({}, {"$set": {"interruptions": 10}})
    claims.fail(claims.claim(["default"], lease_seconds=10.0), "reason")
    assert handle.status() is Status.DEAD

    assert handle.requeue() is Status.WAITING

    task = handle.task()
    assert task.interruptions == 0
    assert (task.errors, task.crashes, task.cancel, task.finished) == (0, 0, False, None)
    assert claims.claim(["default"], lease_seconds=10.0).id == handle.id


def test_each_end_has_its_notification_after_a_requeue_too(hub, tasks):
    handle = hub.workflow.submit(tasks.add, 1)

    for _ in range(2):
        handle.cancel()
        handle.requeue()

    assert len(hub.workflow.notifications(handle.id)) == 2


def test_a_done_task_cannot_be_requeued(hub, store, tasks):
    handle = hub.workflow.submit(tasks.add, 1)
    claims = Claims(store, owner="a", host="h")
    with store.staged() as stage:
        held = claims.claim(["default"], lease_seconds=10.0)
        claims.end(claims.success(held, stage, 1))

    with pytest.raises(TaskError, match=r"is done.*rerun=True"):
        handle.requeue()


def test_requeue_of_a_waiting_task_changes_nothing(hub, tasks):
    handle = hub.workflow.submit(tasks.add, 1)
    before = handle.task()

    assert handle.requeue() is Status.WAITING
    assert handle.task() == before


def test_handles_are_found_by_the_beginning_of_their_id(hub, tasks):
    handle = hub.workflow.submit(tasks.add, 1)

    assert hub.workflow.handle(handle.id) == handle
    assert hub.workflow.handle(handle.id[:6]) == handle


@pytest.mark.parametrize("wrong", ["", "abc", "0" * 33, "$ne", "zzzzzz", "ffffffffff"])
def test_unknown_ids_are_refused(hub, wrong):
    with pytest.raises(TaskNotFound, match="no id begins like this"):
        hub.workflow.handle(wrong)


def test_ambiguous_ids_are_named(hub, store, tasks):
    document = hub.workflow.submit(tasks.add, 1).task().to_document()
    ids = ["abcd" + "0" * 28, "abcd" + "1" * 28]
    store.database["tasks"].insert_many([{**document, "_id": each} for each in ids])

    with pytest.raises(TaskNotFound, match=f"it could be {ids[0]}, {ids[1]}"):
        hub.workflow.handle("abcd")


def test_tasks_of_a_state_and_queue(hub, tasks):
    waiting = hub.workflow.submit(tasks.add, 1, queue="gpu")
    hub.workflow.submit(tasks.add, 2).cancel()

    assert [task.id for task in hub.workflow.tasks(queue="gpu")] == [waiting.id]
    assert [task.id for task in hub.workflow.tasks(state="waiting")] == [waiting.id]
    assert len(hub.workflow.tasks(limit=1)) == 1


def test_an_ended_task_is_deleted_with_what_belongs_to_it(hub, store, tasks):
    kept = hub.workflow.submit(tasks.add, 2)
    handle = hub.workflow.submit(tasks.add, np.zeros(100_000))
    kept.cancel(), handle.cancel()
    assert store.database["blobs.files"].count_documents({}) == 1

    hub.workflow.delete(handle.id)

    assert [each.id for each in hub.workflow.tasks()] == [kept.id]
    assert hub.workflow.notifications(handle.id) == []
    assert len(hub.workflow.notifications(kept.id)) == 1
    assert store.database["blobs.files"].count_documents({}) == 0
    assert store.database["blobs.chunks"].count_documents({}) == 0
    with pytest.raises(TaskNotFound):
        hub.workflow.delete(handle.id)
    again = hub.workflow.submit(tasks.add, np.zeros(100_000))
    assert again.status() is Status.WAITING, "it can be done again"


def test_what_has_not_ended_is_not_deleted(hub, store, tasks):
    handle = hub.workflow.submit(tasks.add, 1)
    with pytest.raises(TaskError, match=r"is waiting\. End it first: `tl tasks cancel"):
        hub.workflow.delete(handle.id)
    Claims(store, owner="a", host="h").claim(
        ["default"], lease_seconds=60.0, modules=["sample_tasks"]
    )
    with pytest.raises(TaskError, match="is running"):
        hub.workflow.delete(handle.id)
    assert len(hub.workflow.tasks()) == 1


@pytest.mark.parametrize("damage", [{"state": "none"}, {"state": "dead", "blobs": 3}])
def test_a_broken_task_can_be_deleted(hub, store, tasks, damage):
    handle = hub.workflow.submit(tasks.add, 1)
    store.database["tasks"].update_one({"_id": handle.id}, {"$set": {**damage, "queue": 7}})
    hub.workflow.delete(handle.id)
    assert hub.workflow.tasks() == []


DIFFERENT = [
    1,
    1.0,
    True,
    "1",
    b"1",
    None,
    [1],
    (1,),
    [[1]],
    [1, 1],
    {"a": 1},
    {"a": [1]},
    np.array(1),
    np.array([1]),
    np.array([[1]]),
    np.array([1], np.float32),
    np.array([1, 0], np.int8),
    np.float32(1),
    datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc),
    "",
    [],
    {},
    [""],
]


def test_different_arguments_are_different_tasks():
    digests = [identity("m:f", (value,)) for value in DIFFERENT]

    for (a, one), (b, other) in itertools.combinations(zip(DIFFERENT, digests, strict=True), 2):
        assert one != other, (a, b)


def test_where_an_argument_stands_matters():
    different = {
        identity("m:f", (1, 2)),
        identity("m:f", (2, 1)),
        identity("m:f", (1,), {"b": 2}),
        identity("m:g", (1, 2)),
        identity("m:f", (1, 2), input="2"),
        identity("m:f", (1, 2), output="2"),
        identity("m:f", ("1", "2")),
        identity("m:f", ("12",)),
    }

    assert len(different) == 8


def test_order_of_keys_and_layout_of_arrays_do_not_matter():
    array = np.arange(6, dtype=">i4").reshape(2, 3)

    one = identity("m:f", (array,), {"a": 1, "b": float("nan")})
    other = identity("m:f", (np.asfortranarray(array.astype("<i4")),), {"b": float("nan"), "a": 1})

    assert one == other


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({1, 2}, r"m:f args\[0\]: a set cannot be stored"),
        ([object()], r"m:f args\[0\]\[0\]: a object cannot be stored"),
        ({"a": {2: 1}}, r"m:f args\[0\]\['a'\]: the key 2 is not a str"),
        (np.array([None]), r"m:f args\[0\]: array of dtype object"),
        (["\ud800"], r"m:f args\[0\]\[0\]: the text is not valid Unicode"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_its_place(value, message):
    with pytest.raises(InvalidArgument, match=message):
        identity("m:f", (value,))


def test_the_identity_is_the_same_for_ever():
    """These digits are the ids of tasks in databases that exist; they must not change."""
    args = (1, 2.5, "a", b"b", None, True, (1, [2]), np.arange(3, dtype=">i2"), np.float32(1))
    found = identity("m:f", args, {"b": {"x": 1}, "a": -0.0}, input="i", output="o")
    assert found == "e8e381e10c9347bcff9991a5d5e11d74930726df29e4225ceaa734f74bf545e3"


def test_the_page_names_every_file_below_those_that_it_imports():
    """Who reads in this order meets nothing that was not explained before."""
    package = Path(queue.__file__).parent
    page = (Path(__file__).parents[2] / "docs" / "workflow" / "queue.md").read_text()
    order = [
        name for row in re.findall(r"^\|.*\|$", page, re.M) for name in re.findall(r"`(\w+)`", row)
    ]

    assert sorted(order) == sorted(p.stem for p in package.glob("*.py") if p.stem != "__init__")
    for place, name in enumerate(order):
        source = (package / f"{name}.py").read_text()
        at_once = re.findall(r"^from tensorlayer\.workflow\.(\w+) import", source, re.M)
        for modules in re.findall(r"^from tensorlayer\.workflow import (.+)$", source, re.M):
            at_once += modules.split(", ")
        assert set(at_once) <= set(order[:place]), name
