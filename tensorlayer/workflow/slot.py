"""One place for tasks: the child process that runs them, and what was claimed for it.

A slot holds the attempts that were handed to the child: the one that runs, and before it those
whose function has returned and whose end is being written. Behind them wait those that were claimed
ahead, as long as tasks are quick.
"""

from __future__ import annotations

import dataclasses
import enum
import signal
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from tensorlayer.workflow.process import Channel, ChildProcess
from tensorlayer.workflow.tasks import Task

if TYPE_CHECKING:
    from tensorlayer.workflow.claims import Claims

Step = Callable[[], Any]

__all__ = ["N_BEATS", "Stop", "Attempt", "Slot"]

# So much work is claimed ahead, as far as one can tell from how long tasks have lately taken: about
# ten round trips to a database. Nobody else could have done it much sooner.
_AHEAD_SECONDS = 0.05

# More would gain little: a claim of 32 costs not much more than one of a single task.
_MOST_AHEAD = 32

# If a task takes longer after all, somebody else may have what was claimed ahead.
_HOSTAGE_SECONDS = 0.25

# Ends that are being written while the next task runs. If there are more, the database is slow.
_MOST_ENDING = 64

#: Leases that are prolonged at the same time. A slow commit locks all that share it, and what runs
#: or follows must not wait for those.
N_BEATS = _MOST_ENDING + 2

# The weight of the newest task in the mean of how long they take, and what counts as long: after
# one long task none is claimed ahead, after a busy moment of the machine a few still are.
_NEWEST = 0.25
_LONGEST_SECONDS = 4 * _AHEAD_SECONDS

# From the end of the line to the end of a process that dies.
_DYING_SECONDS = 1.0


class Stop(enum.Enum):
    """Why the agent stops the process of a task."""

    #: somebody cancelled the task; it is asked first
    CANCEL = "cancelled"
    #: the attempt took longer than its time-out
    TIMEOUT = "timed out"
    #: the agent is told to go
    DRAIN = "released"
    #: another agent owns the task now
    LOST = "lost"
    #: what it says is no message
    GARBLED = "garbled"
    #: somebody has stopped the process, and it was not continued
    FROZEN = "frozen"
    #: its task has ended, but not so well that another one should run there
    RETIRED = "retired"


# Reasons to end a process that count as a crash of its task.
_CRASHES = {
    Stop.GARBLED: "what its process told the agent is no message",
    Stop.FROZEN: "its process was stopped (SIGSTOP) and not continued",
}


@dataclasses.dataclass
class Attempt:
    """One attempt that was handed to the child."""

    task: Task
    #: on the monotonic clock
    began_at: float
    #: when it will have taken too long
    timeout_at: float
    #: whether its function has returned, so that only its end is to be written
    is_ending: bool = False
    #: whether the database said that it has ended, and the child has not
    is_over: bool = False


