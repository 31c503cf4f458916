"""What a slot claims ahead, who runs beside whom, and who is blamed; the process is a stand-in."""

from __future__ import annotations

import datetime
import signal
import time
from types import SimpleNamespace

import pytest

from tensorlayer.workflow import slot as slots
from tensorlayer.workflow.slot import Slot, Stop
from tensorlayer.workflow.tasks import Task

NOW = datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.timezone.utc)


class Line:
    """Keeps what is said to the child."""

    is_closed = False

    def __init__(self):
        self.said = []

    def send(self, kind, **fields):
        self.said.append((kind, fields.get("id")))
        return True


class Process:
    """A child that lives and never speaks."""

    deadline = float("inf")
    has_signals = False

    def __init__(self):
        self.channel, self.planned = Line(), []

    def plan(self, *signals):
        self.planned, self.has_signals = list(signals), bool(signals)

    def died(self):
        return -9

    def enforce(self):
        pass

    def stopped_seconds(self):
        return 0.0


class Records:
    """Claims that only note what they are told."""

    def __getattr__(self, name):
        def step(task, *args, **kwargs):
            return name, getattr(task, "id", task), *args

        return step


def make_task(name, **changes):
    return Task(id=name, function="m:f", created=NOW, not_before=NOW, attempt=1, **changes)


