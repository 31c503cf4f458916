from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from pymongo.errors import OperationFailure

from tensorlayer.errors import LeaseLost, StoreUnavailable
from tensorlayer.workflow.errands import Errands


@pytest.fixture
def rung():
    return threading.Event()


@pytest.fixture
def errands(rung):
    errands = Errands(rung.set)
    yield errands
    errands.close()


def test_what_others_ask_for_is_done_by_whoever_heeds(errands, rung):
    done = []
    errands.claim(lambda: errands.tell(lambda: done.append(threading.current_thread())))

    assert rung.wait(5)
    assert done == []
    errands.heed()
    assert done == [threading.current_thread()]


@pytest.mark.parametrize(
    "error", [LeaseLost("gone"), StoreUnavailable("away"), OperationFailure("refused", 1)]
)
def test_an_end_that_cannot_be_written_is_no_end_of_the_agent(errands, rung, error):
    steps = []

    def fail():
        raise error

    errands.record(
        [SimpleNamespace(id="a")], lambda: steps.append(1), fail, lambda: steps.append(2)
    )

    assert rung.wait(5)
    assert steps == [1]
    assert errands.recorded()
    assert not errands.recorded()


def test_one_slow_end_holds_up_no_claim(errands, rung):
    gate, claimed = threading.Event(), threading.Event()
    for _ in range(10):
        errands.record([SimpleNamespace(id="a")], gate.wait)

    errands.claim(claimed.set)

    assert claimed.wait(5)
    assert errands.is_recording("a")
    assert not errands.is_recording("b")
    gate.set()


def test_what_is_still_being_done_is_not_begun_anew(errands):
    gate, begun = threading.Event(), []

    def look():
        begun.append(1)
        gate.wait(5)

    errands.send("look", look)
    errands.send("look", look)
    gate.set()
    errands.close()

    assert begun == [1]
