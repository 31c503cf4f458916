"""Functions of (output, target), and the batches that they are measured on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument

__all__ = [
    "Measure",
    "measured",
    "named",
    "require_measures",
    "require_scalars",
    "scalars_of_step",
    "split",
]

#: A function of (output, target) that is a mean over the samples of its batch.
Measure = Callable[[Any, Any], Any]


def require_measures(measures: Any, who: str) -> dict[str, Measure]:
    """Return functions of (output, target) by name as a dictionary.

    Raises
    ------
    InvalidArgument
        They are something else, or objects of Keras, which take (target, output).

    Examples
    --------
    >>> require_measures([max], "Evaluation")
    Traceback (most recent call last):
    ...
    tensorlayer.errors.InvalidArgument: Evaluation: metrics are functions of (output, target) by
    name, got [<built-in function max>]. Give for example {'error': tl.cost.mean_squared_error}.
    """
    is_named = isinstance(measures, Mapping) and all(map(callable, measures.values()))
    if not is_named or "" in measures:
        raise InvalidArgument(
            f"{who}: metrics are functions of (output, target) by name, got {measures!r}. Give for "
            "example {'error': tl.cost.mean_squared_error}."
        )
    of_keras = (tf.keras.metrics.Metric, tf.keras.losses.Loss)
    for name, measure in measures.items():
        if isinstance(measure, of_keras):
            raise InvalidArgument(
                f"{who}: {name!r} is a function of (output, target), got Keras's "
                f"{type(measure).__name__}, which takes (target, output). Give a function of both: "
                "lambda output, target: tf.reduce_mean(...)."
            )
    return dict(measures)


def split(batch: Sequence[Any], who: str) -> tuple[Any, Any]:
    """Return what a network is called with, and the target.

    Raises
    ------
    InvalidArgument
        The batch is not (input, target) or (input, ..., input, target).

    Examples
    --------
    >>> split((1, 2, 3), "Evaluation")
    ([1, 2], 3)
    """
    if len(batch) < 2:
        got = f"{len(batch)} value of type {type(batch[0]).__name__}" if batch else "nothing"
        raise InvalidArgument(
            f"{who}: a batch is (input, target) or (input, ..., input, target), got {got}. "
            "Rearrange it, for example with dataset.map(lambda d: (d['image'], d['label']))."
        )
    *inputs, target = batch
    return (inputs[0] if len(inputs) == 1 else inputs), target


def measured(measures: Mapping[str, Measure], output: Any, target: Any, who: str) -> dict[str, Any]:
    """Return what functions give, by name.

    Raises
    ------
    InvalidArgument
        One gives something else than a scalar.

    Examples
    --------
    >>> measured({"error": lambda y, t: y - t}, tf.zeros([2]), tf.zeros([2]), "Evaluation")
    Traceback (most recent call last):
    ...
    tensorlayer.errors.InvalidArgument: Evaluation: a metric is a scalar, got 'error' of shape (2,).
    Reduce it, for example with tf.reduce_mean.
    """
    found = {name: measure(output, target) for name, measure in measures.items()}
    found = {k: each if each is None else tf.convert_to_tensor(each) for k, each in found.items()}
    return require_scalars(found, f"{who}: a metric is a scalar")


def require_scalars(metrics: Mapping[str, Any], rule: str) -> dict[str, tf.Tensor]:
    """Return the metrics of a step if they are scalars.

    Raises
    ------
    InvalidArgument
        One is nothing, no number or no scalar.

    Examples
    --------
    >>> require_scalars({"loss": None}, "a training step returns a scalar")
    Traceback (most recent call last):
    ...
    tensorlayer.errors.InvalidArgument: a training step returns a scalar, got None as 'loss'. Return
    the loss, or {'loss': loss}.
    """
    for name, value in metrics.items():
        if value is None:
            raise InvalidArgument(
                f"{rule}, got None as {name!r}. Return the loss, or {{'loss': loss}}."
            )
        is_tensor = isinstance(value, tf.Tensor)
        if not is_tensor or value.dtype == tf.string:
            kind = value.dtype.name if is_tensor else type(value).__name__
            raise InvalidArgument(
                f"{rule}, got {name!r} of type {kind}. Name several in a dictionary; values of "
                "replicas are reduced with strategy.reduce."
            )
        if value.shape.rank != 0:
            shape = tuple(value.shape) if value.shape.rank is not None else "unknown"
            raise InvalidArgument(
                f"{rule}, got {name!r} of shape {shape}. Reduce it, for example with "
                "tf.reduce_mean."
            )
    return dict(metrics)


def named(result: Any) -> dict[str, Any]:
    """Return what a training step gives by name; what has none is the loss.

    Examples
    --------
    >>> named(0.5), named({"cost": 0.5})
    ({'loss': 0.5}, {'cost': 0.5})
    """
    found = result if isinstance(result, Mapping) else {"loss": result}
    return {str(name): value for name, value in found.items()}


def scalars_of_step(result: Any) -> dict[str, tf.Tensor]:
    """Return what a training step gives by name, if these are scalars.

    Raises
    ------
    InvalidArgument
        They are not.
    """
    return require_scalars(
        named(result), "a training step returns a scalar or a dictionary of scalars"
    )
