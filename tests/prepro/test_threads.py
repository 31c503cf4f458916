from __future__ import annotations

import os
import threading

import numpy as np
import pytest

from tensorlayer import prepro
from tensorlayer.errors import InvalidArgument


def test_results_keep_the_order_of_the_data():
    release = [threading.Event() for _ in range(4)]

    def last_first(index):
        if index < 3:
            assert release[index + 1].wait(30)
        release[index].set()
        return index * 10

    assert prepro.threading_data([0, 1, 2, 3], last_first).tolist() == [0, 10, 20, 30]


def test_items_are_stacked_and_keywords_are_passed_on():
    images = np.random.default_rng(0).random((6, 20, 20, 3)).astype(np.float32)

    rotated = prepro.threading_data(images, prepro.rotation, rg=30)

    np.testing.assert_array_equal(rotated, prepro.rotation_multi(images, rg=30))


@pytest.mark.parametrize("thread_count", [1, 3, 7, 20])
def test_slices_cover_the_data_once(thread_count):
    seen = []

    def double(part):
        seen.append(len(part))
        return part * 2

    doubled = prepro.threading_data(np.arange(10), double, thread_count)

    assert doubled.tolist() == list(range(0, 20, 2))
    assert sum(seen) == 10
    assert len(seen) == min(thread_count, 10)


def test_results_of_different_shapes_are_a_list():
    assert prepro.threading_data([1, 2], lambda n: np.ones(n))[1].tolist() == [1, 1]
    assert len(prepro.threading_data([1, 2, 3], lambda part: [[n] * n for n in part], 2)) == 3


@pytest.mark.parametrize("thread_count", [None, 2])
def test_what_a_worker_raises_is_raised_here(thread_count):
    def fail(item):
        raise KeyError("from the worker")

    with pytest.raises(KeyError, match="from the worker"):
        prepro.threading_data([1, 2, 3], fail, thread_count)


def test_the_first_error_in_the_order_of_the_data_wins_and_the_rest_is_not_begun():
    later = threading.Event()
    begun = []

    def fail(item):
        begun.append(item)
        if item == 0:
            assert later.wait(30)
        if item == 1:
            later.set()
        raise ValueError(f"item {item}")

    with pytest.raises(ValueError, match="item 0"):
        prepro.threading_data(range(10_000), fail)

    assert len(begun) < 10_000


def test_no_data_at_all():
    assert prepro.threading_data([], abs).tolist() == []
    assert prepro.threading_data([], abs, 3).tolist() == []


def test_what_cannot_run_is_refused():
    with pytest.raises(InvalidArgument, match="needs data and a function, got fn=None"):
        prepro.threading_data([1])
    with pytest.raises(InvalidArgument, match="thread_count must be 1 or more, got 0"):
        prepro.threading_data([1], abs, 0)


def test_four_of_a_processor_wait_at_a_time_for_what_they_read():
    n_waiting = min(32, 4 * os.cpu_count())
    all_wait = threading.Barrier(n_waiting, timeout=30)

    prepro.threading_data(range(n_waiting), lambda _: all_wait.wait())
