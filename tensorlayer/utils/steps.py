"""What training and measuring on arrays are made of, whoever calls them."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tensorlayer import train
from tensorlayer.errors import InvalidArgument, TensorLayerError
from tensorlayer.optimizers import summed

__all__ = [
    "Measure",
    "both",
    "line",
    "measure",
    "measuring_step",
    "output_of",
    "require_pairs",
    "traced_measuring_step",
    "training_step",
]

#: A function of (output, target) that is a mean over its batch. The target is an array where that
#: is needed: the function may compute with NumPy.
Measure = Callable[[Any, Any], Any]

#: What a function of arrays raises when it is traced with tensors.
_NEEDS_ARRAYS = (TypeError, ValueError, AttributeError, NotImplementedError)


def output_of(network: Any, X: Any, is_train: bool) -> Any:
    """Return the output in a mode, whatever ``train()`` or ``eval()`` of a model said before."""
    if not hasattr(network, "eval"):  # nothing can tell it a mode
        return network(X, is_train=is_train)
    said, network.is_train = network.is_train, None
    try:
        return network(X, is_train=is_train)
    finally:
        network.is_train = said


def training_step(
    network: Any, optimizer: Any, cost: Measure, others: Mapping[str, Measure]
) -> train.Step:
    """Return a step of gradient descent on ``cost``; it returns the loss and the other measures."""
    weights = network.trainable_weights

    def step(X: tf.Tensor, y: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.GradientTape() as tape:
            output = output_of(network, X, is_train=True)
            loss = _measured(cost, output, y, weights)
        gradients = tape.gradient(loss, weights)
        once = [summed(gradient) for gradient in gradients]
        optimizer.apply_gradients(zip(once, weights, strict=True))
        return {"loss": loss, **{name: _measured(fn, output, y) for name, fn in others.items()}}

    return step


def _measured(
    measure: Measure, output: Any, y: tf.Tensor, weights: Sequence[tf.Variable] | None = None
) -> tf.Tensor:
    """Trace a measure; one that cannot be traced is called with an array, batch after batch.

    Then only its gradient to the output is known: a cost, of which there are ``weights`` to be
    trained, is refused if it has none, or another one as well.
    """
    try:
        return measure(output, y)
    except TensorLayerError:  # which say what they mean
        raise
    except _NEEDS_ARRAYS:
        if not tf.is_symbolic_tensor(y) or not tf.is_tensor(output):
            raise

    @tf.autograph.experimental.do_not_convert
    def call(output: tf.Tensor, y: tf.Tensor) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(output)
            value = tf.cast(measure(output, y.numpy()), tf.float32)
        slope, *others = tape.gradient(value, [output, *(weights or ())])
        if weights is not None:
            _require_gradient(slope, zip(weights, others, strict=True))
        return value, tf.zeros_like(output) if slope is None else slope

    @tf.custom_gradient
    def called(output: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        value, slope = tf.py_function(call, [output, y], [tf.float32, output.dtype])
        value.set_shape([])
        slope.set_shape(output.shape)
        return value, lambda upstream: tf.cast(upstream, slope.dtype) * slope

    return called(output)


def _require_gradient(slope: Any, others: Iterable[tuple[tf.Variable, Any]]) -> None:
    """Raise InvalidArgument unless a cost has the gradient to the output, and no other."""
    used = [variable.name for variable, other in others if other is not None]
    if used:
        raise InvalidArgument(
            f"cost: it uses {', '.join(used)} besides the output, and needs its target as an "
            "array, so that their gradients would be lost. Write it for a tensor: tf.cast(target, "
            "tf.int64) in the place of NumPy and tf.convert_to_tensor."
        )
    if slope is None:
        raise InvalidArgument(
            "cost: it has no gradient. Compute it from the output with TensorFlow, not NumPy."
        )


def measuring_step(network: Any, measures: Mapping[str, Measure]) -> Callable[..., Any]:
    """Return a function of one batch of arrays that evaluates the measures in inference mode."""

    def step(X: np.ndarray, y: np.ndarray) -> dict[str, Any]:
        output = output_of(network, tf.convert_to_tensor(X), is_train=False)
        return {name: fn(output, y) for name, fn in measures.items()}

    return step


def traced_measuring_step(
    network: Any, cost: Measure, others: Mapping[str, Measure]
) -> Callable[..., Any]:
    """Return the same for many passes, which are worth a trace.

    The cost is traced with the network, as in training: it may ask for what the evaluation gives
    besides its output, such as ``regularization_losses``.
    """

    def evaluate(X: tf.Tensor, y: tf.Tensor) -> tuple[Any, tf.Tensor]:
        output = output_of(network, X, is_train=False)
        return output, _measured(cost, output, y)

    traced = tf.function(evaluate, reduce_retracing=True)

    def step(X: np.ndarray, y: np.ndarray) -> dict[str, Any]:
        output, loss = traced(tf.convert_to_tensor(X), tf.convert_to_tensor(y))
        return {"loss": loss, **{name: fn(output, y) for name, fn in others.items()}}

    return step


def measure(
    step: Callable[..., Any], X: np.ndarray, y: np.ndarray, batch_size: int
) -> dict[str, float]:
    """Return the means over all samples; the last, shorter batch counts by its size.

    Examples
    --------
    >>> largest = lambda X, y: {"largest": tf.reduce_max(X)}
    >>> measure(largest, np.array([1.0, 2.0, 3.0]), np.zeros(3), batch_size=2)
    {'largest': 2.33...}
    """
    require_pairs(X, y, batch_size)
    sums: collections.Counter[str] = collections.Counter()
    for start in range(0, len(X), batch_size):
        part = slice(start, start + batch_size)
        found = step(X[part], y[part])
        for name, value in found.items():
            sums[name] += float(value) * len(X[part])
    return {name: value / len(X) for name, value in sums.items()}


def require_pairs(
    X: np.ndarray, y: np.ndarray, batch_size: int, *, full_batch: bool = False
) -> None:
    """Raise InvalidArgument unless the arrays are pairs that make at least one batch."""
    if len(X) != len(y) or not len(X):
        raise InvalidArgument(
            f"samples and targets have to be of the same length and not empty, got {len(X)} and "
            f"{len(y)}."
        )
    if batch_size < 1:
        raise InvalidArgument(f"batch_size has to be at least 1, got {batch_size!r}.")
    if full_batch and len(X) < batch_size:
        raise InvalidArgument(
            f"there are {len(X)} samples, fewer than the batch_size {batch_size}: not one full "
            "batch."
        )


def both(X_val: np.ndarray | None, y_val: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return both, or raise InvalidArgument: one alone measures nothing."""
    if X_val is None or y_val is None:
        missing = "X_val" if X_val is None else "y_val"
        raise InvalidArgument(f"fit: {missing} is missing. Give X_val and y_val, or neither.")
    return X_val, y_val


def line(
    epoch: train.Epoch, n_epoch: int, measured: Mapping[str, Mapping[str, float]], eval_train: bool
) -> str:
    """Return the line that ``fit`` prints after an epoch.

    Examples
    --------
    >>> epoch = train.Epoch(number=5, n_steps=10, seconds=0.25, metrics={"loss": 0.5})
    >>> line(epoch, 20, {"val": {"loss": 0.75}}, eval_train=False)
    'epoch 5 of 20  0.25 s  train loss 0.5  val loss 0.75'
    """
    shown = {} if eval_train else {f"train {name}": v for name, v in epoch.metrics.items()}
    for which, found in measured.items():
        shown.update({f"{which} {name}": value for name, value in found.items()})
    text = "  ".join(f"{name} {value:.6g}" for name, value in shown.items())
    return f"epoch {epoch.number} of {n_epoch}  {epoch.seconds:.2f} s  {text}"
