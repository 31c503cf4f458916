"""A sequence into another one, by way of the state between two stacks of recurrent layers."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.dense import Dense
from tensorlayer.layers.recurrent import RNN
from tensorlayer.models.decoding import Decoded, SampledSearch
from tensorlayer.models.encoder_decoder import (
    EncoderDecoder,
    Search,
    made_cell,
    require_same_states,
)

__all__ = ["Seq2seq"]


class Seq2seq(EncoderDecoder):
    r"""Recurrent layers read the source; others, which begin with their states, write the target.

    $$
    p(y_t \mid y_{<t}, x) = \mathrm{softmax}(W h_t + b), \quad
    h_t = \mathrm{decoder}(E y_{t-1}, h_{t-1}), \quad h_0 = \mathrm{encoder}(E x)
    $$

    Parameters
    ----------
    decoder_seq_length
        The number of steps of targets, which is looked at. None for any.
    cell_enc, cell_dec
        Classes of cells, such as `tl.layers.GRUCell` or `tf.keras.layers.LSTMCell`, or functions
        from the number of units to a cell. Their states must be of one kind.
    n_units
        The number of units of each layer.
    n_layer
        The number of recurrent layers, in the encoder and in the decoder.
    embedding_layer
        `tl.layers.Embedding`, or a model or network with one, for source and target.
    name
        For people.
    pad_id
        The id that sources are filled up with: layers stop before the pads at the end. None if
        every id counts.

    Notes
    -----
    In training, `model(inputs=[source, target])` returns the logits after each id of the target,
    `(batch, steps, vocabulary)`: the target begins with the start token, and the logits are
    compared with the target without it (`tl.cost.cross_entropy_seq`). In inference without a start
    token it does the same, for a validation.

    In inference, `model(inputs=[source], seq_length=20, start_token=1)` returns ids `(batch,
    seq_length)`. More of the call:

    - `top_n=5` draws each id among the five likeliest ones; None takes the likeliest,
    - `search=tl.models.BeamSearch(4)` or another search, instead of `top_n`,
    - `end_token=2` ends a sequence: after it the ids are ends as well, and decoding stops when all
      are over,
    - `sequence_length` says how many ids of each source count,
    - `return_state=True` returns the states of the decoder's layers as well.

    `translate` returns the log-probabilities and all sequences of a beam as well.

    Input shape: ids `(batch, steps)`. Variables: `embedding_layer`, `enc_layers/0`, ...,
    `dec_layers/0`, ..., `dense_layer`.

    Raises
    ------
    InvalidArgument
        There is no start token, an id is outside of the vocabulary, or the cells do not fit
        together.
    WrongShape
        Ids are not `(batch, steps)`, or the target has another number of steps.

    References
    ----------
    Sutskever, Vinyals and Le, *Sequence to sequence learning with neural networks*, NeurIPS 2014.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> model = Seq2seq(
    ...     decoder_seq_length=6, cell_enc=tl.layers.GRUCell, cell_dec=tl.layers.GRUCell,
    ...     n_units=16, n_layer=2, embedding_layer=tl.layers.Embedding(50, 8, name="words"))
    >>> source, target = tf.ones([3, 9], tf.int32), tf.ones([3, 6], tf.int32)
    >>> model(inputs=[source, target], is_train=True).shape
    TensorShape([3, 6, 50])
    >>> model(inputs=[source], seq_length=20, start_token=0, is_train=False).shape
    TensorShape([3, 20])
    """

    def __init__(
        self,
        decoder_seq_length: int | None,
        cell_enc: Any,
        cell_dec: Any,
        n_units: int = 256,
        n_layer: int = 3,
        embedding_layer: Any = None,
        name: str | None = None,
        pad_id: int | None = None,
    ) -> None:
        super().__init__(embedding_layer, pad_id, name)
        self.decoder_seq_length = decoder_seq_length
        positive(n_units, "Seq2seq", "n_units")
        sizes = [self.embedding_size] + [n_units] * (positive(n_layer, "Seq2seq", "n_layer") - 1)
        self.enc_layers = [
            RNN(made_cell(cell_enc, n_units, "Seq2seq", "cell_enc"), in_channels=size)
            for size in sizes
        ]
        self.dec_layers = [
            RNN(made_cell(cell_dec, n_units, "Seq2seq", "cell_dec"), in_channels=size)
            for size in sizes
        ]
        require_same_states(self.enc_layers[0].cell, self.dec_layers[0].cell, "Seq2seq")
        self.dense_layer = Dense(n_units=self.vocabulary_size, in_channels=n_units)

    def encode(self, source: tf.Tensor, lengths: tf.Tensor | None = None) -> tuple[Any, Any]:
        """Return nothing to look at, and the states of the encoder's layers."""
        values, states = self.embed(source), []
        for layer in self.enc_layers:
            values, state = layer(values, sequence_length=lengths)
            states.append(state)
        return None, states

    def scores(self, target: tf.Tensor, memory: Any, state: Any) -> tuple[tf.Tensor, Any]:
        """Return the logits after each id of a target, and the states of the decoder's layers."""
        del memory
        steps = tf.TensorShape([target.shape[1]])
        if not steps.is_compatible_with([self.decoder_seq_length]):
            raise WrongShape(
                f"{self!r}: targets have decoder_seq_length={self.decoder_seq_length} steps, got "
                f"{target.shape[1]}. With decoder_seq_length=None they may have any number."
            )
        values, states = self.embed(target), []
        for layer, before in zip(self.dec_layers, state, strict=True):
            values, after = layer(values, initial_state=before)
            states.append(after)
        return self.dense_layer(values), states

    def step(self, ids: tf.Tensor, state: Any, memory: Any = None) -> tuple[tf.Tensor, Any]:
        """Return the logits after one id, and the next states."""
        del memory
        values, states = self.embed_one(ids), []
        for layer, before in zip(self.dec_layers, state, strict=True):
            values, after = layer.cell(values, before)
            states.append(after)
        return self.dense_layer(values), states

    def forward(
        self,
        inputs: Any,
        seq_length: int = 20,
        start_token: Any = None,
        return_state: bool = False,
        top_n: int | None = None,
        sequence_length: Any = None,
        end_token: int | None = None,
        search: Search | None = None,
    ) -> Any:
        """Return logits or ids, and the states with `return_state`."""
        search = _search(self, top_n, search)
        outputs, state = self.compute(
            inputs, seq_length, start_token, sequence_length, end_token, search
        )
        return (outputs, state) if return_state else outputs

    def inference(
        self, encoding: Any, seq_length: int, start_token: Any, top_n: int | None = None
    ) -> tuple[tf.Tensor, Any]:
        """Return the ids that are decoded for a source, and the states of the decoder's layers.

        Parameters
        ----------
        encoding
            The source, `(batch, steps)` or a list with it.
        seq_length
            How many ids are decoded.
        start_token
            The id to begin with.
        top_n
            Among how many of the likeliest ids each one is drawn; None takes the likeliest.
        """
        source = encoding[0] if isinstance(encoding, (list, tuple)) else encoding
        search = _search(self, top_n, None)
        found: Decoded = self.translate(source, seq_length, start_token, search=search)
        return found.ids, found.state


def _search(model: Seq2seq, top_n: int | None, search: Search | None) -> Search | None:
    if top_n is None or search is None:
        return search if top_n is None else SampledSearch(top_n)
    raise InvalidArgument(
        f"{model!r}: top_n={top_n} is short for search=SampledSearch({top_n}); give one of them."
    )
