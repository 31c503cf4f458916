"""Tasks that are claimed ahead, and whose ends are written while others run, in real processes."""

from __future__ import annotations

import datetime
import os
import signal
import time
from collections import Counter

import pytest

from tensorlayer.errors import TaskFailed
from tensorlayer.workflow.tasks import Status


@pytest.fixture
def submit(hub, tasks, tmp_path):
    """Return a function that submits so many tasks that tell of themselves."""

    def some(n_tasks, first=0):
        names = range(first, first + n_tasks)
        return [hub.workflow.submit(tasks.tells, str(tmp_path), n) for n in names]

    return some


@pytest.fixture
def order(tmp_path):
    """Return a function that gives what ran, in order, and in which processes."""

    def read():
        lines = (tmp_path / "order").read_text().split()
        return [int(n) for n in lines[::2]], [int(pid) for pid in lines[1::2]]

    return read


def wait_for(hub, n_done, eventually):
    done = {"state": "done"}
    eventually(lambda: hub.database["tasks"].count_documents(done) >= n_done, 60)


def test_many_run_in_order_in_one_process_each_once(
    hub, start_agent, submit, order, outputs, eventually
):
    handles = submit(150)
    start_agent(hub)
    wait_for(hub, 150, eventually)

    names, pids = order()
    assert names == list(range(150))
    assert len(set(pids)) == 1
    assert len(outputs()) == 150
    assert [each.wait(1) for each in handles] == list(range(150))
    assert all(len(hub.workflow.notifications(each.id)) == 1 for each in handles)


def test_two_agents_share_the_work(hub, start_agent, submit, order, outputs, eventually):
    for _ in range(2):
        start_agent(hub, "--slots", 2)
    submit(400)
    wait_for(hub, 400, eventually)

    names, _ = order()
    assert sorted(names) == list(range(400))
    assert len(outputs()) == 400
    by = Counter(task.history[-1]["by"] for task in hub.workflow.tasks(limit=400))
    assert len(by) == 2


def test_one_that_is_refused_harms_no_other_and_ends_the_process(
    hub, start_agent, tasks, submit, order, eventually
):
    hub.database["twice"].insert_one({"_id": 1})
    before = submit(20)
    refused = hub.workflow.submit(tasks.stages_what_is_there, 1, max_attempts=1)
    after = submit(20, first=20)
    start_agent(hub)

    with pytest.raises(TaskFailed, match=r"1 errors and 0 crashes.*DuplicateKeyError"):
        refused.wait(30)
    assert [each.wait(30) for each in before + after] == list(range(40))

    last = submit(1, first=40)[0]
    last.wait(30)
    _, pids = order()
    assert pids[0] != pids[-1]
    assert hub.database["outputs"].count_documents({}) == 41


def warm(hub, tasks, n_tasks=5):
    """Have some tasks run, after which an agent claims ahead."""
    for n in range(n_tasks):
        hub.workflow.submit(tasks.add, n, b=-1).wait(15)


def two_in_one_process(hub, tasks, tmp_path, eventually):
    """Return a task whose end is being written, and one that runs in the same process."""
    ending = hub.workflow.submit(tasks.commits_slowly, str(tmp_path), 1)
    eventually((tmp_path / "ending-1-1").exists)
    running = hub.workflow.submit(tasks.gated, str(tmp_path), max_crashes=1)
    eventually((tmp_path / "started-1").exists)
    pid = int((tmp_path / "started-1").read_text())
    assert int((tmp_path / "ending-1-1").read_text()) == pid
    return ending, running, pid


def test_killed_between_the_end_of_a_function_and_its_commit(
    hub, start_agent, tasks, tmp_path, outputs, eventually
):
    start_agent(hub)
    warm(hub, tasks)
    ending, running, pid = two_in_one_process(hub, tasks, tmp_path, eventually)

    os.kill(pid, signal.SIGKILL)

    eventually(lambda: ending.task().interruptions == running.task().interruptions == 1)
    (tmp_path / "go").touch()
    assert (ending.wait(30), running.wait(30)) == (1, 2)
    assert outputs() == [2, 2]
    for each in (ending, running):
        assert (each.task().crashes, each.task().errors) == (0, 0)
        assert [note.state for note in hub.workflow.notifications(each.id)] == [Status.DONE]


