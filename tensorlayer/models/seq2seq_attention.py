"""A sequence into another one, by a decoder that looks at all that the encoder said."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from tensorlayer.errors import InvalidArgument, did_you_mean
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.attention.masks import masked
from tensorlayer.layers.base import Layer
from tensorlayer.layers.dense import Dense, product
from tensorlayer.layers.mode import mode
from tensorlayer.layers.recurrent import RNN
from tensorlayer.models.encoder_decoder import (
    EncoderDecoder,
    Search,
    made_cell,
    require_same_states,
)

__all__ = ["LuongAttention", "Memory", "Seq2seqLuongAttention"]

METHODS = ("dot", "general", "concat")


class Memory(NamedTuple):
    """What attention looks at."""

    values: tf.Tensor  #: `(batch, steps, hidden)`
    keys: tf.Tensor  #: what queries are compared with, `(batch, steps, hidden)`
    mask: tf.Tensor | None  #: `(batch, 1, steps)`, false behind the end of a source


class LuongAttention(Layer):
    r"""Attention of Luong et al.: $\tilde h = \tanh(W_c [c; h]),\ c = \sum_s a_s \bar h_s$.

    The weights $a = \mathrm{softmax}(\mathrm{score}(h, \bar h))$ are of one of the scores

    $$
    h^\top \bar h \ (\text{dot}), \quad h^\top W \bar h \ (\text{general}), \quad
    V^\top \tanh(W [h; \bar h]) \ (\text{concat})
    $$

    Parameters
    ----------
    hidden_size
        Of $h$ and $\bar h$.
    method
        `"dot"`, `"general"` or `"concat"`.
    """

    def __init__(self, hidden_size: int, method: str, name: str | None = None) -> None:
        super().__init__(name=name)
        self.hidden_size = positive(hidden_size, "Seq2seqLuongAttention", "hidden_size")
        if method not in METHODS:
            raise InvalidArgument(
                f"Seq2seqLuongAttention: there is no method {method!r}. "
                f"{did_you_mean(str(method), METHODS)}"
            )
        self.method = method

    def shape_to_build_for(self) -> Any:
        """Return the shape of states: the size is known."""
        return [None, None, self.hidden_size]

    def build(self, inputs_shape: Any) -> None:
        """Make what the scores need, and the weights that combine context and state."""
        del inputs_shape
        n, init = self.hidden_size, "glorot_uniform"
        if self.method == "general":
            self.W = self._get_weights("W", [n, n], init)
        if self.method == "concat":
            self.W = self._get_weights("W", [2 * n, n], init)
            self.V = self._get_weights("V", [n, 1], init)
        self.W_c = self._get_weights("W_c", [2 * n, n], init)

    def memory(self, values: tf.Tensor, lengths: tf.Tensor | None = None) -> Memory:
        """Return what is looked at, with the part of the scores that no query changes."""
        n, keys = self.hidden_size, values
        if self.method == "general":
            keys = product(values, tf.transpose(tf.cast(self.W, values.dtype)))
        if self.method == "concat":
            keys = product(values, tf.cast(self.W[n:], values.dtype))
        mask = None
        if lengths is not None:
            mask = tf.sequence_mask(lengths, tf.shape(values)[1])[:, tf.newaxis]
        return Memory(values, keys, mask)

    def weights_of(self, states: tf.Tensor, memory: Memory) -> tf.Tensor:
        """Return where each state looks, `(batch, queries, steps)`, with a sum of 1."""
        if self.method == "concat":
            # Also asked for by itself, where nothing casts parameters to what is computed in.
            W, V = (tf.cast(each, states.dtype) for each in (self.W, self.V))
            queries = product(states, W[: self.hidden_size])[:, :, tf.newaxis]
            pairs = tf.tanh(queries + memory.keys[:, tf.newaxis])
            scores = tf.squeeze(product(pairs, V), -1)
        else:
            scores = tf.matmul(states, memory.keys, transpose_b=True)
        return tf.nn.softmax(masked(scores, [] if memory.mask is None else [memory.mask]))

    def forward(self, states: tf.Tensor, memory: Memory) -> tf.Tensor:
        """Return states that know what they looked at, `(batch, queries, hidden)`."""
        context = tf.matmul(self.weights_of(states, memory), memory.values)
        return tf.tanh(product(tf.concat([context, states], -1), self.W_c))


class Seq2seqLuongAttention(EncoderDecoder):
    r"""A recurrent layer reads the source; another one writes the target, and looks at the source.

    $$
    p(y_t \mid y_{<t}, x) = \mathrm{softmax}(W_s \tilde h_t + b), \quad
    \tilde h_t = \tanh(W_c [c_t; h_t]), \quad h_t = \mathrm{decoder}(E y_{t-1}, h_{t-1})
    $$

    with the context $c_t = \sum_s a_{ts} \bar h_s$ of the encoder's outputs $\bar h_s$, weighted by
    $a_t = \mathrm{softmax}(\mathrm{score}(h_t, \bar h))$.

    Parameters
    ----------
    hidden_size
        The number of units of both recurrent layers.
    embedding_layer
        `tl.layers.Embedding`, or a model or network with one, for source and target.
    cell
        A class of cells, such as `tl.layers.GRUCell` or `tf.keras.layers.GRUCell`, or a function
        from the number of units to a cell.
    method
        The score: `"dot"`, $h^\top \bar h$; `"general"`, $h^\top W \bar h$; or `"concat"`,
        $V^\top \tanh(W [h; \bar h])$.
    name
        For people.
    pad_id
        The id that sources are filled up with: nothing is read of, or looked at in, the pads at the
        end. None if every id counts.

    Notes
    -----
    In training, `model(inputs=[source, target])` returns the logits after each id of the target,
    `(batch, steps, vocabulary)`: the target begins with the start token, and the logits are
    compared with the target without it (`tl.cost.cross_entropy_seq`). In inference without a start
    token it does the same, for a validation.

    In inference, `model(inputs=[source], seq_length=20, sos=1)` returns ids `(batch, seq_length)`.
    More of the call: `end_token`, `search` and `sequence_length`, as of
    [`Seq2seq`][tensorlayer.models.Seq2seq]. `translate` returns the log-probabilities and all
    sequences of a beam as well, `attention` where the decoder looked.

    The attention comes after the cell, as in the paper (without its input feeding), so that the
    steps of a known target are computed all at once. TensorLayer 2.x looked before the cell, with
    the state of the step before, and had no $W_c$; its weights do not fit.

    Input shape: ids `(batch, steps)`. Variables: `embedding_layer`, `enc_layer`, `dec_layer`,
    `attention_layer` (`W`, `V`, `W_c`), `dense_layer`.

    Raises
    ------
    InvalidArgument
        There is no such method, no start token, or an id is outside of the vocabulary.
    WrongShape
        Ids are not `(batch, steps)`.

    References
    ----------
    Luong, Pham and Manning, *Effective approaches to attention-based neural machine translation*,
    EMNLP 2015, section 3.1 (global attention).

    Examples
    --------
    >>> import tensorlayer as tl
    >>> words = tl.layers.Embedding(50, 8, name="words")
    >>> model = Seq2seqLuongAttention(16, words, cell=tl.layers.GRUCell, method="general")
    >>> source, target = tf.ones([3, 9], tf.int32), tf.ones([3, 6], tf.int32)
    >>> model(inputs=[source, target], is_train=True).shape
    TensorShape([3, 6, 50])
    >>> model(inputs=[source], seq_length=20, sos=0, is_train=False).shape
    TensorShape([3, 20])
    """

    def __init__(
        self,
        hidden_size: int,
        embedding_layer: Any,
        cell: Any,
        method: str,
        name: str | None = None,
        pad_id: int | None = None,
    ) -> None:
        super().__init__(embedding_layer, pad_id, name)
        who, size = "Seq2seqLuongAttention", self.embedding_size
        self.attention_layer = LuongAttention(hidden_size, method)
        self.enc_layer = RNN(made_cell(cell, hidden_size, who, "cell"), in_channels=size)
        self.dec_layer = RNN(made_cell(cell, hidden_size, who, "cell"), in_channels=size)
        require_same_states(self.enc_layer.cell, self.dec_layer.cell, who)
        self.dense_layer = Dense(n_units=self.vocabulary_size, in_channels=hidden_size)

    def encode(self, source: tf.Tensor, lengths: tf.Tensor | None = None) -> tuple[Memory, Any]:
        """Return the encoder's outputs to look at, and its last state."""
        outputs, state = self.enc_layer(self.embed(source), sequence_length=lengths)
        return self.attention_layer.memory(outputs, lengths), state

    def scores(self, target: tf.Tensor, memory: Memory, state: Any) -> tuple[tf.Tensor, Any]:
        """Return the logits after each id of a target, and the decoder's last state."""
        outputs, state = self.dec_layer(self.embed(target), initial_state=state)
        return self.dense_layer(self.attention_layer(outputs, memory)), state

    def step(self, ids: tf.Tensor, state: Any, memory: Memory) -> tuple[tf.Tensor, Any]:
        """Return the logits after one id, and the next state."""
        output, state = self.dec_layer.cell(self.embed_one(ids), state)
        n = self.attention_layer.hidden_size
        # Rows that follow several targets of one source are so many queries of it.
        queries = tf.reshape(output, [tf.shape(memory.values)[0], -1, n])
        looked = self.attention_layer(queries, memory)
        return self.dense_layer(tf.reshape(looked, [-1, n])), state

    def forward(
        self,
        inputs: Any,
        seq_length: int = 20,
        sos: Any = None,
        sequence_length: Any = None,
        end_token: int | None = None,
        search: Search | None = None,
    ) -> tf.Tensor:
        """Return logits or ids."""
        return self.compute(inputs, seq_length, sos, sequence_length, end_token, search)[0]

    @tf.autograph.experimental.do_not_convert
    def attention(self, source: Any, target: Any, sequence_length: Any = None) -> tf.Tensor:
        """Return where the decoder looks after each id of a target, `(batch, target, source)`."""
        source, target = self._ends_of([source, target])
        lengths = self.lengths_of(source, sequence_length)
        with mode(False):
            memory, state = self.encode(source, lengths)
            outputs, _ = self.dec_layer(self.embed(target), initial_state=state)
            return self.attention_layer.weights_of(outputs, memory)

    @tf.autograph.experimental.do_not_convert
    def inference(
        self,
        src_seq: Any,
        encoding_hidden_states: Any,
        last_hidden_states: Any,
        seq_length: int,
        sos: Any,
    ) -> tf.Tensor:
        """Return the ids that are decoded from what an encoder said.

        Parameters
        ----------
        src_seq
            The source, or its vectors: as many sequences as it has are decoded.
        encoding_hidden_states
            The outputs of the encoder, `(batch, steps, hidden)`.
        last_hidden_states
            Its last state: a tensor, or the list of those of an LSTM.
        seq_length
            How many ids are decoded.
        sos
            The id to begin with.
        """
        state = last_hidden_states
        state = list(state) if isinstance(state, (list, tuple)) else [tf.convert_to_tensor(state)]
        memory = self.attention_layer.memory(tf.convert_to_tensor(encoding_hidden_states))
        return self.decode(memory, state, tf.shape(src_seq)[0], seq_length, sos).ids
