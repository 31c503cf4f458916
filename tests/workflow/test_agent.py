"""What happens when agents, their children and the server are killed, frozen and told to go."""

from __future__ import annotations

import datetime
import signal
import time

import numpy as np
import psutil
import pytest

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, TaskFailed, TaskTimeout
from tensorlayer.storage.server import PrivateServer
from tensorlayer.workflow.agent import AgentSettings


def test_a_task_is_executed_and_its_result_comes_back(hub, start_agent, tasks):
    start_agent(hub)

    assert hub.workflow.submit(tasks.add, 3, b=4).wait(10) == 7


def test_the_keys_reach_the_function_and_its_context(hub, start_agent, tasks):
    start_agent(hub)

    got = hub.workflow.submit(tasks.describe, input="mnist", model="mlp", output="found").wait(10)

    assert (got["input"], got["model"], got["output"]) == ("mnist", "mlp", "found")


def test_children_stay_warm(hub, start_agent, tasks):
    start_agent(hub)

    pids = {hub.workflow.submit(tasks.describe, input=str(n)).wait(10)["pid"] for n in range(5)}

    assert len(pids) == 1


def test_killed_agent_runs_again_within_a_lease_and_a_half(
    hub, start_agent, tasks, started, outputs, tmp_path, is_gone, eventually
):
    first = start_agent(hub)
    handle = hub.workflow.submit(tasks.gated, str(tmp_path))
    child = started()
    second = start_agent(hub)

    first.send(signal.SIGKILL)
    killed_at = time.monotonic()
    started("started-2")
    took = time.monotonic() - killed_at

    assert eventually(lambda: is_gone(child), 5), "a child outlived its agent"
    assert took <= 1.5 * second.LEASE_SECONDS + second.POLL_SECONDS + 1.0  # the machine may be busy
    assert outputs() == []
    (tmp_path / "go").touch()
    assert handle.wait(10) == 2
    assert outputs() == [2]
    assert handle.task().crashes == 1
    assert "fell silent" in handle.task().last_failure["reason"]


def test_frozen_agent_changes_nothing_when_it_comes_back(
    hub, start_agent, tasks, started, outputs, tmp_path, eventually
):
    first = start_agent(hub)
    handle = hub.workflow.submit(tasks.gated, str(tmp_path))
    started()
    first.send(signal.SIGSTOP)
    start_agent(hub)
    started("started-2")

    (tmp_path / "go-1").touch()  # the child of the frozen agent runs, finishes, and is refused
    eventually(lambda: "LeaseLost" in first.text())
    assert outputs() == []
    (tmp_path / "go-2").touch()
    assert handle.wait(10) == 2
    first.send(signal.SIGCONT)

    assert outputs() == [2]
    eventually(lambda: "no longer belongs" in first.text())
    assert first.process.poll() is None


def test_revived_agent_stops_the_child_that_lost_its_lease(
    hub, start_agent, tasks, started, tmp_path, eventually, is_gone
):
    first = start_agent(hub)
    handle = hub.workflow.submit(tasks.gated, str(tmp_path))
    child = started()
    first.send(signal.SIGSTOP)
    start_agent(hub)
    started("started-2")

    first.send(signal.SIGCONT)

    eventually(lambda: is_gone(child))
    (tmp_path / "go").touch()
    assert handle.wait(10) == 2
    assert "LeaseLost" in first.text()


def test_a_clock_that_jumps_takes_no_task_from_a_living_agent(
    hub, start_agent, tasks, started, tmp_path, eventually
):
    start_agent(hub, "--lease-seconds", 6)
    handle = hub.workflow.submit(tasks.gated, str(tmp_path))
    started()
    start_agent(hub)

    now = hub.store.now()
    hour_ago = now - datetime.timedelta(hours=1)
    jumped = {"lease.expires": hour_ago, "lease.suspect": hour_ago}
    hub.database["tasks"].update_one({"_id": handle.id}, {"$set": jumped})

    eventually(lambda: (lease := handle.task().lease) is None or lease.expires > now)
    (tmp_path / "go").touch()
    assert handle.wait(10) == 1
    assert handle.task().crashes == 0


