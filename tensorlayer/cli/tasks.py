"""``tl tasks``: look at tasks, cancel them, give them new tries."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tensorlayer.cli.connection import ProjectOption, UriOption, connected
from tensorlayer.cli.table import HomeOption, JsonOption, show, show_one

if TYPE_CHECKING:
    from tensorlayer.workflow.tasks import Task

__all__ = ["app", "listing", "show_task", "cancel", "requeue"]

app = typer.Typer(help="The tasks of a project, newest first; without a command: list them.")

TaskArgument = Annotated[str, typer.Argument(help="Id of the task, or its first digits.")]

_COLUMNS = ("id", "function", "queue", "state", "attempt", "owner", "progress", "age")

# As many digits as tell tasks apart in practice, and fit into a table.
_SHORT_ID = 12


@app.callback(invoke_without_command=True)
def listing(
    context: typer.Context,
    state: Annotated[
        str | None, typer.Option(help="waiting, running, done, dead or cancelled.")
    ] = None,
    queue: Annotated[str | None, typer.Option(help="Only tasks of this queue.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 50,
    as_json: JsonOption = False,
    uri: UriOption = None,
    project: ProjectOption = None,
    home: HomeOption = None,
) -> None:
    """List tasks, newest first.

    tl tasks --state dead

    tl tasks show 3f2a

    tl tasks requeue 3f2a
    """
    if context.invoked_subcommand is not None:
        return
    with connected(uri, project, home) as hub:
        found = hub.workflow.tasks(state=state, queue=queue, limit=limit)
        now = hub.store.now()
    rows = [_row(task, now, as_json=as_json) for task in found]
    show(rows, _COLUMNS, as_json=as_json)


@app.command("show")
def show_task(
    task: TaskArgument,
    as_json: JsonOption = False,
    uri: UriOption = None,
    project: ProjectOption = None,
    home: HomeOption = None,
) -> None:
    """Show all about one task, with the newest events of its history."""
    with connected(uri, project, home) as hub:
        found = hub.workflow.handle(task).task()
        now = hub.store.now()
    limits = ("max_attempts", "max_crashes", "run_timeout_seconds", "errors", "crashes")
    keys = ("input", "model", "output", "created", "finished")
    details = {name: getattr(found, name) for name in (*keys, *limits)}
    row = {**_row(found, now, as_json=True), **details}
    if as_json:
        show_one({**row, "history": list(found.history)}, as_json=True)
        return
    show_one(row)
    show(found.history, ("at", "attempt", "event", "host", "reason"), title="history")
    if found.last_failure is not None:
        typer.echo(found.last_failure.get("traceback", ""), nl=False)


@app.command()
def cancel(
    task: TaskArgument,
    as_json: JsonOption = False,
    uri: UriOption = None,
    project: ProjectOption = None,
    home: HomeOption = None,
) -> None:
    """Ask for the end of a task; none of its outputs becomes visible.

    A waiting task is cancelled at once. A running one is asked to stop, then made to.
    """
    with connected(uri, project, home) as hub:
        handle = hub.workflow.handle(task)
        show_one({"id": handle.id, "state": str(handle.cancel())}, as_json=as_json)


@app.command()
def requeue(
    task: TaskArgument,
    as_json: JsonOption = False,
    uri: UriOption = None,
    project: ProjectOption = None,
    home: HomeOption = None,
) -> None:
    """Give a dead or cancelled task new tries."""
    with connected(uri, project, home) as hub:
        handle = hub.workflow.handle(task)
        show_one({"id": handle.id, "state": str(handle.requeue())}, as_json=as_json)


def _row(task: Task, now: datetime.datetime, *, as_json: bool) -> dict[str, Any]:
    progress = task.progress or {}
    row = {
        "id": task.id if as_json else task.id[:_SHORT_ID],
        "function": task.function,
        "queue": task.queue,
        "state": str(task.state),
        "attempt": task.attempt,
        "owner": task.lease.owner if task.lease else None,
        "progress": dict(progress) or None,
        "age": (now - task.created).total_seconds(),
    }
    if not as_json:
        row["progress"] = f"{task.fraction:.0%} {progress.get('message', '')}".rstrip()
        row["age"] = _age_text(row["age"])
    return row


def _age_text(seconds: float) -> str:
    """Return an age as people say it, in the largest unit that fits.

    Examples
    --------
    >>> _age_text(7.4), _age_text(3700), _age_text(200_000)
    ('7 s', '1 h', '2 d')
    """
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
