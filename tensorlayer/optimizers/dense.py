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
    >>> table.numpy()[1].round(3).tolist()
    [0.9..., 0.9...]
    """

    def build(self, var_list: Sequence[tf.Variable]) -> None:
        """Make what it keeps for each variable: Keras would name it so that no layer's name fits.

        A variable of fewer than two axes has a mean of each value, and none of rows and columns.
        """
        if self.built:
            return
        super(tf.keras.optimizers.Adafactor, self).build(var_list)
        self._r, self._c, self._v = [], [], []
        for variable in var_list:
            shape, is_table = tuple(variable.shape), len(variable.shape) >= 2
            rows, columns = shape[:-1], shape[:-2] + shape[-1:]
            for kept, size, name in ((self._r, rows, "row"), (self._c, columns, "column")):
                kept.append(
                    self.add_variable(size, dtype=variable.dtype, name=name) if is_table else None
                )
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
