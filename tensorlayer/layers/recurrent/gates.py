"""The formulas of gated cells, and their derivatives.

What a formula gets are the products $Wx$ and $Uh$; what they are made of is nobody's business here.
Each has the derivative by hand beside it, so that a whole sequence can be differentiated with one
product for all steps: see [`tensorlayer.layers.recurrent.scan`][].
"""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

import tensorflow as tf

__all__ = ["GRUGates", "Gates", "LSTMGates", "PeepholeGates", "SimpleGates"]

Activation = Callable[[tf.Tensor], tf.Tensor]
State = tuple[tf.Tensor, ...]


@dataclasses.dataclass(frozen=True)
class Gates(abc.ABC):
    """One step of a cell. The first of the states is the output.

    Parameters
    ----------
    activation
        Of what is new.
    recurrent_activation
        Of the gates.
    """

    activation: Activation = tf.tanh
    recurrent_activation: Activation = tf.sigmoid

    order: ClassVar[str]  #: in which the parameters hold the gates
    n_gates: ClassVar[int]
    n_states: ClassVar[int]
    n_saved: ClassVar[int]  #: tensors that the derivative needs of a step
    n_products: ClassVar[int] = 1  #: 2 if the derivatives of both products differ

    @property
    def has_derivative(self) -> bool:
        """Whether `back` is the derivative: it is, of the activations by default."""
        return self.activation is tf.tanh and self.recurrent_activation is tf.sigmoid

    def spread(self, b: Any, state: State | None = None) -> Any:
        """Return biases as [`step`][] takes them, or None.

        For many steps, whose first state is given, they are repeated for each row of a batch: sums
        of tensors of one shape go over the memory once, and large products wait for memory.
        """
        return None if b is None else _repeated(b, state)

    @abc.abstractmethod
    def step(self, x: tf.Tensor, h: tf.Tensor, b: Any, state: State) -> tuple[State, State]:
        """Return the next state, and what the derivative needs.

        Parameters
        ----------
        x, h
            $Wx$ and $Uh$, each `(batch, n_gates * units)`.
        b
            What [`spread`][] has returned.
        state
            `n_states` tensors `(batch, units)`.
        """

    @abc.abstractmethod
    def back(self, saved: State, d_state: State) -> tuple[State, State]:
        r"""Return the derivatives of the products, and those of the state before.

        The first are $\partial/\partial Wx$ and $\partial/\partial Uh$, or one for both if they
        are equal; the others are without what goes through $Uh$.
        """

    def back_bias(self, *d_products: tf.Tensor) -> tf.Tensor:
        """Return the derivative of the biases, from those of all rows."""
        return tf.reduce_sum(d_products[0], 0)


class SimpleGates(Gates):
    r"""No gate at all: $h_t = \tanh(W x_t + U h_{t-1} + b)$."""

    order = "n"
    n_gates, n_states, n_saved = 1, 1, 1

    def step(self, x: tf.Tensor, h: tf.Tensor, b: Any, state: State) -> tuple[State, State]:
        """Return the next state, and what the derivative needs."""
        del state
        h = self.activation(_sum(x, h, b))
        return (h,), (h,)

    def back(self, saved: State, d_state: State) -> tuple[State, State]:
        """Return the derivatives."""
        d = _tanh_back(saved[0], d_state[0])
        return (d,), (tf.zeros_like(d),)


@dataclasses.dataclass(frozen=True)
class LSTMGates(Gates):
    r"""Input, forget and output gate around a memory.

    $$i, f, o = \sigma(\ldots),\quad g = \tanh(\ldots),\quad
    c_t = f c_{t-1} + i g,\quad h_t = o \tanh(c_t)$$

    Parameters
    ----------
    order
        In which order the parameters hold the gates: that of Keras, or "igfo", of TensorFlow 1.
    forget_bias
        What is added to the forget gate, beside its bias.
    """

    order: str = "ifgo"  # type: ignore[misc]
    forget_bias: float = 0.0

    n_gates, n_states, n_saved = 4, 2, 6

    def step(self, x: tf.Tensor, h: tf.Tensor, b: Any, state: State) -> tuple[State, State]:
        """Return the next state, and what the derivative needs."""
        # Four operations of a quarter each run side by side; one of all would have to be cut again.
        z = self._cut(_sum(x, h, b))
        if self.forget_bias:
            z["f"] += self.forget_bias
        i, f, o = (self.recurrent_activation(z[name]) for name in "ifo")
        g, before = self.activation(z["g"]), state[1]
        c = f * before + i * g
        squashed = self.activation(c)
        return (o * squashed, c), (i, f, g, o, squashed, before)

    def _cut(self, z: tf.Tensor) -> dict[str, tf.Tensor]:
        return dict(zip(self.order, tf.split(z, 4, axis=-1), strict=True))

    def back(self, saved: State, d_state: State) -> tuple[State, State]:
        """Return the derivatives."""
        i, f, g, o, squashed, before = saved
        d_h, d_c = d_state
        d_c += _tanh_back(squashed, d_h * o)
        gates = {
            "i": _sigmoid_back(i, d_c * g),
            "f": _sigmoid_back(f, d_c * before),
            "g": _tanh_back(g, d_c * i),
            "o": _sigmoid_back(o, d_h * squashed),
        }
        d = tf.concat([gates[name] for name in self.order], axis=-1)
        return (d,), (tf.zeros_like(d_h), d_c * f)


