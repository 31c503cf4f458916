"""Memory that is used again: the arrays of passes over a view take turns in a few buffers.

A batch of images has tens of megabytes. The system maps such memory anew for each array, page by
page, which costs more than to fill it. A `Memory` keeps the buffer of an array when nobody has the
array, or a part of it, any more, for the next one of that size.
"""

from __future__ import annotations

import math
import weakref

import numpy as np

__all__ = ["Memory"]

#: What is smaller comes from memory that the process has already.
_LARGE_BYTES = 2**20
#: Buffers that wait to be used again: one is filled while the consumer has another.
_MOST_FREE = 2
#: A larger one does not wait: a view may live as long as the program.
_MOST_KEPT_BYTES = 64 * 2**20


class Memory:
    """The buffers of one view. Safe to use from any thread.

    Examples
    --------
    >>> memory = Memory()
    >>> array = memory.empty((1024, 1024), np.float32)
    >>> place = array.ctypes.data
    >>> del array
    >>> memory.empty((1024, 1024), np.float32).ctypes.data == place
    True
    """

    def __init__(self) -> None:
        self._free: list[np.ndarray] = []

    def empty(self, shape: tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
        """Return an array with anything in it."""
        dtype = np.dtype(dtype)
        n_bytes = math.prod(shape) * dtype.itemsize
        if n_bytes < _LARGE_BYTES:
            return np.empty(shape, dtype)
        buffer = self._taken(n_bytes)
        # All that is made of this array refers to it, and not to the buffer: NumPy looks through
        # arrays for the owner of their memory, but not through a memoryview.
        array = np.asarray(memoryview(buffer))
        weakref.finalize(array, _give_back, self._free, buffer).atexit = False
        return array.view(dtype).reshape(shape)

    def _taken(self, n_bytes: int) -> np.ndarray:
        try:
            found = self._free.pop()
        except IndexError:
            found = None
        return found if found is not None and len(found) == n_bytes else np.empty(n_bytes, np.uint8)


def _give_back(free: list[np.ndarray], buffer: np.ndarray) -> None:
    if len(free) < _MOST_FREE and buffer.nbytes <= _MOST_KEPT_BYTES:
        free.append(buffer)
