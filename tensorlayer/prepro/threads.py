"""Threads over a batch: for functions that leave Python while they work, as image functions do."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from tensorlayer.errors import InvalidArgument
from tensorlayer.prepro.draws import stack

__all__ = ["threading_data"]

#: Threads at a time when none are asked for: those that read files mostly wait.
_THREADS = min(32, 4 * (os.cpu_count() or 1))


def threading_data(
    data: Sequence[Any] | np.ndarray | None = None,
    fn: Callable[..., Any] | None = None,
    thread_count: int | None = None,
    **kwargs: Any,
) -> np.ndarray | list[Any]:
    """Apply a function to a batch, in threads.

    The order of the results is that of the data. If a call raises, the first error in that order
    is raised here, after the calls that were running have ended; the rest is not begun.

    Parameters
    ----------
    data
        A list or an array.
    fn
        Called with one item, or with ``thread_count`` with a slice of ``data``; it may be in
        several threads at once.
    thread_count
        None: ``fn`` gets single items. A number: ``data`` is cut into so many slices, each for one
        call.
    kwargs
        Further arguments of ``fn``.

    Returns
    -------
    numpy.ndarray or list
        The results stacked (those of slices concatenated); a list where their shapes differ.

    Raises
    ------
    InvalidArgument
        No data, no function, or fewer than one thread.

    Examples
    --------
    >>> threading_data(np.arange(3), lambda x, add: x + add, add=10).tolist()
    [10, 11, 12]
    >>> threading_data(np.arange(6), lambda part: part * 2, thread_count=2).tolist()
    [0, 2, 4, 6, 8, 10]
    >>> threading_data([b"1", b"x"], int)
    Traceback (most recent call last):
    ...
    ValueError: invalid literal for int() with base 10: b'x'
    """
    if data is None or not callable(fn):
        raise InvalidArgument(f"threading_data: needs data and a function, got fn={fn!r}.")
    if thread_count is None:
        return stack(_run(fn, list(data), _THREADS, kwargs))
    if thread_count < 1:
        raise InvalidArgument(
            f"threading_data: thread_count must be 1 or more, got {thread_count}."
        )
    ends = np.linspace(0, len(data), thread_count + 1).round().astype(int)
    parts = [data[first:end] for first, end in itertools.pairwise(ends) if first < end]
    results = _run(fn, parts, thread_count, kwargs)
    try:
        return np.concatenate(results)
    except ValueError:  # no slice at all, or shapes that differ
        return stack([each for result in results for each in result])


def _run(
    fn: Callable[..., Any], items: list[Any], n_threads: int, kwargs: dict[str, Any]
) -> list[Any]:
    with ThreadPoolExecutor(max(1, min(n_threads, len(items)))) as pool:
        futures = [pool.submit(fn, item, **kwargs) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
