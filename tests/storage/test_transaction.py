from __future__ import annotations

import contextvars
import threading

import pytest

from tensorlayer.storage.transaction import Stage, active, opened


def test_a_stage_runs_in_order_and_again():
    ran = []
    stage = Stage()
    stage.add(lambda session: ran.append(("first", session)))
    stage.add(lambda session: ran.append(("second", session)))
    stage.apply("s1")
    stage.apply("s2")
    assert ran == [("first", "s1"), ("second", "s1"), ("first", "s2"), ("second", "s2")]


def test_an_error_in_an_operation_reaches_who_applies():
    stage = Stage()
    stage.add(lambda session: 1 / 0)
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
