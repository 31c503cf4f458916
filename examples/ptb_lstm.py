"""A language model: which word comes next, said by an LSTM that has read the text up to there.

    python examples/ptb_lstm.py                              # the prose of Python's own reference
    python examples/ptb_lstm.py --data data --size medium    # the Penn Treebank, as in the paper

It is the network of Zaremba, Sutskever and Vinyals, "Recurrent neural network regularization"
(2014): word vectors, LSTM layers one upon the other, a softmax over the vocabulary, and dropout on
the way from layer to layer only, never from step to step.

1. The text is cut into strips that are read side by side, some steps at a time, by
   ``tl.iterate.ptb_iterator``.
2. The states of the LSTM layers go from one batch to the next through the training step: what was
   read before counts for what comes now. Gradients go back to the beginning of a batch only.
3. After every epoch the perplexity of the validation text is measured: between so many equally
   likely words the model hesitates on average. Then the learning rate decreases.

Two models that only count words are what the LSTM has to beat on the text held out: the unigram,
which knows how frequent each word is, and the bigram, interpolated with it (Jelinek-Mercer; the
weight is the best one for the validation text), which knows the word before as well.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import time
from collections import Counter
from typing import Any

import numpy as np

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import prose  # noqa: E402 - the file beside this one
import tensorflow as tf  # noqa: E402 - after it was told to be quiet
from tqdm import tqdm  # noqa: E402

UNKNOWN = "<unk>"
MIN_COUNT = 3  # rarer words of the prose are all one, as those of the Penn Treebank are


@dataclasses.dataclass(frozen=True, kw_only=True)
class Size:
    """What the paper calls a small, a medium and a large network."""

    units: int  #: of a layer, and of a word vector
    steps: int  #: words of a strip in a batch: as far as gradients go back
    keep: float  #: the share of values that dropout keeps
    init: float  #: weights are uniform in [-init, init] at first
    clip: float  #: no longer is the gradient of all weights together
    decay: float  #: the learning rate is multiplied by it after each epoch ...
    flat_epochs: int  #: ... except for so many
    epochs: int
    rate: float = 1.0  #: the learning rate at first
    layers: int = 2
    batch: int = 20
    optimizer: Any = tf.optimizers.SGD


SIZES = {
    "prose": Size(
        units=200, steps=20, keep=0.4, init=0.1, clip=5, decay=0.9, flat_epochs=15, epochs=40,
        rate=0.003, batch=20, optimizer=tf.optimizers.Adam,
    ),
    "small": Size(
        units=200, steps=20, keep=1.0, init=0.1, clip=5, decay=0.5, flat_epochs=4, epochs=13
    ),
    "medium": Size(
        units=650, steps=35, keep=0.5, init=0.05, clip=5, decay=0.8, flat_epochs=6, epochs=39
    ),
    "large": Size(
        units=1500, steps=35, keep=0.35, init=0.04, clip=10, decay=1 / 1.15, flat_epochs=14,
        epochs=55,
    ),
}  # fmt: skip


class LanguageModel(tl.models.Model):
    """From words and the states before them to scores of the words that follow, and states."""

    def __init__(self, n_words: int, size: Size) -> None:
        super().__init__()
        uniform = tl.initializers.RandomUniform(-size.init, size.init)
        self.vectors = tl.layers.Embedding(n_words, size.units, E_init=uniform)
        self.drop = tl.layers.Dropout(keep=size.keep)
        self.lstms = [
            tl.layers.RNN(
                tl.layers.BasicLSTMCell(size.units, forget_bias=0, kernel_initializer=uniform),
                in_channels=size.units,
            )
            for _ in range(size.layers)
        ]
        self.scores = tl.layers.Dense(
            n_words, W_init=uniform, b_init=uniform, in_channels=size.units
        )

    def forward(self, words: tf.Tensor, states: list[Any]) -> tuple[tf.Tensor, list[Any]]:
        net, after = self.drop(self.vectors(words)), []
        for lstm, before in zip(self.lstms, states, strict=True):
            net, state = lstm(net, initial_state=before)
            net = self.drop(net)
            after.append(state)
        return self.scores(net), after

    def initial_states(self, batch_size: int) -> list[Any]:
        """Return the states of strips of which nothing was read."""
        return [lstm.cell.initial_state(batch_size) for lstm in self.lstms]
