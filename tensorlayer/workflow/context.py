"""What a running task knows about itself: [`current`][]."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING

from tensorlayer.errors import InvalidArgument, TaskError
from tensorlayer.workflow.documents import printable

if TYPE_CHECKING:
    from tensorlayer.hub import Hub
    from tensorlayer.workflow.tasks import Task

__all__ = ["Context", "current", "entered", "running"]

# A bar that moves ten times a second looks smooth; more would only cost.
_PROGRESS_SECONDS = 0.1

# What fits into one line of a table or beside a bar.
_MESSAGE_LENGTH = 200


class Context:
    """The running task, for the function that it runs. Thread safe.

    Parameters
    ----------
    hub : Hub
        The connection of this process. What is written through it inside the task becomes visible
        when the task is done, in the same transaction.
    task : Task
        What was claimed.
    report : callable
        Takes the progress to the agent.
    """

    def __init__(self, hub: Hub, task: Task, report: Callable[[float, str], None]) -> None:
        #: the connection of this process; closing it here only flushes it
        self.hub = hub
        #: id of the task
        self.id = task.id
        #: number of this claim; later attempts have higher numbers
        self.attempt = task.attempt
        #: key of the dataset to read
        self.input = task.input
        #: key of the model
        self.model = task.model
        #: key of the dataset to write
        self.output = task.output
        self._report = report
        self._reported_at = float("-inf")
        self._cancelled = threading.Event()

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked for the end of this task.

        A task that looks at it now and then, and returns, ends without being killed. Whatever it
        returns, it counts as cancelled and none of its outputs becomes visible.
        """
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Let [`cancelled`][] be true from now on."""
        self._cancelled.set()

    def progress(self, fraction: float, message: str = "") -> None:
        """Tell how far the task has come. Cheap: at most ten reports a second leave the process.

        Parameters
        ----------
        fraction : float
            From 0 to 1; 1 is always reported.
        message : str
            One short line, cut after 200 characters.

        Raises
        ------
        InvalidArgument
            ``fraction`` lies outside 0 to 1.
        """
        if not 0 <= fraction <= 1:
            raise InvalidArgument(
                f"progress: the fraction must lie from 0 to 1, got {fraction!r}. "
                "Divide by the total."
            )
        now = time.monotonic()
        if fraction == 1 or now - self._reported_at >= _PROGRESS_SECONDS:
            self._reported_at = now
            self._report(float(fraction), printable(str(message)[:_MESSAGE_LENGTH]))

    def __repr__(self) -> str:
        return f"<task {self.id[:12]}, attempt {self.attempt}>"


_CURRENT: ContextVar[Context] = ContextVar("tensorlayer_task")


def running() -> Context | None:
    """Return the context of the task that runs here, or None.

    Examples
    --------
    >>> running() is None
    True
    """
    return _CURRENT.get(None)


def current() -> Context:
    """Return the context of the task that runs here.

    Raises
    ------
    TaskError
        No task runs here: the function was called directly, or from a thread that was started
        without a copy of the context.

    Examples
    --------
    >>> current()
    Traceback (most recent call last):
    tensorlayer.errors.TaskError: current: no task runs here...
    """
    context = running()
    if context is None:
        raise TaskError(
            "current: no task runs here. Submit the function with hub.workflow.submit(); in a "
            "thread of a task, start it with contextvars.copy_context().run."
        )
    return context


@contextlib.contextmanager
def entered(context: Context) -> Iterator[Context]:
    """Let ``context`` be the current one inside the ``with`` statement."""
    token = _CURRENT.set(context)
    try:
        yield context
    finally:
        _CURRENT.reset(token)
