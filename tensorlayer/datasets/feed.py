"""Feeding: batches ahead of their use, in Python or in a TensorFlow pipeline."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tensorlayer.datasets.order import check_integer
from tensorlayer.errors import InvalidArgument

if TYPE_CHECKING:
    import tensorflow as tf

    from tensorlayer.datasets.batch import Batch
    from tensorlayer.datasets.view import View

__all__ = ["prefetched", "to_tf"]

T = TypeVar("T")

#: How often the reading thread looks whether anybody still wants what it has read, in seconds.
POLL_SECONDS = 0.1


def prefetched(items: Iterator[T], depth: int) -> Iterator[T]:
    """Yield the items while a thread reads up to ``depth`` of them ahead.

    Order is kept. An error of the reader is raised in the consumer, after the items before it. The
    thread starts with the first item that is asked for, and ends when the iterator is closed or
    collected.

    Examples
    --------
    >>> list(prefetched(iter([1, 2, 3]), depth=2))
    [1, 2, 3]
    """
    ready: queue.Queue[Callable[[], T] | None] = queue.Queue(maxsize=depth)
    stopped = threading.Event()
    reader = threading.Thread(
        target=_read, args=(items, ready, stopped), name="tensorlayer-prefetch", daemon=True
    )
    reader.start()
    try:
        while (item := ready.get()) is not None:
            yield item()
    finally:
        stopped.set()


def _read(
    items: Iterator[T], ready: queue.Queue[Callable[[], T] | None], stopped: threading.Event
) -> None:
    try:
        for item in items:
            if not _put(ready, lambda item=item: item, stopped):
                return
    except BaseException as error:  # noqa: BLE001 - it is raised where the items are used
        _put(ready, _raiser(error), stopped)
    else:
        _put(ready, None, stopped)


def _put(ready: queue.Queue[Any], item: Any, stopped: threading.Event) -> bool:
    while not stopped.is_set():
        try:
            ready.put(item, timeout=POLL_SECONDS)
        except queue.Full:
            continue
        return True
    return False


def _raiser(error: BaseException) -> Callable[[], Any]:
    def raise_it() -> Any:
        raise error

    return raise_it


def to_tf(
    view: View,
    batch_size: int,
    *,
    shuffle: bool = False,
    seed: int = 0,
    first_epoch: int = 0,
    repeat: bool = False,
    drop_remainder: bool = False,
    prefetch: int = 2,
) -> tf.data.Dataset:
    """Return a `tf.data.Dataset` whose elements are batches ``(samples, labels)``.

    Samples without labels are elements by themselves. The types and shapes are those of the view's
    first sample; the batch dimension is free, or fixed with ``drop_remainder``. Whole batches cross
    from Python to TensorFlow, never single samples. Every pass over the dataset is the next epoch
    and so has another order if ``shuffle`` is set; a dataset that is made again counts from
    ``first_epoch`` again.

    Parameters
    ----------
    view
        What to read.
    batch_size, shuffle, seed, drop_remainder
        As in `View.batches`.
    first_epoch
        Number of the first pass: where a training run goes on.
    repeat
        Pass after pass without end.
    prefetch
        Batches read ahead by a thread, and as many again by the pipeline.

    Raises
    ------
    InvalidArgument
        A number is no integer or too small; the view is empty; or its samples are not arrays,
        numbers or strings of one kind.
    """
    import tensorflow as tf

    prefetch = check_integer("prefetch", prefetch, 0)
    check_integer("seed", seed)
    check_integer("first_epoch", first_epoch)
    signature = _signature(view, batch_size if drop_remainder else None)
    epochs = count(first_epoch)

    def one_pass() -> Iterator[Any]:
        batches = view.batches(
            batch_size,
            shuffle=shuffle,
            seed=seed,
            epoch=next(epochs),
            drop_remainder=drop_remainder,
            prefetch=prefetch,
        )
        for batch in batches:
            yield _element(batch, signature)

    dataset = tf.data.Dataset.from_generator(one_pass, output_signature=signature)
    return (dataset.repeat() if repeat else dataset).prefetch(prefetch or 1)


def _signature(view: View, batch_size: int | None) -> Any:
    first = next(view.batches(1, prefetch=0), None)
    if first is None:
        raise InvalidArgument(f"{view} is empty, so nothing says what its samples are like.")
    samples = _spec(first.samples, batch_size, f"samples of {view}")
    if first.labels is None:
        return samples
    return samples, _spec(first.labels, batch_size, f"labels of {view}")


def _spec(values: Any, batch_size: int | None, what: str) -> tf.TensorSpec:
    import tensorflow as tf

    if isinstance(values, np.ndarray):
        return tf.TensorSpec((batch_size, *values.shape[1:]), values.dtype)
    if all(isinstance(value, str | bytes) for value in values):
        return tf.TensorSpec((batch_size,), tf.string)
    raise InvalidArgument(
        f"The {what} are of type {type(values[0]).__name__}, which is not a tensor. "
        "Iterate over batches() and convert them, or store arrays."
    )


def _element(batch: Batch, signature: Any) -> Any:
    if not isinstance(signature, tuple):
        return _fitting(batch.samples, signature, "samples", batch)
    samples, labels = signature
    return (
        _fitting(batch.samples, samples, "samples", batch),
        _fitting(batch.labels, labels, "labels", batch),
    )


def _fitting(values: Any, spec: tf.TensorSpec, what: str, batch: Batch) -> Any:
    if isinstance(values, np.ndarray):
        fits = values.dtype == spec.dtype and spec.shape[1:].is_compatible_with(values.shape[1:])
    else:
        fits = values is not None and spec.dtype.name == "string"
    if not fits:
        raise InvalidArgument(
            f"The {what} {batch.keys[0]!r} to {batch.keys[-1]!r} are not all {spec.dtype.name} of "
            f"shape {tuple(spec.shape[1:])} as the first one is. Select equal ones with where(), "
            "or iterate over batches()."
        )
    return values
