"""Sparse gradients: each row once, and optimizers that touch these rows only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

__all__ = ["AllRows", "ByRows", "Rows", "summed"]


def summed(gradient: Any) -> Any:
    """Return a gradient in which each row is named once; what is not sparse is returned as it is.

    A table that is looked up twice at a row has a gradient that names the row twice. The row's
    gradient is the sum of both: an optimizer must not square, clip or normalise them one by one.

    Parameters
    ----------
    gradient
        ``tf.IndexedSlices``; a tensor, or None.

    Examples
    --------
    >>> twice = tf.IndexedSlices(tf.constant([1.0, 2.0, 4.0]), tf.constant([7, 3, 7]))
    >>> once = summed(twice)
    >>> once.indices.numpy().tolist(), once.values.numpy().tolist()
    ([7, 3], [5.0, 2.0])
    """
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, place = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, place, tf.shape(rows)[0])
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


class Rows:
    """Some rows of a variable, which are read and written together.

    Parameters
    ----------
    variable
        Of TensorFlow.
    indices
        Of the rows, each once.

    Examples
    --------
    >>> x = tf.Variable([1.0, 2.0, 3.0])
    >>> rows = Rows(x, tf.constant([2, 0]))
    >>> rows.write(10 * rows.read()).numpy().tolist(), x.numpy().tolist()
    ([30.0, 10.0], [10.0, 2.0, 30.0])
    """

    def __init__(self, variable: tf.Variable, indices: tf.Tensor) -> None:
        self.variable, self.indices = variable, indices

    def read(self) -> tf.Tensor:
        """Return the rows."""
        return tf.gather(self.variable, self.indices)

    def write(self, values: tf.Tensor) -> tf.Tensor:
        """Write the rows, and return them."""
        self.variable.scatter_update(tf.IndexedSlices(values, self.indices))
        return values

    def subtract(self, values: tf.Tensor) -> None:
        """Subtract from the rows."""
        self.variable.scatter_sub(tf.IndexedSlices(values, self.indices))


class _Unscaled(tf.IndexedSlices):
    """A sparse gradient that is divided as a dense one is; TensorFlow's own is not."""

    def __truediv__(self, divisor: Any) -> tf.IndexedSlices:
        """Return the gradient with all values divided."""
        return tf.IndexedSlices(self.values / divisor, self.indices, self.dense_shape)


class _Summing:
    """What is common: a row counts as one, and scaling and clipping leave a gradient sparse."""

    def apply(self, grads: Sequence[Any], trainable_variables: Any = None) -> None:
        """Move the variables by one step."""
        if self.loss_scale_factor is not None:  # by which Keras divides
            grads = [_unscaled(gradient) for gradient in grads]
        super().apply(grads, trainable_variables)

    def _clip_gradients(self, grads: Sequence[Any]) -> Sequence[Any]:
        if not (self.clipnorm or self.global_clipnorm or self.clipvalue):
            return grads
        grads = [summed(gradient) for gradient in grads]
        if self.global_clipnorm and not self.clipnorm:
            return tf.clip_by_global_norm(grads, self.global_clipnorm)[0]
        return super()._clip_gradients(grads)


def _unscaled(gradient: Any) -> Any:
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    return _Unscaled(gradient.values, gradient.indices, gradient.dense_shape)


class AllRows(_Summing):
    """Mixed into an optimizer of Keras that moves all rows in each step, whatever the gradient."""

    def update_step(self, gradient: Any, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        """Move one variable by one step."""
        if isinstance(gradient, tf.IndexedSlices):
            rows, values = gradient.indices, gradient.values
            gradient = tf.math.unsorted_segment_sum(values, rows, variable.shape[0])
        super().update_step(gradient, variable, learning_rate)


class ByRows(_Summing):
    """Mixed into an optimizer of Keras: a sparse gradient costs as much as the rows it names.

    A class has ``update_rows``, its formula for some rows.
    """

    def update_step(self, gradient: Any, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        """Move one variable by one step: all of it, or the rows that the gradient names."""
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        once = summed(gradient)  # here, as replicas' gradients are put together after clipping
        values = tf.cast(once.values, variable.dtype)
        rate = tf.cast(learning_rate, variable.dtype)
        self.update_rows(values, Rows(variable, once.indices), rate)

    def update_rows(self, gradient: tf.Tensor, rows: Rows, rate: tf.Tensor) -> None:
        """Move some rows by one step."""
        raise NotImplementedError

    def slot(self, slots: Sequence[Any], rows: Rows) -> Rows:
        """Return the same rows of what the optimizer keeps for the variable."""
        return Rows(slots[self._get_variable_index(rows.variable)].value, rows.indices)

    def step_number(self, dtype: tf.DType) -> tf.Tensor:
        """Return the number of the step, from 1."""
        return tf.cast(self.iterations + 1, dtype)
