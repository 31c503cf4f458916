"""Training, testing and prediction on arrays, for scripts that need no loop of their own.

Where a session of TensorFlow 1 comes first, all of them take the arguments of TensorLayer 1.x:
[`tensorlayer.utils.in_session`][].
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from tensorlayer import train
from tensorlayer.errors import InvalidArgument
from tensorlayer.utils import steps
from tensorlayer.utils.eagerly import Eagerly
from tensorlayer.utils.in_session import InSession, also_in_session
from tensorlayer.utils.steps import Measure

__all__ = ["fit", "predict", "test"]


@also_in_session("y_train", "x", "y_")
def fit(
    network: Any,
    train_op: Any,
    cost: Measure,
    X_train: np.ndarray,
    y_train: np.ndarray,
    acc: Measure | None = None,
    batch_size: int = 100,
    n_epoch: int = 100,
    print_freq: int = 5,
    X_val: np.ndarray | None = None,
    y_val: np.ndarray | None = None,
    eval_train: bool = True,
    tensorboard_dir: str | os.PathLike[str] | None = None,
    tensorboard_epoch_freq: int = 5,
    tensorboard_weight_histograms: bool = True,
    tensorboard_graph_vis: bool = True,
) -> list[train.Epoch]:
    """Train a network on arrays.

    Parameters
    ----------
    network
        A network or model.
    train_op
        An optimizer, such as ``tf.optimizers.Adam()``.
    cost
        The loss, a function of (output, target).
    X_train, y_train
        Samples and targets of the same length; shuffled anew for each epoch. The last, shorter
        batch is dropped.
    acc
        Another measure of (output, target) to be shown.
    batch_size
        Samples in a step.
    n_epoch
        Passes over the data.
    print_freq
        A line is printed after the first epoch and after every ``print_freq`` epochs; 0 for none.
    X_val, y_val
        Measured in inference mode whenever a line is printed.
    eval_train
        Measure the training data in inference mode as well; otherwise the line has the means during
        training.
    tensorboard_dir
        Where to write losses, measures and histograms for TensorBoard; None for nowhere.
    tensorboard_epoch_freq
        How often: after the first epoch and after every so many.
    tensorboard_weight_histograms
        Whether to write the weights' histograms.
    tensorboard_graph_vis
        Whether to write the graph of the network, in inference mode.

    Returns
    -------
    list of Epoch
        The means during training.

    Raises
    ------
    InvalidArgument
        Samples and targets differ in length, there are fewer samples than a batch, or only one of
        ``X_val`` and ``y_val`` is given. With a session: it is of another graph, its variables have
        no values, or its placeholders take batches of another size.

    Notes
    -----
    ``cost`` and ``acc`` become a part of the traced step. If they cannot be traced, as functions of
    NumPy, they are called with the output and an array of targets in each step, which is slower.

    With a session of TensorFlow 1 it is ``fit(sess, network, train_op, cost, X_train, y_train, x,
    y_, acc=None, ...)``: ``train_op`` is an operation, ``cost`` and ``acc`` are scalar tensors, and
    the placeholders ``x`` and ``y_`` are fed. Variables keep their values, also where
    ``tensorboard_dir`` is given: call ``tl.layers.initialize_global_variables(sess)`` before.

    Examples
    --------
    >>> import numpy as np
    >>> import tensorflow as tf
    >>> import tensorlayer as tl
    >>> X = np.random.default_rng(0).normal(size=(64, 2)).astype("float32")
    >>> net = tl.layers.Dense(tl.layers.Input([None, 2]), 1)
    >>> optimizer = tf.optimizers.SGD(0.1)
    >>> cost = tl.cost.mean_squared_error
    >>> epochs = fit(net, optimizer, cost, X, X[:, :1], batch_size=16, n_epoch=20, print_freq=100)
    epoch 1 of 20 ...
    >>> epochs[-1].metrics["loss"] < 0.01
    True

    In a session:

    >>> v1 = tf.compat.v1
    >>> with tf.Graph().as_default(), v1.Session() as sess:
    ...     x, y_ = v1.placeholder("float32", [None, 2]), v1.placeholder("float32", [None, 1])
    ...     net = tl.layers.DenseLayer(tl.layers.InputLayer(x, name="x"), 1, name="dense")
    ...     cost = tl.cost.mean_squared_error(net.outputs, y_)
    ...     train_op = v1.train.GradientDescentOptimizer(0.1).minimize(cost)
    ...     tl.layers.initialize_global_variables(sess)
    ...     epochs = fit(sess, net, train_op, cost, X, X[:, :1], x, y_, batch_size=16, n_epoch=20,
    ...                  print_freq=100)
    epoch 1 of 20 ...
    >>> epochs[-1].metrics["loss"] < 0.01
    True
    """
    where = _place(network)
    X_train, y_train = where.array(X_train), where.array(y_train)
    steps.require_pairs(X_train, y_train, batch_size, full_batch=True)
    batch_size = where.batch_size(batch_size, len(X_train))
    held_out = {"train": where.whole(X_train, y_train)} if eval_train else {}
    if X_val is not None or y_val is not None:
        held_out["val"] = where.whole(*map(where.array, steps.both(X_val, y_val)))
    measures = {"loss": cost, **({} if acc is None else {"acc": acc})}
    measuring = where.measuring(measures, is_repeated=True)

    def report(epoch: train.Epoch) -> None:
        measured = {
            which: steps.measure(measuring, X, y, batch_size) for which, (X, y) in held_out.items()
        }
        tqdm.write(steps.line(epoch, n_epoch, measured, eval_train))

    callbacks = [_every(print_freq, report)] if print_freq else []
    with contextlib.ExitStack() as opened:
        if tensorboard_dir is not None:
            if tensorboard_epoch_freq < 1:
                raise InvalidArgument(
                    "fit: tensorboard_epoch_freq has to be at least 1, got "
                    f"{tensorboard_epoch_freq!r}. Leave tensorboard_dir out to write nothing."
                )
            shown = (tensorboard_weight_histograms, tensorboard_graph_vis)
            board = opened.enter_context(where.board(str(tensorboard_dir), *shown, X_train))
            callbacks.append(_every(tensorboard_epoch_freq, board))
        return where.epochs(train_op, measures, X_train, y_train, batch_size, n_epoch, callbacks)


@also_in_session("y_test", "x", "y_")
def test(
    network: Any,
    acc: Measure,
    X_test: np.ndarray,
    y_test: np.ndarray,
    batch_size: int | None = None,
    cost: Measure | None = None,
) -> float | tuple[float, float]:
    """Measure a network in inference mode.

    Parameters
    ----------
    network
        A network or model.
    acc
        The measure, a function of (output, target) that is a mean over its batch.
    X_test, y_test
        Samples and targets.
    batch_size
        Samples at a time; None for all at once. The last, shorter batch counts by its size.
    cost
        Another measure.

    Returns
    -------
    float, or a pair of floats
        ``acc``, or (``acc``, ``cost``), as means over all samples.

    Notes
    -----
    With a session of TensorFlow 1 it is ``test(sess, network, acc, X_test, y_test, x, y_,
    batch_size=None, cost=None)``, where ``acc`` and ``cost`` are scalar tensors. Placeholders that
    take batches of one size get those, and the last, shorter one is left out.

    Examples
    --------
    >>> import numpy as np
    >>> import tensorlayer as tl
    >>> net = tl.layers.Lambda(tl.layers.Input([None, 1]), lambda x: 2 * x)
    >>> ones = np.ones([5, 1], "float32")
    >>> test(net, tl.cost.mean_squared_error, ones, ones, batch_size=2)
    1.0
    """
    where = _place(network)
    measures = {"acc": acc, **({} if cost is None else {"cost": cost})}
    X, y = where.whole(where.array(X_test), where.array(y_test))
    size = where.batch_size(batch_size, len(X))
    found = steps.measure(where.measuring(measures, is_repeated=False), X, y, size)
    return found["acc"] if cost is None else (found["acc"], found["cost"])


@also_in_session("X", "x", "y_op")
def predict(network: Any, X: np.ndarray, batch_size: int | None = None) -> np.ndarray:
    """Return the outputs of a network in inference mode.

    Parameters
    ----------
    network
        A network or model with one output.
    X
        Samples.
    batch_size
        Samples at a time, to bound memory; None for all at once. The last batch may be shorter.

    Notes
    -----
    With a session of TensorFlow 1 it is ``predict(sess, network, X, x, y_op, batch_size=None)``,
    where ``y_op`` is what is to be computed, such as ``tf.argmax(net.outputs, 1)``. Where the
    placeholder ``x`` takes batches of one size only, the last one is filled up for the while.

    Examples
    --------
    >>> import numpy as np
    >>> import tensorlayer as tl
    >>> net = tl.layers.Lambda(tl.layers.Input([None, 1]), lambda x: 2 * x)
    >>> predict(net, np.ones([5, 1], "float32"), batch_size=2).ravel().tolist()
    [2.0, 2.0, 2.0, 2.0, 2.0]
    """
    where = _place(network)
    X = where.array(X)
    size = where.batch_size(batch_size, len(X))
    if size < 1 or not len(X):
        raise InvalidArgument(f"predict: batch_size must be positive and X not empty, got {size}.")
    return where.predict(X, size)


def _place(network: Any) -> Eagerly | InSession:
    """Return where a network computes."""
    return network if isinstance(network, InSession) else Eagerly(network)


def _every(n_epochs: int, callback: Callable[[train.Epoch], None]) -> Callable[[train.Epoch], None]:
    """Return a callback for the first epoch, and for every so many."""

    def call(epoch: train.Epoch) -> None:
        if epoch.number == 1 or epoch.number % n_epochs == 0:
            callback(epoch)

    return call
