"""Agents are killed at random moments while tasks run: nothing is lost, nothing is there twice."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter

import pytest

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
