"""Training that goes on where it was killed: values and place, written as one."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import tensorflow as tf

from tensorlayer.errors import Corrupt, InvalidArgument, StructureMismatch
from tensorlayer.layers import tree
from tensorlayer.train.callbacks import is_count
from tensorlayer.train.locking import locked
from tensorlayer.train.place import Place
from tensorlayer.train.workers import Workers

__all__ = ["Checkpoint"]

# What the files in the folder begin with.
_NAME = "training"
# What tf.train.Checkpoint does not take as the name of a value.
_TAKEN = frozenset({"root", "save_counter", "self"})


class Checkpoint:
    """Where a run of training is saved, what of it, and how often.

    The same program, started again, goes on with the batch after the last one that was saved, and
    comes to the same weights as if nothing had happened. A checkpoint is written at the end of each
    epoch, after every so many steps, and when Ctrl-C or SIGTERM ends the program. It appears whole
    or not at all; then the one before it is removed.

    Parameters
    ----------
    folder
        One for each run. Remove it to begin anew.
    values
        All that the step changes or draws from, by names of your choice: networks and models,
        optimizers, variables, ``tf.random.Generator``.
    every
        Save after so many steps, counted over the whole run; None for epochs only.

    Raises
    ------
    InvalidArgument
        TensorFlow cannot save one of the values or uses its name, ``every`` is no number of steps,
        or (when the run begins) the step uses variables that are not among the values, or another
        run is using the folder.
    Corrupt
        When the run begins: the folder has a checkpoint, and what names it is damaged.
    StructureMismatch
        When the run begins: the folder has the checkpoint of something else.

    Notes
    -----
    The place in the data is found by passing over it again: over the batches of the epoch that were
    used, and over the first batch of each epoch before, since a dataset that is shuffled anew for
    each pass counts them. So an epoch must have the same batches in the same order each time, and
    whatever shuffles needs a seed: ``dataset.shuffle(10_000, seed=1)``. Without one, a run that
    goes on within an epoch sees some of its samples twice and others not. If ``run`` is given a
    function of the epoch's number, such as ``lambda epoch: dataset.shuffle(10_000, seed=epoch)``,
    nothing of the epochs before has to be read.

    The random numbers of ``tf.random.uniform``, ``tf.nn.dropout`` and the like have a state that
    TensorFlow does not save: they start anew. Those of a ``tf.random.Generator`` go on.

    After a kill while callbacks of the end of an epoch are running, they are called for it again;
    the epoch itself is saved before. A run that a callback has ended stays ended: to train on, take
    another folder and load the weights.

    Examples
    --------
    >>> from tensorlayer.train import run
    >>> w = tf.Variable(0.0)
    >>> def step(x):
    ...     return w.assign_add(x)
    >>> data = tf.data.Dataset.from_tensor_slices([1.0, 2.0, 3.0])
    >>> epochs = run(step, data, n_epoch=2, checkpoint=Checkpoint("run-1", {"w": w}))
    >>> _ = w.assign(0.0)  # as if in another process
    >>> epochs = run(step, data, n_epoch=3, checkpoint=Checkpoint("run-1", {"w": w}))
    >>> w.numpy().item(), [epoch.number for epoch in epochs]
    (18.0, [1, 2, 3])
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        values: Mapping[str, Any],
        *,
        every: int | None = None,
    ) -> None:
        if not (every is None or is_count(every)):
            raise InvalidArgument(
                f"Checkpoint: every is a whole number of steps, at least 1, got {every!r}."
            )
        if taken := sorted(_TAKEN.intersection(values)):
            raise InvalidArgument(
                f"Checkpoint: TensorFlow uses the name {taken[0]!r} itself. Call that value "
                "something else."
            )
        self.folder, self.every = os.fspath(folder), every
        try:
            self._values = tf.train.Checkpoint(
                **{name: _trackable(value) for name, value in values.items()}
            )
        except ValueError as error:
            raise InvalidArgument(f"Checkpoint: a value cannot be saved. {error}") from error
        self._place = _text()
        self._root = tf.train.Checkpoint(values=self._values, place=self._place)
        self._manager = self._managed()

    def locked(self) -> AbstractContextManager[None]:
        """Return a context in which the folder is this run's alone, that of all its workers."""
        is_ours = Workers().is_chief
        return locked(self.folder, who="Checkpoint") if is_ours else contextlib.nullcontext()

    def find(self) -> Place | None:
        """Return the place that was saved last, or None."""
        self._manager = self._managed()  # another process may have written since
        latest = self._manager.latest_checkpoint
        if latest is None:
            self._require_nothing()
            return None
        with self._matching() as statuses:
            statuses.append(tf.train.Checkpoint(place=self._place).read(latest))
            statuses[0].assert_existing_objects_matched().expect_partial()
        return Place.from_json(self._place.numpy().decode())

    def require_all(self, used: Iterable[tf.Variable]) -> None:
        """Raise InvalidArgument unless all variables that a step uses belong to the values."""
        known = {id(each) for own in self._variables() for each in tree.components(own)}
        missing = [each.name for each in used if not known & set(map(id, tree.components(each)))]
        if missing:
            raise InvalidArgument(
                f"Checkpoint: the step uses variables that are not among the values: "
                f"{', '.join(sorted(missing))}. Add what they belong to, such as the optimizer."
            )

    def restore(self) -> None:
        """Give everything the values that were saved last."""
        with self._matching() as statuses:
            statuses.append(self._root.restore(self._manager.latest_checkpoint))
            statuses[0].assert_consumed()
        if Workers().is_chief:
            self._sweep()

    def save(self, place: Place) -> None:
        """Write everything as it is now; of several workers all have to call it together."""
        self._place.assign(place.to_json())
        with Workers().written(self.folder) as folder:
            (self._manager if folder == self.folder else self._managed(folder)).save()

    def _managed(self, folder: str | None = None) -> tf.train.CheckpointManager:
        return tf.train.CheckpointManager(
            self._root, folder or self.folder, max_to_keep=1, checkpoint_name=_NAME
        )

    def _sweep(self) -> None:
        """Remove what a process that was killed while it saved has left."""
        latest = Path(self._manager.latest_checkpoint).name
        for path in Path(self.folder).iterdir():
            if not re.fullmatch(rf"{_NAME}-\d+(_temp|\.index|\.data-.*)", path.name):
                continue  # somebody else's
            if path.is_dir():
                shutil.rmtree(path)
            elif path.stem != latest:
                path.unlink()

    def _variables(self) -> Iterator[tf.Variable]:
        for each in tf.train.TrackableView(self._values).descendants():
            variable = each if isinstance(each, tf.Variable) else getattr(each, "value", None)
            if isinstance(variable, tf.Variable):  # that of Keras has one inside
                yield variable

    def _require_nothing(self) -> None:
        """Raise Corrupt if there is the file that names the last checkpoint, and it is damaged."""
        path = Path(self.folder, "checkpoint")
        if path.is_file():  # TensorFlow only warns, and the run would begin anew
            raise Corrupt(
                f"Checkpoint: {str(path)!r} names no checkpoint, it is damaged. Get it from a "
                "backup, or remove the folder to begin anew."
            )

    @contextlib.contextmanager
    def _matching(self) -> Iterator[list[Any]]:
        """Raise StructureMismatch where a checkpoint does not fit; take its status in a list."""
        statuses: list[Any] = []
        try:
            yield statuses
        except (AssertionError, ValueError, tf.errors.OpError) as error:
            for status in statuses:
                status.expect_partial()  # TensorFlow would log every value later on
            raise self._mismatch(error) from error

    def _mismatch(self, error: Exception) -> StructureMismatch:
        return StructureMismatch(
            f"Checkpoint: the folder {self.folder!r} has the checkpoint of something else. Take "
            f"another folder, or remove this one to begin anew. TensorFlow says: {error}"
        )


def _text() -> tf.Variable:
    """Return a variable for a text, of no strategy: workers cannot send each other strings."""
    with ThreadPoolExecutor(1) as elsewhere:  # where no scope of a strategy is open
        return elsewhere.submit(tf.Variable, "", dtype=tf.string, trainable=False).result()


def _trackable(value: Any) -> Any:
    """Return the variables of a network or model by name, and other values as they are."""
    if not isinstance(value, tree.Owner):
        return value
    return {each.name: each.variable for each in tree.listing(value, with_random=True)}
