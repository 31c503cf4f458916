"""Optimizers whose step on an embedding costs as much as the rows that the batch names.

Each is the optimizer of Keras of this name, with its arguments, formula, state and checkpoints.
What differs is what a sparse gradient (``tf.IndexedSlices``) does: rows that it names twice are
added up, and other rows stay as they are, with all that is kept for them, as in TensorFlow 1. For
``SGD`` without momentum and ``Adagrad`` that is the step on the dense gradient; a momentum or a
mean of a row, in the others, stands still until the row has a gradient again.

What Keras does to all rows it does here: ``weight_decay``, ``use_ema`` and
``gradient_accumulation_steps`` cost as much as the table.
"""

from __future__ import annotations

import tensorflow as tf

from tensorlayer.optimizers.rows import ByRows, Rows

__all__ = ["SGD", "Adadelta", "Adagrad", "Adamax", "Ftrl", "LazyAdam", "RMSprop"]


class SGD(ByRows, tf.keras.optimizers.SGD):
    r"""Gradient descent, $\theta\leftarrow\theta-\eta g$, on rows of a table.

    With ``momentum``, a row's momentum decays in steps in which the row has a gradient.

    Notes
    -----
    Parameters: those of ``tf.optimizers.SGD``.

    Examples
    --------
    >>> table = tf.Variable([1.0, 1.0, 1.0])
    >>> twice = tf.IndexedSlices(tf.constant([1.0, 1.0]), tf.constant([2, 2]))
    >>> _ = SGD(0.1).apply_gradients([(twice, table)])
    >>> table.numpy().round(3).tolist()
    [1.0, 1.0, 0.8...]
    """

    def update_step(
        self,
        gradient: tf.Tensor | tf.IndexedSlices,
        variable: tf.Variable,
        learning_rate: tf.Tensor,
    ) -> None:
        """Move one variable by one step; a plain sum needs no rows added up beforehand."""
        step = super() if self.momentum else super(ByRows, self)
        step.update_step(gradient, variable, learning_rate)

    def update_rows(self, gradient: tf.Tensor, rows: Rows, rate: tf.Tensor) -> None:
        """Move some rows by one step."""
        kept = self.slot(self.momentums, rows)
        momentum = kept.write(kept.read() * self.momentum - gradient * rate)
        step = momentum * self.momentum - gradient * rate if self.nesterov else momentum
        rows.subtract(-step)


class Adagrad(ByRows, tf.keras.optimizers.Adagrad):
    r"""$a\leftarrow a+g^2,\;\theta\leftarrow\theta-\eta g/\sqrt{a+\epsilon}$ on rows of a table.

    Rare words take large steps, frequent ones small steps: what word embeddings are trained with.

    Notes
    -----
    Parameters: those of ``tf.optimizers.Adagrad``.

    References
    ----------
    Duchi et al., "Adaptive subgradient methods for online learning and stochastic optimization",
    JMLR 2011.

    Examples
    --------
    >>> table = tf.Variable([1.0, 1.0, 1.0])
    >>> twice = tf.IndexedSlices(tf.constant([1.0, 1.0]), tf.constant([2, 2]))
    >>> optimizer = Adagrad(0.1, initial_accumulator_value=0.0)
    >>> _ = optimizer.apply_gradients([(twice, table)])
    >>> table.numpy().round(3).tolist()
    [1.0, 1.0, 0.8...]
    """

    def update_rows(self, gradient: tf.Tensor, rows: Rows, rate: tf.Tensor) -> None:
        """Move some rows by one step."""
        kept = self.slot(self._accumulators, rows)
        squares = kept.write(kept.read() + tf.square(gradient))
        rows.subtract(rate * gradient * tf.math.rsqrt(squares + self.epsilon))


class RMSprop(ByRows, tf.keras.optimizers.RMSprop):
    r"""$v\leftarrow\rho v+(1-\rho)g^2,\;\theta\leftarrow\theta-\eta g/\sqrt{v+\epsilon}$ on rows.

    Notes
    -----
    Parameters: those of ``tf.optimizers.RMSprop``.

    References
    ----------
    Tieleman and Hinton, "Lecture 6.5: RMSProp", Coursera 2012.
    """

    def update_rows(self, gradient: tf.Tensor, rows: Rows, rate: tf.Tensor) -> None:
        """Move some rows by one step."""
        kept, rho = self.slot(self._velocities, rows), self.rho
        square = kept.write(rho * kept.read() + (1 - rho) * tf.square(gradient))
        if self.centered:
            kept = self.slot(self._average_gradients, rows)
            square -= tf.square(kept.write(rho * kept.read() + (1 - rho) * gradient))
        step = rate * gradient * tf.math.rsqrt(square + self.epsilon)
        if self.momentum > 0:
            kept = self.slot(self._momentums, rows)
            step = kept.write(self.momentum * kept.read() + step)
        rows.subtract(step)


