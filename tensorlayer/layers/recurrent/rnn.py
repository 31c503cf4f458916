"""Recurrent layers: a cell that goes over the steps of a sequence."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer.errors import UnknownArgument, WrongShape
from tensorlayer.layers.base import Layer, require_rank
from tensorlayer.layers.outputs import Outputs
from tensorlayer.layers.recurrent.cells import GRUCell, LSTMCell, SimpleRNNCell
from tensorlayer.layers.recurrent.sequence import (
    as_cell,
    first_state,
    last_output,
    lengths_of,
    make_parameters,
    run,
)
from tensorlayer.layers.tf1 import apart

__all__ = ["GRURNN", "LSTMRNN", "RNN", "SimpleRNN"]


class Recurrent(Layer):
    """The base of layers that run cells over sequences."""

    def prepare(self, cell: Layer, inputs_shape: Any, label: str | None = None) -> None:
        """Make the parameters of a cell for sequences of this shape."""
        self.require_sequence(inputs_shape)
        shape = [None, *inputs_shape[2:]]
        make_parameters(self, cell, shape, label or self.facts.label or self.name)

    def require_sequence(self, inputs_shape: Any) -> None:
        """Raise WrongShape unless there are steps, and something in them."""
        remedy = "A sequence is (batch, steps, channels)."
        require_rank(self, inputs_shape, (3, 4, 5, 6), remedy)

    def dense(self, inputs: Any) -> tf.Tensor:
        """Return the inputs, which have to be dense and to have steps.

        Raises
        ------
        WrongShape
            They are ragged, or have no steps. In a graph that does not know how many there are that
            is an error when it is evaluated.
        """
        if isinstance(inputs, tf.RaggedTensor):
            raise WrongShape(
                f"{self!r}: the input is ragged. Give layer(x.to_tensor(), "
                "sequence_length=x.row_lengths())."
            )
        rule = "A sequence has at least one; sequence_length may be 0."
        n_steps = inputs.shape[1]
        if n_steps == 0:
            raise WrongShape(
                f"{self!r}: the input has no steps, shape {tuple(inputs.shape)}. {rule}"
            )
        if n_steps is not None:
            return inputs
        text = f"{self!r}: the input has no steps. {rule}"
        with tf.control_dependencies([tf.debugging.Assert(tf.shape(inputs)[1] > 0, [text])]):
            return tf.identity(inputs)

    def require_steps(self, n_steps: int | None, expected: int | None) -> None:
        """Raise WrongShape if the input has not as many steps as were declared."""
        if None not in (n_steps, expected) and n_steps != expected:
            raise WrongShape(
                f"{self!r}: the input has {n_steps} steps, n_steps says {expected}. n_steps=None "
                "takes any number."
            )

    def shaped(self, outputs: tf.Tensor, lengths: Any, is_last: bool, is_2d: bool) -> tf.Tensor:
        """Return the last output, or all as rows, or all as they are."""
        if is_last:
            return last_output(outputs, lengths)
        return tf.reshape(outputs, [-1, outputs.shape[2:].num_elements()]) if is_2d else outputs


class FixedSteps(Recurrent):
    """The base of layers of 1.x with one cell, and a number of steps that is declared."""

    cell: Layer
    n_steps: int | None
    initial_state: Any
    return_last: bool
    return_seq_2d: bool

    def build(self, inputs_shape: Any) -> None:
        """Make the parameters of the cell."""
        self.prepare(self.cell, inputs_shape)
        self.require_steps(inputs_shape[1], self.n_steps)

    def parts(self) -> Any:
        """Yield the cell, whose parameters go by the name of this layer, and a state to learn."""
        yield from (("", self.cell), ("initial_state", self.initial_state))

    def forward(self, inputs: tf.Tensor, initial_state: Any = None) -> Outputs:
        """Go over the steps."""
        inputs = self.dense(inputs)
        state = first_state(initial_state, self.initial_state, inputs)
        if state is None:
            state = apart(self.cell.initial_state(tf.shape(inputs)[0], inputs.dtype))
        outputs, last = run(self.cell, inputs, state)
        outputs = self.shaped(outputs, None, self.return_last, self.return_seq_2d)
        return Outputs(outputs, initial_state=state, final_state=last)


class RNN(Recurrent):
    r"""A cell over a sequence: $y_t, s_t = \mathrm{cell}(x_t, s_{t-1})$.

    Parameters
    ----------
    cell
        One of `tl.layers.LSTMCell`, `GRUCell` and `SimpleRNNCell`, one of Keras, or anything that
        is called as `cell(inputs, state)` and has `initial_state(batch_size)`. A list of cells for
        layers one upon the other.
    return_last_output
        Whether to return only the output of the last step.
    return_seq_2d
        Whether to return all outputs as rows, for a dense layer.
    return_last_state
        Whether to return the last state as well.
    in_channels
        The number of channels; with it the parameters are made at once.
    name
        Unique in the network.
    initial_state
        The state to begin with, as the layer returns it: a network, which is an input of every
        call, or a variable, which is learned; one row of it is for all sequences. None for zeros.
    sequence_length
        How many steps of each sequence count, `(batch)`: a network. None for all.

    Notes
    -----
    Called as `rnn(inputs, initial_state=None, sequence_length=None)`.

    Input shape: `(batch, steps, channels)`, steps of any number. Outputs after the end of a
    sequence are 0; the last output and the last state are those of its last step. Steps that are 0
    within a sequence count as any others.

    Output shape: `(batch, steps, units)`; `(batch, units)` with `return_last_output`; `(batch *
    steps, units)` with `return_seq_2d`. With `return_last_state` a tuple of that and of the state:
    a list, `[h, c]` of an LSTM, `[h]` of others; of a list of cells a list of these.

    The state that one call returns is `initial_state` of the next one: that is truncated
    back-propagation over a long text.

    Parameters are those of the cell, under the name of this layer.

    *Speed.* Cells of this library and of Keras with their usual activations are one operation with
    a derivative of its own (`tensorlayer.layers.recurrent.scan`). In training it has first
    derivatives only. Up to 40 steps, where their number is known, are put into the graph one after
    the other, so that layers upon each other run side by side; more of them are a loop. With a GPU
    the kernels of cuDNN compute what they have a formula for, and the log says so, see
    `tensorlayer.layers.without_cudnn`.

    Raises
    ------
    InvalidArgument
        `cell` is none, a length is no whole number or beyond the steps, or a state has not as many
        tensors as those of the cell.
    WrongShape
        The input is no sequence, ragged or without steps, or a state has another shape.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, None, 8])
    >>> net, state = RNN(net, cell=tl.layers.LSTMCell(16), name="rnn")
    >>> net.outputs.shape, len(state)
    (TensorShape([None, None, 16]), 2)

    Layers one upon the other, lengths, and a state that is carried on:

    >>> cells = [tf.keras.layers.GRUCell(4), tf.keras.layers.GRUCell(5)]
    >>> rnn = RNN(cells, return_last_output=True)
    >>> y, state = rnn(tf.ones([2, 6, 3]), sequence_length=[6, 2])
    >>> y, state = rnn(tf.ones([2, 6, 3]), initial_state=state)
    >>> y.shape
    TensorShape([2, 5])
    """

    def __init__(
        self,
        cell: Any,
        return_last_output: bool = False,
        return_seq_2d: bool = False,
        return_last_state: bool = True,
        in_channels: int | None = None,
        name: str | None = None,
        initial_state: Any = None,
        sequence_length: Any = None,
    ) -> None:
        super().__init__(name=name)
        self.cell = as_cell(cell)
        self.return_last_output = return_last_output
        self.return_seq_2d = return_seq_2d
        self.return_last_state = return_last_state
        self.in_channels = in_channels
        self.initial_state = initial_state
        self.sequence_length = sequence_length

    def shape_to_build_for(self) -> Any:
        """Return `(batch, steps, in_channels)` if the last is given."""
        return None if self.in_channels is None else [None, None, self.in_channels]

    def build(self, inputs_shape: Any) -> None:
        """Make the parameters of the cell."""
        self.prepare(self.cell, inputs_shape)

    def parts(self) -> Any:
        """Yield the cell, whose parameters go by the name of this layer, and a state to learn."""
        yield from (("", self.cell), ("initial_state", self.initial_state))

    def forward(
        self, inputs: tf.Tensor, initial_state: Any = None, sequence_length: Any = None
    ) -> Any:
        """Go over the steps."""
        inputs = self.dense(inputs)
        state = first_state(initial_state, self.initial_state, inputs)
        lengths = self.sequence_length if sequence_length is None else sequence_length
        lengths = lengths_of(self, inputs, lengths)
        outputs, state = run(self.cell, inputs, state, lengths)
        outputs = self.shaped(outputs, lengths, self.return_last_output, self.return_seq_2d)
        return (outputs, state) if self.return_last_state else outputs


class _WithUnits(RNN):
    """A recurrent layer that makes its own cell."""

    cell_class: type[Layer]

    def __init__(
        self,
        units: int,
        return_last_output: bool = False,
        return_seq_2d: bool = False,
        return_last_state: bool = True,
        in_channels: int | None = None,
        name: str | None = None,
        initial_state: Any = None,
        sequence_length: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            self._cell(units, **kwargs),
            return_last_output,
            return_seq_2d,
            return_last_state,
            in_channels,
            name,
            initial_state,
            sequence_length,
        )

    def _cell(self, units: int, **kwargs: Any) -> Layer:
        try:
            return self.cell_class(units, **kwargs)
        except UnknownArgument as error:  # of this layer, as far as anybody knows
            text = str(error).replace(self.cell_class.__name__, type(self).__name__, 1)
            raise UnknownArgument(text) from error


class SimpleRNN(_WithUnits):
    r"""A plain recurrent layer: $h_t = \tanh(x_t W + h_{t-1} U + b)$.

    It is `tl.layers.RNN` with a `tl.layers.SimpleRNNCell`, which has the formula; the
    state is `[h]`.

    Parameters
    ----------
    units
        The number of outputs.
    return_last_output, return_seq_2d, return_last_state, in_channels, name
        As of `RNN`, and so are `initial_state` and `sequence_length`.
    **kwargs
        More arguments of the cell, such as `dropout` and `kernel_initializer`.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 20, 8])
    >>> net, state = SimpleRNN(net, units=16, dropout=0.1)
    >>> net.outputs.shape, len(state), net.count_params()
    (TensorShape([None, 20, 16]), 1, 400)
    """

    cell_class = SimpleRNNCell


class GRURNN(_WithUnits):
    r"""Gated recurrent units: $h_t = z h_{t-1} + (1 - z)\,n$.

    It is `tl.layers.RNN` with a `tl.layers.GRUCell`, which has the formula; the
    state is `[h]`.

    Parameters
    ----------
    units
        The number of outputs.
    return_last_output, return_seq_2d, return_last_state, in_channels, name
        As of `RNN`, and so are `initial_state` and `sequence_length`.
    **kwargs
        More arguments of the cell, such as `dropout` and `kernel_initializer`.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 20, 8])
    >>> net, state = GRURNN(net, units=16, dropout=0.1)
    >>> net.outputs.shape, len(state), net.count_params()
    (TensorShape([None, 20, 16]), 1, 1248)
    """

    cell_class = GRUCell


class LSTMRNN(_WithUnits):
    r"""Long short-term memory: $c_t = f c_{t-1} + i g,\ h_t = o \tanh(c_t)$.

    It is `tl.layers.RNN` with a `tl.layers.LSTMCell`, which has the formula; the
    state is `[h, c]`.

    Parameters
    ----------
    units
        The number of outputs.
    return_last_output, return_seq_2d, return_last_state, in_channels, name
        As of `RNN`, and so are `initial_state` and `sequence_length`.
    **kwargs
        More arguments of the cell, such as `dropout` and `kernel_initializer`.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 20, 8])
    >>> net, state = LSTMRNN(net, units=16, dropout=0.1)
    >>> net.outputs.shape, len(state), net.count_params()
    (TensorShape([None, 20, 16]), 2, 1600)
    """

    cell_class = LSTMCell