def test_crashes_are_counted_until_the_dead_letter(hub, start_agent, tasks, outputs, tmp_path):
    agent = start_agent(hub)
    handle = hub.workflow.submit(tasks.crashes, str(tmp_path))

    with pytest.raises(TaskFailed, match=r"0 errors and 2 crashes.*SIGSEGV"):
        handle.wait(20)

    dead = handle.task()
    assert [each["event"] for each in dead.history].count("crashed") == 2
    assert dead.last_failure["host"]
    assert outputs() == []
    assert hub.workflow.submit(tasks.add, 1).wait(10) == 2, "the agent lives and the queue flows"
    assert agent.process.poll() is None


def test_requeued_task_gets_new_tries(hub, start_agent, tasks, outputs, tmp_path):
    start_agent(hub)
    handle = hub.workflow.submit(tasks.crashes, str(tmp_path), max_crashes=1)
    with pytest.raises(TaskFailed, match=r"handle.requeue"):
        handle.wait(20)

    (tmp_path / "mended").touch()
    handle.requeue()

    assert handle.wait(10) == "mended"
    assert len(outputs()) == 1
    states = [each.state.value for each in hub.workflow.notifications(handle.id)]
    assert states == ["dead", "done"]


def test_killed_in_its_commit_is_done_exactly_once(hub, start_agent, tasks, outputs):
    start_agent(hub)
    handle = hub.workflow.submit(tasks.dies_in_its_commit)

    assert handle.wait(90) == 2
    assert outputs() == [2]
    assert [each.state.value for each in hub.workflow.notifications(handle.id)] == ["done"]


def test_what_a_dead_machine_locks_costs_nobody_else_a_lease(
    hub, start_agent, tasks, started, outputs, tmp_path
):
    """Its transaction is open and would stay so for a minute."""
    first = start_agent(hub)
    handle = hub.workflow.submit(tasks.dies_with_its_agent_in_its_commit)
    first.process.wait(20)
    start_agent(hub, "--slots", 2)
    other = hub.workflow.submit(tasks.gated, str(tmp_path))
    started()

    assert handle.wait(10) == 2
    (tmp_path / "go").touch()
    assert other.wait(10) == 1, "the other task was never disturbed"
    assert sorted(outputs()) == [1, 2]


def test_errors_are_retried_and_only_the_success_is_visible(
    hub, start_agent, tasks, outputs, tmp_path
):
    start_agent(hub)
    handle = hub.workflow.submit(tasks.fails, str(tmp_path), 3)

    assert handle.wait(20) == "luck"
    assert outputs() == [3]
    assert (handle.task().errors, handle.task().crashes) == (2, 0)


def test_dead_letter_tells_the_remote_error(hub, start_agent, tasks, tmp_path):
    start_agent(hub)
    handle = hub.workflow.submit(tasks.fails, str(tmp_path), 9, max_attempts=1)

    with pytest.raises(TaskFailed, match=r"(?s)ValueError: no luck in attempt 1.*in fails"):
        handle.wait(10)


def test_an_error_that_is_not_worth_it_is_final(hub, start_agent, tasks):
    start_agent(hub)

    with pytest.raises(TaskFailed, match=r"dead after 1 errors.*not worth another try"):
        hub.workflow.submit(tasks.fails_for_good).wait(10)


@pytest.mark.parametrize(
    ("name", "said"), [("exits", "SystemExit: enough"), ("is_cancelled_inside", "CancelledError")]
)
def test_a_task_that_leaves_does_not_take_the_child_with_it(hub, start_agent, tasks, name, said):
    start_agent(hub)

    with pytest.raises(TaskFailed, match=rf"1 errors and 0 crashes.*{said}"):
        hub.workflow.submit(getattr(tasks, name), max_attempts=1).wait(10)


def test_a_result_that_cannot_be_stored_is_an_error(hub, start_agent, tasks):
    start_agent(hub)

    with pytest.raises(TaskFailed, match="a set cannot be stored"):
        hub.workflow.submit(tasks.returns_a_set, max_attempts=1).wait(10)


