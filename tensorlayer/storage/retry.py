"""Which errors of the driver mean "try again", and how long to be patient."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable

from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from tensorlayer.errors import StoreUnavailable

_log = logging.getLogger(__name__)

#: The first retry comes within this time: a lost write conflict is over that fast.
FIRST_PAUSE_SECONDS = 0.01
#: No pause is longer, so a server that came back is noticed at once, even by many clients.
LONGEST_PAUSE_SECONDS = 1.0
#: An outage that lasts longer is worth a line: who waits should know what for.
TOLD_AFTER_SECONDS = 2.0

#: The server is shutting down, stepping down, catching up or lost a peer: MongoDB's error codes. 64
#: says that a majority did not confirm a write in time, 43 and 237 that a cursor was given up; 211
#: comes from a server that has just started and has no keys to sign its clock with, and 11601 says
#: that an administrator has ended the operation.
_PASSING_CODES = frozenset(
    {6, 7, 43, 63, 64, 89, 91, 133, 134, 150, 189, 211, 234, 237, 262, 9001, 10058, 10107}
    | {11600, 11601, 11602, 13388, 13435, 13436}
)
#: Unauthorized, UserNotFound, AuthenticationFailed, and what hosted servers answer.
_DENIED_CODES = frozenset({11, 13, 18, 8000})


def is_passing(error: BaseException) -> bool:
    """Tell whether ``error`` is an outage that may pass: no connection, no primary, shutting down.

    Examples
    --------
    >>> from pymongo.errors import AutoReconnect, DuplicateKeyError, OperationFailure
    >>> is_passing(AutoReconnect("connection closed"))
    True
    >>> is_passing(OperationFailure("InterruptedAtShutdown", code=11600))
    True
    >>> is_passing(DuplicateKeyError("E11000 duplicate key"))
    False
    """
    if isinstance(error, ConnectionFailure):
        return True
    if isinstance(error, OperationFailure):
        return error.code in _PASSING_CODES or error.has_error_label("RetryableWriteError")
    return False


def is_denied(error: BaseException) -> bool:
    """Tell whether ``error`` says that the credentials are missing, wrong or not enough."""
    return isinstance(error, OperationFailure) and error.code in _DENIED_CODES


def is_transient(error: BaseException) -> bool:
    """Tell whether a whole transaction may be run again: it was aborted, nothing of it stays."""
    return isinstance(error, PyMongoError) and (
        error.has_error_label("TransientTransactionError") or is_passing(error)
    )


class Patience:
    """Pauses between the attempts of one operation: exponential with full jitter, in a budget.

    The budget counts from the first failure, so an operation that ran long before the connection
    broke is not given up sooner. An outage that lasts some seconds is a warning, once.

    Parameters
    ----------
    budget_seconds
        How long an outage may last.
    place
        Which store it is, for the message; holds no credentials.
    clock, sleep, jitter
        Replaced by tests: monotonic seconds, how to wait, uniform numbers from [0, 1).

    Examples
    --------
    >>> slept = []
    >>> patience = Patience(60, "here", clock=lambda: 0, sleep=slept.append, jitter=lambda: 1.0)
    >>> for _ in range(3):
    ...     patience.wait(ConnectionError("gone"))
    >>> slept
    [0.01, 0.02, 0.04]
    """

    def __init__(
        self,
        budget_seconds: float,
        place: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.budget_seconds = budget_seconds
        self.place = place
        self._clock, self._sleep, self._jitter = clock, sleep, jitter
        self._deadline: float | None = None
        self._is_told = False
        self._ceiling = FIRST_PAUSE_SECONDS

    def wait(self, error: BaseException) -> None:
        """Pause before the next attempt.

        Raises
        ------
        StoreUnavailable
            When the budget is used up; chained to ``error``.
        """
        now = self._clock()
        if self._deadline is None:
            self._deadline = now + self.budget_seconds
        if now >= self._deadline:
            raise StoreUnavailable(
                f"{self.place}: no success within the outage budget of {self.budget_seconds:g} s, "
                f"last {type(error).__name__}. Check that the server runs and can be reached, or "
                "raise outage_budget_seconds."
            ) from error
        left = self._deadline - now
        if not self._is_told and self.budget_seconds - left >= TOLD_AFTER_SECONDS:
            self._is_told = True
            _log.warning(
                "%s: no success yet, last %s; trying on for %.0f s.",
                self.place,
                type(error).__name__,
                left,
            )
        self._sleep(min(self._jitter() * self._ceiling, left))
        self._ceiling = min(2 * self._ceiling, LONGEST_PAUSE_SECONDS)


__all__ = ["Patience", "is_passing", "is_denied", "is_transient"]
