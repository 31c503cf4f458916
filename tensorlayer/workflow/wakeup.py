"""Waiting for a change in a collection: by a change stream, or by the clock where there is none.

A wake-up is a hint and nothing more. Who is woken looks at the documents; who is not woken, because
the stream broke or was refused, looks when the time is up. So a lost hint costs time, never a task.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pymongo.errors import PyMongoError

if TYPE_CHECKING:
    from pymongo.change_stream import CollectionChangeStream
    from pymongo.collection import Collection

__all__ = ["Wakeup"]

logger = logging.getLogger(__name__)

# The server holds an empty answer back this long. It bounds how late `wait` notices its own end,
# and how often an idle waiter asks.
_AWAIT_SECONDS = 0.5

# How long to go without a stream after one broke: the server may be starting.
_REOPEN_SECONDS = 1.0

# The time between looks while there is no stream.
_POLL_SECONDS = 0.2


class Wakeup:
    """A context manager that waits for changes which match a pipeline. For one thread.

    The stream is open when the ``with`` statement has been entered (if the server grants one), so
    what happens after that wakes the waiter.

    Parameters
    ----------
    collection : Collection
        What is watched.
    pipeline : sequence of mappings
        Aggregation stages that select the changes; see MongoDB's change streams.
    await_seconds : float
        How long the server holds an empty answer back; `wait` may be late by as much.
    """

    def __init__(
        self,
        collection: Collection,
        pipeline: Sequence[Mapping[str, Any]],
        *,
        await_seconds: float = _AWAIT_SECONDS,
    ) -> None:
        self._collection = collection
        self._pipeline = list(pipeline)
        self._stream: CollectionChangeStream | None = None
        self._reopen_at = float("-inf")
        self._await_ms = round(await_seconds * 1000)

    def wait(self, timeout_seconds: float) -> Mapping[str, Any] | None:
        """Return the next change, or None after the time.

        An empty change says that there was no stream, so something may have been missed.
        """
        end = time.monotonic() + timeout_seconds
        while (left := end - time.monotonic()) > 0:
            if self._stream is None and not self._open():
                time.sleep(min(_POLL_SECONDS, left))
                return {}
            if (change := self._next()) is not None:
                return change
        return None

    def _next(self) -> Mapping[str, Any] | None:
        try:
            return self._stream.try_next()
        except PyMongoError as error:
            logger.debug("a change stream broke: %s", type(error).__name__)
            self._close()
            return {}

    def _open(self) -> bool:
        now = time.monotonic()
        if now < self._reopen_at:
            return False
        self._reopen_at = now + _REOPEN_SECONDS
        try:
            self._stream = self._collection.watch(self._pipeline, max_await_time_ms=self._await_ms)
        except PyMongoError as error:
            logger.debug("there is no change stream: %s", type(error).__name__)
        return self._stream is not None

    def _close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            with contextlib.suppress(PyMongoError):
                stream.close()

    def __enter__(self) -> Wakeup:
        self._open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()
