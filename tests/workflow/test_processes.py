"""The processes around a task: which child runs it, and that none is left behind."""

from __future__ import annotations

import os
import signal

import pytest

from tensorlayer.errors import TaskFailed
from tests.servers import wait_until


@pytest.fixture
def pid_of(hub, tasks):
    """Return a function that gives the process in which tasks run now."""
    return lambda n: hub.workflow.submit(tasks.describe, input=f"n{n}").wait(15)["pid"]


def test_closing_the_hub_of_a_task_closes_nothing(hub, start_agent, tasks, pid_of):
    start_agent(hub)

    pid = hub.workflow.submit(tasks.closes_its_hub).wait(10)

    assert hub.database["events"].count_documents({}) == 1, "it is flushed"
    assert pid_of(1) == pid, "the child goes on"


def test_a_child_whose_output_was_closed_is_not_used_again(hub, start_agent, tasks, pid_of):
    start_agent(hub)

    pid = hub.workflow.submit(tasks.closes_its_output).wait(10)

    assert pid_of(1) != pid


def test_a_child_whose_task_failed_is_not_used_again(hub, start_agent, tasks, tmp_path, pid_of):
    start_agent(hub)

    with pytest.raises(TaskFailed, match="after all"):
        hub.workflow.submit(tasks.fails_after_a_log, str(tmp_path)).wait(10)

    assert pid_of(1) != int((tmp_path / "started").read_text())
    assert hub.database["events"].count_documents({}) == 1, "what was logged is kept"


def test_a_requeued_task_is_not_told_of_the_old_cancel(hub, start_agent, tasks, tmp_path, pid_of):
    start_agent(hub)
    handle = hub.workflow.submit(tasks.polite, str(tmp_path))
    wait_until((tmp_path / "started").exists)
    handle.cancel()
    with pytest.raises(TaskFailed, match="is cancelled"):
        handle.wait(10)
    (tmp_path / "started").unlink()

    handle.requeue()

    wait_until((tmp_path / "started").exists)
    pid = int((tmp_path / "started").read_text())
    with pytest.raises(TimeoutError):
        handle.wait(1.0)
    assert os.getpgid(pid) == pid
    assert handle.status().value == "running"


@pytest.mark.parametrize("victim", ["agent", "child"])
def test_what_a_task_has_started_dies_with_it(
    hub, start_agent, tasks, tmp_path, eventually, is_gone, victim
):
    agent = start_agent(hub)
    hub.workflow.submit(tasks.leaves_processes, str(tmp_path), max_crashes=1)
    file = tmp_path / "pids"
    pids = [int(pid) for pid in eventually(lambda: file.exists() and file.read_text().split())]
    [child] = {os.getpgid(pid) for pid in pids} - {pids[1]}

    os.kill(agent.pid if victim == "agent" else child, signal.SIGKILL)

    eventually(lambda: all(map(is_gone, [*pids, child])), 5)


def test_a_child_that_is_stopped_is_replaced(hub, start_agent, tasks, tmp_path, eventually):
    agent = start_agent(hub)
    handle = hub.workflow.submit(tasks.gated, str(tmp_path))
    file = tmp_path / "started-1"
    child = int(eventually(lambda: file.exists() and file.read_text()))

    os.kill(child, signal.SIGSTOP)

    eventually((tmp_path / "started-2").exists)
    (tmp_path / "go").touch()
    assert handle.wait(10) == 2
    assert handle.task().crashes == 1
    assert "SIGSTOP" in handle.task().last_failure["reason"]
    assert agent.process.poll() is None


def test_a_child_that_only_works_hard_is_left_alone(hub, start_agent, tasks):
    start_agent(hub)

    handle = hub.workflow.submit(tasks.holds_the_interpreter, 3.0)  # more than two leases

    assert handle.wait(20) == 1
    assert handle.task().crashes == 0


def test_no_task_waits_behind_a_long_one(hub, start_agent, tasks, tmp_path):
    """Short ones are claimed ahead, so one is held when a long one begins."""
    start_agent(hub)
    for n in range(5):
        hub.workflow.submit(tasks.add, n)
    handle = hub.workflow.submit(tasks.gated, str(tmp_path))
    after = hub.workflow.submit(tasks.add, 77)
    wait_until((tmp_path / "started-1").exists)

    start_agent(hub)

    assert after.wait(10) == 78
    assert after.task().crashes == 0
    (tmp_path / "go").touch()
    assert handle.wait(10) == 1


def test_a_child_that_hangs_up_is_replaced(hub, start_agent, tasks, pid_of):
    start_agent(hub)

    pid = hub.workflow.submit(tasks.closes_the_line).wait(15)

    assert pid_of(1) != pid