def test_a_cancel_while_the_end_is_written_stops_nobody_else(
    hub, start_agent, tasks, tmp_path, outputs, eventually
):
    start_agent(hub, "--cancel-grace-seconds", 0.1, "--kill-grace-seconds", 0.1)
    warm(hub, tasks)
    ending, other, _ = two_in_one_process(hub, tasks, tmp_path, eventually)
    other.cancel()

    with pytest.raises(TaskFailed, match="is cancelled"):
        other.wait(15)
    (tmp_path / "go").touch()

    assert ending.wait(30) == 1
    assert ending.task().crashes == 0
    assert len(outputs()) == 1


def test_a_drain_lets_what_is_ending_end_and_gives_the_rest_back(
    hub, start_agent, tasks, tmp_path, submit, outputs, eventually
):
    agent = start_agent(hub)
    warm(hub, tasks)
    ending, running, _ = two_in_one_process(hub, tasks, tmp_path, eventually)
    waiting = submit(10)

    agent.send(signal.SIGTERM)
    (tmp_path / "go").touch()

    assert agent.process.wait(20) == 0
    assert (ending.status(), running.status()) == (Status.DONE, Status.DONE)
    for each in waiting:
        task = each.task()
        assert (task.state, task.errors, task.crashes) == (Status.WAITING, 0, 0)
        assert task.interruptions == 0
    assert outputs() == [1, 1]


def test_what_waits_behind_a_long_task_is_given_back_uncounted(
    hub, start_agent, tasks, tmp_path, submit, eventually
):
    start_agent(hub)
    warm(hub, tasks)
    long = hub.workflow.submit(tasks.gated, str(tmp_path))
    after = submit(20)
    eventually((tmp_path / "started-1").exists)

    start_agent(hub)

    assert [each.wait(20) for each in after] == list(range(20))
    assert all((each.task().crashes, each.task().interruptions) == (0, 0) for each in after)
    (tmp_path / "go").touch()
    assert long.wait(15) == 1


def test_an_agent_that_dies_under_many_loses_none_and_doubles_none(
    hub, start_agent, submit, outputs, eventually
):
    first = start_agent(hub)
    handles = submit(200)
    wait_for(hub, 30, eventually)

    first.send(signal.SIGKILL)
    start_agent(hub)

    assert [each.wait(30) for each in handles] == list(range(200))
    assert len(outputs()) == 200
    assert all(each.task().errors == 0 for each in handles)


def test_a_slow_commit_of_several_costs_no_lease_of_another(
    hub, start_agent, tasks, tmp_path, submit, eventually
):
    submit(10)
    together = [hub.workflow.submit(tasks.commits_slowly, str(tmp_path), n) for n in range(8)]
    running = hub.workflow.submit(tasks.gated, str(tmp_path))
    start_agent(hub, "--lease-seconds", 6)  # more than a loaded machine keeps a beat waiting
    eventually((tmp_path / "started-1").exists)
    began = running.task().lease.expires

    two_beats = datetime.timedelta(seconds=3.2)
    eventually(lambda: running.task().lease.expires - began > two_beats, 5.4)

    (tmp_path / "go").touch()
    assert [each.wait(30) for each in together] == list(range(8))
    assert running.wait(30) == running.task().attempt == 1


def test_a_commit_that_takes_longer_than_a_lease_is_no_crash(
    hub, start_agent, tasks, tmp_path, outputs, eventually
):
    """The task is locked meanwhile, so no beat passes; another agent looks on."""
    first, _ = start_agent(hub), start_agent(hub, "--queues", "other")
    handle = hub.workflow.submit(tasks.commits_slowly, str(tmp_path), 1)
    eventually((tmp_path / "ending-1-1").exists)

    over = time.monotonic() + 4 * first.LEASE_SECONDS
    eventually(lambda: time.monotonic() > over)
    (tmp_path / "go").touch()

    assert handle.wait(30) == 1
    task = handle.task()
    assert (task.attempt, task.crashes, task.interruptions) == (1, 0, 0)
    assert outputs() == [1]
