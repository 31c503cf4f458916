"""One pass over arrays: a training epoch or a measuring one."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from tensorlayer import train
from tensorlayer.utils import steps
from tensorlayer.utils.steps import Measure

__all__ = ["run_epoch", "train_epoch"]

#: Of the optimizer of ``train_epoch`` if none is given, as in TensorLayer 2.x.
LEARNING_RATE = 0.0001


def run_epoch(
    network: Any,
    X: np.ndarray,
    y: np.ndarray,
    cost: Measure | None = None,
    acc: Measure | None = None,
    batch_size: int = 100,
    shuffle: bool = False,
) -> tuple[float | None, float | None]:
    """Measure a network on arrays, in inference mode; its parameters do not change.

    Parameters
    ----------
    network
        A network or model.
    X, y
        Samples and targets.
    cost, acc
        Measures of (output, target) that are means over their batch; None to leave one out.
    batch_size
        Samples at a time. The last, shorter batch counts by its size.
    shuffle
        Accepted; the order does not change a mean over all samples.

    Returns
    -------
    loss, accuracy : float or None
        Means over all samples; None for a measure that was not given.

    Raises
    ------
    InvalidArgument
        Samples and targets differ in length, or there are none.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Lambda(tl.layers.Input([None, 1]), lambda x: 2 * x)
    >>> ones = np.ones([5, 1], "float32")
    >>> run_epoch(net, ones, ones, cost=tl.cost.mean_squared_error, batch_size=2)
    (1.0, None)
    """
    given = {"cost": cost, "acc": acc}
    measures = {name: fn for name, fn in given.items() if fn is not None}
    means = steps.measure(steps.measuring_step(network, measures), X, y, batch_size)
    return means.get("cost"), means.get("acc")


def train_epoch(
    network: Any,
    X: np.ndarray,
    y: np.ndarray,
    cost: Measure,
    train_op: Any = None,
    acc: Measure | None = None,
    batch_size: int = 100,
    shuffle: bool = True,
) -> tuple[float, float | None]:
    """Train a network for one pass over arrays.

    Parameters
    ----------
    network
        A network or model.
    X, y
        Samples and targets. The last, shorter batch is dropped.
    cost
        The loss, a function of (output, target).
    train_op
        An optimizer; the same one for every epoch, since it has a state. None for a new Adam with
        the learning rate 0.0001.
    acc
        Another measure.
    batch_size
        Samples in a step.
    shuffle
        Whether to go through the samples in a random order.

    Returns
    -------
    loss, accuracy : float or None
        Means over the steps, in training mode.

    Raises
    ------
    InvalidArgument
        Samples and targets differ in length, or there are fewer than a batch.

    Notes
    -----
    The step is traced in each call. [`tensorlayer.utils.fit`][] traces it once for all epochs.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> X = np.ones([8, 1], "float32")
    >>> net = tl.layers.Dense(tl.layers.Input([None, 1]), 1, W_init="zeros", name="dense")
    >>> train_epoch(net, X, X, tl.cost.mean_squared_error, tf.optimizers.SGD(0.1), batch_size=8)
    (1.0, None)
    """
    steps.require_pairs(X, y, batch_size, full_batch=True)
    optimizer = tf.optimizers.Adam(LEARNING_RATE) if train_op is None else train_op
    data = tf.data.Dataset.from_tensor_slices((X, y))
    data = data.shuffle(len(X)) if shuffle else data
    step = steps.training_step(network, optimizer, cost, {} if acc is None else {"acc": acc})
    (epoch,) = train.run(step, data.batch(batch_size, drop_remainder=True), progress=False)
    return epoch.metrics["loss"], epoch.metrics.get("acc")