@pytest.fixture
def clock(monkeypatch):
    """Return a clock that goes only when it is told to."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(slots, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


@pytest.fixture
def slot(clock):
    graces = {"cancel_grace_seconds": 1.0, "kill_grace_seconds": 1.0}
    slot = Slot(Process(), frozen_seconds=10.0, **graces)
    slot.is_ready = True
    return slot


def begin(slot, *tasks):
    slot.next.extend((task, None) for task in tasks)
    slot.begin()


def run(slot, clock, task, seconds):
    """Let a task run and end."""
    begin(slot, task)
    clock.now += seconds
    slot.ending(task.id, 1)
    slot.forget(task.id, 1)


def buried(slot):
    """Return what is recorded when the child has died."""
    return [steps[-1]()[:2] for _, steps in slot.bury(Records(), "SIGKILL", is_leaving=False)]


def test_more_is_claimed_as_long_as_tasks_are_quick(slot, clock):
    asked = []
    for n in range(8):
        asked.append(slot.n_wanted)
        slot.took(asked[-1], asked[-1])
        run(slot, clock, make_task(str(n)), 0.0005)

    assert asked[0] == 1
    assert asked == sorted(asked)
    assert asked[-1] == 32


def test_a_claim_that_brought_less_asks_for_no_more_the_next_time(slot, clock):
    run(slot, clock, make_task("a"), 0.001)
    slot.took(1, 1)
    run(slot, clock, make_task("b"), 0.001)
    assert slot.n_wanted == 2

    slot.took(2, 1)

    assert slot.n_wanted == 2


def test_no_more_is_claimed_than_can_be_done_soon(slot, clock):
    slot.took(32, 32)
    run(slot, clock, make_task("a"), 0.02)

    assert slot.n_wanted == 3


def test_one_long_task_ends_claiming_ahead(slot, clock):
    slot.took(32, 32)
    for n in range(5):
        run(slot, clock, make_task(str(n)), 0.001)
    run(slot, clock, make_task("long"), 60.0)

    assert slot.n_wanted == 1
    begin(slot, make_task("next"))
    assert slot.n_wanted == 0, "it may be long as well"


def test_while_a_task_runs_longer_than_quick_ones_nothing_is_claimed(slot, clock):
    slot.took(32, 32)
    for n in range(5):
        run(slot, clock, make_task(str(n)), 0.001)
    begin(slot, make_task("long"))
    assert slot.n_wanted > 1

    clock.now += 0.1

    assert slot.n_wanted == 0


def test_what_waits_behind_a_long_task_is_a_hostage(slot, clock):
    begin(slot, make_task("a"), make_task("b"))
    assert not slot.is_hostage
    assert slot.deadline == pytest.approx(clock.now + 0.25)

    clock.now += 0.3

    assert slot.is_hostage
    assert [task.id for task in slot.take_next()] == ["b"]
    assert [task.id for task in slot.held] == ["a"]


def test_the_next_begins_when_the_function_has_returned(slot):
    begin(slot, make_task("a"), make_task("b"), make_task("c"))
    assert slot.channel.said == [("run", "a")]

    slot.ending("a", 1)
    slot.begin()

    assert slot.channel.said == [("run", "a"), ("run", "b")]
    assert [task.id for task in slot.held] == ["a", "b"]


@pytest.mark.parametrize("suspicious", ["a", "b"])
def test_who_may_have_killed_a_process_runs_alone(slot, suspicious):
    first, second = (make_task(name, crashes=int(name == suspicious)) for name in "ab")
    begin(slot, first, second)
    slot.ending("a", 1)
    slot.begin()
    assert [task.id for task in slot.held] == ["a"]

    slot.forget("a", 1)
    slot.begin()

    assert [task.id for task in slot.held] == ["b"]


def test_nobody_is_claimed_behind_one_that_may_have_killed_a_process(slot, clock):
    slot.took(32, 32)
    run(slot, clock, make_task("quick"), 0.001)
    assert slot.n_wanted == 32

    slot.next.append((make_task("suspicious", interruptions=1), None))
    assert slot.n_wanted == 0
    slot.begin()
    assert slot.n_wanted == 0
    slot.ending("suspicious", 1)
    assert slot.n_wanted == 0
    slot.forget("suspicious", 1)
    assert slot.n_wanted == 32


def test_no_more_is_claimed_while_too_many_ends_are_written(slot, clock):
    for n in range(64):
        begin(slot, make_task(str(n)))
        slot.ending(str(n), 1)
    assert slot.n_wanted == 0

    slot.forget("0", 1)

    assert slot.n_wanted == 1


def test_what_was_claimed_just_now_is_no_hostage(slot, clock):
    begin(slot, make_task("a"))
    slot.ending("a", 1)
    clock.now += 1.0

    slot.took(1, 1)
    slot.next.append((make_task("suspicious", crashes=1), None))
    slot.begin()

    assert not slot.is_hostage
    clock.now += 0.3
    slot.took(1, 0)
    assert slot.is_hostage


def test_nothing_begins_in_a_process_that_is_spent(slot):
    begin(slot, make_task("a"), make_task("b"))
    slot.is_spent = True
    slot.ending("a", 1)
    slot.begin()

    assert [task.id for task in slot.held] == ["a"]
    assert slot.n_wanted == 0


def test_a_task_that_died_alone_is_blamed(slot):
    begin(slot, make_task("a"))

    assert buried(slot) == [("crash", "a")]
    assert slot.held == []


def test_of_several_that_died_together_none_is_blamed(slot):
    begin(slot, make_task("a"), make_task("b"))
    slot.ending("a", 1)
    slot.begin()

    [first, second] = slot.bury(Records(), "SIGKILL", is_leaving=False)

    for task, steps in (first, second):
        why = "its process died: SIGKILL, with another task in it"
        assert steps[-1]() == ("release", task.id, why)


def test_who_took_too_long_fails_and_the_others_do_not(slot, clock):
    begin(slot, make_task("a"), make_task("b", run_timeout_seconds=5.0))
    slot.ending("a", 1)
    slot.begin()
    clock.now += 6.0

    slot.enforce()

    assert slot.stopping is Stop.TIMEOUT
    assert slot.deadline == float("inf"), "it is stopped once"
    assert buried(slot) == [("release", "a"), ("fail", "b")]


def test_a_cancel_of_what_only_has_to_end_stops_nobody_else(slot):
    first = make_task("a")
    begin(slot, first, make_task("b"))
    slot.ending("a", 1)
    slot.begin()

    for what in ("cancel", "lost", "ended", "ended"):
        slot.heed(first, what)

    assert slot.stopping is None
    slot.forget("b", 1)
    slot.heed(first, "lost")
    assert slot.stopping is Stop.LOST


def test_a_child_that_does_not_say_that_its_task_has_ended_is_ended(slot):
    task = make_task("a")
    begin(slot, task)

    slot.heed(task, "ended")
    assert slot.stopping is None
    slot.heed(task, "ended")

    assert slot.stopping is Stop.GARBLED


def test_a_second_reason_does_not_soften_the_first(slot):
    begin(slot, make_task("a"))
    slot.stop(Stop.LOST)
    slot.stop(Stop.CANCEL, slot.held[0])

    assert slot.stopping is Stop.LOST
    assert ("cancel", "a") not in slot.channel.said


def test_who_is_cancelled_has_two_graces_and_who_is_drained_one(slot, clock):
    task = make_task("a")
    begin(slot, task)
    slot.stop(Stop.CANCEL, task)
    assert slot.channel.said[-1] == ("cancel", "a")
    asked = [(clock.now + 1.0, signal.SIGTERM), (clock.now + 2.0, signal.SIGKILL)]
    assert slot._process.planned == asked

    slot.stop(Stop.DRAIN)

    at_once = [(clock.now, signal.SIGTERM), (clock.now + 1.0, signal.SIGKILL)]
    assert slot._process.planned == at_once


def test_a_child_that_hung_up_has_a_moment_to_die(slot, clock):
    slot.hang_up()
    assert slot._process.planned == [(clock.now + 1.0, signal.SIGKILL)]
    clock.now += 0.5

    slot.hang_up()

    assert slot._process.planned == [(clock.now + 0.5, signal.SIGKILL)], "not put off again"


def test_the_death_of_the_process_is_told(slot):
    assert slot.died() == -9


def test_a_task_that_did_not_say_that_it_is_ending_is_learned_from(slot, clock):
    slot.took(32, 32)
    task = make_task("a")
    begin(slot, task)
    clock.now += 0.02

    assert slot.forget("a", 1) is task
    assert slot.n_wanted == 3


def test_the_time_of_the_commit_is_not_that_of_the_task(slot, clock):
    slot.took(32, 32)
    begin(slot, make_task("a"))
    clock.now += 0.02
    slot.ending("a", 1)
    clock.now += 5.0

    slot.forget("a", 1)

    assert slot.n_wanted == 3


def test_more_is_claimed_when_half_of_it_has_begun(slot, clock):
    slot.took(4, 4)
    run(slot, clock, make_task("quick"), 0.001)
    waiting = [(make_task(str(n)), None) for n in range(4)]
    slot.next.extend(waiting)
    assert slot.n_wanted == 0
    slot.next.clear()

    slot.next.extend(waiting[:3])

    assert slot.n_wanted == 8


def test_time_is_the_real_one():
    assert slots.time is time
