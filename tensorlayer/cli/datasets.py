"""``tl datasets``: what the datasets of a project hold."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tensorlayer.cli.connection import ProjectOption, UriOption, connected
from tensorlayer.cli.question import YesOption, agreed
from tensorlayer.cli.table import HomeOption, JsonOption, show, show_one
from tensorlayer.errors import Corrupt

if TYPE_CHECKING:
    from tensorlayer.datasets.dataset import Dataset

__all__ = ["app", "datasets", "show_dataset", "verify", "delete"]

app = typer.Typer()

KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="Key of the dataset.")]


@app.callback(invoke_without_command=True)
def datasets(
    context: typer.Context,
    as_json: JsonOption = False,
    uri: UriOption = None,
    project: ProjectOption = None,
    home: HomeOption = None,
) -> None:
    r"""List the datasets of a project, or look into one of them.

    \b
        tl datasets
        tl datasets show mnist
    """
    if context.invoked_subcommand is not None:
        return
    with connected(uri, project, home) as hub:
        rows = [hub.datasets[key].summary() for key in hub.datasets]
    show(rows, ["key", "samples", "revision", "indexes", "created"], as_json=as_json)


@app.command("show")
def show_dataset(
    key: KeyArgument,
    as_json: JsonOption = False,
    uri: UriOption = None,
    project: ProjectOption = None,
    home: HomeOption = None,
) -> None:
    r"""Show one dataset, and what its first sample is like.

    \b
        tl datasets show mnist
    """
    with connected(uri, project, home) as hub:
        dataset = hub.datasets[key]
        row = dataset.summary() | _first(dataset)
    show_one(row, as_json=as_json)


@app.command()
def verify(
    key: KeyArgument,
    as_json: JsonOption = False,
    uri: UriOption = None,
    project: ProjectOption = None,
    home: HomeOption = None,
) -> None:
    r"""Read a dataset again and compare it with what was stored; exit with 1 if it differs.

    \b
        tl datasets verify mnist
    """
    with connected(uri, project, home) as hub:
        found = hub.datasets[key].verify()
    show_one(dataclasses.asdict(found), as_json=as_json)
    if not found.is_intact:
        raise typer.Exit(1)


@app.command()
def delete(
    key: KeyArgument,
    yes: YesOption = False,
    as_json: JsonOption = False,
    uri: UriOption = None,
    project: ProjectOption = None,
    home: HomeOption = None,
) -> None:
    r"""Delete a dataset with all of its samples.

    \b
        tl datasets delete mnist
    """
    with connected(uri, project, home) as hub:
        agreed(f"dataset {key!r} with {_n_samples(hub.datasets[key])} samples", yes=yes)
        show_one({"deleted": hub.datasets.delete(key)}, as_json=as_json)


def _n_samples(dataset: Dataset) -> int | str:
    try:
        return len(dataset)
    except Corrupt:
        return "an unknown number of"


def _first(dataset: Dataset) -> dict[str, Any]:
    batch = next(dataset.where().batches(1, prefetch=0), None)
    if batch is None:
        return {"sample": None, "label": None, "tags": None}
    label = None if batch.labels is None else _kind(batch.labels[0])
    return {"sample": _kind(batch.samples[0]), "label": label, "tags": sorted(batch.tags[0])}


def _kind(value: Any) -> str:
    if hasattr(value, "dtype"):
        return f"{value.dtype}{list(value.shape)}"
    return type(value).__name__
