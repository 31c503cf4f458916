"""A submitted task in the hands of whoever submitted it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tqdm.auto import tqdm

from tensorlayer.errors import TaskFailed, TaskNotFound, TaskTimeout
from tensorlayer.storage.codec import unpack
from tensorlayer.workflow import agents, schema
from tensorlayer.workflow.tasks import Status, Task
from tensorlayer.workflow.wakeup import Wakeup

if TYPE_CHECKING:
    from tensorlayer.storage.connection import Store
    from tensorlayer.workflow.queue import Workflow

__all__ = ["Handle"]

# Between looks if no change stream wakes the waiter: what a person does not feel as waiting.
_LOOK_SECONDS = 1.0

# A bar counts whole steps; a thousand of them move smoothly.
_BAR_STEPS = 1000


class Handle:
    """One task. Two handles of one task are equal; nothing is kept here that could get old.

    Examples
    --------
    >>> handle = hub.workflow.submit("my.tasks:train", 0.1, model="mlp")
    >>> handle.status()
    <Status.WAITING: 'waiting'>
    >>> handle == hub.workflow.submit("my.tasks:train", 0.1, model="mlp")
    True
    """

    def __init__(self, workflow: Workflow, task_id: str) -> None:
        self._workflow = workflow
        self._store: Store = workflow.store
        #: id of the task
        self.id = task_id

    def task(self) -> Task:
        """Return all that is known about the task now.

        Raises
        ------
        TaskNotFound
            It is not in the database any more.
        """
        tasks = schema.tasks(self._store)
        document = self._store.call(lambda: tasks.find_one({"_id": self.id}))
        if document is None:
            raise TaskNotFound(f"There is no task {self.id!r} in {self._store!r}.")
        return Task.from_document(document)

    def status(self) -> Status:
        """Return the state of the task now."""
        return self.task().state

    def cancel(self) -> Status:
        """Ask for the end of the task; see `Workflow.cancel`."""
        return self._workflow.cancel(self.id)

    def requeue(self) -> Status:
        """Give a dead or cancelled task new tries; see `Workflow.requeue`."""
        return self._workflow.requeue(self.id)

    def wait(self, timeout_seconds: float | None = None, *, progress: bool = True) -> Any:
        """Return the result of the task when it is done.

        Nothing happens here but waiting: an agent has to run. Breaking off (Ctrl-C) does no harm to
        the task.

        Parameters
        ----------
        timeout_seconds : float, optional
            How long to wait; for ever by default, since a training may take days.
        progress : bool
            Show a bar of what the task reports, if stderr is a terminal.

        Raises
        ------
        TaskFailed
            The task is dead or cancelled; the message holds the error that it raised.
        TaskTimeout
            It has not ended in time. It goes on.
        """
        end = float("inf") if timeout_seconds is None else time.monotonic() + timeout_seconds
        changes = [
            {"$match": {"documentKey._id": self.id}},
            {"$project": {"_id": 1}},
        ]
        # None lets tqdm find out itself whether somebody can see the bar.
        bar = tqdm(total=_BAR_STEPS, disable=None if progress else True, bar_format=_BAR_FORMAT)
        with bar, Wakeup(schema.tasks(self._store), changes) as wakeup:
            while not (task := self.task()).state.is_final:
                _show(bar, task)
                left = end - time.monotonic()
                if left <= 0:
                    raise TaskTimeout(self._timeout_message(task, timeout_seconds))
                wakeup.wait(min(left, _LOOK_SECONDS))
            _show(bar, task)
        if task.state is not Status.DONE:
            raise TaskFailed(_failure_message(task))
        return unpack(task.result, self._store.blobs)

    def _timeout_message(self, task: Task, timeout_seconds: float | None) -> str:
        hint = "It goes on; wait again, or cancel() it."
        if task.state is Status.WAITING:
            why = agents.why_nobody(task, agents.listed(self._store), self._store.now())
            hint = f"{why}. `tl agents` shows what runs." if why else "The agents are busy."
        return f"{task} is {task.state}, not ended within {timeout_seconds:g} s: {hint}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Handle) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<Handle of task {self.id[:12]}>"


_BAR_FORMAT = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}{postfix}"


def _show(bar: tqdm, task: Task) -> None:
    progress = task.progress or {}
    bar.set_description_str(f"{task.function} {task.state}", refresh=False)
    bar.set_postfix_str(progress.get("message", ""), refresh=False)
    bar.n = round(_BAR_STEPS * task.fraction)
    bar.refresh()


def _failure_message(task: Task) -> str:
    failure = task.last_failure
    if task.state is Status.CANCELLED or failure is None:
        return f"{task} is {task.state}. Run it again with handle.requeue()."
    return (
        f"{task} is dead after {task.errors} errors and {task.crashes} crashes; on host "
        f"{failure.get('host')} it ended with: {failure['reason']}. Mend the reason, then "
        f"handle.requeue().\n{failure.get('traceback', '')}"
    ).rstrip()
