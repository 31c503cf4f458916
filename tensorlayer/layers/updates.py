"""Statistics that training moves, such as the averages of batch normalisation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.base import Layer
from tensorlayer.layers.precision import wide, widened
from tensorlayer.layers.structure import rebuild

__all__ = ["MovingMoments", "batch_moments", "update"]


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


class MovingMoments(Layer):
    """A layer that keeps moving averages of mean and variance, for inference."""

    decay: float  #: the weight of the old average
    moving_mean: tf.Variable
    moving_var: tf.Variable

    def set_decay(self, decay: float) -> None:
        """Check and store it.

        Raises
        ------
        InvalidArgument
            It is no weight.
        """
        if not 0 <= decay <= 1:
            raise InvalidArgument(f"{type(self).__name__}: decay must be in [0, 1], got {decay!r}.")
        self.decay = decay

    def make_averages(self, size: int, mean_init: Any, var_init: Any) -> None:
        """Make the averages, in 32 bits at least: in 16 most steps are too small to move them."""
        dtype = wide(self.facts.variable_dtype)
        for name, init in (("moving_mean", mean_init), ("moving_var", var_init)):
            setattr(self, name, self._get_weights(name, [size], init, False, dtype))

    @property
    def averages(self) -> tuple[tf.Variable, tf.Variable]:
        """Those of mean and variance."""
        return self.moving_mean, self.moving_var

    def batch_moments(self, inputs: tf.Tensor, channel_axis: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Return mean and variance of each channel of a batch; let the averages follow them."""
        rank = inputs.shape.rank
        axes = [axis for axis in range(rank) if axis != channel_axis % rank]
        return batch_moments(inputs, axes, self.averages, self.decay)
