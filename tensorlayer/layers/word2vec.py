"""Vectors for words, and the cost that learns them from the words around."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.embedding import VectorTable, as_ids
from tensorlayer.layers.outputs import Outputs

__all__ = ["Word2vecEmbedding", "Word2vecEmbeddingInputlayer"]


class Word2vecEmbedding(VectorTable):
    r"""Learnt vectors for words, and the cost that learns them: noise-contrastive estimation.

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
        labels = tf.cast(as_ids(self, labels), tf.int64)
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


Word2vecEmbeddingInputlayer = Word2vecEmbedding
