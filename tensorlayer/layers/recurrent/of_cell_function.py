"""Recurrent layers of TensorLayer 1.x: made of a function of cells, layers upon layers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.outputs import Outputs
from tensorlayer.layers.recurrent.rnn import FixedSteps, Recurrent
from tensorlayer.layers.recurrent.sequence import (
    StackedCells,
    as_cell,
    first_state,
    lengths_of,
    run,
    up_to_last,
)
from tensorlayer.layers.tf1 import apart

__all__ = ["DynamicRNNLayer", "RNNLayer"]

#: The initial values of kernels, unless others are given.
UNIFORM = initializers.RandomUniform(-0.1, 0.1)

#: What the cells of this library and of Keras call the initial values of their kernels.
_INITIALIZERS = ("kernel_initializer", "recurrent_initializer")
#: Arguments of the cells of TensorFlow 1 that say what is always so today.
_WITHOUT_EFFECT = frozenset({"state_is_tuple", "reuse"})


class OfCellFunction(Recurrent):
    """The base: stacks of cells by name, and what is dropped between them."""

    drops_in_graphs = True

    def __init__(
        self,
        cell_fn: Callable[..., Any],
        cell_init_args: Mapping[str, Any] | None,
        n_hidden: int,
        initializer: Any,
        dropout: Any,
        n_layer: int,
        name: str | None,
    ) -> None:
        super().__init__(name=name)
        who = type(self).__name__
        if not callable(cell_fn):
            raise InvalidArgument(
                f"{who}: cell_fn makes cells, as tl.layers.BasicLSTMCell and "
                f"tf.keras.layers.GRUCell do, got {cell_fn!r}."
            )
        self.n_layer = positive(n_layer, who, "n_layer")
        self.keeps = _keeps(who, dropout)
        given = {k: v for k, v in (cell_init_args or {}).items() if k not in _WITHOUT_EFFECT}
        takes = inspect.signature(cell_fn).parameters
        given = {**{key: initializer for key in _INITIALIZERS if key in takes}, **given}
        n_hidden = positive(n_hidden, who, "n_hidden")
        self._cell = lambda: as_cell(cell_fn(n_hidden, **given))

    def stack(self, n_cells: int, is_last: bool = True) -> StackedCells:
        """Return cells one upon the other; something is dropped of the outputs of the last."""
        keep_in, keep_out = self.keeps
        cells = [self._cell() for _ in range(n_cells)]
        return StackedCells(cells, keep_in, keep_out if is_last else 1.0)

    def given(self, state: Any, default: Any, inputs: tf.Tensor, cells: Any) -> Any:
        """Return a state as a list of those of the layers; it comes without a list for one."""
        state = first_state(state, default, inputs)
        if state is None:
            size, dtype = tf.shape(inputs)[0], inputs.dtype
            return [apart(each.initial_state(size, dtype)) for each in cells]
        return [state] if self.n_layer == 1 else state

    def found(self, states: Any) -> Any:
        """Return what [`given`][] takes."""
        return states[0] if self.n_layer == 1 else states

    def lengths(self, inputs: tf.Tensor, *given: Any) -> tf.Tensor:
        """Return the first lengths that are given; else up to the last step that is not 0."""
        lengths = next((each for each in given if each is not None), None)
        if lengths is not None:
            return lengths_of(self, inputs, lengths)
        counts = tf.reduce_any(tf.not_equal(inputs, 0), axis=range(2, inputs.shape.rank))
        return up_to_last(counts)


class RNNLayer(OfCellFunction, FixedSteps):
    r"""A cell over a sequence of a fixed number of steps.

    Parameters
    ----------
    cell_fn, cell_init_args, n_hidden, initializer
        The cell, as of [`tensorlayer.layers.DynamicRNNLayer`][].
    n_steps
        The number of steps that the input has; None for any.
    initial_state
        The state to begin with, as of [`tensorlayer.layers.RNN`][]: a network, or a variable, which
        is learned. None for zeros.
    return_last
        Whether to return only the output of the last step.
    return_seq_2d
        Whether to return all outputs as rows, `(batch * steps, n_hidden)`.
    name
        Unique in the network.

    Notes
    -----
    Input shape: `(batch, steps, channels)`.
    Output shape: `(batch, steps, n_hidden)`, or as the two arguments say.
    The network has `initial_state` and `final_state`. Parameters: those of the cell.

    Raises
    ------
    InvalidArgument
        `cell_fn` makes no cell.
    WrongShape
        The input is no sequence, or of another number of steps.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 5, 8])
    >>> net = RNNLayer(net, cell_fn=tl.layers.BasicLSTMCell, n_hidden=16, n_steps=5,
    ...                return_seq_2d=True, name="rnn")
    >>> net.outputs.shape, net.final_state.c.outputs.shape, list(net.parameters)
    (TensorShape([None, 16]), TensorShape([None, 16]), ['rnn/kernel', 'rnn/bias'])
    """

    drops_in_graphs = False  # there is no `dropout`

    def __init__(
        self,
        cell_fn: Callable[..., Any],
        cell_init_args: Mapping[str, Any] | None = None,
        n_hidden: int = 100,
        initializer: Any = UNIFORM,
        n_steps: int | None = 5,
        initial_state: Any = None,
        return_last: bool = False,
        return_seq_2d: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(cell_fn, cell_init_args, n_hidden, initializer, None, 1, name)
        self.cell = self._cell()
        self.n_steps = n_steps
        self.initial_state = initial_state
        self.return_last = return_last
        self.return_seq_2d = return_seq_2d


class DynamicRNNLayer(OfCellFunction):
    r"""Cells over sequences of lengths of their own.

    Parameters
    ----------
    cell_fn
        Makes a cell: `tl.layers.BasicLSTMCell`, a class of cells of Keras, or any function of the
        number of units.
    cell_init_args
        More arguments of it.
    n_hidden
        The number of units.
    initializer
        Of the kernels, by default uniform in [-0.1, 0.1].
    sequence_length
        How many steps of each sequence count, `(batch)`: a network, or a value for all calls. None
        for up to the last step that is not all 0.
    initial_state
        The state to begin with, as of [`tensorlayer.layers.RNN`][]: a network, or a variable, which
        is learned. None for zeros.
    dropout
        The probability of keeping, in training, inputs of each cell and outputs of the last one; or
        a pair of them. None for 1. Over placeholders of TensorFlow 1 it drops unless
        `is_train=False` is said.
    n_layer
        How many cells one upon the other.
    return_last
        Whether to return only the output of the last step that counts; None for True unless
        `return_seq_2d`.
    return_seq_2d
        Whether to return all outputs as rows, `(batch * steps, n_hidden)`.
    dynamic_rnn_init_args
        Without effect.
    name
        Unique in the network.

    Notes
    -----
    Input shape: `(batch, steps, channels)`, steps of any number.
    Output shape: `(batch, n_hidden)`, or `(batch, steps, n_hidden)` with `return_last=False`, where
    outputs after the end of a sequence are 0.
    The network has `initial_state`, `final_state` (of more than one layer, a list of states) and
    `sequence_length`.

    Raises
    ------
    InvalidArgument
        `cell_fn` makes no cell, a keep is not in (0, 1], or a length is beyond the steps.
    WrongShape
        The input is no sequence.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> ids = tl.layers.Input([None, None], dtype=tf.int64)
    >>> net = tl.layers.EmbeddingInputlayer(ids, vocabulary_size=100, embedding_size=8)
    >>> length = tl.layers.Lambda(ids, tl.layers.retrieve_seq_length_op2)
    >>> net = DynamicRNNLayer(net, cell_fn=tl.layers.BasicLSTMCell, n_hidden=16, n_layer=2,
    ...                       dropout=0.7, sequence_length=length, return_last=True)
    >>> net.outputs.shape, len(net.final_state)
    (TensorShape([None, 16]), 2)
    """

    def __init__(
        self,
        cell_fn: Callable[..., Any],
        cell_init_args: Mapping[str, Any] | None = None,
        n_hidden: int = 256,
        initializer: Any = UNIFORM,
        sequence_length: Any = None,
        initial_state: Any = None,
        dropout: Any = None,
        n_layer: int = 1,
        return_last: bool | None = None,
        return_seq_2d: bool = False,
        dynamic_rnn_init_args: Any = None,
        name: str | None = None,
    ) -> None:
        del dynamic_rnn_init_args
        super().__init__(cell_fn, cell_init_args, n_hidden, initializer, dropout, n_layer, name)
        self.cells = self.stack(self.n_layer)
        self.sequence_length = sequence_length
        self.initial_state = initial_state
        self.return_last = not return_seq_2d if return_last is None else return_last
        self.return_seq_2d = return_seq_2d

    def build(self, inputs_shape: Any) -> None:
        """Make the parameters of the cells."""
        self.prepare(self.cells, inputs_shape)

    def parts(self) -> Any:
        """Yield the cells, and a state to learn."""
        yield from (("", self.cells), ("initial_state", self.initial_state))

    def forward(
        self, inputs: tf.Tensor, initial_state: Any = None, sequence_length: Any = None
    ) -> Outputs:
        """Go over the steps that count."""
        inputs = self.dense(inputs)
        lengths = self.lengths(inputs, sequence_length, self.sequence_length)
        states = self.given(initial_state, self.initial_state, inputs, self.cells.cells)
        outputs, last = run(self.cells, inputs, states, lengths)
        return Outputs(
            self.shaped(outputs, lengths, self.return_last, self.return_seq_2d),
            initial_state=self.found(states),
            final_state=self.found(last),
            sequence_length=lengths,
        )


def _keeps(who: str, dropout: Any) -> tuple[float, float]:
    """Return the probabilities of keeping inputs and outputs."""
    pair = dropout if isinstance(dropout, (list, tuple)) else (dropout, dropout)
    keeps = tuple(1.0 if each is None else each for each in pair)
    is_number = all(isinstance(keep, (int, float)) and 0 < keep <= 1 for keep in keeps)
    if len(keeps) != 2 or not is_number:
        raise InvalidArgument(
            f"{who}: dropout is the probability of keeping, in (0, 1], or a pair of those of "
            f"inputs and outputs; got {dropout!r}."
        )
    return keeps
