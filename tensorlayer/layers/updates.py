"""Statistics that training moves, such as the averages of batch normalisation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from tensorlayer.layers.structure import rebuild

__all__ = ["update"]


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
