"""Ahead: results come in order, no more is begun than is allowed, and what fails is told."""

import itertools
import threading

import pytest

from tensorlayer.storage.ahead import ahead


@pytest.mark.parametrize("n", [0, 1, 2, 3, 10])
@pytest.mark.parametrize("most", [1, 2, 20])
def test_results_come_in_order(n, most):
    assert list(ahead(lambda number: number**2, range(n), most)) == [each**2 for each in range(n)]


def test_many_are_under_way_at_once():
    together = threading.Barrier(3)
    found = ahead(lambda number: together.wait(timeout=10) >= 0, range(6), 3)
    assert all(found), "each waits for two others"


def test_one_item_takes_no_thread():
    (thread,) = ahead(lambda _: threading.current_thread(), [1], 4)
    assert thread is threading.current_thread()


def test_an_endless_stream_is_read_as_far_as_it_is_used():
    stream = itertools.count()
    found = ahead(str, stream, 3)
    assert [next(found), next(found)] == ["0", "1"]
    assert next(stream) == 5, "two were used, and three are ahead of them"
    found.close()


def test_what_fails_ends_it_and_nothing_more_is_begun():
    begun = []

    def do(number):
        begun.append(number)
        if number == 2:
            raise ValueError(f"number {number}")
        return number

    found = ahead(do, range(100), 2)
    assert [next(found), next(found)] == [0, 1]
    with pytest.raises(ValueError, match="number 2"):
        next(found)
    assert len(begun) <= 6, "one failed, and two threads had a few more"


def test_nothing_is_under_way_when_it_was_closed():
    gate, ended, before = threading.Event(), [], set(threading.enumerate())

    def do(number):
        if number:
            gate.wait(timeout=10)
            ended.append(number)
        return number

    found = ahead(do, range(100), 2)
    assert next(found) == 0
    timer = threading.Timer(0.1, gate.set)
    timer.start()
    found.close()
    timer.join()
    assert ended, "what was begun is waited for"
    assert set(threading.enumerate()) <= before, "no thread is left"


def test_an_error_of_the_items_is_told():
    def items():
        yield 1
        yield 2
        raise OSError("the disk is gone")

    found = ahead(str, items(), 1)
    assert next(found) == "1"
    with pytest.raises(OSError, match="the disk is gone"):
        list(found)
