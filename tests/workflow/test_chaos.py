"""Agents are killed at random moments while tasks run: nothing is lost, nothing is there twice."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter

import numpy as np
import pytest

import tensorlayer as tl
from tests.servers import pids

N_TASKS = 80
N_AGENTS = 3
#: long enough for a start and some tasks, short enough that most agents die with a task
LIFE_SECONDS = (0.5, 1.5)


@pytest.mark.slow
def test_every_task_is_done_exactly_once(hub, start_agent, tasks, eventually):
    rng = random.Random(7)
    handles = [hub.workflow.submit(tasks.quick, n) for n in range(N_TASKS)]
    agents = [start_agent(hub) for _ in range(N_AGENTS)]
    deadline = time.monotonic() + 90
    n_killed = 0

    def is_over():
        return hub.database["tasks"].count_documents({"state": "done"}) == N_TASKS

    while not is_over():
        assert time.monotonic() < deadline
        victim = rng.randrange(N_AGENTS)
        killed_at = time.monotonic() + rng.uniform(*LIFE_SECONDS)
        eventually(lambda at=killed_at: time.monotonic() > at or is_over())
        agents[victim].send(rng.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]))
        n_killed += 1
        agents[victim] = start_agent(hub, wait=False)

    assert n_killed >= 5
    outputs = Counter(each["task"] for each in hub.database["outputs"].find())
    assert outputs == {handle.id: 1 for handle in handles}
    assert [handle.wait(1) for handle in handles] == list(range(N_TASKS))
    for handle in handles:
        history = handle.task().history
        holders = Counter(each["attempt"] for each in history if each["event"] == "claimed")
        assert set(holders.values()) == {1}, "each attempt has one holder"
        assert [each["event"] for each in history].count("done") == 1


N_DOORS = 100
CHAOS_SECONDS = 60
SERVER_PARTS = ("server", "supervisor")


@pytest.mark.slow
@pytest.mark.timeout(480)
def test_both_doors_keep_their_promises_while_everything_is_killed(
    home, start_agent, tasks, eventually
):
    """Agents, the server and its supervisor are killed for a minute, while tasks come and go."""
    rng = random.Random(11)
    with tl.connect(home=home, project="chaos", outage_budget_seconds=120) as hub:
        agents = [start_agent(hub) for _ in range(4)]
        handles, n_killed = [], Counter()
        until = time.monotonic() + CHAOS_SECONDS
        while time.monotonic() < until:
            if len(handles) < N_DOORS:
                first = len(handles)
                handles += [hub.workflow.submit(tasks.both_doors, first + n) for n in range(4)]
            what = rng.choice(["agent", "agent", "agent", *SERVER_PARTS])
            if what == "agent":
                victim = rng.randrange(len(agents))
                agents[victim].send(signal.SIGKILL)
                agents[victim] = start_agent(hub, wait=False)
            else:
                _kill_part(home, what)
            n_killed[what] += 1
            _pause(eventually, rng.uniform(1.0, 3.0))
        assert min(n_killed[what] for what in ("agent", *SERVER_PARTS)) >= 2
        results = [handle.wait(240) for handle in handles]
        _check_doors(hub, handles, results)


def _pause(eventually, seconds):
    end = time.monotonic() + seconds
    eventually(lambda: time.monotonic() > end)


def _kill_part(home, what):
    with contextlib.suppress(ProcessLookupError, TypeError):
        os.kill(dict(zip(SERVER_PARTS, pids(home), strict=True))[what], signal.SIGKILL)


def _check_doors(hub, handles, results):
    n = len(handles)
    dataset = hub.datasets["out"]
    keys = Counter(key for batch in dataset.where().batches(500) for key in batch.keys)
    assert keys == {f"{task}-{i}": 1 for task in range(n) for i in range(200)}
    assert (len(dataset), dataset.revision) == (200 * n, n)
    assert sorted(each.step for each in hub.models.list("final")) == list(range(n))
    for task, published in enumerate(results):
        versions = hub.models.list(f"checkpoints-{task}")
        assert [each.number for each in versions] == list(range(1, len(versions) + 1))
        found = Counter((each.number, each.attempt, each.step) for each in versions)
        assert all(found[tuple(each)] == 1 for each in published), "acknowledged, so there once"
        assert max(Counter((each.attempt, each.step) for each in versions).values()) == 1
        for each in versions:
            np.testing.assert_array_equal(hub.models.arrays(each.model, each)["w"], each.step)
    hub.store.presence.clean(observe_seconds=25)
    assert hub.database["samples"].count_documents({}) == 200 * n
