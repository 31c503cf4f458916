"""Layers that take ids."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer import layers
from tests.layers.spec import LayerSpec


class Word2vecEmbedding(layers.Word2vecEmbedding):
    """Adds the cost to the vectors, and always samples the same words: XLA has no kernel for it."""

    def forward(self, inputs: Any) -> tf.Tensor:
        vectors, cost = layers.Word2vecEmbedding.forward(self, inputs)
        return vectors + cost

    def sample(self, labels: tf.Tensor, num_true: int) -> tuple[tf.Tensor, ...]:
        dtype = self.embeddings.dtype
        return (
            tf.constant([0, 3, 4], tf.int64),
            0.5 * tf.ones_like(labels, dtype),
            tf.ones(3, dtype),
        )


SPECS = (
    LayerSpec("AverageEmbedding", {"vocabulary_size": 6, "embedding_size": 3}, ((4,),),
              ("embeddings",), n_ids=6),
    LayerSpec("Embedding", {"vocabulary_size": 6, "embedding_size": 3}, ((4,),),
              ("embeddings",), n_ids=6),
    LayerSpec("OneHot", {"depth": 6, "on_value": 0.9, "off_value": 0.1, "axis": 1}, ((4,),),
              n_ids=6),
    LayerSpec("Word2vecEmbedding",
              {"vocabulary_size": 6, "embedding_size": 3, "num_sampled": 3}, ((), (1,)),
              ("embeddings", "nce_weights", "nce_biases"), n_ids=6, joined=Word2vecEmbedding),
)  # fmt: skip
