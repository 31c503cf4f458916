"""A function of a batch, on one device or on the replicas of a strategy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.precision import widened

__all__ = ["NO_SAMPLE", "Replicas", "n_samples", "required", "share_of", "with_samples"]

Metrics = dict[str, tf.Tensor]

#: What is wrong with a batch that is empty.
NO_SAMPLE = (
    "training: a batch has no sample, so its cost is no number. Leave it out, for example with "
    "dataset.filter(lambda x, y: len(x) > 0)."
)


class Replicas:
    """The replicas of the strategy in whose scope this is made; without one a single replica.

    Attributes
    ----------
    has_strategy
        Whether there is one: of a single replica as well, variables change outside of loops only.

    Examples
    --------
    >>> Replicas().run(lambda x: {"loss": 2 * x}, (3.0,))
    {'loss': 6.0}
    """

    def __init__(self) -> None:
        self._strategy = tf.distribute.get_strategy()
        self.has_strategy = tf.distribute.has_strategy()

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
        current = tf.distribute.get_strategy()
        if current is not self._strategy and current.num_replicas_in_sync > 1 and _is_on_replica():
            raise InvalidArgument(
                "a training step or Evaluation was made outside of the scope of the strategy that "
                f"runs it; each of {current.num_replicas_in_sync} replicas would add a whole "
                "update. Make it within: with strategy.scope(): ..."
            )
        if self.n > 1 and _is_of_workers(self._strategy) and not tf.distribute.has_strategy():
            raise InvalidArgument(
                "several workers train in lockstep, and the strategy says with whom: call "
                "tl.train.run, or the step, within strategy.scope()."
            )
        # Also the variables of a single replica are read on it only.
        if not self.has_strategy or (
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


def with_samples(batch: Sequence[Any]) -> Sequence[Any]:
    """Return a batch; an error where it is computed if its target has no sample.

    Of the target the cost is a mean: an input may be empty, as the edges of a graph are. Where its
    length is known when this is traced, nothing is added to what is computed.

    Examples
    --------
    >>> with_samples((tf.zeros([0, 2]), tf.zeros([0])))
    Traceback (most recent call last):
    ...
    tensorlayer.errors.InvalidArgument: training: a batch has no sample, so its cost is no number.
    Leave it out, for example with dataset.filter(lambda x, y: len(x) > 0).
    """
    *inputs, target = batch
    leaves = tf.nest.flatten(target)
    place = next((place for place, leaf in enumerate(leaves) if _has_axis(leaf)), None)
    if place is None or leaves[place].shape[0]:
        return batch
    leaf = leaves[place]
    with tf.control_dependencies([required(tf.shape(leaf)[0])]):
        leaves[place] = tf.identity(leaf)
    return (*inputs, tf.nest.pack_sequence_as(target, leaves))


def required(n: tf.Tensor) -> tf.Tensor:
    """Return a number of samples; an error where it is computed if it is 0.

    Examples
    --------
    >>> int(required(tf.constant(3)))
    3
    """
    if tf.get_static_value(n) == 0:
        raise InvalidArgument(NO_SAMPLE)
    with tf.control_dependencies([tf.raw_ops.Assert(condition=n > 0, data=[NO_SAMPLE])]):
        return tf.identity(n)


def _has_axis(leaf: Any) -> bool:
    return tf.is_tensor(leaf) and bool(tf.TensorShape(leaf.shape).rank)


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
