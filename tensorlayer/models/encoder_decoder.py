"""What models that turn one sequence of ids into another one share.

Such a model reads a source (*encodes*), and then says of each id of the target what may come next
(*decodes*): with the target given in training, with its own ids otherwise. What is special to a
model are the three methods ``encode``, ``scores`` and ``step``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.base import Layer
from tensorlayer.layers.graph import Network
from tensorlayer.layers.inputs import Input
from tensorlayer.layers.mode import mode
from tensorlayer.layers.recurrent.sequence import lengths_of, up_to_last
from tensorlayer.layers.structure import leaves
from tensorlayer.models.decoding import Decoded, GreedySearch
from tensorlayer.models.model import Model

__all__ = ["EncoderDecoder", "Search"]

Search = Callable[..., Decoded]


class EncoderDecoder(Model):
    """The base of models from ids to ids.

    Parameters
    ----------
    embedding_layer
        `tl.layers.Embedding`, or a model or network with one from ids to vectors, for source and
        target.
    pad_id
        The id that sources are filled up with, or None.
    """

    #: from ids `(batch, steps)` and how many of them count, or None for all, to what the decoder
    #: looks at and its first state
    encode: Callable[[tf.Tensor, tf.Tensor | None], tuple[Any, Any]]
    #: from a target that is known, `(batch, steps)`, what is looked at and a state to the logits
    #: after each id, `(batch, steps, vocabulary)`, and a state: all steps at once
    scores: Callable[[tf.Tensor, Any, Any], tuple[tf.Tensor, Any]]
    #: from one id `(batch)`, a state and `memory=` to the logits after it, `(batch, vocabulary)`,
    #: and the next state; ids may have several rows for each of the memory, one after the other:
    #: those of a beam. `functools.partial(model.step, memory=memory)` is what a search takes
    step: Callable[..., tuple[tf.Tensor, Any]]

    def __init__(self, embedding_layer: Any, pad_id: int | None, name: str | None) -> None:
        super().__init__(name=name)
        who = type(self).__name__
        if isinstance(embedding_layer, Network):
            start = next(node for node in embedding_layer.plan if not node.parents)
            embedding_layer = Model(start, embedding_layer)
        self.vocabulary_size = _vocabulary_size(embedding_layer, who)
        self._id_type = _id_type(embedding_layer)
        is_model = isinstance(embedding_layer, Model)
        self.embedding_layer = embedding_layer.as_layer() if is_model else embedding_layer
        self.embedding_size = _embedding_size(self.embedding_layer, self._id_type)
        self.pad_id = pad_id

    # -- what all have

    def embed(self, ids: tf.Tensor) -> tf.Tensor:
        """Return the vectors of ids, `(batch, steps, embedding_size)`."""
        return self.embedding_layer(tf.cast(ids, self._id_type))

    def embed_one(self, ids: tf.Tensor) -> tf.Tensor:
        """Return the vector of one id of each row, `(batch, embedding_size)`."""
        return self.embed(ids[:, tf.newaxis])[:, 0]  # a model may be of steps

    @tf.autograph.experimental.do_not_convert  # there is nothing to convert, which takes seconds
    def compute(
        self, inputs: Any, n_steps: Any, start: Any, lengths: Any, end: Any, search: Search | None
    ) -> tuple[tf.Tensor, Any]:
        """Return logits for a given target or the ids that were decoded, and the last state."""
        source, target = self._ends_of(inputs)
        lengths = self.lengths_of(source, lengths)
        if target is not None and (self.is_train or start is None):
            memory, state = self.encode(source, lengths)
            return self.scores(target, memory, state)
        if self.is_train:
            raise InvalidArgument(
                f"{self!r}: in training it takes inputs=[source, target], got the source alone."
            )
        found = self._decoded(source, lengths, n_steps, start, end, search).best
        return found.ids, found.state

    @tf.autograph.experimental.do_not_convert
    def translate(
        self,
        source: Any,
        seq_length: int = 20,
        start_token: Any = None,
        end_token: int | None = None,
        search: Search | None = None,
        sequence_length: Any = None,
    ) -> Decoded:
        """Decode, and return all that was found: also the other sequences of a beam.

        Parameters
        ----------
        source
            Ids `(batch, steps)`.
        seq_length
            How many ids are decoded at most.
        start_token
            The id that targets begin with, or one for each source, `(batch)`.
        end_token
            The id that ends a target; decoding stops when all have it. None if they are all as
            long.
        search
            `tl.models.BeamSearch(size)`, `tl.models.SampledSearch(...)`, or None for
            `tl.models.GreedySearch()`.
        sequence_length
            How many ids of each source count, `(batch)`. None for all, or with `pad_id` those up to
            the last that is no pad.

        Raises
        ------
        InvalidArgument
            There is no start token, or an id is outside of the vocabulary.
        WrongShape
            The source is not `(batch, steps)`.
        """
        source = self._ids(source, "the source")
        lengths = self.lengths_of(source, sequence_length)
        with mode(False):
            return self._decoded(source, lengths, seq_length, start_token, end_token, search)

    def _decoded(
        self, source: tf.Tensor, lengths: Any, n_steps: Any, start: Any, end: Any, search: Any
    ) -> Decoded:
        given = self._wanted(tf.shape(source)[0], n_steps, start, end, search)
        # Eagerly as one call of TensorFlow: a loop would go through Python at every step.
        is_eager = tf.executing_eagerly()
        return (self._translated_at_once if is_eager else self._translated)(source, lengths, *given)

    def _translated(self, source: tf.Tensor, lengths: Any, *given: Any) -> Decoded:
        return self._found(*self.encode(source, lengths), *given)

    @tf.autograph.experimental.do_not_convert
    def decode(
        self,
        memory: Any,
        state: Any,
        batch_size: Any,
        n_steps: Any,
        start: Any,
        end: Any = None,
        search: Search | None = None,
    ) -> Decoded:
        """Decode from what [`encode`][] gave."""
        given = self._wanted(batch_size, n_steps, start, end, search)
        is_eager = tf.executing_eagerly()
        with mode(False):
            return (self._found_at_once if is_eager else self._found)(memory, state, *given)

    def _wanted(self, batch_size: Any, n_steps: Any, start: Any, end: Any, search: Any) -> Any:
        """Return what a search is given, looked at; eagerly as tensors, so that it is traced once.

        Raises
        ------
        InvalidArgument
            There is no start, or nothing to decode.
        WrongShape
            There are as many starts as there are no sources.
        """
        if start is None:
            raise InvalidArgument(
                f"{self!r}: decoding needs the id that targets begin with: give start_token "
                "(`sos` of Seq2seqLuongAttention). For the logits of a target give "
                "inputs=[source, target] without it."
            )
        start = self._ids(start, "the start token", rank=None)
        n_sources = tf.get_static_value(batch_size)
        if start.shape.rank != 0 and not start.shape.is_compatible_with([n_sources]):
            raise WrongShape(
                f"{self!r}: the start token is one id, or one for each of the "
                f"{n_sources} sources; got shape {start.shape}."
            )
        start = tf.broadcast_to(start, [batch_size])
        end = None if end is None else self._ids(end, "the end token", rank=0)
        search = _once(GreedySearch() if search is None else search)
        return start, self._number_of_steps(n_steps), end, search

    def _number_of_steps(self, n_steps: Any) -> Any:
        """Return how many ids are decoded, as a tensor if it is one, or eagerly."""
        known = tf.get_static_value(n_steps) if tf.is_tensor(n_steps) else n_steps
        is_symbolic = known is None and tf.is_tensor(n_steps)
        if tf.is_tensor(n_steps) and n_steps.shape.rank != 0:
            raise WrongShape(f"{self!r}: seq_length is one number, got shape {n_steps.shape}.")
        if is_symbolic and not n_steps.dtype.is_integer:
            raise InvalidArgument(
                f"{self!r}: seq_length is a whole number, got {n_steps.dtype.name}."
            )
        known = n_steps if is_symbolic else positive(known, repr(self), "seq_length")
        return tf.cast(known, tf.int32) if is_symbolic or tf.executing_eagerly() else known

    def _found(
        self, memory: Any, state: Any, start: tf.Tensor, n_steps: Any, end: Any, search: Search
    ) -> Decoded:
        return search(functools.partial(self.step, memory=memory), state, start, n_steps, end)

    _translated_at_once = tf.function(_translated, autograph=False, reduce_retracing=True)
    _found_at_once = tf.function(_found, autograph=False, reduce_retracing=True)

    def lengths_of(self, source: tf.Tensor, lengths: Any) -> tf.Tensor | None:
        """Return how many ids of each source count: as given, or up to the last that is no pad."""
        if lengths is not None or self.pad_id is None:
            return lengths_of(self, source, lengths)
        return up_to_last(source != self.pad_id)

    def _ends_of(self, inputs: Any) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Return source and target, if there is one."""
        if tf.is_tensor(inputs) and inputs.shape.rank == 3:
            inputs = tf.unstack(inputs)  # they were lists of numbers, of one size
        both = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        if len(both) not in {1, 2}:
            raise InvalidArgument(
                f"{self!r}: inputs are [source, target], or [source] to decode; got {len(both)}."
            )
        source = self._ids(both[0], "the source")
        if len(both) == 1:
            return source, None
        target = self._ids(both[1], "the target")
        if not target.shape[:1].is_compatible_with(source.shape[:1]):
            raise WrongShape(
                f"{self!r}: each source has a target, got {source.shape[0]} sources and "
                f"{target.shape[0]} targets."
            )
        return source, target

    def _ids(self, ids: Any, what: str, rank: int | None = 2) -> tf.Tensor:
        """Return ids as int32, looked at."""
        ids = tf.convert_to_tensor(ids)
        if rank is not None and ids.shape.rank != rank:
            shape = "(batch, steps)" if rank else "one id"
            raise WrongShape(f"{self!r}: {what} is {shape}, got shape {ids.shape}.")
        if not ids.dtype.is_integer:
            raise InvalidArgument(
                f"{self!r}: {what} is of ids, which are integers, got {ids.dtype.name}."
            )
        known = tf.get_static_value(ids)
        if known is None:
            return self._ids_of_vocabulary(ids, what)
        if known.size:
            least, most = int(known.min()), int(known.max())
            if not 0 <= least <= most < self.vocabulary_size:
                raise InvalidArgument(
                    f"{self!r}: {what} has ids from {least} to {most}, the vocabulary of "
                    f"embedding_layer from 0 to {self.vocabulary_size - 1}. Give unknown words an "
                    "id of their own, or the embedding a larger vocabulary_size."
                )
        return tf.cast(ids, tf.int32)

    def _ids_of_vocabulary(self, ids: tf.Tensor, what: str) -> tf.Tensor:
        """Return ids of a graph as int32: an error, when it is evaluated, if one is no word."""
        rule = f"{self!r}: {what} has ids from 0 to {self.vocabulary_size - 1}."
        ids = tf.cast(ids, tf.int64)  # not yet int32: that would wrap round
        fits = tf.reduce_all((ids >= 0) & (ids < self.vocabulary_size))
        with tf.control_dependencies([tf.debugging.Assert(fits, [rule, ids])]):
            return tf.cast(ids, tf.int32)


