"""Variables of a TensorFlow 1 graph, which only its session can reach, assigned like all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

    from tensorlayer.models.stored import Stored

__all__ = ["assign_by_name", "lives_in"]


def assign_by_name(
    parameters: Mapping[str, tf.Variable],
    arrays: Mapping[str, np.ndarray | Stored],
    sess: Any,
    skip: bool = False,
) -> None:
    """Do what ``tensorlayer.models.weights.assign`` does, also for variables of a session."""
    import tensorflow as tf

    from tensorlayer.models import weights

    if not lives_in(sess, list(parameters.values())):
        weights.assign(parameters, arrays, skip)
        return
    with tf.Graph().as_default():  # what is planned while assigning is no part of the program's
        held = {name: _InSession(variable, sess) for name, variable in parameters.items()}
        weights.assign(held, arrays, skip)


def lives_in(sess: Any, variables: Sequence[Any]) -> bool:
    """Tell whether these are variables of the session's graph, which only it can reach."""
    graph = getattr(sess, "graph", None)
    return graph is not None and any(getattr(each, "graph", None) is graph for each in variables)


class _InSession:
    """A variable of a TensorFlow 1 graph that takes a value as one of TensorFlow 2 does."""

    def __init__(self, variable: tf.Variable, sess: Any) -> None:
        self.shape, self.dtype = variable.shape, variable.dtype.base_dtype
        self._variable, self._sess = variable, sess

    def assign(self, value: tf.Tensor) -> None:
        import tensorflow as tf

        # Feeding the initial value adds no operation to the graph, however often this is called.
        start = self._variable.initializer.inputs[1]
        self._sess.run(self._variable.initializer, {start: tf.get_static_value(value)})
