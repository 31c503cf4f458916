"""What callbacks are told, and when: after every epoch, or after every so many steps."""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tensorlayer.errors import InvalidArgument

__all__ = ["Callback", "Epoch", "Every", "Interval", "early_stop"]


def is_count(value: Any, at_least: int = 1) -> bool:
    """Whether it is a whole number, and no smaller.

    Examples
    --------
    >>> is_count(2), is_count(0), is_count(1.5), is_count(True)
    (True, False, False, False)
    """
    is_whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    return is_whole and value >= at_least


@dataclasses.dataclass(frozen=True, kw_only=True)
class Epoch:
    """What one pass over the data came to."""

    number: int  #: from 1
    n_steps: int  #: batches in this epoch
    seconds: float  #: wall time of the epoch
    metrics: Mapping[str, float]  #: the mean of each metric over the steps


@dataclasses.dataclass(frozen=True, kw_only=True)
class Interval:
    """What the steps since the last call came to."""

    epoch: int  #: number of the epoch that is running, from 1
    step: int  #: steps of the whole run so far
    n_steps: int  #: steps since the last call
    metrics: Mapping[str, float]  #: the mean of each metric over the steps since the last call


@dataclasses.dataclass(frozen=True)
class Every:
    """A callback after every so many steps, counted over the whole run.

    Parameters
    ----------
    n_steps
        How many. Python is called back at least that often, so below some hundred of them short
        steps become slower.
    callback
        Called with an [`Interval`][]. If it returns True, training ends. A method ``resume`` is
        called as `run` says.

    Raises
    ------
    InvalidArgument
        ``n_steps`` is no whole number, or not positive.

    Examples
    --------
    >>> import tensorflow as tf
    >>> from tensorlayer.train import run
    >>> losses = []
    >>> callback = Every(2, lambda interval: losses.append(interval.metrics["loss"]))
    >>> data = tf.data.Dataset.from_tensor_slices([1.0, 3.0, 5.0])
    >>> epochs = run(lambda x: x, data, n_epoch=2, callbacks=[callback])
    >>> losses
    [2.0, 3.0, 4.0]
    """

    n_steps: int
    callback: Callable[[Interval], Any]

    def __post_init__(self) -> None:
        if not is_count(self.n_steps):
            raise InvalidArgument(
                f"Every: n_steps is a whole number, at least 1, got {self.n_steps!r}."
            )


Callback = Callable[[Epoch], Any] | Every


def early_stop(metric: str, patience: int = 5, mode: str = "min") -> Callable[[Epoch], bool]:
    """Return a callback that ends training when a metric has stopped improving.

    Parameters
    ----------
    metric
        One of those that the step or ``evaluate`` returns.
    patience
        How many epochs without a better value are allowed.
    mode
        ``"min"`` if smaller is better, else ``"max"``.

    Raises
    ------
    InvalidArgument
        The patience is no number of epochs, there is no such mode, or (when it is called) no such
        metric.

    Notes
    -----
    It can be used again: where epochs are counted from the beginning, it begins anew.

    Examples
    --------
    >>> stop = early_stop("loss", patience=1)
    >>> losses = enumerate([1.0, 0.5, 0.6, 0.7], 1)
    >>> [stop(Epoch(number=n, n_steps=1, seconds=0.1, metrics={"loss": v})) for n, v in losses]
    [False, False, False, True]
    """
    if mode not in {"min", "max"}:
        raise InvalidArgument(f"early_stop: mode is 'min' or 'max', got {mode!r}.")
    if not is_count(patience, at_least=0):
        raise InvalidArgument(
            f"early_stop: patience is a number of epochs, 0 or more, got {patience!r}."
        )
    return _EarlyStop(metric, patience, sign=1 if mode == "min" else -1)


class _EarlyStop:
    """What has been best, and for how long."""

    def __init__(self, metric: str, patience: int, sign: int) -> None:
        self._metric, self._patience, self._sign = metric, patience, sign
        self._begin()

    def _begin(self) -> None:
        self._best, self._since, self._number = math.inf, 0, 0

    def __call__(self, epoch: Epoch) -> bool:
        if self._metric not in epoch.metrics:
            raise InvalidArgument(
                f"early_stop: neither the step nor evaluate returns a metric {self._metric!r}, "
                f"only {list(epoch.metrics)}."
            )
        if epoch.number <= self._number:
            self._begin()
        self._number = epoch.number
        value = self._sign * epoch.metrics[self._metric]
        is_better = value < self._best
        self._best, self._since = (value, 0) if is_better else (self._best, self._since + 1)
        return self._since > self._patience

    def resume(self, history: Iterable[Epoch]) -> None:
        """Count anew, from the epochs before a run that goes on."""
        self._begin()
        for epoch in history:
            if self._metric in epoch.metrics:  # else it is measured from now on
                self(epoch)
