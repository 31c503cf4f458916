"""Time: when a lease counts as lost, when a failed attempt is repeated, and when a task is dead.

The server's clock alone is not enough to take a lease away: if it jumps ahead by an hour, every
lease of every agent looks expired at once. So a lease counts as lost only if two things hold:

- by the server's clock it has expired, and
- an observer saw it *unchanged* for half its length, by the observer's own monotonic clock, without
  a gap in its watching.

A living agent beats every third of a lease, so it changes what the observer sees in time whatever
the clocks say. A gap (the observer was stopped, or the server was away so that nobody could beat)
starts the observation anew.

Errors (the task raised, or took too long) and crashes (its process died) are counted apart: an
error is the task's own, a crash may take the machine with it. A crash loop must not hide behind
errors, and an unlucky machine must not use up the attempts that are meant for errors.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING

from tensorlayer.errors import InvalidArgument

if TYPE_CHECKING:
    from tensorlayer.workflow.tasks import Task

__all__ = [
    "BEATS_PER_LEASE",
    "OBSERVED_SHARE",
    "Sighting",
    "LeaseWatch",
    "Backoff",
    "DEFAULT_BACKOFF",
    "is_exhausted",
]

# Three beats a lease: two may be lost before half of it has passed unchanged.
BEATS_PER_LEASE = 3

# The share of a lease that an observer has to see unchanged. Half: less would meet a late beat,
# more would prolong the recovery.
OBSERVED_SHARE = 0.5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sighting:
    """What an observer saw of one lease."""

    #: id of the task
    task: str
    #: changes with each claim and each beat
    mark: Hashable
    #: length of the lease
    seconds: float
    #: whether the server's clock has passed its end
    is_expired: bool

    @classmethod
    def of(cls, task: Task, *, is_expired: bool) -> Sighting:
        """Return what is seen of the lease of a running task."""
        lease = task.lease
        mark = (task.attempt, lease.token, lease.expires)
        return cls(task=task.id, mark=mark, seconds=lease.seconds, is_expired=is_expired)


class LeaseWatch:
    """One observer's memory of the leases that it suspects. Not for use by several threads.

    Parameters
    ----------
    max_gap_seconds : float
        Two looks that lie further apart are no continuous observation. It should be a small
        multiple of the time between looks.

    Examples
    --------
    >>> watch = LeaseWatch(max_gap_seconds=6.0)
    >>> seen = Sighting(task="t", mark=1, seconds=10.0, is_expired=True)
    >>> watch.look([seen], now=0.0), watch.look([seen], now=4.9), watch.look([seen], now=5.0)
    ([], [], ['t'])
    """

    def __init__(self, *, max_gap_seconds: float) -> None:
        self._max_gap_seconds = max_gap_seconds
        self._last_look = float("-inf")
        self._since: dict[tuple[str, Hashable], float] = {}

    def look(self, sightings: Iterable[Sighting], *, now: float) -> list[str]:
        """Take in all leases that are suspect now and return the tasks whose lease is lost.

        Parameters
        ----------
        sightings : iterable of Sighting
            *All* suspect leases; one that is left out was beaten in time and is forgotten.
        now : float
            Seconds of the observer's monotonic clock.
        """
        known = self._since if now - self._last_look <= self._max_gap_seconds else {}
        self._last_look = now
        self._since, lost = {}, []
        for seen in sightings:
            since = known.get((seen.task, seen.mark), now)
            self._since[seen.task, seen.mark] = since
            if seen.is_expired and now - since >= OBSERVED_SHARE * seen.seconds:
                lost.append(seen.task)
        return lost


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
