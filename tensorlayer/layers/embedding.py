"""Layers that take ids: one-hot vectors, and vectors that are learnt.

Eagerly an id that is out of range is an error that names the layer. In a ``tf.function`` it is
TensorFlow's, whose operation is called after the layer; a GPU looks up zeros.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.base import Layer, require_rank
from tensorlayer.layers.precision import precision, widened

__all__ = [
    "AverageEmbedding",
    "AverageEmbeddingInputlayer",
    "Embedding",
    "EmbeddingInputlayer",
    "OneHot",
    "OneHotInputLayer",
]


def as_ids(layer: Layer, inputs: tf.Tensor) -> tf.Tensor:
    """Return integers of a type that TensorFlow looks up; raise InvalidArgument for others."""
    if not inputs.dtype.is_integer:
        raise InvalidArgument(
            f"{layer!r}: it takes ids, which are integers, got {inputs.dtype.name}. Declare the "
            "input as Input(shape, dtype='int64'), or cast it."
        )
    return inputs if inputs.dtype in {tf.int32, tf.int64} else tf.cast(inputs, tf.int64)


class OneHot(Layer):
    r"""Ids as vectors: $y_j = a$ for $j = x$ and $y_j = b$ elsewhere.

    Parameters
    ----------
    depth
        The number of ids, which is the size of the vectors. An id that is out of range gives $b$
        everywhere.
    on_value
        $a$; None is 1.
    off_value
        $b$; None is 0.
    axis
        Where the new axis is in the output; None is the last.
    dtype
        Of the output; None is what the layers around compute in, float32 as a rule.
    name
        Unique in the network.

    Notes
    -----
    Input shape: ``(batch, ...)``, of integers. Output shape: ``(batch, ..., depth)``. No
    parameters.

    Raises
    ------
    InvalidArgument
        ``depth`` is not a positive integer, or the input is not of integers.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> OneHot(depth=3)(tf.constant([2, 0])).numpy().tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    >>> OneHot(tl.layers.Input([None, 5], "int64"), depth=30).outputs.shape
    TensorShape([None, 5, 30])
    """

    begins_networks = True

    def __init__(
        self,
        depth: int | None = None,
        on_value: Any = None,
        off_value: Any = None,
        axis: int | None = None,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.depth = positive(depth, "OneHot", "depth")
        self.values = (on_value, off_value)
        self.axis = axis
        self.dtype = None if dtype is None else _type(dtype)

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Make the vectors."""
        ids = as_ids(self, inputs)
        dtype = self.dtype or self.facts.precision.compute or tf.float32
        return tf.one_hot(ids, self.depth, *self.values, self.axis, dtype)


def _type(dtype: Any) -> tf.DType:
    """Return a type of TensorFlow, or what a policy such as ``"mixed_bfloat16"`` computes in."""
    try:
        return tf.as_dtype(dtype)
    except TypeError:
        return precision(dtype).compute


class VectorTable(Layer):
    """What layers with a table of vectors share."""

    #: the table is looked up before anything is cast: a cast of all of it would be slow
    keeps_precision = True
    begins_networks = True

    def __init__(
        self, vocabulary_size: int, embedding_size: int, E_init: Any, name: str | None
    ) -> None:
        super().__init__(name=name)
        who = type(self).__name__
        self.vocabulary_size = positive(vocabulary_size, who, "vocabulary_size")
        self.embedding_size = positive(embedding_size, who, "embedding_size")
        self.E_init = E_init

    def shape_to_build_for(self) -> Any:
        """Return any shape: the table depends on none."""
        return [None]

    def build(self, inputs_shape: Any) -> None:
        """Make the table."""
        del inputs_shape
        shape = [self.vocabulary_size, self.embedding_size]
        self.embeddings = self._get_weights("embeddings", shape, self.E_init)

    def look_up(self, ids: tf.Tensor) -> tf.Tensor:
        """Return the vectors of the ids."""
        ids = as_ids(self, ids)
        with self.in_range():
            return tf.nn.embedding_lookup(self.embeddings, ids)

    @contextmanager
    def in_range(self) -> Iterator[None]:
        """Name the layer if an id is out of range; eagerly TensorFlow raises at once."""
        try:
            yield
        except tf.errors.InvalidArgumentError as error:
            raise InvalidArgument(
                f"{self!r}: ids must be in [0, {self.vocabulary_size}): {error.message} Give a "
                "larger vocabulary_size, or unknown words an id of their own."
            ) from error


