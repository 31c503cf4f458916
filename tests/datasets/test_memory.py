"""Memory: used again when nobody has it, and never before."""

import gc
import threading
import tracemalloc

import numpy as np

from tensorlayer.datasets.memory import Memory

SHAPE = (512, 1024)


def test_what_somebody_has_is_not_used_again():
    memory = Memory()
    kept = []
    for n in range(6):
        array = memory.empty(SHAPE, np.float32)
        array[:] = n
        kept.append(array[3:5, ::2].T)  # a part is as good as the whole
    del array
    gc.collect()
    others = [memory.empty(SHAPE, np.float32) for _ in range(6)]
    for each in others:
        each[:] = 99
    assert [np.unique(each).tolist() for each in kept] == [[n] for n in range(6)]


def test_a_buffer_of_another_size_is_not_used():
    memory = Memory()
    del (array := [memory.empty(SHAPE, np.float32)])[:]
    assert memory.empty((3, *SHAPE), np.int8).shape == (3, *SHAPE)
    assert memory.empty((0, 4), np.int8).shape == (0, 4)
    assert array == []


def test_arrays_are_given_back_in_any_thread():
    memory = Memory()
    arrays = [memory.empty(SHAPE, np.float32) for _ in range(20)]
    threads = [threading.Thread(target=arrays.clear) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    first, second = memory.empty(SHAPE, np.float32), memory.empty(SHAPE, np.float32)
    assert not np.shares_memory(first, second)
    assert first.flags.writeable


def test_a_very_large_buffer_does_not_wait():
    small, large, memory = 2**20, 2**26 + 1, Memory()
    for n_bytes in (large, small):
        array = memory.empty((n_bytes,), np.uint8)
        array[:] = 1
        del array
    tracemalloc.start()
    again = memory.empty((small,), np.uint8)
    anew = memory.empty((large,), np.uint8)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert large <= taken < large + small
    assert len(again) == small
    assert len(anew) == large