class Adadelta(ByRows, tf.keras.optimizers.Adadelta):
    r"""$\Delta=g\sqrt{(d+\epsilon)/(v+\epsilon)},\;\theta\leftarrow\theta-\eta\Delta$ on rows.

    $v$ and $d$ are running means of $g^2$ and $\Delta^2$.

    Notes
    -----
    Parameters: those of ``tf.optimizers.Adadelta``.

    References
    ----------
    Zeiler, "ADADELTA: an adaptive learning rate method", 2012.
    """

    def update_rows(self, gradient: tf.Tensor, rows: Rows, rate: tf.Tensor) -> None:
        """Move some rows by one step."""
        gradients = self.slot(self._accumulated_grads, rows)
        steps = self.slot(self._accumulated_delta_vars, rows)
        rho, epsilon, step = self.rho, self.epsilon, steps.read()
        square = gradients.write(rho * gradients.read() + (1 - rho) * tf.square(gradient))
        delta = gradient * tf.sqrt(step + epsilon) * tf.math.rsqrt(square + epsilon)
        steps.write(rho * step + (1 - rho) * tf.square(delta))
        rows.subtract(rate * delta)


class Adamax(ByRows, tf.keras.optimizers.Adamax):
    r"""Adam with the largest gradient, $u\leftarrow\max(\beta_2u,|g|)$, for its size; on rows.

    Notes
    -----
    Parameters: those of ``tf.optimizers.Adamax``.

    References
    ----------
    Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, section 7.
    """

    def update_rows(self, gradient: tf.Tensor, rows: Rows, rate: tf.Tensor) -> None:
        """Move some rows by one step."""
        means, largest = self.slot(self._m, rows), self.slot(self._u, rows)
        mean = means.write(self.beta_1 * means.read() + (1 - self.beta_1) * gradient)
        size = largest.write(tf.maximum(self.beta_2 * largest.read(), tf.abs(gradient)))
        corrected = 1 - tf.pow(tf.cast(self.beta_1, rate.dtype), self.step_number(rate.dtype))
        rows.subtract(rate * mean / (corrected * (size + self.epsilon)))


class Ftrl(ByRows, tf.keras.optimizers.Ftrl):
    """Follow the regularised leader, on rows of a table.

    Notes
    -----
    Parameters: those of ``tf.optimizers.Ftrl``, whose page has the formula.

    References
    ----------
    McMahan et al., "Ad click prediction: a view from the trenches", KDD 2013.
    """

    def update_rows(self, gradient: tf.Tensor, rows: Rows, rate: tf.Tensor) -> None:
        """Move some rows by one step."""
        accumulators = self.slot(self._accumulators, rows)
        linears = self.slot(self._linears, rows)
        value, before = rows.read(), accumulators.read()
        after = accumulators.write(before + tf.square(gradient))
        power = -self.learning_rate_power
        pull = (tf.pow(after, power) - tf.pow(before, power)) / rate * value
        shrunk = gradient + 2 * self.l2_shrinkage_regularization_strength * value
        linear = linears.write(linears.read() + shrunk - pull)
        l1, l2 = self.l1_regularization_strength, self.l2_regularization_strength
        quadratic = tf.pow(after, power) / rate + 2 * l2 + self.beta / rate
        rows.write((tf.clip_by_value(linear, -l1, l1) - linear) / quadratic)


class LazyAdam(ByRows, tf.keras.optimizers.Adam):
    r"""Adam whose means of a row stand still while the row has no gradient.

    $m\leftarrow\beta_1m+(1-\beta_1)g$, $v\leftarrow\beta_2v+(1-\beta_2)g^2$ and
    $\theta\leftarrow\theta-\eta\frac{\sqrt{1-\beta_2^t}}{1-\beta_1^t}\frac{m}{\sqrt v+\epsilon}$
    for the rows that a sparse gradient names. [`Adam`][tensorlayer.optimizers.Adam] moves all rows
    in each step, by their means, and its step costs as much as the table. On dense gradients they
    are the same.

    Notes
    -----
    Parameters: those of ``tf.optimizers.Adam``.

    References
    ----------
    Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015.
    """

    def update_rows(self, gradient: tf.Tensor, rows: Rows, rate: tf.Tensor) -> None:
        """Move some rows by one step."""
        step = self.step_number(rate.dtype)
        powers = [tf.pow(tf.cast(beta, rate.dtype), step) for beta in (self.beta_1, self.beta_2)]
        means, squares = self.slot(self._momentums, rows), self.slot(self._velocities, rows)
        mean = means.write(self.beta_1 * means.read() + (1 - self.beta_1) * gradient)
        old = self.beta_2 * squares.read()
        square = squares.write(old + (1 - self.beta_2) * tf.square(gradient))
        if self.amsgrad:
            largest = self.slot(self._velocity_hats, rows)
            square = largest.write(tf.maximum(largest.read(), square))
        corrected = rate * tf.sqrt(1 - powers[1]) / (1 - powers[0])
        rows.subtract(corrected * mean / (tf.sqrt(square) + self.epsilon))
