"""Tasks: functions that agents run, on this machine or on others, each with an exact effect.

Importing this loads neither TensorFlow nor a database driver, so a module of tasks stays cheap.
"""

from __future__ import annotations

from tensorlayer.workflow.context import Context, current
from tensorlayer.workflow.functions import task
from tensorlayer.workflow.tasks import Status

__all__ = ["task", "current", "Context", "Status"]
