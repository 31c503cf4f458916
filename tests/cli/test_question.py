"""The question before a deletion."""

import pytest
import typer
from typer.testing import CliRunner

from tensorlayer.cli.question import YesOption, agreed

app = typer.Typer()


@app.command()
def remove(yes: YesOption = False) -> None:
    """Remove it."""
    agreed("it", yes=yes)
    typer.echo("removed")


@pytest.mark.parametrize(
    ("arguments", "typed", "is_removed"),
    [
        ([], "y\n", True),
        ([], "n\n", False),
        ([], "\n", False),
        ([], "", False),
        (["--yes"], "", True),
        (["-y"], "n\n", True),
    ],
)
def test_only_a_yes_is_one(arguments, typed, is_removed):
    done = CliRunner().invoke(app, arguments, input=typed)
    assert ("removed" in done.output, done.exit_code) == (is_removed, 0 if is_removed else 1)
    assert ("Delete it? It cannot be undone." in done.output) == (not arguments)
