"""What everything that has parameters can tell about them: layers, networks and models."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tensorlayer.layers import summary

__all__ = ["HasParameters"]


class HasParameters:
    """The views of ``parameters``, which is all that a class has to define.

    Examples
    --------
    >>> class Pair(HasParameters):
    ...     parameters = {"w": tf.Variable([1.0, 2.0]), "n": tf.Variable(0.0, trainable=False)}
    >>> len(Pair().trainable_weights), len(Pair().nontrainable_weights), Pair().count_params()
    (1, 1, 3)
    """

    parameters: Mapping[str, tf.Variable]

    @property
    def trainable_weights(self) -> list[tf.Variable]:
        """The variables that training changes."""
        return [variable for variable in self.parameters.values() if variable.trainable]

    @property
    def nontrainable_weights(self) -> list[tf.Variable]:
        """The variables that training does not change by gradients, such as moving averages."""
        return [variable for variable in self.parameters.values() if not variable.trainable]

    @property
    def all_weights(self) -> list[tf.Variable]:
        """The trainable variables, then the others."""
        return self.trainable_weights + self.nontrainable_weights

    def count_params(self) -> int:
        """Return the number of scalars in all variables."""
        return sum(int(np.prod(variable.shape)) for variable in self.parameters.values())

    def print_params(self, details: bool = False) -> None:
        """Show the parameters; with ``details`` also mean, median and standard deviation."""
        summary.show(summary.parameter_table(self.parameters, details))
