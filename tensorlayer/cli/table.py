"""One way to print rows: a table for people, JSON for programs."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import typer

#: The option ``--json`` of every command that prints rows.
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

#: The option ``--home`` of every command that talks to a private server.
HomeOption = Annotated[
    str | None,
    typer.Option("--home", help="Folder of the private server; default $TENSORLAYER_HOME."),
]


def show(
    rows: Iterable[Mapping[str, Any]],
    columns: Sequence[str],
    *,
    as_json: bool = False,
    title: str | None = None,
) -> None:
    """Print rows to standard output.

    Parameters
    ----------
    rows
        The values by column; a missing one is shown empty, and is null in JSON.
    columns
        Which columns, in which order.
    as_json
        Print one JSON array of objects instead of a table; times are in ISO 8601.
    title
        Printed above the table, not in JSON.

    Examples
    --------
    >>> show([{"key": "mnist", "samples": 60000}], ["key", "samples"], as_json=True)
    [
      {"key": "mnist", "samples": 60000}
    ]
    """
    picked = [{column: row.get(column) for column in columns} for row in rows]
    if as_json:
        lines = ",\n".join(f"  {json.dumps(row, default=_plain)}" for row in picked)
        typer.echo(f"[\n{lines}\n]" if picked else "[]")
        return
    _print_table(picked, columns, title)


def show_one(row: Mapping[str, Any], *, as_json: bool = False) -> None:
    """Print one thing: a field a line, or one JSON object.

    Examples
    --------
    >>> show_one({"running": True, "pid": 12}, as_json=True)
    {"running": true, "pid": 12}
    """
    if as_json:
        typer.echo(json.dumps(dict(row), default=_plain))
        return
    fields = [{"field": name, "value": value} for name, value in row.items()]
    _print_table(fields, ["field", "value"], None, header=False)


def _print_table(
    rows: Iterable[Mapping[str, Any]],
    columns: Sequence[str],
    title: str | None,
    *,
    header: bool = True,
) -> None:
    # Imported here: it takes longer than what `tl --help` may take.
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, box=box.SIMPLE_HEAD, show_header=header)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        # Text, not str: what users chose may look like Rich's own markup.
        table.add_row(*(Text(_text(row[column])) for column in columns))
    Console().print(table)


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.6g}"
        case datetime.datetime():
            return value.astimezone().isoformat(" ", "seconds")
        case dict() | list():
            return json.dumps(value, default=_plain)
    return str(value)


def _plain(value: object) -> object:
    """Return what JSON can say instead of ``value``."""
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return str(value)


__all__ = ["show", "show_one", "JsonOption", "HomeOption"]
