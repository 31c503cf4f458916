"""Signals that wait until they do no harm."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any

__all__ = ["SIGNALS", "Postponed"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Postponed:
    """A context in which Ctrl-C and SIGTERM wait until somebody delivers them.

    Only the first one waits: a second one is for those who cannot wait, and acts at once. Outside
    of the main thread, where Python handles no signals, it does nothing.

    Parameters
    ----------
    numbers
        Which signals.

    Attributes
    ----------
    waiting
        The number of the signal that waits, or None.

    Examples
    --------
    >>> with Postponed() as signals:
    ...     signal.raise_signal(signal.SIGINT)
    ...     try:
    ...         signals.deliver()
    ...     except KeyboardInterrupt:
    ...         print("Now!")
    Now!
    """

    def __init__(self, numbers: Sequence[int] = SIGNALS) -> None:
        self.waiting: int | None = None
        self._numbers = numbers
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> Postponed:
        if threading.current_thread() is threading.main_thread():
            for number in self._numbers:
                if signal.getsignal(number) not in {signal.SIG_IGN, None}:
                    self._handlers[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()
        if self.waiting is not None:
            signal.raise_signal(self.waiting)

    @contextlib.contextmanager
    def let_through(self) -> Iterator[None]:
        """In this context signals do at once what they would do without the one around it."""
        self._restore()
        try:
            yield
        finally:
            self.__enter__()

    def deliver(self) -> None:
        """Let the signal that waits do what it would have done; go on if that ends nothing."""
        if self.waiting is None:
            return
        number, self.waiting = self.waiting, None
        self._restore()
        signal.raise_signal(number)
        self.__enter__()

    def _note(self, number: int, _: FrameType | None) -> None:
        self.waiting = number
        self._restore()

    def _restore(self) -> None:
        while self._handlers:
            signal.signal(*self._handlers.popitem())
