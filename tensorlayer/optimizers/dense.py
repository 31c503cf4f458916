"""Optimizers that move every row of a table in each step, with or without a gradient.

Each is the optimizer of Keras of this name, with its arguments, formula, state and checkpoints.
Rows that a sparse gradient names twice are added up before they are squared, so that the step is
that on the dense gradient, as in TensorFlow 1 for Adam. It costs as much as the table: the means
decay for all rows, and as long as they are not zero the rows move. Where that is too slow, as with
a large vocabulary, there are [`LazyAdam`][tensorlayer.optimizers.LazyAdam] and
[`Adagrad`][tensorlayer.optimizers.Adagrad].
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from tensorlayer.optimizers.rows import AllRows

__all__ = ["Adafactor", "Adam", "AdamW", "Lamb", "Lion", "Nadam"]


class Adafactor(AllRows, tf.keras.optimizers.Adafactor):
    """``tf.optimizers.Adafactor``, which keeps means of rows and columns instead of a table.

    Examples
    --------
    >>> table = tf.Variable([[1.0, 1.0], [1.0, 1.0]], name="words/embeddings")
    >>> optimizer = Adafactor(0.1)
    >>> gradient = tf.IndexedSlices(tf.constant([[1.0, 1.0]]), tf.constant([1]))
    >>> _ = optimizer.apply_gradients([(gradient, table)])
    >>> table.numpy().round(3)
    array([[1. , 1. ],
           [0.9, 0.9]], dtype=float32)
    """

    def build(self, var_list: Sequence[tf.Variable]) -> None:
        """Make what it keeps: Keras's own takes names from the variables, and refuses slashes."""
        if self.built:
            return
        super(tf.keras.optimizers.Adafactor, self).build(var_list)
        self._r, self._c, self._v = [], [], []
        for variable in var_list:
            shape, dtype = tuple(variable.shape), variable.dtype
            rows, columns = shape[:-1], shape[:-2] + shape[-1:]
            if len(shape) < 2:  # it has a mean of each value, and as Keras has them two fillers
                rows, columns, dtype = (), (), "int32"
            self._r.append(self.add_variable(rows, dtype=dtype, name="row"))
            self._c.append(self.add_variable(columns, dtype=dtype, name="column"))
            self._v.append(self.add_variable_from_reference(variable, name="velocity"))


class Adam(AllRows, tf.keras.optimizers.Adam):
    """``tf.optimizers.Adam``, on sparse gradients as in TensorFlow 1.

    Examples
    --------
    >>> table = tf.Variable([1.0, 1.0, 1.0])
    >>> optimizer = Adam(0.1)
    >>> for row in (2, 0):
    ...     gradient = tf.IndexedSlices(tf.constant([1.0]), tf.constant([row]))
    ...     _ = optimizer.apply_gradients([(gradient, table)])
    >>> table.numpy()[2] < 0.9  # it has moved on in the second step
    np.True_
    """


class AdamW(AllRows, tf.keras.optimizers.AdamW):
    """``tf.optimizers.AdamW``: Adam whose weights decay, those of all rows."""


class Lamb(AllRows, tf.keras.optimizers.Lamb):
    """``tf.optimizers.Lamb``: Adam whose step on a table is in proportion to the table's norm."""


class Lion(AllRows, tf.keras.optimizers.Lion):
    """``tf.optimizers.Lion``: all rows move by the sign of their momentum."""


class Nadam(AllRows, tf.keras.optimizers.Nadam):
    """``tf.optimizers.Nadam``: Adam with Nesterov's momentum."""
