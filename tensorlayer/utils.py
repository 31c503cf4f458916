"""Training, testing and prediction on arrays, for scripts that need no loop of their own."""

from __future__ import annotations

import collections
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from tensorlayer import train
from tensorlayer.errors import InvalidArgument

__all__ = ["fit", "predict", "test"]

Measure = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


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
        A line is printed after the first epoch and after every ``print_freq`` epochs.
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
        Samples and targets differ in length, or there are fewer samples than a batch.

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
    _require_equal_lengths(X_train, y_train)
    if len(X_train) < batch_size:
        raise InvalidArgument(
            f"fit: there are {len(X_train)} samples, fewer than the batch_size {batch_size}."
        )
    arrays = tf.data.Dataset.from_tensor_slices((X_train, y_train))
    data = arrays.shuffle(len(X_train)).batch(batch_size, drop_remainder=True).prefetch(2)
    measures = {"loss": cost, **({"acc": acc} if acc is not None else {})}
    held_out = {"train": (X_train, y_train)} if eval_train else {}
    if X_val is not None:
        held_out["val"] = (X_val, y_val)
    measure_batch = tf.function(_batch_measure(network, measures))

    def report(epoch: train.Epoch) -> None:
        if epoch.number != 1 and epoch.number % print_freq:
            return
        shown = {} if eval_train else {f"train {k}": v for k, v in epoch.metrics.items()}
        for which, (X, y) in held_out.items():
            found = _measure(measure_batch, X, y, batch_size)
            shown.update({f"{which} {name}": value for name, value in found.items()})
        text = "  ".join(f"{name} {value:.6g}" for name, value in shown.items())
        tqdm.write(f"epoch {epoch.number} of {n_epoch}  {epoch.seconds:.2f} s  {text}")

    callbacks: list[Callable[[train.Epoch], Any]] = [report]
    if tensorboard_dir is not None:
        writer = tf.summary.create_file_writer(str(tensorboard_dir))
        weights = network.parameters if tensorboard_weight_histograms else {}
        callbacks.append(_board(writer, tensorboard_epoch_freq, weights))
        if tensorboard_graph_vis:
            _write_graph(writer, network, X_train)
    step = _step(network, train_op, measures)
    return train.run(step, data, n_epoch=n_epoch, callbacks=callbacks)


def _step(network: Any, optimizer: Any, measures: dict[str, Measure]) -> train.Step:
    weights = network.trainable_weights

    def step(X: tf.Tensor, y: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.GradientTape() as tape:
            output = network(X, is_train=True)
            loss = measures["loss"](output, y)
        gradients = tape.gradient(loss, weights)
        optimizer.apply_gradients(zip(gradients, weights, strict=True))
        return {"loss": loss, **{n: fn(output, y) for n, fn in measures.items() if n != "loss"}}

    return step


def _write_graph(writer: Any, network: Any, X: np.ndarray) -> None:
    spec = tf.TensorSpec([None, *X.shape[1:]], X.dtype)
    infer = tf.function(lambda x: network(x, is_train=False)).get_concrete_function(spec)
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
    measure_batch = _batch_measure(network, measures)
    found = _measure(measure_batch, X_test, y_test, batch_size or len(X_test))
    return found["acc"] if cost is None else (found["acc"], found["cost"])


def _batch_measure(network: Any, measures: dict[str, Measure]) -> Callable[..., Any]:
    def measure(X: tf.Tensor, y: tf.Tensor) -> dict[str, tf.Tensor]:
        output = network(X, is_train=False)
        return {name: fn(output, y) for name, fn in measures.items()}

    return measure


def _measure(
    measure_batch: Callable[..., Any], X: np.ndarray, y: np.ndarray, batch_size: int
) -> dict[str, float]:
    """Return the means over all samples; the last, shorter batch counts by its size."""
    _require_equal_lengths(X, y)
    sums: collections.Counter[str] = collections.Counter()
    for start in range(0, len(X), batch_size):
        part = slice(start, start + batch_size)
        found = measure_batch(tf.convert_to_tensor(X[part]), tf.convert_to_tensor(y[part]))
        for name, value in found.items():
            sums[name] += float(value) * len(X[part])
    return {name: value / len(X) for name, value in sums.items()}


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
    return np.concatenate(
        [network(tf.convert_to_tensor(X[i : i + size]), is_train=False).numpy() for i in starts]
    )


def _require_equal_lengths(X: np.ndarray, y: np.ndarray) -> None:
    if len(X) != len(y) or not len(X):
        raise InvalidArgument(
            f"samples and targets have to be of the same length and not empty, got {len(X)} and "
            f"{len(y)}."
        )
