"""``tl agent``: run a process that executes tasks."""

from __future__ import annotations

import dataclasses
import datetime
import logging
import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tensorlayer.cli.connection import ProjectOption, UriOption, connected
from tensorlayer.cli.table import HomeOption, JsonOption, show
from tensorlayer.errors import TensorLayerError

if TYPE_CHECKING:
    from tensorlayer.workflow.agents import AgentInfo

__all__ = ["agent", "agents"]


# As many digits of a task as `tl tasks` shows.
_SHORT_ID = 8


def agent(
    imports: Annotated[
        list[str], typer.Option("--import", help="Module or .py file with tasks; repeatable.")
    ],
    queues: Annotated[list[str], typer.Option(help="Queue to serve; repeatable.")] = ["default"],  # noqa: B006
    slots: Annotated[int, typer.Option(help="Tasks at the same time.")] = 1,
    lease_seconds: Annotated[
        float, typer.Option(help="How long the agent may be silent before its tasks run elsewhere.")
    ] = 15.0,
    poll_seconds: Annotated[
        float, typer.Option(help="Between looks at the database if nothing wakes the agent.")
    ] = 1.0,
    cancel_grace_seconds: Annotated[
        float, typer.Option(help="Between asking a cancelled task to stop and TERM.")
    ] = 10.0,
    kill_grace_seconds: Annotated[float, typer.Option(help="Between TERM and KILL.")] = 5.0,
    drain_seconds: Annotated[
        float, typer.Option(help="How long running tasks may go on after TERM.")
    ] = 10.0,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
    uri: UriOption = None,
    project: ProjectOption = None,
    home: HomeOption = None,
) -> None:
    """Run an agent: a process that takes tasks from the database and executes them.

    The functions come from the modules or files that you name; nothing else is ever run.

        tl agent --import my.tasks
        tl agent --import train.py --queues gpu --slots 2

    Stop it with Ctrl-C or TERM: running tasks may finish for a while, then they are given back to
    the queue. A second Ctrl-C gives them back at once.
    """
    # Imported here: `tl --help` has no use for a database driver.
    from tensorlayer.workflow.agent import Agent, AgentSettings
    from tensorlayer.workflow.orphans import die_with

    if parent is not None:
        die_with(parent, signal.SIGTERM)
    settings = AgentSettings(
        imports=tuple(imports),
        queues=tuple(queues),
        slots=slots,
        lease_seconds=lease_seconds,
        poll_seconds=poll_seconds,
        cancel_grace_seconds=cancel_grace_seconds,
        kill_grace_seconds=kill_grace_seconds,
        drain_seconds=drain_seconds,
    )
    level = logging.INFO if parent is None else logging.WARNING  # a script has its own to say
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(message)s")
    with connected(uri, project, home) as hub:
        Agent(hub, settings).run()


def agents(
    as_json: JsonOption = False,
    uri: UriOption = None,
    project: ProjectOption = None,
    home: HomeOption = None,
) -> None:
    """List the agents of a project: where they run, what they take, and when they spoke last."""
    with connected(uri, project, home) as hub:
        found, now = hub.workflow.agents(), hub.store.now()
    rows = [
        {
            **dataclasses.asdict(each),
            "silent": each.is_silent(now),
            "beat": each.beat if as_json else _ago(each, now),
        }
        for each in found
    ]
    if as_json:
        columns = [field.name for field in dataclasses.fields(found[0])] if found else []
        show(rows, [*columns, "silent"], as_json=True)
        return
    lines = [
        row
        | {name: " ".join(row[name]) for name in ("queues", "imports")}
        | {"running": " ".join(each[:_SHORT_ID] for each in row["running"])}
        for row in rows
    ]
    show(lines, ("host", "pid", "queues", "imports", "slots", "running", "beat"))


def _ago(agent: AgentInfo, now: datetime.datetime) -> str:
    seconds = max((now - agent.beat).total_seconds(), 0)
    return f"{seconds:.0f} s ago{', silent' if agent.is_silent(now) else ''}"


def _main() -> None:
    """Run the command alone; scripts start their agents like this."""
    try:
        typer.run(agent)
    except TensorLayerError as error:
        sys.stderr.write(f"tl agent: {error}\n")
        raise SystemExit(1) from None


if __name__ == "__main__":
    _main()
