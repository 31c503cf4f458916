"""Ranking: values before events, never NaN, never what is damaged."""

import dataclasses
import logging
import math

import pytest

from tensorlayer.errors import InvalidArgument
from tensorlayer.models.events import Event
from tensorlayer.models.ranking import best_of, check_mode, nothing
from tests.models.test_version import VERSION


def version(number, value=None, **changes):
    values = {} if value is None else {"accuracy": value}
    return dataclasses.replace(VERSION, number=number, values=values, step=number, **changes)


def event(step, value):
    return Event(
        model="mlp",
        run=VERSION.run,
        name="accuracy",
        step=step,
        value=value,
        written=VERSION.created,
    )


def test_the_largest_or_the_smallest_wins_and_the_newest_of_equals():
    versions = [version(1, 0.5), version(2, 0.9), version(3, 0.9), version(4, math.nan)]
    assert best_of(versions, [], "accuracy").number == 3
    assert best_of(versions, [], "accuracy", "min").number == 1


def test_values_count_more_than_events():
    versions = [version(1, 0.5), version(2)]
    assert best_of(versions, [event(1, 9.0), event(2, 0.7)], "accuracy").number == 2
    assert best_of(versions, [event(1, 9.0)], "accuracy").number == 1


def test_a_damaged_one_is_passed_over_with_a_warning(caplog):
    versions = [version(1, 0.5), version(2, 0.9, damaged=("weights",))]
    with caplog.at_level(logging.WARNING):
        assert best_of(versions, [], "accuracy").number == 1
    assert "'mlp' version 2 is passed over: in its document weights" in caplog.text


def test_nothing_has_a_value():
    assert best_of([version(1)], [], "accuracy") is None
    assert best_of([], [event(1, 1.0)], "accuracy") is None


def test_a_mode_is_max_or_min():
    check_mode("min")
    with pytest.raises(InvalidArgument, match="mode must be 'max' or 'min', got 'mean'"):
        check_mode("mean")


def test_what_to_say_when_nothing_has_a_value_depends_on_the_metric():
    unknown = nothing("mlp", "acuracy", 0, ["loss", "accuracy"])
    assert "has no event 'acuracy'" in str(unknown)
    assert "'accuracy'" in str(unknown)
    unmatched = nothing("mlp", "loss", 3, ["loss"])
    assert "none of its versions" in str(unmatched)
    assert "3 events 'loss'" in str(unmatched)
