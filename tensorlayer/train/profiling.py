"""Where the time of training goes: a trace for TensorBoard, and a table."""

from __future__ import annotations

import logging
import os
import re
import sys
from pathlib import Path

import tensorflow as tf
from rich.table import Table

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.summary import show
from tensorlayer.train.callbacks import is_count
from tensorlayer.train.xplane import Operation, operations

__all__ = ["Profile", "table"]

#: How many operations the table has.
N_SHOWN = 10

#: What the loop of `run` puts before the names of a step's operations.
_LOOP = re.compile(r"while/(body|cond)/_\d+/while/((Stateful)?PartitionedCall/)?")

_logger = logging.getLogger(__name__)


class Profile:
    """A profile of some steps of a run, written to a folder; a table of it is printed.

    ``tensorboard --logdir folder``, with the package ``tensorboard-plugin-profile``, shows it step
    by step. The table has the ten operations that took longest, added up over all threads. What
    happens between these steps, as an evaluation of the run, is in both.

    Parameters
    ----------
    folder
        Made if it is not there. A profile goes to a folder of its own in it.
    skip
        Steps of the run before it begins: the first ones take longer, since what they use is made
        and tried out.
    n_steps
        Steps that are profiled. Profiles of many are large, and slow to show.

    Raises
    ------
    InvalidArgument
        ``skip`` is negative or ``n_steps`` not positive; or, when the run begins, the folder is a
        file.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> data = tf.data.Dataset.from_tensor_slices(tf.ones([50, 20, 20]))
    >>> profile = Profile("profile", skip=5, n_steps=10)
    >>> epochs = tl.train.run(lambda x: tf.reduce_sum(x @ x), data, profile=profile)
    <BLANKLINE>
    ...10 steps...
    >>> profile.operations[0].seconds > 0
    True
    """

    def __init__(
        self, folder: str | os.PathLike[str], *, skip: int = 10, n_steps: int = 20
    ) -> None:
        if not (is_count(skip, at_least=0) and is_count(n_steps)):
            raise InvalidArgument(
                "Profile: skip is at least 0 and n_steps at least 1, got "
                f"skip={skip!r} and n_steps={n_steps!r}."
            )
        self.folder, self.skip, self.n_steps = Path(folder), skip, n_steps
        #: Of the last profile, the most expensive ones first.
        self.operations: list[Operation] = []
        self._n_seen, self._is_running, self._is_over = 0, False, False

    @property
    def n_ahead(self) -> int:
        """Steps until it begins or ends."""
        if self._is_over:
            return sys.maxsize
        return self.skip + (self.n_steps if self._is_running else 0) - self._n_seen

    def begin(self) -> None:
        """Wait for the steps of a run."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise InvalidArgument(
                f"profile: {str(self.folder)!r} is not a folder, nor can it become one. Give the "
                "path of a folder, which is made if it is not there."
            ) from error
        self._n_seen, self._is_running, self._is_over = 0, False, False
        self.count(0)

    def count(self, n_steps: int) -> None:
        """Count steps, and begin or end the profile between them."""
        self._n_seen += n_steps
        if self.n_ahead > 0:
            return
        if self._is_running:
            self.end()
        else:
            self._start()

    def end(self) -> None:
        """Write what there is, and print the table."""
        n_steps, was_running = self._n_seen - self.skip, self._is_running
        self.stop()
        if was_running and n_steps > 0:
            self.operations = operations(_newest(self.folder))
            show(table(self.operations, n_steps=n_steps))
        elif not self._is_over:
            _logger.warning(
                "profile: the run was over after %d steps, and %d were to be skipped, so there is "
                "none. Train more, or give tl.train.Profile(folder, skip=0).",
                self._n_seen,
                self.skip,
            )
        self._is_over = True

    def stop(self) -> None:
        """Let the profiler go, also where a step failed."""
        if self._is_running:
            self._is_running = False
            tf.profiler.experimental.stop()

    def _start(self) -> None:
        try:
            tf.profiler.experimental.start(str(self.folder))
        except tf.errors.AlreadyExistsError:  # no reason to lose a training
            self._is_over = True
            _logger.warning("profile: somebody else takes one, so there is none of this run.")
            return
        self._is_running = True


def table(found: list[Operation], *, n_steps: int) -> Table:
    """Return a table of the most expensive operations.

    Examples
    --------
    >>> from rich.console import Console
    >>> found = [Operation(name="dense/MatMul", type="MatMul", n_calls=20, seconds=0.3)]
    >>> found.append(Operation(name="add", type="AddV2", n_calls=10, seconds=0.1))
    >>> Console(width=80).print(table(found, n_steps=10))
    <BLANKLINE>
    ...
    │ MatMul    │ dense/MatMul │              2 │      30.000 │  75.0% │
    │ AddV2     │ add          │              1 │      10.000 │  25.0% │
    ...
    """
    whole = sum(each.seconds for each in found) or 1.0
    shown = found[:N_SHOWN]
    made = Table("operation", "name", title=f"The most expensive operations of {n_steps} steps")
    for heading in ("calls per step", "ms per step", "share"):
        made.add_column(heading, justify="right")
    for each in shown:
        made.add_row(
            each.type,
            _LOOP.sub("", each.name, count=1),
            f"{each.n_calls / n_steps:.4g}",
            f"{1e3 * each.seconds / n_steps:.3f}",
            f"{each.seconds / whole:.1%}",
        )
    if others := found[N_SHOWN:]:
        made.caption = f"{len(others)} others: {sum(each.seconds for each in others) / whole:.1%}"
    return made


def _newest(folder: Path) -> Path:
    files = folder.glob("plugins/profile/*/*.xplane.pb")
    return max(files, key=lambda path: path.stat().st_mtime_ns)
