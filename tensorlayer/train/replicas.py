"""A function of a batch, on one device or on the replicas of a strategy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.precision import widened

__all__ = ["Replicas", "n_samples", "share_of"]

Metrics = dict[str, tf.Tensor]


class Replicas:
    """The replicas of the strategy in whose scope this is made; without one a single replica.

    Examples
    --------
    >>> Replicas().run(lambda x: {"loss": 2 * x}, (3.0,))
    {'loss': 6.0}
    """

    def __init__(self) -> None:
        self._strategy = tf.distribute.get_strategy()
        self._has_strategy = tf.distribute.has_strategy()

    @property
    def n(self) -> int:
        """How many there are."""
        return self._strategy.num_replicas_in_sync

    def run(self, function: Callable[..., Metrics], batch: Sequence[Any]) -> Metrics:
        """Return what the function returns, by name; of several replicas the sums.

        Without a strategy nothing is added to the function, nor where it runs on a replica already.
        """
        if self.n == 1 and any(map(_is_spread, tf.nest.flatten(batch))):
            raise InvalidArgument(
                "a training step or Evaluation was made outside of the scope of the strategy whose "
                "data it gets. Make it within: with strategy.scope(): ..."
            )
        if self.n > 1 and _is_of_workers(self._strategy) and not tf.distribute.has_strategy():
            raise InvalidArgument(
                "several workers train in lockstep, and the strategy says with whom: call "
                "tl.train.run, or the step, within strategy.scope()."
            )
        # Also the variables of a single replica are read on it only.
        if not self._has_strategy or (
            tf.distribute.get_strategy() is self._strategy and _is_on_replica()
        ):
            return function(*batch)
        found = self._strategy.run(function, args=tuple(batch))
        if self.n == 1:  # which may be a worker that trains by parameter servers
            return found
        total = tf.distribute.ReduceOp.SUM
        return {k: self._strategy.reduce(total, each, axis=None) for k, each in found.items()}

    def summed(self, values: Sequence[Any]) -> list[Any]:
        """Return the sums over all replicas, for a function that runs on one; None stays None."""
        if self.n == 1:
            return list(values)
        context = tf.distribute.get_replica_context()
        given = [each for each in values if each is not None]
        found = iter(context.all_reduce(tf.distribute.ReduceOp.SUM, given) if given else ())
        return [None if each is None else next(found) for each in values]


def _is_of_workers(strategy: tf.distribute.Strategy) -> bool:
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def _is_spread(leaf: Any) -> bool:
    return isinstance(leaf, tf.distribute.DistributedValues)


def _is_on_replica() -> bool:
    return tf.distribute.get_replica_context() is not None


def n_samples(batch: Any) -> tf.Tensor:
    """Return the length of a batch: the first size of its first tensor.

    Examples
    --------
    >>> int(n_samples((tf.zeros([5, 2]), tf.zeros([5]))))
    5
    """
    return tf.shape(tf.nest.flatten(batch)[0])[0]


def share_of(value: Any, share: tf.Tensor) -> tf.Tensor:
    """Return what a part of the samples adds to a mean over all; an empty part adds 0, not NaN.

    Examples
    --------
    >>> float(share_of(8.0, tf.constant(0.25))), float(share_of(float("nan"), tf.constant(0.0)))
    (2.0, 0.0)
    """
    value = tf.convert_to_tensor(value)
    # In 16 bits a share would be rounded, and a sum of many of them stand still.
    value = widened(value) if value.dtype.is_floating else tf.cast(value, tf.float32)
    return tf.math.multiply_no_nan(value, tf.cast(share, value.dtype))
