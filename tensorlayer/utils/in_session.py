"""Training, testing and prediction in a session, with the arguments of TensorLayer 1.x.

[`tensorlayer.utils.fit`][], `test` and `predict` are these functions where a session comes first.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from tensorlayer import seeds, train
from tensorlayer.errors import InvalidArgument
from tensorlayer.sessions import explained, require_session
from tensorlayer.utils import steps
from tensorlayer.utils.conversions import dict_to_one

__all__ = ["fit_in_session", "predict_in_session", "test_in_session"]

v1 = tf.compat.v1


def fit_in_session(
    sess: Any,
    network: Any,
    train_op: Any,
    cost: tf.Tensor,
    X_train: np.ndarray,
    y_train: np.ndarray,
    x: tf.Tensor,
    y_: tf.Tensor,
    acc: tf.Tensor | None = None,
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
    """Train a network of a TensorFlow 1 graph on arrays.

    Parameters
    ----------
    sess
        The session, whose variables are initialized.
    network
        The network, with ``all_drop``: fed with its values to train, and with ones to measure.
    train_op
        The operation that a step runs.
    cost
        The loss, a scalar tensor.
    X_train, y_train
        Samples and targets of the same length; shuffled anew for each epoch. The last, shorter
        batch is dropped.
    x, y_
        The placeholders of samples and targets.
    acc
        Another scalar tensor to be shown.
    batch_size, n_epoch, print_freq, X_val, y_val, eval_train
        As of [`tensorlayer.utils.fit`][].
    tensorboard_dir
        Where to write losses, measures and histograms for TensorBoard; None for nowhere. Variables
        keep their values: call ``tl.layers.initialize_global_variables(sess)`` before, in any case.
    tensorboard_epoch_freq, tensorboard_weight_histograms, tensorboard_graph_vis
        As of [`tensorlayer.utils.fit`][].

    Returns
    -------
    list of Epoch
        The means during training.

    Raises
    ------
    InvalidArgument
        The session is of another graph or its variables have no values; samples and targets do not
        fit, as for [`tensorlayer.utils.fit`][].

    Examples
    --------
    >>> import numpy as np
    >>> import tensorlayer as tl
    >>> v1 = tf.compat.v1
    >>> X = np.random.default_rng(0).normal(size=(64, 2)).astype("float32")
    >>> with tf.Graph().as_default(), v1.Session() as sess:
    ...     x, y_ = v1.placeholder("float32", [None, 2]), v1.placeholder("float32", [None, 1])
    ...     net = tl.layers.DenseLayer(tl.layers.InputLayer(x, name="x"), 1, name="dense")
    ...     cost = tl.cost.mean_squared_error(net.outputs, y_)
    ...     train_op = v1.train.GradientDescentOptimizer(0.1).minimize(cost)
    ...     tl.layers.initialize_global_variables(sess)
    ...     epochs = tl.utils.fit(sess, net, train_op, cost, X, X[:, :1], x, y_, batch_size=16,
    ...                           n_epoch=20, print_freq=100)
    epoch 1 of 20 ...
    >>> epochs[-1].metrics["loss"] < 0.01
    True
    """
    _require(sess, network, "fit")
    steps.require_pairs(X_train, y_train, batch_size, full_batch=True)
    held_out = {"train": (X_train, y_train)} if eval_train else {}
    if X_val is not None or y_val is not None:
        held_out["val"] = steps.both(X_val, y_val)
    tensors = {"loss": cost, **({} if acc is None else {"acc": acc})}
    write = _no_board
    if tensorboard_dir is not None:
        histograms = network.all_params if tensorboard_weight_histograms else []
        graph = sess.graph if tensorboard_graph_vis else None
        write = _Board(sess, tensorboard_dir, tensorboard_epoch_freq, histograms, graph)
    rng, epochs = seeds.generator(), []
    for number in range(1, n_epoch + 1):
        started, sums, n_steps = time.perf_counter(), dict.fromkeys(tensors, 0.0), 0
        for batch in _shuffled(rng, len(X_train), batch_size):
            feed = {x: X_train[batch], y_: y_train[batch], **network.all_drop}
            with explained(sess, "fit"):
                found, _ = sess.run([tensors, train_op], feed)
            sums = {name: total + float(found[name]) for name, total in sums.items()}
            n_steps += 1
        means = {name: total / n_steps for name, total in sums.items()}
        seconds = time.perf_counter() - started
        epochs.append(train.Epoch(number=number, n_steps=n_steps, seconds=seconds, metrics=means))
        write(epochs[-1])
        if print_freq and (number == 1 or number % print_freq == 0):
            step = _measuring(sess, network, tensors, x, y_)
            measured = {
                which: steps.measure(step, *_whole(x, X, y, batch_size), batch_size)
                for which, (X, y) in held_out.items()
            }
            tqdm.write(steps.line(epochs[-1], n_epoch, measured, eval_train))
    return epochs


def test_in_session(
    sess: Any,
    network: Any,
    acc: tf.Tensor,
    X_test: np.ndarray,
    y_test: np.ndarray,
    x: tf.Tensor,
    y_: tf.Tensor,
    batch_size: int | None = None,
    cost: tf.Tensor | None = None,
) -> float | tuple[float, float]:
    """Measure a network of a TensorFlow 1 graph, with every dropout off.

    Parameters
    ----------
    sess
        The session.
    network
        The network.
    acc
        The measure, a scalar tensor that is a mean over its batch.
    X_test, y_test
        Samples and targets.
    x, y_
        Their placeholders.
    batch_size
        Samples at a time; None for all at once. The last, shorter batch counts by its size, unless
        the placeholder takes batches of one size only: then it is left out.
    cost
        Another scalar tensor.

    Returns
    -------
    float, or a pair of floats
        ``acc``, or (``acc``, ``cost``), as means over all samples.
    """
    _require(sess, network, "test")
    tensors = {"acc": acc, **({} if cost is None else {"cost": cost})}
    size = batch_size or len(X_test)
    X, y = _whole(x, X_test, y_test, size)
    found = steps.measure(_measuring(sess, network, tensors, x, y_), X, y, size)
    return found["acc"] if cost is None else (found["acc"], found["cost"])


def predict_in_session(
    sess: Any,
    network: Any,
    X: np.ndarray,
    x: tf.Tensor,
    y_op: tf.Tensor,
    batch_size: int | None = None,
) -> np.ndarray:
    """Return a tensor of a TensorFlow 1 graph for all samples, with every dropout off.

    Parameters
    ----------
    sess
        The session.
    network
        The network.
    X
        Samples.
    x
        Their placeholder.
    y_op
        What is to be computed, such as ``tf.argmax(tf.nn.softmax(net.outputs), 1)``.
    batch_size
        Samples at a time; None for all at once. The last batch may be shorter; where the
        placeholder takes batches of one size only, it is filled up for the while.
    """
    _require(sess, network, "predict")
    size = batch_size or len(X)
    if size < 1:
        raise InvalidArgument(f"predict: batch_size must be positive and X not empty, got {size}.")
    off, parts = dict_to_one(network.all_drop), []
    for start in range(0, len(X), size):
        part = X[start : start + size]
        filled = part
        if _is_fixed(x) and len(part) < size:
            filled = np.concatenate([part, np.repeat(part[-1:], size - len(part), axis=0)])
        with explained(sess, "predict"):
            parts.append(sess.run(y_op, {x: filled, **off})[: len(part)])
    return np.concatenate(parts)


def _require(sess: Any, network: Any, who: str) -> None:
    if not hasattr(network, "all_drop") or not hasattr(network, "outputs"):
        raise InvalidArgument(
            f"{who}: after the session comes a network, got {network!r}. Without a session the "
            "network comes first."
        )
    require_session(sess, getattr(network.outputs, "graph", None), who)


def _is_fixed(placeholder: tf.Tensor) -> bool:
    """Whether it takes batches of one size only."""
    sizes = placeholder.shape.as_list() if placeholder.shape.rank else [None]
    return sizes[0] is not None


def _whole(
    x: tf.Tensor, X: np.ndarray, y: np.ndarray, batch_size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return what is in full batches, if the placeholder takes no others."""
    n = len(X) // batch_size * batch_size if _is_fixed(x) and batch_size > 0 else len(X)
    return X[:n], y[:n]


