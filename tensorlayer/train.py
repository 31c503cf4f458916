"""Training: a step of yours, traced once and run over ``tf.data``.

The training logic is yours: a *step* takes a batch and returns a scalar or a dictionary of scalars.
What is always the same is here::

    @tf.function
    def step(images, labels):
        with tf.GradientTape() as tape:
            loss = tl.cost.cross_entropy(net(images, is_train=True), labels)
        gradients = tape.gradient(loss, net.trainable_weights)
        optimizer.apply_gradients(zip(gradients, net.trainable_weights))
        return {"loss": loss}

    tl.train.run(step, dataset, n_epoch=10, callbacks=[print])

Python is called back a few times a second, however short a step is: the steps between run as one
call of TensorFlow.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf
from tqdm.auto import tqdm

from tensorlayer.errors import InvalidArgument

__all__ = ["Epoch", "Step", "early_stop", "run"]

Metrics = dict[str, tf.Tensor]
Step = Callable[..., Any]

#: How long one call of TensorFlow should take: short enough for a lively progress bar and for
#: Ctrl-C, long enough that Python's share is below a percent.
SECONDS_PER_CALL = 0.2
#: A bound for steps of almost no length.
MAX_STEPS_PER_CALL = 4096


@dataclasses.dataclass(frozen=True, kw_only=True)
class Epoch:
    """What one pass over the data came to."""

    number: int  #: from 1
    n_steps: int  #: batches in this epoch
    seconds: float  #: wall time of the epoch
    metrics: Mapping[str, float]  #: the mean of each metric over the steps


Callback = Callable[[Epoch], Any]


def run(
    step: Step,
    data: Iterable[Any] | Callable[[int], Iterable[Any]],
    *,
    n_epoch: int = 1,
    first_epoch: int = 1,
    callbacks: Sequence[Callback] = (),
    progress: bool | None = None,
) -> list[Epoch]:
    """Run a training step over a dataset, epoch after epoch.

    Parameters
    ----------
    step
        A function of one batch that returns a scalar or a dictionary of scalars. It is traced once
        for each shape of batch; variables that it makes the first time (an optimizer's) are made
        once.
    data
        A ``tf.data.Dataset`` (also a distributed one), passed over once for each epoch; or a
        function of the epoch's number that returns one.
    n_epoch
        The number of epochs to run.
    first_epoch
        The number of the first epoch, for a run that goes on.
    callbacks
        Called in order with each finished :class:`Epoch`. If one returns True, training ends.
    progress
        Show a progress bar; None for one where standard error is a terminal.

    Returns
    -------
    list of Epoch

    Raises
    ------
    InvalidArgument
        The data is empty, or the step returns something else than scalars.

    Examples
    --------
    >>> total = tf.Variable(0.0)
    >>> def step(x):
    ...     total.assign_add(tf.reduce_sum(x))
    ...     return {"sum": tf.reduce_sum(x)}
    >>> data = tf.data.Dataset.from_tensor_slices([1.0, 2.0, 3.0, 4.0]).batch(2)
    >>> epochs = run(step, data, n_epoch=2)
    >>> epochs[0].metrics, total.numpy().item()
    ({'sum': 5.0}, 20.0)
    """
    loop = _Loop(step)
    history: list[Epoch] = []
    for number in range(first_epoch, first_epoch + n_epoch):
        batches = data(number) if callable(data) else data
        history.append(_run_epoch(loop, batches, number, first_epoch + n_epoch - 1, progress))
        answers = [callback(history[-1]) for callback in callbacks]
        if True in answers:
            break
    return history


def _run_epoch(
    loop: _Loop, batches: Iterable[Any], number: int, last: int, progress: bool | None
) -> Epoch:
    started = time.perf_counter()
    totals: dict[str, float] = {}
    n_steps = 0
    disable = None if progress is None else not progress
    title = f"epoch {number}/{last}"
    with tqdm(total=_length(batches), desc=title, unit="step", disable=disable) as bar:
        for count, sums in loop.calls(iter(batches)):
            n_steps += count
            totals = {name: totals.get(name, 0.0) + value for name, value in sums.items()}
            means = {name: value / n_steps for name, value in totals.items()}
            bar.set_postfix({name: f"{value:.4g}" for name, value in means.items()}, refresh=False)
            bar.update(count)
    if not n_steps:
        raise InvalidArgument(
            f"epoch {number} of training has no batch. Check the dataset and, if it drops the "
            "remainder, the batch size."
        )
    seconds = time.perf_counter() - started
    return Epoch(number=number, n_steps=n_steps, seconds=seconds, metrics=means)


def _length(batches: Any) -> int | None:
    """Return the number of batches where the dataset knows it."""
    cardinality = getattr(batches, "cardinality", None)
    count = int(cardinality()) if callable(cardinality) else -1
    return count if count >= 0 else None


class _Loop:
    """Runs a step many times in one call of TensorFlow."""

    def __init__(self, step: Step) -> None:
        self._step = step if hasattr(step, "get_concrete_function") else tf.function(step)
        self._rest = tf.function(self._run_many, autograph=False)
        self._limit = 1

    def calls(self, iterator: Iterator[Any]) -> Iterator[tuple[int, dict[str, float]]]:
        """Run to the end of ``iterator``; yield the steps and the summed metrics of each call."""
        batch = next(iterator, None)
        if batch is None:
            return
        # The first step runs alone: it may make variables, and it tells what the metrics are.
        sums = self._run_once(batch)
        yield 1, _numbers(sums)
        zeros = {name: tf.zeros_like(value) for name, value in sums.items()}
        while True:
            started = time.perf_counter()
            count, sums = self._rest(iterator, tf.constant(self._limit), zeros)
            count = int(count)
            if count:
                yield count, _numbers(sums)
            if count < self._limit:
                return
            self._adapt(time.perf_counter() - started)

    def _adapt(self, seconds: float) -> None:
        """Let the next call take about ``SECONDS_PER_CALL``."""
        fit = self._limit * SECONDS_PER_CALL / max(seconds, 1e-6)
        self._limit = max(1, min(int(fit), 2 * self._limit, MAX_STEPS_PER_CALL))

    def _run_once(self, batch: Any) -> Metrics:
        return _metrics(
            self._step(*batch) if isinstance(batch, (tuple, list)) else self._step(batch)
        )

    def _run_many(
        self, iterator: Any, limit: tf.Tensor, zeros: Metrics
    ) -> tuple[tf.Tensor, Metrics]:
        def has_next(count: tf.Tensor, is_open: tf.Tensor, sums: Metrics) -> tf.Tensor:
            return tf.logical_and(is_open, count < limit)

        def body(count: tf.Tensor, is_open: tf.Tensor, sums: Metrics) -> tuple[Any, ...]:
            upcoming = iterator.get_next_as_optional()

            def one_step() -> tuple[Any, ...]:
                metrics = self._run_once(upcoming.get_value())
                return count + 1, True, {name: sums[name] + metrics[name] for name in sums}

            return tf.cond(upcoming.has_value(), one_step, lambda: (count, False, sums))

        count, _, sums = tf.while_loop(has_next, body, (0, True, zeros), parallel_iterations=1)
        return count, sums


def _metrics(result: Any) -> Metrics:
    """Return what a step returned as named scalars."""
    named = result if isinstance(result, Mapping) else {"loss": result}
    metrics = {}
    for name, value in named.items():
        scalar = tf.convert_to_tensor(value)
        if scalar.shape.rank != 0:
            raise InvalidArgument(
                f"a training step returns a scalar or a dictionary of scalars, got {name!r} of "
                f"shape {tuple(scalar.shape)}. Reduce it, for example with tf.reduce_mean."
            )
        metrics[str(name)] = tf.cast(scalar, tf.float32)
    return metrics


def _numbers(metrics: Metrics) -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items()}


def early_stop(metric: str, patience: int = 5, mode: str = "min") -> Callback:
    """Return a callback that ends training when a metric has stopped improving.

    Parameters
    ----------
    metric
        One of those that the step returns.
    patience
        How many epochs without a better value are allowed.
    mode
        ``"min"`` if smaller is better, else ``"max"``.

    Examples
    --------
    >>> stop = early_stop("loss", patience=1)
    >>> losses = enumerate([1.0, 0.5, 0.6, 0.7], 1)
    >>> [stop(Epoch(number=n, n_steps=1, seconds=0.1, metrics={"loss": v})) for n, v in losses]
    [False, False, False, True]
    """
    if mode not in {"min", "max"}:
        raise InvalidArgument(f"early_stop: mode is 'min' or 'max', got {mode!r}.")
    sign = 1 if mode == "min" else -1
    best, since = math.inf, 0

    def callback(epoch: Epoch) -> bool:
        nonlocal best, since
        if metric not in epoch.metrics:
            raise InvalidArgument(
                f"early_stop: the step returns no metric {metric!r}, only {list(epoch.metrics)}."
            )
        value = sign * epoch.metrics[metric]
        best, since = (value, 0) if value < best else (best, since + 1)
        return since > patience

    return callback
