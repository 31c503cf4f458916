from __future__ import annotations

import pytest

from tensorlayer.errors import TaskFailed, TaskNotFound, TaskTimeout
from tensorlayer.workflow.claims import Claims
from tensorlayer.workflow.handle import Handle


def test_waiting_in_vain_says_what_the_task_does(hub, tasks):
    handle = hub.workflow.submit(tasks.add, 1, queue="gpu")

    with pytest.raises(TaskTimeout, match=r"is waiting, not ended within 0\.1 s.*queue 'gpu'"):
        handle.wait(0.1)


def test_a_cancelled_task_has_failed(hub, tasks):
    handle = hub.workflow.submit(tasks.add, 1)
    handle.cancel()

    with pytest.raises(TaskFailed, match=r"is cancelled.*handle\.requeue"):
        handle.wait(1)


def test_a_task_that_is_gone_is_not_found(hub):
    with pytest.raises(TaskNotFound, match="There is no task 'nowhere'"):
        Handle(hub.workflow, "nowhere").status()


def test_waiting_ends_with_the_task(hub, store, tasks):
    from threading import Timer

    handle = hub.workflow.submit(tasks.add, 1)
    claims = Claims(store, owner="a", host="h")
    held = claims.claim(["default"], lease_seconds=10.0)
    with store.staged() as stage:
        Timer(0.2, lambda: claims.end(claims.success(held, stage, "at last"))).start()

        assert handle.wait(10) == "at last"
