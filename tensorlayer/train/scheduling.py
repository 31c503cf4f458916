"""Steps that workers take when they are free: training with parameter servers."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.train.explaining import explained
from tensorlayer.train.measures import scalars_of_step

if TYPE_CHECKING:
    from tensorlayer.train.loop import Loop

__all__ = ["Scheduled", "own_batch"]

#: Steps that are handed out at a time, for each worker; then the progress is told.
_STEPS_OF_A_WORKER = 16


class Scheduled:
    """One pass over the data by workers that do not wait for each other.

    This process coordinates: it hands out steps, and a worker that is free takes the next one, on a
    batch of its own part of the data. A step that a worker has not finished when it dies is handed
    out again. A pass is as many steps as the data has batches.

    Attributes
    ----------
    n_batches
        How many steps there are in all.
    variables
        All that the step reads or changes.
    is_over
        Whether all steps were taken.
    """

    def __init__(self, loop: Loop, data: Any) -> None:
        self.n_batches = _length(data)
        self.variables: tuple[tf.Variable, ...] = ()
        self.is_over = not self.n_batches
        self._n_done = 0
        if self.is_over:
            return
        traced = loop.trace(data.element_spec)
        self.variables = tuple(traced.variables)
        scalars_of_step(traced.structured_outputs)
        strategy = tf.distribute.get_strategy()
        self._coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)
        ahead = data.repeat().prefetch(tf.data.AUTOTUNE)
        self._iterator = iter(self._coordinator.create_per_worker_dataset(ahead))
        self._step, self._at_a_time = loop.scheduled, _STEPS_OF_A_WORKER * _n_workers()

    def skip(self, n_batches: int) -> None:
        """Leave out steps that were taken already; which samples they saw, nobody knows."""
        self._n_done = n_batches
        self.is_over = self._n_done >= self.n_batches

    def advance(self, at_most: int) -> tuple[int, dict[str, float]]:
        """Have some steps taken; return how many, and their metrics summed up."""
        n = min(at_most, self.n_batches - self._n_done, self._at_a_time)
        with explained():
            waited = [self._coordinator.schedule(self._step, (self._iterator,)) for _ in range(n)]
            self._coordinator.join()
        sums: dict[str, float] = {}
        for each in self._coordinator.fetch(waited):
            sums = {name: float(value) + sums.get(name, 0.0) for name, value in each.items()}
        self._n_done += n
        self.is_over = self._n_done >= self.n_batches
        return n, sums

    def close(self) -> None:
        """Do nothing: the workers keep their data."""


def _length(data: Any) -> int:
    if not isinstance(data, tf.data.Dataset):
        raise InvalidArgument(
            "training with parameter servers: workers read the data themselves, got a "
            f"{type(data).__name__}. Give a tf.data.Dataset, or a function that returns one."
        )
    length = int(data.cardinality())
    if length < 0:
        raise InvalidArgument(
            "training with parameter servers: an epoch is as many steps as the data has batches, "
            "got data of unknown or endless length. Take so many: dataset.repeat().take(1000)."
        )
    return length


def _n_workers() -> int:
    """Return how many workers this process is connected to; the strategy does not tell."""
    names = [device.name for device in tf.config.list_logical_devices()]
    workers = (name.rpartition("/device:")[0] for name in names if "/job:worker/" in name)
    return len(set(workers))


def own_batch(iterator: Any) -> Any:
    """Return the next batch of the worker that computes this: that of its turn among all.

    As many batches are drawn as there are workers, since each of them reads all data.
    """
    batches = [next(iterator) for _ in range(_n_workers())]
    turn = tf.cast(tf.distribute.coordinator.experimental_get_current_worker_index(), tf.int32)
    return tf.switch_case(turn, [functools.partial(_copied, each) for each in batches])


def _copied(batch: Any) -> Any:
    return tf.nest.map_structure(tf.identity, batch)
