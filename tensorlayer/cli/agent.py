"""``tl agent``: run a process that executes tasks."""

from __future__ import annotations

import logging
import signal
import sys
from typing import Annotated

import typer

from tensorlayer.cli.connection import ProjectOption, UriOption, connected
from tensorlayer.cli.table import HomeOption
from tensorlayer.errors import TensorLayerError

__all__ = ["agent"]


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


def _main() -> None:
    """Run the command alone; scripts start their agents like this."""
    try:
        typer.run(agent)
    except TensorLayerError as error:
        sys.stderr.write(f"tl agent: {error}\n")
        raise SystemExit(1) from None


if __name__ == "__main__":
    _main()
