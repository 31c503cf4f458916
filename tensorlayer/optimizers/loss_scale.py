"""Loss scaling for half precision, for sparse gradients as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

__all__ = ["LossScaleOptimizer"]


class LossScaleOptimizer(tf.keras.optimizers.LossScaleOptimizer):
    """Scales the loss up as far as gradients stay finite, and leaves out steps where they do not.

    It is ``tf.optimizers.LossScaleOptimizer``; whether a sparse gradient is finite is asked of the
    rows it names, not of all rows of the table.

    Notes
    -----
    Parameters: those of ``tf.optimizers.LossScaleOptimizer``: the optimizer within, such as
    [`Adagrad`][tensorlayer.optimizers.Adagrad], and with what scale to begin.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> table = tf.Variable([1.0, 1.0, 1.0])
    >>> optimizer = LossScaleOptimizer(tl.optimizers.SGD(0.5), initial_scale=1024.0)
    >>> scaled = tf.IndexedSlices(optimizer.scale_loss(tf.constant([1.0])), tf.constant([2]))
    >>> _ = optimizer.apply_gradients([(scaled, table)])
    >>> table.numpy().tolist()
    [1.0, 1.0, 0.5]
    """

    def check_finite(self, grads: Sequence[Any]) -> tf.Tensor:
        """Return whether all that the gradients name is finite."""
        return super().check_finite([_values(gradient) for gradient in grads])


def _values(gradient: Any) -> Any:
    return gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
