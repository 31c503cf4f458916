"""Layers that take ids: one-hot vectors, and vectors that are learnt.

Eagerly an id that is out of range is an error that names the layer. In a ``tf.function`` it is
TensorFlow's, whose operation is called after the layer; a GPU looks up zeros.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.base import Layer, require_rank
from tensorlayer.layers.outputs import Outputs
from tensorlayer.layers.precision import precision

__all__ = [
    "AverageEmbedding",
    "AverageEmbeddingInputlayer",
    "Embedding",
    "EmbeddingInputlayer",
    "OneHot",
    "OneHotInputLayer",
    "Word2vecEmbedding",
    "Word2vecEmbeddingInputlayer",
]


def _require_ids(layer: Layer, inputs: Any) -> None:
    if not inputs.dtype.is_integer:
        raise InvalidArgument(
            f"{layer!r}: it takes ids, which are integers, got {inputs.dtype.name}. Declare the "
            "input as Input(shape, dtype='int64'), or cast it."
        )


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
        _require_ids(self, inputs)
        dtype = self.dtype or self.facts.precision.compute or tf.float32
        return tf.one_hot(inputs, self.depth, *self.values, self.axis, dtype)


def _type(dtype: Any) -> tf.DType:
    """Return a type of TensorFlow, or what a policy such as ``"mixed_bfloat16"`` computes in."""
    try:
        return tf.as_dtype(dtype)
    except TypeError:
        return precision(dtype).compute


class _Embedding(Layer):
    """What layers with a table of vectors share."""

    #: the table is looked up before anything is cast: a cast of all of it would be slow, and its
    #: gradient dense
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
        _require_ids(self, ids)
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


class Embedding(_Embedding):
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

    The gradient has rows for the ids of the batch only (``tf.IndexedSlices``).

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


class AverageEmbedding(_Embedding):
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
        is_word = tf.cast(tf.not_equal(inputs, self.pad_value), vectors.dtype)[..., tf.newaxis]
        count = tf.reduce_sum(is_word, 1)
        # An empty text has no sum either, so where 16 bits know no 1e-8 any divisor will do.
        return tf.math.divide_no_nan(tf.reduce_sum(vectors * is_word, 1), count + 1e-8)


class Word2vecEmbedding(_Embedding):
    r"""Learnt vectors for words, and the cost that learns them: noise-contrastive estimation.

    ::

        words = Input([None], dtype="int64")
        labels = Input([None, 1], dtype="int64")
        net = Word2vecEmbedding(words, train_labels=labels, vocabulary_size=50000)
        net.nce_cost, net.normalized_embeddings

        vectors, cost = Word2vecEmbedding(vocabulary_size=50000)([words, labels])

    Parameters
    ----------
    vocabulary_size
        The number of ids, from 0 for the most frequent word: the words that the cost samples follow
        a log-uniform distribution.
    embedding_size
        The size of the vectors.
    num_sampled
        How many words that are not the label each step samples, for the whole batch. More are
        slower and estimate better.
    activate_nce_loss
        False for a layer that only looks vectors up, without the parameters of the cost.
    nce_loss_args
        More arguments of ``tf.nn.nce_loss``, such as ``num_true``.
    E_init
        Of the table of vectors.
    nce_W_init
        Of the weights of the cost.
    nce_b_init
        Of the biases of the cost.
    name
        Unique in the network.

    Attributes
    ----------
    normalized_embeddings
        The table with every vector at length 1, as it is when you ask. A network has it as well.

    Notes
    -----
    Input: ids of shape ``(batch,)``, and as ``train_labels`` those of words near them, of shape
    ``(batch, 1)``. Output: the vectors, ``(batch, embedding_size)``, with ``nce_cost``, a number:
    the mean over the batch. Called on a list ``[ids, labels]``, it gives the pair of both. A call
    with ``use_nce_loss=False`` needs no labels and gives the vectors alone.

    Parameters: ``embeddings`` (vocabulary_size, embedding_size), ``nce_weights`` of the same shape
    and ``nce_biases`` (vocabulary_size), made in the constructor. Their gradients have rows for the
    words of the batch and the sample only.

    Raises
    ------
    InvalidArgument
        The cost is to be computed and has no labels or no parameters; more words are to be sampled
        than there are; something is not of integers; or eagerly: an id is out of range.

    References
    ----------
    Mikolov et al., "Distributed representations of words and phrases and their compositionality",
    NIPS 2013. Gutmann and Hyvarinen, "Noise-contrastive estimation", AISTATS 2010.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> words = tl.layers.Input([None], "int64", name="words")
    >>> labels = tl.layers.Input([None, 1], "int64", name="labels")
    >>> net = Word2vecEmbedding(words, train_labels=labels, vocabulary_size=100, embedding_size=8)
    >>> net.outputs.shape, net.nce_cost.outputs.shape, net.normalized_embeddings.shape
    (TensorShape([None, 8]), TensorShape([]), TensorShape([100, 8]))
    """

    for_networks = ("normalized_embeddings",)

    def __init__(
        self,
        vocabulary_size: int = 80000,
        embedding_size: int = 200,
        num_sampled: int = 64,
        activate_nce_loss: bool = True,
        nce_loss_args: Mapping[str, Any] | None = None,
        E_init: Any = initializers.RandomUniform(-1.0, 1.0),  # noqa: B008 - a frozen value
        nce_W_init: Any = initializers.TruncatedNormal(stddev=0.03),  # noqa: B008
        nce_b_init: Any = initializers.Constant(0.0),  # noqa: B008
        name: str | None = None,
        train_labels: Any = None,
    ) -> None:
        super().__init__(vocabulary_size, embedding_size, E_init, name)
        self.num_sampled = positive(num_sampled, "Word2vecEmbedding", "num_sampled")
        if activate_nce_loss and num_sampled > vocabulary_size:
            raise InvalidArgument(
                "Word2vecEmbedding: the words that are sampled differ, so num_sampled must not be "
                f"more than vocabulary_size; got {num_sampled} of {vocabulary_size}."
            )
        self.activate_nce_loss = activate_nce_loss
        self._nce_loss_args = dict(nce_loss_args or {})
        self.nce_inits = (nce_W_init, nce_b_init)
        if train_labels is not None:
            raise InvalidArgument(
                "Word2vecEmbedding: train_labels are a network, such as Input([None, 1], 'int64'), "
                f"got {type(train_labels).__name__}. Tensors come with the call."
            )

    def build(self, inputs_shape: Any) -> None:
        """Make the table and, for the cost, weights and biases."""
        super().build(inputs_shape)
        if self.activate_nce_loss:
            weights, biases = self.nce_inits
            shape = [self.vocabulary_size, self.embedding_size]
            self.nce_weights = self._get_weights("nce_weights", shape, weights)
            self.nce_biases = self._get_weights("nce_biases", shape[:1], biases)

    @property
    def normalized_embeddings(self) -> tf.Tensor:
        """The table with every vector at length 1."""
        return tf.nn.l2_normalize(self.embeddings, 1)

    def forward(
        self, inputs: Any, train_labels: Any = None, use_nce_loss: bool | None = None
    ) -> Any:
        """Look the vectors up and compute the cost, unless ``use_nce_loss`` says otherwise."""
        is_list = isinstance(inputs, (list, tuple))
        ids, labels = inputs if is_list else (inputs, train_labels)
        vectors = self.look_up(ids)
        if not (self.activate_nce_loss if use_nce_loss is None else use_nce_loss):
            return vectors
        self._require_cost(labels)
        cost = self.nce_cost(vectors, labels)
        return (vectors, cost) if is_list else Outputs(vectors, nce_cost=cost)

    def nce_cost(self, vectors: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Return the mean cost of a batch."""
        _require_ids(self, labels)
        labels = tf.cast(labels, tf.int64)
        given = {
            "labels": labels,
            "inputs": vectors,
            "num_sampled": self.num_sampled,
            "num_classes": self.vocabulary_size,
            **self._nce_loss_args,
        }
        with self.in_range():
            if "sampled_values" not in given:
                given["sampled_values"] = self.sample(labels, given.get("num_true", 1))
            return tf.reduce_mean(tf.nn.nce_loss(self.nce_weights, self.nce_biases, **given))

    def sample(self, labels: tf.Tensor, num_true: int) -> tuple[tf.Tensor, ...]:
        """Return what ``tf.nn.nce_loss`` would sample itself, with counts of the layer's type."""
        ids, *counts = tf.random.log_uniform_candidate_sampler(
            labels, num_true, self.num_sampled, unique=True, range_max=self.vocabulary_size
        )
        return ids, *(tf.cast(count, self.embeddings.dtype) for count in counts)

    def _require_cost(self, labels: Any) -> None:
        if not self.activate_nce_loss:
            raise InvalidArgument(
                f"{self!r}: it was made without the parameters of the cost. Make it with "
                "activate_nce_loss=True."
            )
        if labels is None:
            raise InvalidArgument(
                f"{self!r}: the cost needs labels. Give train_labels=, call it on [ids, labels], "
                "or say use_nce_loss=False to look vectors up only."
            )


AverageEmbeddingInputlayer = AverageEmbedding
EmbeddingInputlayer = Embedding
OneHotInputLayer = OneHot
Word2vecEmbeddingInputlayer = Word2vecEmbedding
