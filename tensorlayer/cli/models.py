"""``tl models``: the versions of models, and the events of their training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tensorlayer.cli.connection import ProjectOption, UriOption, connected
from tensorlayer.cli.question import YesOption, agreed
from tensorlayer.cli.table import HomeOption, JsonOption, show, show_one
from tensorlayer.errors import Corrupt, ModelNotFound, VersionNotFound

if TYPE_CHECKING:
    from tensorlayer.hub import Hub
    from tensorlayer.models.version import Version

__all__ = ["app", "models", "versions", "events"]

app = typer.Typer()

KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="Key of the model.")]

#: Rows of ``tl models events`` unless told otherwise: what fits on a screen or two.
LAST_EVENTS = 50

#: What a terminal has room for; JSON has more.
_COLUMNS = ["version", "step", "values", "bytes", "created"]
_JSON_COLUMNS = [*_COLUMNS, "run", "task", "digest", "sha256", "damaged"]


@app.callback(invoke_without_command=True)
def models(
    context: typer.Context,
    as_json: JsonOption = False,
    uri: UriOption = None,
    project: ProjectOption = None,
    home: HomeOption = None,
) -> None:
    r"""List the models of a project, or look into one of them.

    \b
        tl models
        tl models versions mlp
        tl models events mlp --name accuracy
    """
    if context.invoked_subcommand is not None:
        return
    with connected(uri, project, home) as hub:
        rows = [_newest(hub, key) for key in hub.models.keys()]  # noqa: SIM118 - no mapping
    show(rows, ["key", "versions", "step", "bytes", "digest", "created"], as_json=as_json)


@app.command()
def versions(
    key: KeyArgument,
    as_json: JsonOption = False,
    uri: UriOption = None,
    project: ProjectOption = None,
    home: HomeOption = None,
) -> None:
    r"""List the versions of a model, the oldest first.

    \b
        tl models versions mlp
        tl models versions mlp --json
    """
    with connected(uri, project, home) as hub:
        rows = [_row(version) for version in hub.models.list(key)]
    show(rows, _JSON_COLUMNS if as_json else _COLUMNS, as_json=as_json, title=key)


@app.command()
def events(
    key: KeyArgument,
    name: Annotated[str | None, typer.Option(help="Only this metric.")] = None,
    last: Annotated[int, typer.Option(help="Only so many, the last; 0 for all.")] = LAST_EVENTS,
    as_json: JsonOption = False,
    uri: UriOption = None,
    project: ProjectOption = None,
    home: HomeOption = None,
) -> None:
    r"""List what trainings have told about a model, ordered by run, name and step.

    \b
        tl models events mlp
        tl models events mlp --name accuracy --last 0 --json
    """
    with connected(uri, project, home) as hub:
        found = hub.models.events(key, name)
    rows = [
        {"run": each.run, "name": each.name, "step": each.step, "value": each.value}
        | {"written": each.written}
        for each in (found[-last:] if last > 0 else found)
    ]
    show(rows, ["run", "name", "step", "value", "written"], as_json=as_json, title=key)


@app.command()
def delete(
    key: KeyArgument,
    version: Annotated[int | None, typer.Option(help="Only this version.")] = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
    uri: UriOption = None,
    project: ProjectOption = None,
    home: HomeOption = None,
) -> None:
    r"""Delete a version, or a model with all of its versions and events.

    \b
        tl models delete mlp --version 3
        tl models delete mlp
    """
    with connected(uri, project, home) as hub:
        agreed(_what(hub, key, version), yes=yes)
        show_one({"deleted": hub.models.delete(key, version)}, as_json=as_json)


def _what(hub: Hub, key: str, version: int | None) -> str:
    """Return in words what is about to be deleted."""
    from rich.filesize import decimal

    n_events = len(hub.models.events(key))
    try:
        found = [each for each in hub.models.list(key) if version in (None, each.number)]
    except (ModelNotFound, VersionNotFound):
        if version is not None or not n_events:
            raise
        found = []  # events of what was never saved
    if version is not None and not found:
        hub.models.get(key, version)  # says what there is
    size = decimal(sum(each.weights.length for each in found if each.weights is not None))
    if version is not None:
        return f"version {version} of model {key!r} ({size})"
    return f"model {key!r} with {len(found)} versions ({size}) and {n_events} events"


def _newest(hub: Hub, key: str) -> dict[str, Any]:
    try:
        newest = hub.models.get(key)
    except (Corrupt, VersionNotFound) as error:
        typer.echo(str(error), err=True)  # one damaged model hides no other
        return {"key": key}
    return {"key": key, "versions": len(hub.models.list(key)), **_row(newest)}


def _row(version: Version) -> dict[str, Any]:
    weights = version.weights
    return {
        "version": version.number,
        "step": version.step,
        "values": dict(version.values),
        "task": version.task,
        "run": version.run,
        "bytes": None if weights is None else weights.length,
        "sha256": None if weights is None else weights.sha256,
        "digest": version.digest[:12],
        "created": version.created,
        "damaged": ", ".join(version.damaged) or None,
    }