class Embedding(VectorTable):
    r"""A learnt vector for each id: $y = E_x$.

    Parameters
    ----------
    vocabulary_size
        The number of ids, from 0.
    embedding_size
        The size of the vectors.
    E_init
        Of the table of vectors.
    name
        Unique in the network.

    Notes
    -----
    Input shape: any, of integers. Output shape: that of the input and ``embedding_size``.
    Parameters: ``embeddings`` (vocabulary_size, embedding_size), made in the constructor.

    The gradient has rows for the ids of the batch only (``tf.IndexedSlices``); most optimizers of
    ``tl.optimizers`` update no others.

    Raises
    ------
    InvalidArgument
        The input is not of integers, or eagerly: an id is out of range.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> words = tl.layers.Input([None, 20], dtype="int64")
    >>> net = Embedding(words, vocabulary_size=1000, embedding_size=50, name="words")
    >>> net.outputs.shape, list(net.parameters)
    (TensorShape([None, 20, 50]), ['words/embeddings'])
    """

    def __init__(
        self,
        vocabulary_size: int = 80000,
        embedding_size: int = 200,
        E_init: Any = initializers.RandomUniform(-0.1, 0.1),  # noqa: B008 - a frozen value
        name: str | None = None,
    ) -> None:
        super().__init__(vocabulary_size, embedding_size, E_init, name)

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Look the vectors up."""
        return self.look_up(inputs)


class AverageEmbedding(VectorTable):
    r"""The mean of the learnt vectors of a text: $y = \sum_{i: x_i \ne p} E_{x_i} / (n + 10^{-8})$.

    $n$ is the number of ids $x_i$ that are not the padding $p$. A text of nothing else gives zeros.

    Parameters
    ----------
    vocabulary_size
        The number of ids, from 0.
    embedding_size
        The size of the vectors.
    pad_value
        The id $p$ that fills short texts, and is left out of the mean.
    E_init
        Of the table of vectors.
    name
        Unique in the network.
    embeddings_initializer
        The name of 1.x for ``E_init``.

    Notes
    -----
    Input shape: ``(batch, length)``, of integers. Output shape: ``(batch, embedding_size)``.
    Parameters: ``embeddings`` (vocabulary_size, embedding_size), made in the constructor.

    Raises
    ------
    WrongShape
        The input is not of rank 2.
    InvalidArgument
        The input is not of integers, or eagerly: an id is out of range.

    References
    ----------
    Joulin et al., "Bag of tricks for efficient text classification", EACL 2017.

    Examples
    --------
    >>> layer = AverageEmbedding(vocabulary_size=10, embedding_size=2, E_init=3.0)
    >>> layer(tf.constant([[1, 7, 0], [0, 0, 0]])).numpy().tolist()
    [[3.0, 3.0], [0.0, 0.0]]
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_size: int,
        pad_value: int = 0,
        E_init: Any = initializers.RandomUniform(-0.1, 0.1),  # noqa: B008 - a frozen value
        name: str | None = None,
        embeddings_initializer: Any = None,
    ) -> None:
        init = E_init if embeddings_initializer is None else embeddings_initializer
        super().__init__(vocabulary_size, embedding_size, init, name)
        self.pad_value = pad_value

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Average the vectors."""
        require_rank(self, inputs.shape, (2,), "Give it a row of ids for each text.")
        vectors = self.look_up(inputs)
        dtype, vectors = vectors.dtype, widened(vectors)
        is_word = tf.cast(tf.not_equal(inputs, self.pad_value), vectors.dtype)[..., tf.newaxis]
        count = tf.reduce_sum(is_word, 1)
        # An empty text has no sum either.
        average = tf.math.divide_no_nan(tf.reduce_sum(vectors * is_word, 1), count + 1e-8)
        return tf.cast(average, dtype)


AverageEmbeddingInputlayer = AverageEmbedding
EmbeddingInputlayer = Embedding
OneHotInputLayer = OneHot
