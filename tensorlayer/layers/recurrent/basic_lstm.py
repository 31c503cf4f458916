"""The LSTM of TensorFlow 1: one kernel for inputs and outputs, and a named state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from tensorlayer.layers.recurrent.cells import GatedCell
from tensorlayer.layers.recurrent.gates import LSTMGates, PeepholeGates
from tensorlayer.layers.recurrent.ways import Kernels

__all__ = ["BasicLSTMCell", "LSTMState"]


class LSTMState(NamedTuple):
    """The state of a [`tensorlayer.layers.BasicLSTMCell`][], each `(batch, units)`.

    Examples
    --------
    >>> state = BasicLSTMCell(3).initial_state(2)
    >>> state.c.shape
    TensorShape([2, 3])
    """

    c: Any  #: the memory
    h: Any  #: the output


class BasicLSTMCell(GatedCell):
    r"""An LSTM cell as in TensorFlow 1, for its weights and its initial values.

    $$i, g, f, o = [x_t, h_{t-1}]\,W + b,\quad
    c_t = \sigma(f + b_f)\,c_{t-1} + \sigma(i)\tanh(g),\quad h_t = \sigma(o)\tanh(c_t)$$

    It is what scripts call `tf.nn.rnn_cell.BasicLSTMCell` and `tf.contrib.rnn.LSTMCell`.

    Parameters
    ----------
    num_units
        The number of outputs.
    forget_bias
        What is added to the forget gate; 1 makes the cell remember at first.
    use_peepholes
        Whether the gates see the memory, each by a weight for every unit. Such a cell is
        differentiated step by step, which is slower.
    activation
        Of what is new, and of what is shown.
    kernel_initializer
        Of the kernel.
    name
        Unique in the network.

    Notes
    -----
    `output, state = cell(inputs, state)` with inputs `(batch, channels)`, an output `(batch,
    num_units)` and as state [`LSTMState`][tensorlayer.layers.LSTMState]`(c, h)`.
    Parameters: `kernel` (channels + num_units, 4 num_units) and `bias` (4 num_units), the gates in
    the order i, g, f, o; with peepholes `w_i_diag`, `w_f_diag` and `w_o_diag` (num_units).

    References
    ----------
    Zaremba et al., "Recurrent neural network regularization", 2014; Gers and Schmidhuber,
    "Recurrent nets that time and count", IJCNN 2000 (peepholes).

    Examples
    --------
    >>> cell = BasicLSTMCell(3)
    >>> output, (c, h) = cell(tf.ones([2, 4]), cell.initial_state(2))
    >>> output.shape, [v.name for v in cell.all_weights]
    (TensorShape([2, 3]), ['basic_lstm_cell/kernel:0', 'basic_lstm_cell/bias:0'])
    """

    gates_class = LSTMGates
    names_states = True  # as (c, h), which is not the order of others

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        use_peepholes: bool = False,
        activation: Any = "tanh",
        kernel_initializer: Any = "glorot_uniform",
        name: str | None = None,
    ) -> None:
        super().__init__(num_units, activation, kernel_initializer=kernel_initializer, name=name)
        self.use_peepholes = use_peepholes
        kind = PeepholeGates if use_peepholes else LSTMGates
        self.gates = kind(self.gates.activation, order="igfo", forget_bias=float(forget_bias))

    def build(self, inputs_shape: Any) -> None:
        """Make kernel, biases and peepholes."""
        self.n_channels = self.channels_of(inputs_shape)
        width = 4 * self.units
        shape = [self.n_channels + self.units, width]
        self.kernel = self._get_weights("kernel", shape, self.kernel_initializer)
        self.bias = self._get_weights("bias", [width], "zeros")
        names = [f"w_{gate}_diag" for gate in "ifo"] if self.use_peepholes else []
        init = self.kernel_initializer
        self.peepholes = [self._get_weights(name, [self.units], init) for name in names]

    def kernels(self, dtype: tf.DType) -> Kernels:
        """Return the parameters in this type."""
        W, U = tf.split(tf.cast(self.kernel, dtype), [self.n_channels, self.units])
        b, *peepholes = (tf.cast(each, dtype) for each in (self.bias, *self.peepholes))
        return Kernels(W, U, (b, *peepholes) if peepholes else b)

    def tensors_of(self, state: Any) -> list[tf.Tensor]:
        """Return output and memory of a state."""
        c, h = super().tensors_of(state)
        return [h, c]

    def state_of(self, tensors: Sequence[tf.Tensor]) -> LSTMState:
        """Return output and memory as a state."""
        h, c = tensors
        return LSTMState(c, h)
