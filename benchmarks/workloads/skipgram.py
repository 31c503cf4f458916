"""The skip-gram of TensorFlow's word2vec tutorial.

Vectors of 128, 64 negative samples, batch 128, 50,000 words.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import sonnet as snt
import tensorflow as tf

import tensorlayer as tl
from benchmarks.workloads.contestant import Contestant, Cost, Workload, descending

BATCH, WIDTH, SAMPLED, WORDS, RATE = 128, 128, 64, 50_000, 0.2


def words(n_batches: int, vocabulary: int = WORDS) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return batches of words and neighbours, whose frequencies fall as those of a language."""
    drawn = np.random.default_rng(0).random([n_batches, 2, BATCH])
    ids = ((vocabulary + 1.0) ** drawn - 1).astype(np.int64).clip(0, vocabulary - 1)
    return [(x, y[:, None]) for x, y in ids]


def our_cost(vocabulary: int = WORDS) -> tuple[Cost, list[tf.Variable]]:
    """Return the cost of our layer, and its weights."""
    layer = tl.layers.Word2vecEmbedding(
        vocabulary, WIDTH, SAMPLED, E_init=tl.initializers.RandomUniform(-1.0, 1.0, seed=1)
    )
    return lambda x, y: layer([x, y])[1], layer.trainable_weights


def native_cost(vocabulary: int = WORDS) -> tuple[Cost, list[tf.Variable]]:
    """Return the same of TensorFlow."""
    table = tf.Variable(tf.random.uniform([vocabulary, WIDTH], -1.0, 1.0))
    weights = tf.Variable(tf.random.truncated_normal([vocabulary, WIDTH], stddev=0.03))
    biases = tf.Variable(tf.zeros(vocabulary))

    def cost(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        vectors = tf.nn.embedding_lookup(table, x)
        return tf.reduce_mean(tf.nn.nce_loss(weights, biases, y, vectors, SAMPLED, vocabulary))

    return cost, [table, weights, biases]


def native() -> Contestant:
    """TensorFlow, written by hand."""
    return descending(*native_cost(), RATE)


def ours() -> Contestant:
    """TensorLayer."""
    return descending(*our_cost(), RATE)


def sonnet() -> Contestant:
    """Sonnet 2, which has the vectors; the rest is TensorFlow's."""
    _, (_, weights, biases) = native_cost()
    embed = snt.Embed(WORDS, WIDTH)
    embed(tf.zeros([1], tf.int64))  # makes the vectors

    def cost(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.nn.nce_loss(weights, biases, y, embed(x), SAMPLED, WORDS))

    return descending(cost, [embed.embeddings, weights, biases], RATE)


class SkipGram(tf.keras.Model):
    """Vectors and the cost of sampled words, for which Keras has no layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = tf.keras.layers.Embedding(WORDS, WIDTH)
        self.kernel = self.add_weight(shape=(WORDS, WIDTH), initializer="truncated_normal")
        self.bias = self.add_weight(shape=(WORDS,), initializer="zeros")

    def call(self, words: tf.Tensor) -> tf.Tensor:
        """Return the vectors of words."""
        return self.embed(words)

    def compute_loss(self, x: Any, y: Any, y_pred: Any, *others: Any, **options: Any) -> tf.Tensor:
        """Return the mean cost of the words that follow."""
        weights, biases = self.kernel.value, self.bias.value
        return tf.reduce_mean(tf.nn.nce_loss(weights, biases, y, y_pred, SAMPLED, WORDS))


def keras() -> tf.keras.Model:
    """Keras 3."""
    model = SkipGram()
    model.compile(tf.keras.optimizers.SGD(RATE), jit_compile=False)
    return model


WORKLOAD = Workload(
    name="word2vec",
    unit="words",
    per_step=BATCH,
    n_steps=1000,
    n_at_once=40,
    n_rounds_of_a_place=3,
    batches=words,
    contestants={"native": native, "TensorLayer": ours, "Sonnet": sonnet},
    keras=keras,
    loop_bar=2.0,
)
