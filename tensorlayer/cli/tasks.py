"""``tl tasks``: look at tasks, cancel them, give them new tries, delete them."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tensorlayer.cli.connection import ProjectOption, UriOption, connected
from tensorlayer.cli.question import YesOption, agreed
from tensorlayer.cli.table import HomeOption, JsonOption, show, show_one
from tensorlayer.errors import Corrupt, InvalidArgument, TensorLayerError
from tensorlayer.workflow.tasks import Status

if TYPE_CHECKING:
    from tensorlayer.hub import Hub
    from tensorlayer.workflow.agents import AgentInfo
    from tensorlayer.workflow.handle import Handle
    from tensorlayer.workflow.tasks import Task

__all__ = ["app", "listing", "show_task", "cancel", "requeue", "delete"]

app = typer.Typer(help="The tasks of a project, newest first; without a command: list them.")

TaskArgument = Annotated[str, typer.Argument(help="Id of the task, or its first digits.")]

_COLUMNS = ("id", "function", "queue", "state", "attempt", "owner", "progress", "age", "broken")

# As many digits as tell tasks apart in practice, and leave room for the rest of 80 columns.
_SHORT_ID = 8

# What a line of the table needs besides the texts that can be cut: borders, id, state and age.
_FIXED_WIDTH = 18 + _SHORT_ID + 9 + 6

# How the texts share what is left.
_SHARES = {"function": 0.4, "queue": 0.2, "note": 0.4}

# Of arguments and results: what fits on a screen.
_SHORT_VALUE = 600


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
        try:
            found = hub.workflow.tasks(state=state, queue=queue, limit=limit)
        except InvalidArgument as error:
            raise typer.BadParameter(str(error), param_hint="--state") from error
        agents, now = hub.workflow.agents(), hub.store.now()
    if as_json:
        show([_row(task, now) for task in found], _COLUMNS, as_json=True)
    else:
        show([_line(task, agents, now) for task in found], _LINE)


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
        agents, now = hub.workflow.agents(), hub.store.now()
        values = {name: _value(hub, getattr(found, name)) for name in ("arguments", "result")}
    limits = ("max_attempts", "max_crashes", "run_timeout_seconds")
    counts = ("errors", "crashes", "interruptions")
    keys = ("input", "model", "output", "created", "finished")
    details = {name: getattr(found, name) for name in (*keys, *limits, *counts)}
    row = {**_row(found, now), **details, **values, "note": _note(found, agents, now)}
    if as_json:
        show_one({**row, "history": list(found.history)}, as_json=True)
        return
    row["age"] = _age_text(row["age"])
    show_one({name: value for name, value in row.items() if value not in (None, "")})
    events = [{**event, "agent": _agent_of(event)} for event in found.history]
    show(events, ("at", "attempt", "event", "agent", "reason"), title="history")
    is_over = found.state is Status.DONE
    if found.last_failure is not None and not is_over:
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


@app.command()
def delete(
    task: TaskArgument,
    yes: YesOption = False,
    as_json: JsonOption = False,
    uri: UriOption = None,
    project: ProjectOption = None,
    home: HomeOption = None,
) -> None:
    """Delete a task that has ended; the versions and samples that it has stored stay.

    tl tasks delete 3f2a
    """
    with connected(uri, project, home) as hub:
        handle = hub.workflow.handle(task)
        agreed(f"task {handle.id[:_SHORT_ID]} ({_what(handle)})", yes=yes)
        hub.workflow.delete(handle.id)
        show_one({"deleted": handle.id}, as_json=as_json)


def _what(handle: Handle) -> str:
    try:
        found = handle.task()
    except Corrupt:
        return "broken"
    return f"{found.function}, {found.state}"


def _row(task: Task, now: datetime.datetime) -> dict[str, Any]:
    return {
        "id": task.id,
        "function": task.function,
        "queue": task.queue,
        "state": str(task.state),
        "attempt": task.attempt,
        "owner": task.lease.owner if task.lease else None,
        "progress": dict(task.progress) if task.progress else None,
        "age": (now - task.created).total_seconds(),
        "broken": task.broken,
    }


_LINE = ("id", "function", "queue", "state", "age", "note")


def _line(task: Task, agents: Sequence[AgentInfo], now: datetime.datetime) -> dict[str, Any]:
    """Return a task as one line that fits into the terminal."""
    row = {
        "id": task.id[:_SHORT_ID],
        "function": task.function,
        "queue": task.queue,
        "state": "broken" if task.broken else str(task.state),
        "age": "" if task.broken else _age_text((now - task.created).total_seconds()),
        "note": _note(task, agents, now),
    }
    left = max(shutil.get_terminal_size().columns - _FIXED_WIDTH, 30)
    row["function"] = _cut(row["function"][::-1], int(left * _SHARES["function"]))[::-1]  # its end
    return row | {name: _cut(row[name], int(left * share)) for name, share in _SHARES.items()}


def _note(task: Task, agents: Sequence[AgentInfo], now: datetime.datetime) -> str:
    """Return what else there is to say about a task, in a few words."""
    from tensorlayer.workflow.agents import why_nobody

    if task.broken:
        return task.broken
    if task.state is Status.WAITING:
        return why_nobody(task, agents, now) or ""
    if task.state is Status.DEAD and task.last_failure is not None:
        return str(task.last_failure.get("reason"))
    if task.progress:
        return f"{task.fraction:.0%} {task.progress['message']}".rstrip()
    return ""


def _cut(text: str, width: int) -> str:
    """Return a text on one line that is no longer than this.

    Examples
    --------
    >>> _cut("package.module:function", 12)
    'package.mod…'
    """
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 1]}…"


def _value(hub: Hub, packed: Any) -> str | None:
    """Return arguments or a result for a person, shortened; never a reason to fail."""
    from tensorlayer.storage.codec import unpack

    if packed is None:
        return None
    try:
        text = repr(unpack(packed, hub.store.blobs))
    except TensorLayerError as error:
        text = f"({error})"
    return text if len(text) <= _SHORT_VALUE else f"{text[:_SHORT_VALUE]}…"


def _agent_of(event: Mapping[str, Any]) -> str:
    """Return the host and the process of the agent that wrote an event."""
    return str(event.get("by", "")).rpartition(":")[0] or str(event.get("by", ""))


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
