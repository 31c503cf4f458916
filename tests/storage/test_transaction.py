from __future__ import annotations

import contextvars
import dataclasses
import threading

import pytest

from tensorlayer.errors import StoreUnavailable
from tensorlayer.storage.transaction import Operation, Stage, active, opened


def test_a_stage_runs_in_order_and_again():
    ran = []
    stage = Stage()
    stage.add(Operation(lambda session: ran.append(("first", session))))
    stage.add(Operation(lambda session: ran.append(("second", session))))
    stage.apply("s1")
    stage.apply("s2")
    assert ran == [("first", "s1"), ("second", "s1"), ("first", "s2"), ("second", "s2")]


class Recorded:
    """A change that tells what happens to it."""

    def __init__(self, name, told):
        self.name, self.told = name, told

    def prepare(self):
        self.told.append((self.name, "prepared"))

    def apply(self, session):
        self.told.append((self.name, session))

    def abandon(self):
        self.told.append((self.name, "abandoned"))


def test_all_is_prepared_before_the_transaction():
    told = []
    stage = Stage()
    stage.add(Recorded("a", told))
    stage.add(Recorded("b", told))
    stage.prepare()
    stage.apply("s1")
    assert told == [("a", "prepared"), ("b", "prepared"), ("a", "s1"), ("b", "s1")]


@pytest.mark.parametrize(
    ("error", "expected"),
    [(KeyError, [("a", "abandoned")]), (KeyboardInterrupt, [("a", "abandoned")])],
)
def test_a_body_that_fails_abandons_what_it_wrote(error, expected):
    told, store = [], object()

    def body():
        with opened(store) as stage:
            stage.add(Recorded("a", told))
            raise error

    with pytest.raises(error):
        body()
    assert told == expected


def test_what_is_published_inside_of_two_stages_passes_the_fence_of_the_outer_one():
    told, store = [], object()
    with opened(store, fence=lambda session: told.append("outer")), opened(store) as inner:
        inner.publish(Recorded("a", told), "s1")
    with opened(store, fence=lambda session: told.append("outer")):
        own = opened(store, fence=lambda session: told.append("inner"))
        with own as inner:
            inner.publish(Recorded("b", told), "s2")
    assert told == ["outer", ("a", "s1"), "inner", ("b", "s2")]


def test_an_error_of_abandoning_hides_no_other_and_stops_nothing(caplog):
    told, store = [], object()

    class Stuck(Recorded):
        def abandon(self):
            raise ValueError("stuck")

    def body():
        with opened(store) as stage:
            stage.add(Stuck("a", told))
            stage.add(Recorded("b", told))
            raise KeyError("the reason")

    with pytest.raises(KeyError, match="the reason"):
        body()
    assert told == [("b", "abandoned")]
    assert "What was written in vain is removed later" in caplog.text


def test_nobody_waits_twice_for_a_server_that_is_away():
    told, store = [], object()

    def body():
        with opened(store) as stage:
            stage.add(Recorded("a", told))
            raise StoreUnavailable("gone")

    with pytest.raises(StoreUnavailable, match="gone"):
        body()
    assert told == []


def test_what_is_published_passes_the_fence_first():
    told = []

    def fence(session):
        told.append(("fence", session))
        if session == "late":
            raise KeyError("lost")

    stage = Stage(run="task", attempt=3, fence=fence)
    stage.publish(Recorded("a", told), "s1")
    assert told == [("fence", "s1"), ("a", "s1")]
    with pytest.raises(KeyError, match="lost"):
        stage.publish(Recorded("b", told), "late")
    assert told[2:] == [("fence", "late")]
    assert (len(stage), stage.attempt) == (0, 3)
    Stage().publish(Recorded("c", told), "s2")
    assert told[-1] == ("c", "s2")


def test_a_stage_says_whose_it_is():
    assert (Stage().run, Stage().attempt) == (None, 0)
    stage = Stage(run="task-7", attempt=2)
    stage.add(Operation(print))
    assert repr(stage) == "<Stage run='task-7' with 1 changes>"


def test_an_operation_is_a_value():
    assert {Operation(print), Operation(print)} == {Operation(print)}
    with pytest.raises(dataclasses.FrozenInstanceError):
        Operation(print).apply = repr


def test_an_error_in_an_operation_reaches_who_applies():
    stage = Stage()
    stage.add(Operation(lambda session: 1 / 0))
    with pytest.raises(ZeroDivisionError):
        stage.apply(None)


def test_stages_belong_to_their_store_and_nest():
    one, other = object(), object()
    with opened(one) as outer:
        assert active(other) is None
        with opened(one) as inner, opened(other) as foreign:
            assert active(one) is inner
            assert active(other) is foreign
        assert active(one) is outer
    assert active(one) is None


def test_a_stage_is_closed_when_its_body_fails():
    store = object()
    with pytest.raises(KeyError), opened(store):
        raise KeyError
    assert active(store) is None


def test_a_thread_sees_a_stage_only_in_a_copy_of_the_context():
    store, seen = object(), []
    with opened(store) as stage:
        context = contextvars.copy_context()
        for target in (lambda: seen.append(active(store)), lambda: context.run(seen_in, store)):

            def seen_in(store):
                seen.append(active(store))

            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
    assert seen == [None, stage]