def test_outputs_that_are_refused_are_an_error_and_nothing_is_visible(
    hub, start_agent, tasks, outputs
):
    start_agent(hub)

    with pytest.raises(TaskFailed, match=r"1 errors and 0 crashes.*DuplicateKeyError"):
        hub.workflow.submit(tasks.stages_what_is_refused, max_attempts=1).wait(10)

    assert outputs() == []


def test_time_out_ends_the_whole_group(
    hub, start_agent, tasks, tmp_path, started, is_gone, eventually
):
    start_agent(hub, "--kill-grace-seconds", 0.3)
    handle = hub.workflow.submit(tasks.stubborn, str(tmp_path), run_timeout_seconds=1.0)
    child, grandchild = started("started"), started("grandchild")

    with pytest.raises(TaskFailed, match=r"1 errors and 0 crashes.*run_timeout_seconds = 1"):
        handle.wait(20)

    assert eventually(lambda: is_gone(child) and is_gone(grandchild), 5)


def test_a_task_that_is_asked_ends_as_cancelled(
    hub, start_agent, tasks, tmp_path, started, outputs
):
    start_agent(hub)
    handle = hub.workflow.submit(tasks.polite, str(tmp_path))
    child = started("started")

    assert handle.cancel().value == "running"

    with pytest.raises(TaskFailed, match="is cancelled"):
        handle.wait(5)
    assert outputs() == []
    assert hub.workflow.submit(tasks.describe, input="x").wait(10)["pid"] != child


def test_a_task_that_does_not_listen_is_killed(
    hub, start_agent, tasks, tmp_path, started, is_gone, eventually
):
    start_agent(hub, "--cancel-grace-seconds", 0.2, "--kill-grace-seconds", 0.2)
    handle = hub.workflow.submit(tasks.stubborn, str(tmp_path))
    grandchild = started("grandchild")
    started("started")

    handle.cancel()

    with pytest.raises(TaskFailed, match="is cancelled"):
        handle.wait(10)
    assert eventually(lambda: is_gone(grandchild), 5)
    assert handle.task().crashes == 0


def test_drain_gives_running_tasks_back_uncounted(
    hub, start_agent, tasks, tmp_path, started, outputs, eventually, is_gone
):
    agent = start_agent(hub, "--drain-seconds", 0.2, "--kill-grace-seconds", 0.2)
    handle = hub.workflow.submit(tasks.gated, str(tmp_path))
    child = started()

    agent.send(signal.SIGTERM)

    assert agent.process.wait(10) == 0
    task = handle.task()
    assert (task.state.value, task.errors, task.crashes) == ("waiting", 0, 0)
    assert task.history[-1]["event"] == "released"
    assert is_gone(child)
    assert hub.database["agents"].count_documents({}) == 0
    assert outputs() == []


def test_drain_lets_tasks_finish_and_takes_no_others(
    hub, start_agent, tasks, tmp_path, started, eventually
):
    agent = start_agent(hub)
    running = hub.workflow.submit(tasks.gated, str(tmp_path))
    started()
    waiting = hub.workflow.submit(tasks.add, 1)

    agent.send(signal.SIGINT)
    (tmp_path / "go").touch()

    assert agent.process.wait(10) == 0
    assert running.status().value == "done"
    assert waiting.status().value == "waiting"


def test_several_slots_run_side_by_side(hub, start_agent, tasks, tmp_path, eventually):
    start_agent(hub, "--slots", 2)
    folders = [tmp_path / name for name in "ab"]
    handles = []
    for folder in folders:
        folder.mkdir()
        handles.append(hub.workflow.submit(tasks.gated, str(folder)))

    eventually(lambda: all((folder / "started-1").exists() for folder in folders))
    for folder in folders:
        (folder / "go").touch()

    assert [handle.wait(10) for handle in handles] == [1, 1]