class PeepholeGates(LSTMGates):
    r"""Gates that see the memory: $i, f = \sigma(\ldots + w c_{t-1}),\ o = \sigma(\ldots + w c_t)$.

    The biases are a tuple, with the weights of the three gates after them.
    """

    has_derivative = False

    def spread(self, b: Any, state: State | None = None) -> Any:
        """Return the biases, and the weights as they are."""
        b, *weights = b
        return (super().spread(b, state), *weights)

    def step(self, x: tf.Tensor, h: tf.Tensor, b: Any, state: State) -> tuple[State, State]:
        """Return the next state; TensorFlow differentiates this."""
        b, w_i, w_f, w_o = b
        z = self._cut(_sum(x, h, b))
        before = state[1]
        i = self.recurrent_activation(z["i"] + w_i * before)
        f = self.recurrent_activation(z["f"] + self.forget_bias + w_f * before)
        c = f * before + i * self.activation(z["g"])
        o = self.recurrent_activation(z["o"] + w_o * c)
        return (o * self.activation(c), c), ()


class GRUGates(Gates):
    r"""Update and reset gate; the reset gate comes after the product.

    $$z, r = \sigma(\ldots),\quad n = \tanh(W_n x_t + b_n + r\,(U_n h_{t-1} + b'_n)),\quad
    h_t = z h_{t-1} + (1 - z)\,n$$
    """

    order = "zrn"
    n_gates, n_states, n_saved, n_products = 3, 1, 5, 2

    def spread(self, b: Any, state: State | None = None) -> Any:
        """Return the sum of both rows, and the part of the second that is by itself."""
        if b is None:
            return None, None
        of_gates, of_n = tf.split(b[1], [2 * b.shape[-1] // 3, -1])
        return _repeated(b[0] + tf.pad(of_gates, [[0, b.shape[-1] // 3]]), state), of_n

    def step(self, x: tf.Tensor, h: tf.Tensor, b: Any, state: State) -> tuple[State, State]:
        """Return the next state, and what the derivative needs."""
        b, b_n = b
        x_z, x_r, x_n = tf.split(x if b is None else x + b, 3, axis=-1)
        h_z, h_r, h_n = tf.split(h, 3, axis=-1)
        h_n = h_n if b_n is None else h_n + b_n
        z, r = self.recurrent_activation(x_z + h_z), self.recurrent_activation(x_r + h_r)
        n, before = self.activation(x_n + r * h_n), state[0]
        return (n + z * (before - n),), (z, r, n, h_n, before)

    def back(self, saved: State, d_state: State) -> tuple[State, State]:
        """Return the derivatives."""
        z, r, n, h_n, before = saved
        d_h = d_state[0]
        kept = d_h * z
        d_n = _tanh_back(n, d_h - kept)
        d_z, d_r = _sigmoid_back(z, d_h * (before - n)), _sigmoid_back(r, d_n * h_n)
        products = (tf.concat([d_z, d_r, each], axis=-1) for each in (d_n, d_n * r))
        return tuple(products), (kept,)

    def back_bias(self, *d_products: tf.Tensor) -> tf.Tensor:
        """Return the derivatives of both rows of biases."""
        return tf.stack([tf.reduce_sum(each, 0) for each in d_products])


def _repeated(b: tf.Tensor, state: State | None) -> tf.Tensor:
    if state is None:
        return b
    return tf.broadcast_to(b, [state[0].shape[0] or tf.shape(state[0])[0], b.shape[-1]])


def _sum(x: tf.Tensor, h: tf.Tensor, b: tf.Tensor | None) -> tf.Tensor:
    if b is None:
        return x + h
    return x + h + b if b.shape.rank == 1 else tf.add_n([x, h, b])


def _sigmoid_back(y: tf.Tensor, d: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.SigmoidGrad(y=y, dy=d)


def _tanh_back(y: tf.Tensor, d: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.TanhGrad(y=y, dy=d)
