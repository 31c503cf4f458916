"""The question before something is deleted, and the option that answers it in advance."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["YesOption", "agreed"]

#: The option ``--yes`` of every command that deletes.
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Delete without a question.")]


def agreed(what: str, *, yes: bool) -> None:
    """Return if the user wants this deleted; end the command otherwise.

    Who cannot be asked, since there is no terminal, has not agreed.

    Parameters
    ----------
    what
        What would be deleted, with its size.
    yes
        Whether it was agreed to in advance.

    Examples
    --------
    >>> agreed("model 'mlp': 3 versions", yes=True)
    """
    if not yes:
        typer.confirm(f"Delete {what}? It cannot be undone.", abort=True)