def test_only_tasks_of_its_queues_are_taken(hub, start_agent, tasks):
    start_agent(hub, "--queues", "gpu")
    elsewhere = hub.workflow.submit(tasks.add, 1)
    here = hub.workflow.submit(tasks.add, 2, queue="gpu")

    assert here.wait(10) == 3
    assert elsewhere.status().value == "waiting"


def test_server_killed_during_a_task(home, start_agent, tasks, tmp_path, started):
    with tl.connect(home=home) as hub:
        start_agent(hub)
        handle = hub.workflow.submit(tasks.gated, str(tmp_path))
        started()

        psutil.Process(PrivateServer(home).status().pid).kill()
        (tmp_path / "go").touch()

        assert handle.wait(60) >= 1
        done = [each["attempt"] for each in hub.database["outputs"].find()]
        assert len(done) == 1


def test_large_arguments_and_results(hub, start_agent, tasks):
    start_agent(hub)
    large = np.arange(2_500_000, dtype=np.float64)  # 20 MB

    got = hub.workflow.submit(tasks.add, large, b=1.0).wait(30)

    np.testing.assert_array_equal(got, large + 1)


def test_a_function_that_no_agent_imports_waits_and_says_so(hub, start_agent, tasks):
    start_agent(hub)
    handle = hub.workflow.submit("elsewhere.os:system", "true")

    assert hub.workflow.submit(tasks.add, 1).wait(10) == 2, "it blocks nobody"
    with pytest.raises(TaskTimeout, match=r"waiting.*no agent imports the module 'elsewhere.os'"):
        handle.wait(0.3)
    assert handle.task().attempt == 0


def test_an_unmarked_function_from_the_database_is_never_run(hub, start_agent, tasks):
    start_agent(hub)
    handle = hub.workflow.submit(tasks.add, 1, queue="nobody")
    change = {"$set": {"function": "sample_tasks:unmarked", "queue": "default"}}
    hub.database["tasks"].update_one({"_id": handle.id}, change)

    with pytest.raises(TaskFailed, match="no function 'unmarked' that is marked"):
        handle.wait(10)


def test_a_document_that_is_no_task_is_set_aside(hub, start_agent, tasks):
    nonsense = {"_id": "x", "state": "waiting", "queue": "default", "not_before": hub.store.now()}
    hub.database["tasks"].insert_one(nonsense)
    start_agent(hub)

    assert hub.workflow.submit(tasks.add, 1).wait(10) == 2
    refused = hub.database["tasks"].find_one({"_id": "x"})
    assert refused["state"] == "dead"
    assert "the document is not a task" in refused["history"][-1]["reason"]


def test_an_agent_that_cannot_import_says_so_and_ends(hub, start_agent):
    agent = start_agent(hub, wait=False, imports=("there.is.nothing",))

    assert agent.process.wait(20) == 1
    assert "there.is.nothing cannot be imported: ModuleNotFoundError" in agent.text()
    assert hub.database["agents"].count_documents({}) == 0


def test_progress_travels_with_the_beat(hub, start_agent, tasks, tmp_path, eventually):
    start_agent(hub)
    handle = hub.workflow.submit(tasks.reports, str(tmp_path))

    progress = eventually(lambda: handle.task().progress)

    assert progress == {"fraction": 1.0, "message": "all but done"}
    (tmp_path / "go").touch()
    handle.wait(10)


def test_agents_are_listed_with_their_beats(hub, start_agent, eventually):
    agent = start_agent(hub)

    about = hub.database["agents"].find_one({"pid": agent.pid})
    assert about["queues"] == ["default"]
    eventually(lambda: hub.database["agents"].find_one({"beat": {"$gt": about["beat"]}}))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"imports": ()}, "nothing to import"),
        ({"imports": ("a",), "slots": 0}, "at least one queue and one slot"),
        ({"imports": ("a",), "lease_seconds": 0}, "lease_seconds must be positive"),
        ({"imports": ("no such.py",)}, "there is no file"),
        ({"imports": ("a",), "queues": ("$where",)}, "queue"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(InvalidArgument, match=message):
        AgentSettings(**settings)
