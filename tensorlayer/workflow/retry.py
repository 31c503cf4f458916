"""When a failed attempt is repeated, and when the task is dead: pure functions.

Errors (the task raised, or took too long) and crashes (its process died) are counted apart: an
error is the task's own, a crash may take the machine with it. A crash loop must not hide behind
errors, and an unlucky machine must not use up the attempts that are meant for errors.
"""

from __future__ import annotations

import dataclasses
import random

from tensorlayer.errors import InvalidArgument

__all__ = ["Backoff", "DEFAULT_BACKOFF", "is_exhausted"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Backoff:
    """Exponential waiting with full jitter.

    The n-th failure waits a random time between 0 and ``base_seconds * 2**(n - 1)``, at most
    ``cap_seconds``. Full jitter (rather than half) because what failed together, for one reason,
    should not come back together.

    Parameters
    ----------
    base_seconds : float
        Upper end of the first wait. 1 s: a lost connection is often back by then.
    cap_seconds : float
        Upper end of any wait. 300 s: nobody waits longer than that for a retry that would work.

    Examples
    --------
    >>> Backoff(base_seconds=1.0, cap_seconds=10.0).ceiling(3)
    4.0
    >>> Backoff(base_seconds=1.0, cap_seconds=10.0).ceiling(1000)
    10.0
    """

    base_seconds: float = 1.0
    cap_seconds: float = 300.0

    def __post_init__(self) -> None:
        if not 0 <= self.base_seconds <= self.cap_seconds:
            raise InvalidArgument(
                f"Backoff: 0 <= base_seconds <= cap_seconds must hold, got {self.base_seconds} and "
                f"{self.cap_seconds}. Give the shorter time first."
            )

    def ceiling(self, failures: int) -> float:
        """Return the longest wait, in seconds, after this many failures (1 for the first)."""
        doublings = min(max(failures - 1, 0), 64)  # beyond that the cap rules and floats overflow
        return min(self.cap_seconds, self.base_seconds * 2.0**doublings)

    def delay(self, failures: int, rng: random.Random | None = None) -> float:
        """Return the wait in seconds after this many failures, drawn from ``rng``."""
        draw = rng.random() if rng is not None else random.random()
        return draw * self.ceiling(failures)


#: what agents use
DEFAULT_BACKOFF = Backoff()


def is_exhausted(errors: int, crashes: int, *, max_attempts: int, max_crashes: int) -> bool:
    """Return whether a task with these counts has no try left.

    Examples
    --------
    >>> is_exhausted(errors=2, crashes=0, max_attempts=3, max_crashes=1)
    False
    >>> is_exhausted(errors=0, crashes=1, max_attempts=3, max_crashes=1)
    True
    """
    return errors >= max_attempts or crashes >= max_crashes
