"""Recurrent layers of TensorLayer 1.x that go over a sequence from both ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import tensorflow as tf

from tensorlayer.layers.outputs import Outputs
from tensorlayer.layers.recurrent.bidirectional import run_both
from tensorlayer.layers.recurrent.of_cell_function import UNIFORM, OfCellFunction
from tensorlayer.layers.recurrent.sequence import make_parameters

__all__ = ["BiDynamicRNNLayer", "BiRNNLayer"]


class _FromBothEnds(OfCellFunction):
    """The base of the two that go over a sequence from both ends.

    A level is a stack of cells for each direction; the next one gets the outputs of both.
    """

    #: whether each layer is a level, or all of them are one
    sees_both: ClassVar[bool]

    def __init__(self, cells: tuple[Any, ...], states: tuple[Any, Any], **options: Any) -> None:
        super().__init__(*cells)
        self.fw_initial_state, self.bw_initial_state = states
        self.return_last, self.return_seq_2d = options["return_last"], options["return_seq_2d"]
        n_levels = self.n_layer if self.sees_both else 1
        n_cells = self.n_layer // n_levels
        are_last = [level == n_levels - 1 for level in range(n_levels)]
        self.levels = [(self.stack(n_cells, each), self.stack(n_cells, each)) for each in are_last]

    def build(self, inputs_shape: Any) -> None:
        """Make the parameters of the cells."""
        self.require_sequence(inputs_shape)
        label, shape = self.facts.label or self.name, [None, *inputs_shape[2:]]
        names = iter([name for name, _ in self.parts()])
        for level in self.levels:
            outputs = [make_parameters(self, c, shape, f"{label}/{next(names)}") for c in level]
            shape = [None, sum(each.shape[-1] for each in outputs)]

    def parts(self) -> Any:
        """Yield the cells, those of a level by its number if there are several; states to learn."""
        for i, level in enumerate(self.levels):
            number = f"/cell_{i}" if len(self.levels) > 1 else ""
            yield from ((f"{end}{number}", c) for end, c in zip(("fw", "bw"), level, strict=True))
        yield "fw_initial_state", self.fw_initial_state
        yield "bw_initial_state", self.bw_initial_state

    def outputs_of(
        self, inputs: tf.Tensor, given: tuple[Any, Any], lengths: tf.Tensor | None
    ) -> Outputs:
        """Return the outputs, and the states beside them."""
        defaults = (self.fw_initial_state, self.bw_initial_state)
        cells = [[c for level in self.levels for c in level[end].cells] for end in (0, 1)]
        first = [
            self.given(state, default, inputs, each)
            for state, default, each in zip(given, defaults, cells, strict=True)
        ]
        outputs, last, begun = inputs, ([], []), 0
        for fw, bw in self.levels:
            own = [states[begun : begun + len(fw.cells)] for states in first]
            outputs, states = run_both(fw, bw, outputs, own, lengths)
            begun += len(fw.cells)
            for all_of_end, of_end in zip(last, states, strict=True):
                all_of_end.extend(of_end)
        names = ("fw_initial_state", "bw_initial_state", "fw_final_state", "bw_final_state")
        sides = dict(zip(names, map(self.found, (*first, *last)), strict=True))
        return Outputs(self._shaped(outputs, lengths), **sides)

    def _shaped(self, outputs: tf.Tensor, lengths: tf.Tensor | None) -> tf.Tensor:
        if not self.return_last:
            return self.shaped(outputs, lengths, False, self.return_seq_2d)
        # The backward cells have seen everything when they are at the first step.
        fw, bw = tf.split(outputs, 2, axis=-1)
        return tf.concat([self.shaped(fw, lengths, True, False), bw[:, 0]], axis=-1)


class BiRNNLayer(_FromBothEnds):
    r"""Cells over a sequence from both ends; those of one direction are stacked by themselves.

    Parameters
    ----------
    cell_fn, cell_init_args, n_hidden, initializer, dropout, n_layer
        The cells of each direction, as of [`tensorlayer.layers.DynamicRNNLayer`][].
    n_steps
        The number of steps that the input has; None for any.
    fw_initial_state, bw_initial_state
        The states to begin with, as of [`tensorlayer.layers.RNN`][]: networks, or variables, which
        are learned. None for zeros.
    return_last
        Whether to return only the last output of each direction, when it has seen everything.
    return_seq_2d
        Whether to return all outputs as rows, `(batch * steps, 2 n_hidden)`.
    name
        Unique in the network.

    Notes
    -----
    Input shape: `(batch, steps, channels)`. Output shape: `(batch, steps, 2 n_hidden)`.
    The network has `fw_initial_state`, `bw_initial_state`, `fw_final_state` and `bw_final_state`.
    Parameters: `fw/...`, then `bw/...`.

    Raises
    ------
    InvalidArgument
        `cell_fn` makes no cell, or a keep is not in (0, 1].
    WrongShape
        The input is no sequence, or of another number of steps.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 5, 8])
    >>> net = BiRNNLayer(net, cell_fn=tl.layers.BasicLSTMCell, n_hidden=16, n_layer=2, name="both")
    >>> net.outputs.shape, list(net.parameters)[2]
    (TensorShape([None, 5, 32]), 'both/fw/cell_1/kernel')
    """

    sees_both = False

    def __init__(
        self,
        cell_fn: Callable[..., Any],
        cell_init_args: Mapping[str, Any] | None = None,
        n_hidden: int = 100,
        initializer: Any = UNIFORM,
        n_steps: int | None = 5,
        fw_initial_state: Any = None,
        bw_initial_state: Any = None,
        dropout: Any = None,
        n_layer: int = 1,
        return_last: bool = False,
        return_seq_2d: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(
            (cell_fn, cell_init_args, n_hidden, initializer, dropout, n_layer, name),
            (fw_initial_state, bw_initial_state),
            return_last=return_last,
            return_seq_2d=return_seq_2d,
        )
        self.n_steps = n_steps

    def build(self, inputs_shape: Any) -> None:
        """Make the parameters of the cells."""
        super().build(inputs_shape)
        self.require_steps(inputs_shape[1], self.n_steps)

    def forward(
        self, inputs: tf.Tensor, fw_initial_state: Any = None, bw_initial_state: Any = None
    ) -> Outputs:
        """Go over the steps from both ends."""
        inputs = self.dense(inputs)
        return self.outputs_of(inputs, (fw_initial_state, bw_initial_state), None)


class BiDynamicRNNLayer(_FromBothEnds):
    r"""Cells over sequences of lengths of their own, from both ends; each layer sees both below it.

    Parameters
    ----------
    cell_fn, cell_init_args, n_hidden, initializer, dropout, n_layer
        The cells of each direction, as of [`tensorlayer.layers.DynamicRNNLayer`][].
    sequence_length
        How many steps of each sequence count, `(batch)`: a network, or a value for all calls. None
        for up to the last step that is not all 0.
    fw_initial_state, bw_initial_state
        The states to begin with, as of [`tensorlayer.layers.RNN`][]: networks, or variables, which
        are learned. None for zeros.
    return_last
        Whether to return only the last output of each direction, when it has seen everything.
    return_seq_2d
        Whether to return all outputs as rows, `(batch * steps, 2 n_hidden)`.
    dynamic_rnn_init_args
        Without effect.
    name
        Unique in the network.

    Notes
    -----
    Input shape: `(batch, steps, channels)`.
    Output shape: `(batch, steps, 2 n_hidden)`; outputs after the end of a sequence are 0.
    The network has `fw_initial_state`, `bw_initial_state`, `fw_final_state`, `bw_final_state` and
    `sequence_length`. Parameters: those of `fw` and `bw` of each layer.

    Raises
    ------
    InvalidArgument
        `cell_fn` makes no cell, a keep is not in (0, 1], or a length is beyond the steps.
    WrongShape
        The input is no sequence.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, None, 8])
    >>> net = BiDynamicRNNLayer(net, cell_fn=tl.layers.BasicLSTMCell, n_hidden=16, n_layer=2)
    >>> net.outputs.shape, net.bw_final_state[1].h.outputs.shape
    (TensorShape([None, None, 32]), TensorShape([None, 16]))
    """

    sees_both = True

    def __init__(
        self,
        cell_fn: Callable[..., Any],
        cell_init_args: Mapping[str, Any] | None = None,
        n_hidden: int = 256,
        initializer: Any = UNIFORM,
        sequence_length: Any = None,
        fw_initial_state: Any = None,
        bw_initial_state: Any = None,
        dropout: Any = None,
        n_layer: int = 1,
        return_last: bool = False,
        return_seq_2d: bool = False,
        dynamic_rnn_init_args: Any = None,
        name: str | None = None,
    ) -> None:
        del dynamic_rnn_init_args
        super().__init__(
            (cell_fn, cell_init_args, n_hidden, initializer, dropout, n_layer, name),
            (fw_initial_state, bw_initial_state),
            return_last=return_last,
            return_seq_2d=return_seq_2d,
        )
        self.sequence_length = sequence_length

    def forward(
        self,
        inputs: tf.Tensor,
        fw_initial_state: Any = None,
        bw_initial_state: Any = None,
        sequence_length: Any = None,
    ) -> Outputs:
        """Go over the steps that count, from both ends."""
        inputs = self.dense(inputs)
        lengths = self.lengths(inputs, sequence_length, self.sequence_length)
        outputs = self.outputs_of(inputs, (fw_initial_state, bw_initial_state), lengths)
        return Outputs(outputs.main, {**outputs.sides, "sequence_length": lengths})
