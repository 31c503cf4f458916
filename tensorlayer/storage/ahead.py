"""Doing things ahead of the use of their results, a bounded number of them at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import TypeVar

__all__ = ["ahead"]

S, T = TypeVar("S"), TypeVar("T")


def ahead(do: Callable[[S], T], items: Iterable[S], most: int) -> Iterator[T]:
    """Yield what is done with each item, in their order, while threads do it with the next ones.

    The items are taken in the caller's thread. What was not begun when one fails, or when the
    iterator is closed, is not done; what was begun is waited for.

    Parameters
    ----------
    do
        Called in any of the threads; with a single item in the caller's own.
    items
        One more than ``most`` of them are taken ahead of the result that is used.
    most
        How many threads.

    Examples
    --------
    >>> list(ahead(len, ["a", "bc", "def"], most=2))
    [1, 2, 3]
    """
    rest = iter(items)
    first = [*islice(rest, 2)]
    if len(first) < 2:  # a thread would cost more than it gains
        yield from map(do, first)
        return
    under_way: deque[Future[T]] = deque()
    with ThreadPoolExecutor(most) as pool:
        try:
            for each in chain(first, rest):
                under_way.append(pool.submit(do, each))
                if len(under_way) > most:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