def _once(search: Search) -> Search:
    """Return the first of equal searches: a ``tf.function`` is traced for each object anew."""
    try:
        return _first_of_equal(search)
    except TypeError:  # it cannot be hashed, which a tf.function does as well
        return functools.partial(search)


@functools.lru_cache(maxsize=64)
def _first_of_equal(search: Search) -> Search:
    return search


def made_cell(make: Any, n_units: int, who: str, what: str) -> Any:
    """Return a cell of a class of cells, or a function of the number of units."""
    if not callable(make) or isinstance(make, Layer):
        raise InvalidArgument(
            f"{who}: {what} is a class of cells, such as tl.layers.GRUCell or "
            f"tf.keras.layers.GRUCell, or a function from units to a cell; got {make!r}."
        )
    return make(n_units)


def require_same_states(encoder: Any, decoder: Any, who: str) -> None:
    """Raise InvalidArgument if a decoder cannot begin with the states that an encoder ends with."""
    shapes = [[each.shape for each in leaves(c.initial_state(1))] for c in (encoder, decoder)]
    if shapes[0] != shapes[1]:
        raise InvalidArgument(
            f"{who}: the decoder begins with the state of the encoder, so both cells need states "
            f"of one kind; got {shapes[0]} and {shapes[1]} for one sequence. Give both the same "
            "class."
        )


def _vocabulary_size(embedding: Any, who: str) -> int:
    """Return the number of ids that a layer or model takes."""
    if not isinstance(embedding, (Layer, Model)):
        raise InvalidArgument(
            f"{who}: embedding_layer is a tl.layers.Embedding, or a model or network with one, "
            f"got {embedding!r}."
        )
    for layer in [embedding, *getattr(embedding, "all_layers", ())]:
        size = getattr(layer, "vocabulary_size", None)
        if isinstance(size, int):
            return size
    raise InvalidArgument(
        f"{who}: {embedding!r} has no layer with a vocabulary_size, such as tl.layers.Embedding."
    )


def _id_type(embedding: Any) -> tf.DType:
    """Return the type of ids that a model was declared for; layers take any."""
    inputs = getattr(embedding, "inputs", None)
    return inputs[0].outputs.dtype if isinstance(embedding, Model) and inputs else tf.int32


def _embedding_size(embedding: Layer, dtype: tf.DType) -> int:
    return int(embedding(Input([None, None], dtype=dtype)).outputs.shape[-1])
