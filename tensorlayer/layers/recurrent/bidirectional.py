"""Two cells over a sequence, one from each end."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer.layers.base import Layer
from tensorlayer.layers.recurrent.rnn import Recurrent
from tensorlayer.layers.recurrent.sequence import as_cell, first_state, lengths_of, run

__all__ = ["BiRNN"]


class BiRNN(Recurrent):
    r"""Two cells over a sequence, one from each end: $y_t = [h_t, h'_t]$.

    Parameters
    ----------
    fw_cell, bw_cell
        The cells, as [`tensorlayer.layers.RNN`][] takes them; lists for layers one upon the other
        in each direction.
    return_seq_2d
        Whether to return all outputs as rows, for a dense layer.
    return_last_state
        Whether to return the last states as well.
    in_channels
        The number of channels; with it the parameters are made at once.
    name
        Unique in the network.
    fw_initial_state, bw_initial_state
        The states to begin with, as of [`tensorlayer.layers.RNN`][]: networks, or variables, which
        are learned. None for zeros.
    sequence_length
        How many steps of each sequence count, `(batch)`: a network. None for all.

    Notes
    -----
    Called as `birnn(inputs, fw_initial_state=None, bw_initial_state=None, sequence_length=None)`.

    Input shape: `(batch, steps, channels)`.
    Output shape: `(batch, steps, fw units + bw units)`, `(batch * steps, ...)` with
    `return_seq_2d`; with `return_last_state` a tuple of that and of the two states.

    Both halves of an output belong to the same step. The backward cell begins with the last step
    that counts. Parameters: those of the cells, as `fw/...` and `bw/...`.

    References
    ----------
    Schuster and Paliwal, "Bidirectional recurrent neural networks", IEEE Transactions on Signal
    Processing, 1997.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 20, 8])
    >>> net = BiRNN(net, tl.layers.LSTMCell(16), tl.layers.LSTMCell(12), name="both")
    >>> net.outputs.shape, list(net.parameters)[3]
    (TensorShape([None, 20, 28]), 'both/bw/kernel')
    """

    def __init__(
        self,
        fw_cell: Any,
        bw_cell: Any,
        return_seq_2d: bool = False,
        return_last_state: bool = False,
        in_channels: int | None = None,
        name: str | None = None,
        fw_initial_state: Any = None,
        bw_initial_state: Any = None,
        sequence_length: Any = None,
    ) -> None:
        super().__init__(name=name)
        self.fw = as_cell(fw_cell)
        self.bw = as_cell(bw_cell)
        self.return_seq_2d = return_seq_2d
        self.return_last_state = return_last_state
        self.in_channels = in_channels
        self.fw_initial_state = fw_initial_state
        self.bw_initial_state = bw_initial_state
        self.sequence_length = sequence_length

    def shape_to_build_for(self) -> Any:
        """Return `(batch, steps, in_channels)` if the last is given."""
        return None if self.in_channels is None else [None, None, self.in_channels]

    def build(self, inputs_shape: Any) -> None:
        """Make the parameters of both cells."""
        label = self.facts.label or self.name
        self.prepare(self.fw, inputs_shape, f"{label}/fw")
        self.prepare(self.bw, inputs_shape, f"{label}/bw")

    def parts(self) -> Any:
        """Yield the cells, and states to learn."""
        yield from (("fw", self.fw), ("bw", self.bw))
        yield "fw_initial_state", self.fw_initial_state
        yield "bw_initial_state", self.bw_initial_state

    def forward(
        self,
        inputs: tf.Tensor,
        fw_initial_state: Any = None,
        bw_initial_state: Any = None,
        sequence_length: Any = None,
    ) -> Any:
        """Go over the steps from both ends."""
        inputs = self.dense(inputs)
        lengths = self.sequence_length if sequence_length is None else sequence_length
        lengths = lengths_of(self, inputs, lengths)
        given = (fw_initial_state, bw_initial_state)
        default = (self.fw_initial_state, self.bw_initial_state)
        states = [first_state(a, b, inputs) for a, b in zip(given, default, strict=True)]
        outputs, states = run_both(self.fw, self.bw, inputs, states, lengths)
        outputs = self.shaped(outputs, lengths, False, self.return_seq_2d)
        return (outputs, *states) if self.return_last_state else outputs


def run_both(
    fw: Layer, bw: Layer, inputs: tf.Tensor, states: Any, lengths: tf.Tensor | None
) -> tuple[tf.Tensor, tuple[Any, Any]]:
    """Return the outputs of both directions side by side, and their last states."""
    forward, fw_state = run(fw, inputs, states[0], lengths)
    backward, bw_state = run(bw, _reversed(inputs, lengths), states[1], lengths)
    outputs = tf.concat([forward, _reversed(backward, lengths)], axis=-1)
    return outputs, (fw_state, bw_state)


def _reversed(sequence: tf.Tensor, lengths: tf.Tensor | None) -> tf.Tensor:
    """Return the steps that count in the opposite order."""
    if lengths is None:
        return tf.reverse(sequence, axis=[1])
    return tf.reverse_sequence(sequence, lengths, seq_axis=1, batch_axis=0)
