"""The gradient of a batch, of one part of it after the other: memory for a part is enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.train.replicas import n_samples

__all__ = ["Part", "accumulated"]

#: A function of a part of a batch and its number of samples, which returns gradients and metrics
#: that add up over the parts.
Part = Callable[[Any, tf.Tensor], tuple[list[Any], dict[str, tf.Tensor]]]


def accumulated(
    part: Part, batch: Any, n_parts: int, *, is_unrolled: bool = False
) -> tuple[list[Any], dict[str, tf.Tensor]]:
    """Return the sums of gradients and metrics over the parts of a batch.

    Dense gradients are added up as they come. Sparse ones stay sparse: their rows are put one
    behind the other, as those of the whole batch would be.

    Parameters
    ----------
    part
        Computes one part. It is traced twice: the first part by itself, which shows what gradients
        there are, and the others in a loop of TensorFlow.
    batch
        Tensors with the samples along their first axis.
    n_parts
        How many; their sizes differ by at most one sample. If there are fewer samples than parts,
        some parts are a sample with the number 0, so that no layer sees an empty batch.
    is_unrolled
        Write the parts one behind the other instead of in a loop, as where replicas synchronise
        within a part: they cannot do that in a loop.

    Raises
    ------
    InvalidArgument
        The tensors have no first axis, are of different lengths along it, or are sparse.

    Examples
    --------
    >>> x = tf.constant([1.0, 2.0, 4.0])
    >>> def part(x, n):
    ...     return [tf.reduce_sum(x), None], {"n": n}
    >>> gradients, metrics = accumulated(part, x, n_parts=2)
    >>> [float(gradients[0]), gradients[1]], int(metrics["n"])
    ([7.0, None], 3)
    """
    _require_equal_lengths(batch)
    samples = n_samples(batch)

    def computed(index: Any) -> tuple[list[Any], dict[str, tf.Tensor]]:
        start, stop = (samples * at // n_parts for at in (index, index + 1))
        end = tf.minimum(tf.maximum(stop, start + 1), samples)
        return part(tf.nest.map_structure(lambda leaf: leaf[start:end], batch), stop - start)

    gradients, metrics = computed(0)
    is_there = [each is not None for each in gradients]
    likes = [each for each in gradients if each is not None]

    def add(index: Any, held: list[Any], sums: dict[str, tf.Tensor]) -> tuple[Any, ...]:
        found, values = computed(index)
        found = [each for each in found if each is not None]
        held = [_added(*each, index) for each in zip(held, found, strict=True)]
        return index + 1, held, {name: sums[name] + values[name] for name in sums}

    state = (1, [_begun(each, n_parts) for each in likes], metrics)
    if is_unrolled:
        for _ in range(1, n_parts):
            ahead = [each for each in tf.nest.flatten(state[1:]) if isinstance(each, tf.Tensor)]
            with tf.control_dependencies(ahead):  # else parts might be computed at the same time
                state = add(*state)
    else:
        state = tf.while_loop(lambda index, *_: index < n_parts, add, state, parallel_iterations=1)
    _, held, sums = state
    whole = iter([_ended(*each) for each in zip(held, likes, strict=True)])
    return [next(whole) if there else None for there in is_there], sums


def _require_equal_lengths(batch: Any) -> None:
    """Raise InvalidArgument unless all of a batch has the samples along its first axis."""
    flat = tf.nest.flatten(batch)
    for each in flat:
        if isinstance(each, tf.SparseTensor) or not hasattr(each, "shape"):
            raise InvalidArgument(
                "accumulation of gradients takes tensors apart along the first axis, dense and "
                f"ragged ones, got a {type(each).__name__} in the batch. Leave accumulate at 1."
            )
    shapes = [tf.TensorShape(each.shape) for each in flat]
    lengths = {shape[0] if shape.rank else 1 for shape in shapes if shape.rank is not None}
    if len(lengths - {None}) > 1 or any(shape.rank == 0 for shape in shapes):
        raise InvalidArgument(
            "accumulation of gradients takes a batch apart along the first axis, which is as long "
            f"for inputs as for targets; got shapes {', '.join(map(str, shapes))}. Reshape the "
            "targets, or leave accumulate at 1."
        )


def _begun(gradient: Any, n_parts: int) -> Any:
    """Return what holds a sum that begins with a gradient: a tensor, or arrays of pieces."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    return [_pieces(each, n_parts).write(0, each) for each in _of(gradient)]


def _added(held: Any, gradient: Any, index: Any) -> Any:
    if isinstance(gradient, tf.IndexedSlices):
        return [each.write(index, new) for each, new in zip(held, _of(gradient), strict=True)]
    total = held + gradient
    total.set_shape(held.shape)  # a loop keeps the shapes of what goes round in it
    return total


def _ended(held: Any, like: Any) -> Any:
    if not isinstance(like, tf.IndexedSlices):
        return held
    values, indices = (each.concat() for each in held)
    return tf.IndexedSlices(values, indices, like.dense_shape)


def _of(gradient: tf.IndexedSlices) -> tuple[tf.Tensor, tf.Tensor]:
    return gradient.values, gradient.indices


def _pieces(like: tf.Tensor, n: int) -> tf.TensorArray:
    shape = [None, *like.shape[1:]]
    return tf.TensorArray(like.dtype, n, infer_shape=False, element_shape=shape)
