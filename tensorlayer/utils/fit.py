"""Training, testing and prediction on arrays, for scripts that need no loop of their own.

Where a session of TensorFlow 1 comes first, all of them take the arguments of TensorLayer 1.x:
[`tensorlayer.utils.in_session`][].
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from tensorlayer import train
from tensorlayer.errors import InvalidArgument
from tensorlayer.sessions import first_or_named
from tensorlayer.utils import steps
from tensorlayer.utils.in_session import fit_in_session, predict_in_session, test_in_session
from tensorlayer.utils.steps import Measure

__all__ = ["fit", "predict", "test"]


@first_or_named(fit_in_session)
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
        How often.
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
        ``X_val`` and ``y_val`` is given.

    Notes
    -----
    ``cost`` and ``acc`` become a part of the traced step. If they cannot be traced, as functions of
    NumPy, they are called with the output and an array of targets in each step, which is slower.

    Examples
    --------
    >>> import numpy as np
    >>> import tensorlayer as tl
    >>> X = np.random.default_rng(0).normal(size=(64, 2)).astype("float32")
    >>> net = tl.layers.Dense(tl.layers.Input([None, 2]), 1)
    >>> optimizer = tf.optimizers.SGD(0.1)
    >>> cost = tl.cost.mean_squared_error
    >>> epochs = fit(net, optimizer, cost, X, X[:, :1], batch_size=16, n_epoch=20, print_freq=100)
    epoch 1 of 20 ...
    >>> epochs[-1].metrics["loss"] < 0.01
    True
    """
    steps.require_pairs(X_train, y_train, batch_size, full_batch=True)
    arrays = tf.data.Dataset.from_tensor_slices((X_train, y_train))
    data = arrays.shuffle(len(X_train)).batch(batch_size, drop_remainder=True).prefetch(2)
    others = {} if acc is None else {"acc": acc}
    held_out = {"train": (X_train, y_train)} if eval_train else {}
    if X_val is not None or y_val is not None:
        held_out["val"] = steps.both(X_val, y_val)
    # Many passes are worth a trace.
    traced = tf.function(
        lambda X, is_train: steps.output_of(network, X, is_train), reduce_retracing=True
    )
    measuring = steps.measuring_step(traced, {"loss": cost, **others})

    def report(epoch: train.Epoch) -> None:
        if not print_freq or (epoch.number != 1 and epoch.number % print_freq):
            return
        measured = {
            which: steps.measure(measuring, X, y, batch_size) for which, (X, y) in held_out.items()
        }
        tqdm.write(steps.line(epoch, n_epoch, measured, eval_train))

    callbacks: list[Callable[[train.Epoch], Any]] = [report]
    if tensorboard_dir is not None:
        writer = tf.summary.create_file_writer(str(tensorboard_dir))
        weights = network.parameters if tensorboard_weight_histograms else {}
        callbacks.append(_board(writer, tensorboard_epoch_freq, weights))
        if tensorboard_graph_vis:
            _write_graph(writer, network, X_train)
    step = steps.training_step(network, train_op, cost, others)
    return train.run(step, data, n_epoch=n_epoch, callbacks=callbacks)


def _write_graph(writer: Any, network: Any, X: np.ndarray) -> None:
    spec = tf.TensorSpec([None, *X.shape[1:]], X.dtype)
    infer = tf.function(lambda x: steps.output_of(network, x, False)).get_concrete_function(spec)
    with writer.as_default(step=0):
        tf.summary.graph(infer.graph)


def _board(
    writer: Any, every: int, weights: dict[str, tf.Variable]
) -> Callable[[train.Epoch], None]:
    def write(epoch: train.Epoch) -> None:
        if epoch.number != 1 and epoch.number % every:
            return
        with writer.as_default(step=epoch.number):
            for name, value in epoch.metrics.items():
                tf.summary.scalar(name, value)
            for name, variable in weights.items():
                tf.summary.histogram(name, variable)
        writer.flush()

    return write


@first_or_named(test_in_session)
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

    Examples
    --------
    >>> import numpy as np
    >>> import tensorlayer as tl
    >>> net = tl.layers.Lambda(tl.layers.Input([None, 1]), lambda x: 2 * x)
    >>> ones = np.ones([5, 1], "float32")
    >>> test(net, tl.cost.mean_squared_error, ones, ones, batch_size=2)
    1.0
    """
    measures = {"acc": acc, **({"cost": cost} if cost is not None else {})}
    step = steps.measuring_step(network, measures)
    found = steps.measure(step, X_test, y_test, batch_size or len(X_test))
    return found["acc"] if cost is None else (found["acc"], found["cost"])


@first_or_named(predict_in_session)
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

    Examples
    --------
    >>> import numpy as np
    >>> import tensorlayer as tl
    >>> net = tl.layers.Lambda(tl.layers.Input([None, 1]), lambda x: 2 * x)
    >>> predict(net, np.ones([5, 1], "float32"), batch_size=2).ravel().tolist()
    [2.0, 2.0, 2.0, 2.0, 2.0]
    """
    size = batch_size or len(X)
    if size < 1:
        raise InvalidArgument(f"predict: batch_size must be positive and X not empty, got {size}.")
    starts = range(0, len(X), size)
    parts = (tf.convert_to_tensor(X[i : i + size]) for i in starts)
    return np.concatenate([steps.output_of(network, x, False).numpy() for x in parts])
