"""``tl server``: the private MongoDB of this user."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import typer

from tensorlayer.cli.table import HomeOption, JsonOption, show_one
from tensorlayer.errors import ServerFailed

if TYPE_CHECKING:
    from tensorlayer.storage.server import PrivateServer, ServerStatus

app = typer.Typer(no_args_is_help=True, help="The private MongoDB server of a home folder.")


@app.command()
def start(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Start the server, and let it run until `tl server stop`."""
    server = _server(home)
    server.acquire()
    server.keep()
    _show(server, as_json)
    server.release()


@app.command()
def stop(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Stop the server; whoever is connected starts it again with the next call."""
    server = _server(home)
    stopped = server.stop()
    show_one({"home": str(server.home.path), "stopped": stopped}, as_json=as_json)


@app.command()
def status(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Say whether the server runs; it is not started for that.

    The exit code is 1 when there is a server that does not answer, or when nothing can be said.
    """
    found = _show(_server(home), as_json)
    if found.state == "silent":
        raise ServerFailed(
            f"home {found.home!r}: the server (process {found.pid}) takes connections and does not "
            "answer; is it stopped, or is the machine busy? Let the process go on, or run "
            "`tl server stop`, which ends it; what was acknowledged is safe."
        )


@app.command()
def path(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Print the home folder, and the mongod that is used."""
    from tensorlayer.storage.mongod import find_mongod

    server = _server(home)
    row = {"home": str(server.home.path), "mongod": str(find_mongod())}
    show_one(row, as_json=as_json)


@app.command("shell-uri")
def shell_uri(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Print the URI with its password, for `mongosh "$(tl server shell-uri)"`."""
    server = _server(home)
    record = server.home.read()
    if record is None:
        raise ServerFailed(
            f"home {str(server.home.path)!r}: there is no server yet. Run `tl server start`."
        )
    if as_json:
        show_one({"uri": record.uri}, as_json=True)
    else:
        typer.echo(record.uri)


def _server(home: str | None) -> PrivateServer:
    # Imported here: the driver takes longer than what `tl --help` may take.
    from tensorlayer.storage.server import PrivateServer

    return PrivateServer(home)


def _show(server: PrivateServer, as_json: bool) -> ServerStatus:
    found = server.status()
    show_one(dataclasses.asdict(found), as_json=as_json)
    return found


__all__ = ["app", "start", "stop", "status", "path", "shell_uri"]