def _shuffled(rng: np.random.Generator, n: int, batch_size: int) -> Iterator[np.ndarray]:
    order = rng.permutation(n)
    for start in range(0, n - batch_size + 1, batch_size):
        yield order[start : start + batch_size]


def _measuring(
    sess: Any, network: Any, tensors: Mapping[str, tf.Tensor], x: tf.Tensor, y_: tf.Tensor
) -> Callable[..., Mapping[str, float]]:
    """Return a function of one batch of arrays that evaluates tensors with every dropout off."""
    off = dict_to_one(network.all_drop)

    def step(X: np.ndarray, y: np.ndarray) -> Mapping[str, float]:
        with explained(sess, "measuring"):
            return sess.run(dict(tensors), {x: X, y_: y, **off})

    return step


def _no_board(epoch: train.Epoch) -> None:
    """Write nothing."""


class _Board:
    """Writes means and histograms for TensorBoard, after the first epoch and every few."""

    def __init__(
        self, sess: Any, path: Any, every: int, histograms: list[Any], graph: tf.Graph | None
    ) -> None:
        self._sess, self._every = sess, every
        with sess.graph.as_default():
            self._writer = v1.summary.FileWriter(str(path), graph)
            # Not v1.summary.histogram: that would number the tags.
            ops = [
                tf.raw_ops.HistogramSummary(tag=each.op.name, values=each) for each in histograms
            ]
            self._histograms = v1.summary.merge(ops, collections=[]) if ops else None

    def __call__(self, epoch: train.Epoch) -> None:
        if epoch.number != 1 and epoch.number % self._every:
            return
        means = [v1.Summary.Value(tag=n, simple_value=v) for n, v in epoch.metrics.items()]
        self._writer.add_summary(v1.Summary(value=means), epoch.number)
        if self._histograms is not None:
            self._writer.add_summary(self._sess.run(self._histograms), epoch.number)
        self._writer.flush()
