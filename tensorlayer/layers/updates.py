"""Statistics that training moves, such as the averages of batch normalisation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import tensorflow as tf

from tensorlayer.layers.precision import widened
from tensorlayer.layers.structure import rebuild

__all__ = ["batch_moments", "update"]


def update(values: Iterable[tuple[tf.Variable, tf.Tensor]], outputs: Any) -> Any:
    """Give variables new values in training; return ``outputs``, to be computed with.

    Eagerly and in a ``tf.function`` an assignment happens by itself. In a TensorFlow 1 graph
    nothing happens that is not run: there the assignments join the collection ``UPDATE_OPS``, and
    whoever runs the outputs runs them, as in TensorLayer 1.x.

    Examples
    --------
    >>> mean = tf.Variable(0.0)
    >>> update([(mean, tf.constant(2.0))], "outputs"), mean.numpy().item()
    ('outputs', 2.0)
    """
    assigned = [variable.assign(value) for variable, value in values]
    graph = tf.compat.v1.get_default_graph()
    if tf.executing_eagerly() or graph.building_function:
        return outputs
    for operation in assigned:
        tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.UPDATE_OPS, operation.op)
    with tf.control_dependencies(assigned):
        return rebuild(outputs, tf.identity)


def batch_moments(
    inputs: tf.Tensor, axes: Sequence[int], averages: tuple[tf.Variable, tf.Variable], decay: float
) -> tuple[tf.Tensor, tf.Tensor]:
    r"""Return mean and variance over `axes`; let their moving averages follow them.

    Each average becomes $d\,m + (1 - d)\,\mu$ with the decay d. An empty batch has no mean: it
    leaves them as they are, and they are what is returned. Computed in 32 bits at least.

    Examples
    --------
    >>> averages = tf.Variable([0.0]), tf.Variable([1.0])
    >>> mean, variance = batch_moments(tf.constant([[1.0], [3.0]]), [0], averages, 0.9)
    >>> mean.numpy().item(), variance.numpy().item(), averages[0].numpy().round(2).item()
    (2.0, 1.0, 0.2...)
    """
    inputs = widened(inputs)
    now = tf.nn.moments(inputs, axes)
    before = [tf.cast(average, inputs.dtype) for average in averages]
    moved = [old * decay + new * (1 - decay) for old, new in zip(before, now, strict=True)]
    if not inputs.shape.num_elements():  # free or none
        has_some = tf.size(inputs) > 0
        moved = [tf.where(has_some, new, old) for old, new in zip(before, moved, strict=True)]
        # Nor may one that is no number reach the gradients of what is computed with it.
        now = tuple(tf.where(has_some, new, old) for old, new in zip(before, now, strict=True))
    moved = [tf.cast(new, average.dtype) for average, new in zip(averages, moved, strict=True)]
    return update(zip(averages, moved, strict=True), now)
