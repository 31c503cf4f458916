"""The options by which a command finds its database, and the connection that they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tensorlayer.hub import Hub

__all__ = ["ProjectOption", "UriOption", "connected"]

#: The option ``--uri`` of every command that reads a project.
UriOption = Annotated[
    str | None,
    typer.Option(
        "--uri",
        help="A MongoDB of yours instead of the private one; default $TENSORLAYER_URI, which hides "
        "a password better than a command line.",
    ),
]

#: The option ``--project`` of every command that reads a project.
ProjectOption = Annotated[
    str | None,
    typer.Option("--project", help="Name of the database; default $TENSORLAYER_PROJECT."),
]


def connected(uri: str | None, project: str | None, home: str | None) -> Hub:
    """Return a hub for the options; use it in a ``with`` statement."""
    # Imported here: the driver takes longer than what `tl --help` may take.
    from tensorlayer.hub import connect

    return connect(uri, project=project, home=home)
