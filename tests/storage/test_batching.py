"""Batching: nothing is lost, and no more is read than is yielded."""

import itertools

import pytest

from tensorlayer.storage.batching import batched


@pytest.mark.parametrize("n", [1, 2, 5, 7])
@pytest.mark.parametrize("length", [0, 1, 5, 10])
def test_everything_comes_in_order(n, length):
    found = list(batched(range(length), n))
    assert list(itertools.chain.from_iterable(found)) == list(range(length))
    assert all(len(each) == n for each in found[:-1])
    assert all(found)


def test_an_endless_stream_is_read_as_far_as_it_is_used():
    stream = itertools.count()
    assert next(batched(stream, 3)) == [0, 1, 2]
    assert next(stream) == 3
