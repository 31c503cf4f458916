"""The processes that train one network together: who leads, and what they agree on."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument

__all__ = ["Workers", "are_parameter_servers"]


class Workers:
    """The processes of the strategy in whose scope this is made; without one, this one alone.

    All of them run the same program in lockstep: whatever one of them alone would decide by its
    clock or by a signal, they have to agree on, or they would wait for each other for ever. The
    *chief* is the first of them; it writes what is written once.

    Attributes
    ----------
    n
        How many there are.
    is_chief
        Whether this is the first of them.

    Examples
    --------
    >>> workers = Workers()
    >>> workers.n, workers.is_chief, workers.least(3), workers.any(False)
    (1, True, 3, False)
    """

    def __init__(self) -> None:
        strategy = tf.distribute.get_strategy()
        self.n, self.is_chief = 1, True
        if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            cluster = strategy.cluster_resolver
            tasks = cluster.cluster_spec().as_dict()
            self.n = max(1, sum(len(tasks.get(kind, ())) for kind in ("chief", "worker")))
            kind = "chief" if "chief" in tasks else "worker"
            self.is_chief = self.n == 1 or (cluster.task_type, cluster.task_id) == (kind, 0)
        self._gathered = _gathering(strategy) if self.n > 1 else None

    def least(self, value: int) -> int:
        """Return the smallest of the numbers that the workers give."""
        return value if self.n == 1 else int(self._gathered(tf.constant([value], tf.int64)))

    def any(self, flag: bool) -> bool:
        """Whether one of the workers says so."""
        return self.least(int(not flag)) == 0

    def require_alike(self, what: str, value: Any) -> None:
        """Raise InvalidArgument unless the value is the same on all workers.

        Parameters
        ----------
        what
            Which is to be the same, for the error.
        value
            Something whose ``repr`` says all that counts.
        """
        if self.n == 1:
            return
        mark = zlib.crc32(repr(value).encode())
        least, greatest = self.least(mark), -self.least(-mark)
        if least != greatest:
            raise InvalidArgument(
                f"training by {self.n} workers: {what} must be the same on all of them, and they "
                f"differ; here: {value!r}."
            )

    def spread(self, data: Any) -> Any:
        """Return data of which each worker gets its share in every batch; others as they are."""
        if self.n == 1 or not isinstance(data, tf.data.Dataset):
            return data
        return tf.distribute.get_strategy().experimental_distribute_dataset(data)

    @contextlib.contextmanager
    def written(self, folder: str) -> Iterator[str]:
        """Return the folder to write to: all take part in saving, and only the chief keeps it."""
        if self.is_chief:
            yield folder
            return
        scratch = tempfile.mkdtemp(prefix="tensorlayer-")
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _gathering(strategy: Any) -> Any:
    """Return a function of a number on each worker that returns the smallest one."""

    @tf.function
    def least(value: tf.Tensor) -> tf.Tensor:
        found = strategy.run(lambda: tf.identity(value))
        return tf.reduce_min(strategy.gather(found, axis=0))

    return least


def are_parameter_servers(strategy: tf.distribute.Strategy) -> bool:
    """Whether workers train by themselves, and find the weights on servers.

    Examples
    --------
    >>> are_parameter_servers(tf.distribute.get_strategy())
    False
    """
    return isinstance(strategy, tf.distribute.ParameterServerStrategy)
