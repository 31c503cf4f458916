from __future__ import annotations

import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.models import memory
from tensorlayer.models.memory import machine_bytes, variables_within


def make(shape, dtype=None):
    made = []

    def initial():
        made.append(shape)
        return tf.zeros(shape, dtype or tf.float32)

    try:
        tf.Variable(initial, shape=shape, dtype=dtype)
    except InvalidArgument:
        assert made == []
        raise


def test_variables_add_up():
    with variables_within(100):
        make([5])
        make([10], tf.float64)
        with pytest.raises(InvalidArgument, match=r"need 104 bytes or more; there are 100"):
            make([1])


@pytest.mark.parametrize("shape", [[10**12], [10**30], [10**10, 10**10]])
def test_sizes_beyond_every_integer_are_counted(shape):
    with variables_within(machine_bytes()), pytest.raises(InvalidArgument, match=r"Check the siz"):
        make(shape)


def test_unknown_sizes_and_the_time_after_are_not_bounded():
    with variables_within(4):
        tf.Variable([1.0, 2.0])
        tf.Variable([1.0, 2.0], shape=[None])
    make([100])


def test_a_system_that_does_not_tell_has_a_large_bound(monkeypatch):
    monkeypatch.delattr(memory.os, "sysconf")

    assert machine_bytes() == 2**44
