"""The ``tl`` command: one noun a file, none of which imports TensorFlow."""

from __future__ import annotations

import sys

import typer

from tensorlayer.cli import agent, datasets, models, server, tasks
from tensorlayer.errors import TensorLayerError

app = typer.Typer(
    name="tl",
    help="Look after what TensorLayer keeps in MongoDB: the server, models, datasets and tasks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(server.app, name="server")
app.add_typer(models.app, name="models")
app.add_typer(datasets.app, name="datasets")
app.add_typer(tasks.app, name="tasks")
app.command(name="agent")(agent.agent)
app.command(name="agents")(agent.agents)


def main() -> None:
    """Run the command line; an error of ours is one line on stderr and exit code 1."""
    try:
        app()
    except TensorLayerError as error:
        sys.stderr.write(f"tl: {error}\n")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
