"""An encoder and a decoder, as one layer of TensorLayer 1.x."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from tensorlayer.layers.outputs import Outputs
from tensorlayer.layers.recurrent.of_cell_function import UNIFORM, OfCellFunction
from tensorlayer.layers.recurrent.sequence import first_state, run

__all__ = ["Seq2Seq"]


class Seq2Seq(OfCellFunction):
    r"""An encoder of one sequence, and a decoder of another one that begins with what it found.

    Parameters
    ----------
    net_decode_in
        The network of the sequence to decode: in training the targets, moved by one step.
    cell_fn, cell_init_args, n_hidden, initializer, dropout, n_layer
        The cells of each part, as of [`tensorlayer.layers.DynamicRNNLayer`][].
    encode_sequence_length, decode_sequence_length
        How many steps of each sequence count, `(batch)`: networks, or values for all calls. None
        for up to the last step that is not all 0.
    initial_state_encode, initial_state_decode
        The states to begin with, as of [`tensorlayer.layers.RNN`][]: networks, or variables, which
        are learned. None for zeros, and for the final state of the encoder.
    return_seq_2d
        Whether to return all outputs as rows, `(batch * steps, n_hidden)`.
    name
        Unique in the network.

    Notes
    -----
    The network of the sequence to encode is the one that the layer is stacked on, by position or as
    `net_encode_in=`.

    Input shapes: `(batch, steps, channels)`, each with steps of its own.
    Output shape: that of the decoder, `(batch, decoder steps, n_hidden)`.
    The network has `initial_state_encode`, `final_state_encode`, `initial_state_decode` and
    `final_state_decode`: to infer token by token, the last one is the next `initial_state_decode`.
    Parameters: `encode/...` and `decode/...`.

    References
    ----------
    Sutskever et al., "Sequence to sequence learning with neural networks", NIPS 2014.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> question = tl.layers.Input([None, None, 8], name="question")
    >>> answer = tl.layers.Input([None, None, 8], name="answer")
    >>> net = Seq2Seq(question, answer, cell_fn=tl.layers.BasicLSTMCell, n_hidden=16, name="s")
    >>> net.outputs.shape, net.final_state_decode.h.outputs.shape
    (TensorShape([None, None, 16]), TensorShape([None, 16]))
    """

    def __init__(
        self,
        net_decode_in: Any = None,
        cell_fn: Callable[..., Any] | None = None,
        cell_init_args: Mapping[str, Any] | None = None,
        n_hidden: int = 256,
        initializer: Any = UNIFORM,
        encode_sequence_length: Any = None,
        decode_sequence_length: Any = None,
        initial_state_encode: Any = None,
        initial_state_decode: Any = None,
        dropout: Any = None,
        n_layer: int = 1,
        return_seq_2d: bool = False,
        name: str | None = None,
    ) -> None:
        del net_decode_in  # a network, and so an input of the call
        super().__init__(cell_fn, cell_init_args, n_hidden, initializer, dropout, n_layer, name)
        self.encode, self.decode = self.stack(n_layer), self.stack(n_layer)
        self.lengths_given = (encode_sequence_length, decode_sequence_length)
        self.initial_state_encode = initial_state_encode
        self.initial_state_decode = initial_state_decode
        self.return_seq_2d = return_seq_2d

    def build(self, inputs_shape: Any, net_decode_in: Any = None) -> None:
        """Make the parameters of both."""
        label = self.facts.label or self.name
        self.prepare(self.encode, inputs_shape, f"{label}/encode")
        self.prepare(self.decode, net_decode_in or inputs_shape, f"{label}/decode")

    def forward(
        self,
        inputs: tf.Tensor,
        net_decode_in: tf.Tensor,
        encode_sequence_length: Any = None,
        decode_sequence_length: Any = None,
        initial_state_encode: Any = None,
        initial_state_decode: Any = None,
    ) -> Outputs:
        """Encode one sequence, decode the other."""
        inputs, net_decode_in = self.dense(inputs), self.dense(net_decode_in)
        given, default = self.lengths_given, self.initial_state_encode
        lengths = self.lengths(inputs, encode_sequence_length, given[0])
        first = self.given(initial_state_encode, default, inputs, self.encode.cells)
        _, encoded = run(self.encode, inputs, first, lengths)
        lengths = self.lengths(net_decode_in, decode_sequence_length, given[1])
        begin = first_state(initial_state_decode, self.initial_state_decode, inputs)
        begin = encoded if begin is None else self.given(begin, None, inputs, ())
        outputs, decoded = run(self.decode, net_decode_in, begin, lengths)
        return Outputs(
            self.shaped(outputs, lengths, False, self.return_seq_2d),
            initial_state_encode=self.found(first),
            final_state_encode=self.found(encoded),
            initial_state_decode=self.found(begin),
            final_state_decode=self.found(decoded),
        )