class Slot:
    """One child, which is kept warm, and the tasks that it runs. For one thread.

    Parameters
    ----------
    process : ChildProcess
        The child.
    frozen_seconds : float
        How long a child may be stopped (SIGSTOP) before it is replaced.
    cancel_grace_seconds : float
        Between asking a task to stop and TERM.
    kill_grace_seconds : float
        Between TERM and KILL.
    """

    def __init__(
        self,
        process: ChildProcess,
        *,
        frozen_seconds: float,
        cancel_grace_seconds: float,
        kill_grace_seconds: float,
    ) -> None:
        self._process = process
        self._frozen_seconds = frozen_seconds
        self._cancel_grace_seconds = cancel_grace_seconds
        self._kill_grace_seconds = kill_grace_seconds
        self._held: dict[tuple[str, int], Attempt] = {}
        #: what was claimed and has not begun, with the document for the child
        self.next: deque[tuple[Task, str | None]] = deque()
        #: whether a claim for this slot is on its way
        self.is_claiming = False
        #: whether no other task may run in this process
        self.is_spent = False
        #: why the child is being stopped
        self.stopping: Stop | None = None
        #: the task that it is stopped for
        self.guilty: Task | None = None
        #: sessions of the database in which the child ends its tasks, the newest last
        self.sessions: deque[str] = deque(maxlen=_MOST_ENDING)
        #: whether the child has imported everything
        self.is_ready = False
        self._mean_seconds = float("inf")  # of a task, lately
        self._n_ahead = 1
        self._moved_at = time.monotonic()  # something was claimed, began or ended

    @property
    def channel(self) -> Channel:
        """The line to the child."""
        return self._process.channel

    @property
    def session(self) -> str | None:
        """The session in which the child will most likely end the next task."""
        return self.sessions[-1] if self.sessions else None

    @property
    def held(self) -> list[Task]:
        """The attempts that the child has, in the order in which they began."""
        return [each.task for each in self._held.values()]

    @property
    def running(self) -> Attempt | None:
        """The attempt whose function runs."""
        return next((each for each in self._held.values() if not each.is_ending), None)

    @property
    def is_free(self) -> bool:
        """Whether a task could start here now, or in a moment."""
        is_there = self.is_ready and not self.channel.is_closed and self.stopping is None
        return is_there and not self.is_spent and self.running is None

    @property
    def is_soon_free(self) -> bool:
        """Whether the attempt that runs is most likely a short one."""
        if self.stopping is not None or self.is_spent or (running := self.running) is None:
            return False
        so_far = time.monotonic() - running.began_at
        return max(self._mean_seconds, so_far) < _AHEAD_SECONDS

    @property
    def n_wanted(self) -> int:
        """How many tasks to claim for this slot now."""
        if self.is_claiming or self._is_reserved or not (self.is_free or self.is_soon_free):
            return 0
        affordable = 1 + int(_AHEAD_SECONDS / max(self._mean_seconds, 1e-9))
        n_ahead = min(self._n_ahead, affordable, _MOST_AHEAD)
        return n_ahead if 2 * len(self.next) < n_ahead else 0

    @property
    def _is_reserved(self) -> bool:
        """Whether what was claimed now could not begin soon.

        Nobody waits behind a task that may take the process with it, or the whole agent.
        """
        here = [*self.held, *(task for task, _ in self.next)]
        return len(self._held) >= _MOST_ENDING or any(map(_is_suspicious, here))

    def took(self, n_asked: int, n_taken: int) -> None:
        """Take note of a claim: as long as all that was asked for is there, ask for more."""
        if n_taken:
            self._moved_at = time.monotonic()
        if n_taken == n_asked:
            self._n_ahead = min(2 * n_asked, _MOST_AHEAD)

    @property
    def is_hostage(self) -> bool:
        """Whether what was claimed ahead waits for something that takes longer than thought."""
        return bool(self.next) and time.monotonic() - self._moved_at > _HOSTAGE_SECONDS

    @property
    def deadline(self) -> float:
        """When the slot needs attention even if no message comes."""
        times = [self._process.deadline]
        if self.stopping in (None, Stop.CANCEL):
            times += [each.timeout_at for each in self._held.values()]
        if self.next:
            times.append(self._moved_at + _HOSTAGE_SECONDS)
        return min(times)

    def runs(self, task_id: str, attempt: int) -> bool:
        """Whether the child has this attempt."""
        return (task_id, attempt) in self._held

    def begin(self) -> None:
        """Hand the next task to the child, if it may start now.

        One that has taken a process with it before, or may have, is alone in its process: then it
        is clear whose fault it is, and nobody else suffers.
        """
        if not (self.next and self.is_free and len(self._held) < _MOST_ENDING):
            return
        task, document = self.next[0]
        if self._held and any(map(_is_suspicious, [task, *self.held])):
            return
        self.next.popleft()
        now = self._moved_at = time.monotonic()
        limit = float("inf") if task.run_timeout_seconds is None else task.run_timeout_seconds
        self._held[task.id, task.attempt] = Attempt(task, now, now + limit)
        order = {"document": document, "is_followed": bool(self.next)}
        self.channel.send("run", id=task.id, attempt=task.attempt, **order)

    def ending(self, task_id: str, attempt: int) -> None:
        """Take note that the function of an attempt has returned."""
        ended = self._held[task_id, attempt]
        if not ended.is_ending:
            ended.is_ending = True
            self._learn(ended)

    def forget(self, task_id: str, attempt: int) -> Task:
        """Return the task of an attempt that has ended and be free of it."""
        ended = self._held.pop((task_id, attempt))
        if not ended.is_ending:
            self._learn(ended)
        self._moved_at = time.monotonic()
        return ended.task

    def bury(self, claims: Claims, how: str, *, is_leaving: bool) -> list[tuple[Task, list[Step]]]:
        """Return what the dead child had, each with the steps that record its end; be free of it.

        Parameters
        ----------
        claims : Claims
            What records it.
        how : str
            How the process died.
        is_leaving : bool
            Whether the agent goes, so that whoever comes next has another try.
        """
        held, self._held = self.held, {}
        unlock = [partial(claims.abort, *self.sessions)] if self.sessions else []
        is_alone = len(held) == 1
        ends = [self._end_of(each, claims, how, is_leaving, is_alone) for each in held]
        return [
            (task, [*unlock, end] if end else unlock) for task, end in zip(held, ends, strict=True)
        ]

    def _end_of(
        self, task: Task, claims: Claims, how: str, is_leaving: bool, is_alone: bool
    ) -> Step | None:
        """Return how an attempt ends whose process has died, as far as it has not ended itself."""
        is_victim = self.guilty is not None and self.guilty is not task
        if is_leaving or is_victim or self.stopping is Stop.DRAIN:
            return partial(claims.release, task)
        if self.stopping is Stop.LOST:
            return None
        if self.stopping is Stop.TIMEOUT:
            reason = f"took longer than run_timeout_seconds = {task.run_timeout_seconds:g}"
            return partial(claims.fail, task, reason, error="TimeoutError")
        reason = _CRASHES.get(self.stopping, f"its process died: {how}")
        if is_alone or self.guilty is task:
            return partial(claims.crash, task, reason, signal=how)
        # Nobody knows whose fault it is. From now on each is alone in its process.
        return partial(claims.release, task, f"{reason}, with another task in it")

    def take_next(self) -> list[Task]:
        """Return what was claimed and has not begun, and be free of it."""
        tasks = [task for task, _ in self.next]
        self.next.clear()
        return tasks

    def _learn(self, ended: Attempt) -> None:
        seconds = time.monotonic() - ended.began_at
        seconds = min(seconds, _LONGEST_SECONDS)
        known = seconds if self._mean_seconds == float("inf") else self._mean_seconds
        self._mean_seconds = known + _NEWEST * (seconds - known)

    def retire(self) -> None:
        """End the child, whose tasks have ended, and all that they have left behind."""
        self.stopping = Stop.RETIRED
        self._process.plan((time.monotonic(), signal.SIGKILL))
        self._process.enforce()

    def hang_up(self) -> None:
        """End a child that has closed the line; one that is dying may do so by itself."""
        if not self._process.has_signals:
            self._process.plan((time.monotonic() + _DYING_SECONDS, signal.SIGKILL))

    def heed(self, task: Task, what: str) -> None:
        """Take what the reply to a beat says: lost, cancel, or ended.

        While its end is being written, the attempt finds out itself what the database thinks of it,
        and the process may be another task's.

        A child whose task has ended says so at once. One that has not said it a beat later has lost
        the line, and would wait for ever.
        """
        attempt = self._held[task.id, task.attempt]
        if attempt.is_ending and self.running:
            return
        if what != "ended":
            self.stop(Stop.LOST if what == "lost" else Stop.CANCEL, task)
        elif attempt.is_over:
            self.stop(Stop.GARBLED, task)
        attempt.is_over = True

    def stop(self, why: Stop, guilty: Task | None = None) -> None:
        """Begin to stop the child; a second reason does not soften the first."""
        if self.stopping not in (None, Stop.CANCEL) or why is self.stopping:
            return
        self.stopping, self.guilty = why, guilty
        now = time.monotonic()
        if why in (Stop.LOST, Stop.GARBLED, Stop.FROZEN):
            self._process.plan((now, signal.SIGKILL))
        else:
            asked = self._cancel_grace_seconds if why is Stop.CANCEL else 0.0
            if why is Stop.CANCEL and guilty is not None:
                self.channel.send("cancel", id=guilty.id, attempt=guilty.attempt)
            killed = now + asked + self._kill_grace_seconds
            self._process.plan((now + asked, signal.SIGTERM), (killed, signal.SIGKILL))

    def enforce(self) -> None:
        """Send the signals that are due; an attempt beyond its time-out is stopped."""
        if self._process.stopped_seconds() >= self._frozen_seconds:
            self.stop(Stop.FROZEN)
        now = time.monotonic()
        for each in self._held.values():
            if now >= each.timeout_at:
                self.stop(Stop.TIMEOUT, each.task)
        self._process.enforce()

    def died(self) -> int | None:
        """Return the exit code, once, when the child has died; see `ChildProcess.died`."""
        return self._process.died()

    def renew(self) -> None:
        """Start a new child in the place of a dead one."""
        self.channel.close()
        self.is_ready = self.is_spent = False
        self.stopping = self.guilty = None
        self.sessions.clear()
        self._process.spawn()

    def kill(self) -> None:
        """End the child for good."""
        self.stopping = Stop.RETIRED
        self._process.kill()


def _is_suspicious(task: Task) -> bool:
    return task.crashes + task.interruptions > 0
