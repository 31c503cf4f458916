"""What the agent of the soak executes."""

from __future__ import annotations

import tensorlayer as tl


@tl.workflow.task(max_attempts=100, max_crashes=100)
def note(writer: int, number: int) -> int:
    """Return what the task was given, after writing it."""
    context = tl.workflow.current()
    notes = context.hub.datasets["notes"]
    notes.append([number], tags=[{"writer": writer}], keys=[f"{writer}-{number}"], progress=False)
    return number
