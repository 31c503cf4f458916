"""How far a run has come, as a value."""

from __future__ import annotations

import math

from tensorlayer.train import Epoch
from tensorlayer.train.place import Place, Sums


def test_a_run_begins_with_nothing():
    place = Place(epoch=3)

    assert (place.epoch, place.step, place.seconds, place.sums) == (3, 0, 0.0, Sums())
    assert not place.history
    assert not place.intervals
    assert not place.is_stopped


def test_a_place_adds_up_its_epoch_and_its_intervals():
    place = Place(epoch=1, intervals=[Sums()])

    place.add(2, {"loss": 3.0}, seconds=0.5)
    place.intervals[0] = Sums()
    place.add(1, {"loss": 6.0}, seconds=0.7)

    assert (place.step, place.sums.means, place.intervals[0].means) == (
        3,
        {"loss": 3.0},
        {"loss": 6.0},
    )
    assert place.end_epoch() == Epoch(number=1, n_steps=3, seconds=0.7, metrics={"loss": 3.0})


def test_a_metric_that_comes_later_is_left_out_of_the_epoch():
    sums = Sums()
    sums.add(900, {"loss": 90.0})
    sums.add(100, {"loss": 10.0, "accuracy": 90.0})

    assert sums.means == {"loss": 0.1}


def test_between_epochs_is_after_the_end_of_one():
    place = Place(epoch=1)
    place.add(1, {}, seconds=0.1)
    assert not place.is_between

    place.end_epoch()
    assert place.is_between

    place.begin_next()
    assert not place.is_between
    assert (place.epoch, place.step, place.sums, place.seconds) == (2, 1, Sums(), 0.0)


def test_a_place_comes_back_from_text_as_it_was():
    place = Place(epoch=1, intervals=[Sums(1, {"a": 1 / 3}), Sums()])
    place.add(7, {"loss": 0.1 + 0.2, "high": math.inf}, seconds=1.1)
    place.end_epoch()
    place.begin_next()
    place.is_stopped = True

    assert Place.from_json(place.to_json()) == place
