"""What a network comes to on data that it is not trained on."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.train.loop import Loop
from tensorlayer.train.measures import Measure, measured, require_measures, split
from tensorlayer.train.place import Sums
from tensorlayer.train.replicas import Replicas, n_samples, share_of
from tensorlayer.train.workers import Workers

__all__ = ["Evaluation"]

#: How the step below calls what it counts; no metric can be called so.
_COUNT = ""


class Evaluation:
    r"""The means of measures over all samples of a dataset, in inference mode.

    $$
    \mathrm{metric}=\sum_b n_b\,\mathrm{metric}_b\Big/\sum_b n_b
    $$

    Each batch $b$ counts by its number of samples, so the result is that of the whole dataset as
    one batch, also if the last batch is short. As in training, many batches are one call of
    TensorFlow, and nothing is traced again when it is called again.

    Parameters
    ----------
    network
        A network or model.
    metrics
        Functions of (output, target) that are means over the samples of the batch, by name; an
        exponential of a mean, as perplexity is, is taken of the result.
    data
        A ``tf.data.Dataset`` or another iterable of batches (input, ..., target) that can be passed
        over again and again.
    prefix
        What the names of the results begin with, so that they are not those of training.

    Raises
    ------
    InvalidArgument
        There is no metric, the data can be passed over only once, or (when it is called) has no
        batch or one that is not (input, ..., target).

    Notes
    -----
    Made in the scope of a ``tf.distribute`` strategy, it runs on its replicas, over data of
    ``strategy.experimental_distribute_dataset``.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Lambda(tl.layers.Input([None]), lambda x: 2 * x)
    >>> pairs = tf.data.Dataset.from_tensor_slices(([1.0, 2.0, 6.0], [0.0, 0.0, 0.0])).batch(2)
    >>> evaluation = Evaluation(net, {"error": lambda y, t: tf.reduce_mean(abs(y - t))}, pairs)
    >>> evaluation()
    {'val_error': 6.0}
    """

    def __init__(
        self,
        network: Any,
        metrics: Mapping[str, Measure],
        data: Iterable[Any],
        *,
        prefix: str = "val_",
    ) -> None:
        self.network, self.prefix = network, prefix
        self.metrics = require_measures(metrics, "Evaluation")
        if not metrics:
            raise InvalidArgument("Evaluation: there is no metric. Give one by name.")
        if isinstance(data, Iterator) or not isinstance(data, Iterable):
            raise InvalidArgument(
                "Evaluation: the data is passed over after every epoch, got a "
                f"{type(data).__name__}, which cannot be. Give a list or a dataset."
            )
        self._replicas = Replicas()
        self.data = Workers().spread(data)

    def __call__(self) -> dict[str, float]:
        """Pass over the data; return the means by name."""
        found = Sums()
        running = Loop.of(self._step).begin(self.data)
        while running.n_batches != 0 and not running.is_over:
            count, sums = running.advance(sys.maxsize)
            if count:  # else nothing was measured
                found.add(count, sums)
        running.close()
        n = found.totals.pop(_COUNT, 0.0)
        if not n:
            raise InvalidArgument(
                "Evaluation: the data has no batch. Check the dataset and, if it drops the "
                "remainder, the batch size."
            )
        return {f"{self.prefix}{name}": total / n for name, total in found.totals.items()}

    def _step(self, *batch: Any) -> dict[str, tf.Tensor]:
        """Return the metrics of one batch times its number of samples, and this number."""
        split(batch, "Evaluation")
        return self._replicas.run(self._measured, batch)

    def _measured(self, *batch: Any) -> dict[str, tf.Tensor]:
        inputs, target = split(batch, "Evaluation")
        n = tf.cast(n_samples(batch), tf.float64)
        output = self.network(inputs, is_train=False)
        found = measured(self.metrics, output, target, "Evaluation")
        sums = {name: share_of(tf.cast(each, tf.float64), n) for name, each in found.items()}
        return {**sums, _COUNT: n}
