"""What the agents of the dispatch benchmark import."""

from __future__ import annotations

import tensorlayer as tl


@tl.workflow.task
def nothing(number: int) -> int:
    """Do nothing."""
    return number


@tl.workflow.task(max_attempts=1)
def fail(number: int) -> None:
    """Fail, so that the next task needs a new process."""
    raise ValueError(number)
