"""A language model: which word comes next, said by an LSTM that has read the text up to there.

    python examples/ptb_lstm.py                              # the prose of Python's own reference
    python examples/ptb_lstm.py --data data --size medium    # the Penn Treebank, as in the paper

It is the network of Zaremba, Sutskever and Vinyals, "Recurrent neural network regularization"
(2014): word vectors, LSTM layers one upon the other, a softmax over the vocabulary, and dropout on
the way from layer to layer only, never from step to step. The sizes small, medium and large are
those of the paper. The prose is thirty times shorter than the Penn Treebank, so its size has one
layer, whose outputs are compared with the word vectors themselves (Press and Wolf, "Using the
output embedding to improve language models", 2017): half of the weights to learn.

1. The text is cut into strips that are read side by side, some steps at a time, by
   ``tl.iterate.ptb_iterator``.
2. The states of the LSTM layers go from one batch to the next through the training step: what was
   read before counts for what comes now. Gradients go back to the beginning of a batch only.
3. After every epoch the perplexity of the validation text is measured: between so many equally
   likely words the model hesitates on average. After some epochs the learning rate decreases.

Two models that only count words are what the LSTM has to beat on the text held out: the unigram,
which knows how frequent each word is, and the bigram, interpolated with it (Jelinek-Mercer; the
weight is the best one for the validation text), which knows the word before as well.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import arguments  # noqa: E402 - files beside this one
import classifying  # noqa: E402
import prose  # noqa: E402
import tensorflow as tf  # noqa: E402 - after it was told to be quiet
from tqdm import tqdm  # noqa: E402

UNKNOWN = "<unk>"
MIN_COUNT = 3  # rarer words of the prose are all one, as they are in the Penn Treebank
STEPS_HELD_OUT = 50  # at once, one strip; with the states carried on it does not matter how many

States = list[Any]  # of the layers
Step = Callable[..., tuple[tf.Tensor, States]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Size:
    """A network, and how it is trained."""

    units: int  #: of a layer, and of a word vector
    layers: int = 2
    is_tied: bool = False  #: whether words are scored by their vectors
    keep: float  #: the share of values that dropout keeps
    init: float  #: weights are uniform in [-init, init] at first
    batch: int = 20  #: strips side by side
    steps: int  #: words of a strip in a batch: as far as gradients go back
    clip: float  #: no longer is the gradient of all weights together
    optimizer: Any = tf.optimizers.SGD
    rate: float = 1.0  #: the learning rate of the first epochs
    n_flat: int  #: how many those are
    decay: float  #: what it is multiplied by after each later one
    epochs: int


SIZES = {
    "prose": Size(
        units=200, layers=1, is_tied=True, keep=0.5, init=0.1, steps=20, clip=5,
        optimizer=tf.optimizers.Adam, rate=0.003, n_flat=10, decay=0.85, epochs=20,
    ),
    "small": Size(units=200, keep=1.0, init=0.1, steps=20, clip=5, n_flat=4, decay=0.5, epochs=13),
    "medium": Size(
        units=650, keep=0.5, init=0.05, steps=35, clip=5, n_flat=6, decay=0.8, epochs=39
    ),
    "large": Size(
        units=1500, keep=0.35, init=0.04, steps=35, clip=10, n_flat=14, decay=1 / 1.15, epochs=55
    ),
}  # fmt: skip


class LanguageModel(tl.models.Model):
    """From words and the states before them to scores of the words that follow, and states."""

    def __init__(self, n_words: int, size: Size) -> None:
        super().__init__()
        uniform = tl.initializers.RandomUniform(-size.init, size.init)
        n = size.units
        self.vectors = tl.layers.Embedding(n_words, n, E_init=uniform)
        self.drop = tl.layers.Dropout(keep=size.keep)
        cell = functools.partial(tl.layers.BasicLSTMCell, n, forget_bias=0)
        self.lstms = [
            tl.layers.RNN(cell(kernel_initializer=uniform), in_channels=n)
            for _ in range(size.layers)
        ]
        if size.is_tied:
            self.biases = tf.Variable(tf.zeros([n_words]))
        else:
            self.dense = tl.layers.Dense(n_words, W_init=uniform, b_init=uniform, in_channels=n)
        self.is_tied = size.is_tied

    def forward(self, words: tf.Tensor, states: States) -> tuple[tf.Tensor, States]:
        net, after = self.drop(self.vectors(words)), []
        for lstm, before in zip(self.lstms, states, strict=True):
            net, state = lstm(net, initial_state=before)
            net = self.drop(net)
            after.append(state)
        return self.scores(net), after

    def scores(self, net: tf.Tensor) -> tf.Tensor:
        """Return how much each word is expected, (batch, steps, n_words)."""
        if self.is_tied:
            return tf.tensordot(net, self.vectors.embeddings, [[2], [1]]) + self.biases
        return self.dense(net)

    def before_the_text(self, n_strips: int) -> States:
        """Return the states of strips of which nothing was read."""
        return [lstm.cell.initial_state(n_strips) for lstm in self.lstms]


# -- texts


def read_texts(folder: Path | None) -> tuple[list[int], list[int], list[int], int]:
    """Return the texts to train, validate and test on as ids, and how many words there are."""
    if folder is not None:
        return classifying.loaded(tl.files.load_ptb_dataset, folder)
    train, valid, test = prose.splits()
    n_words = 1 + sum(n >= MIN_COUNT for n in Counter(train).values())
    ids, _, numbers, _ = tl.nlp.build_words_dataset(train, n_words, False, UNKNOWN)
    held_out = [tl.nlp.words_to_word_ids(each, numbers, UNKNOWN) for each in (valid, test)]
    return ids, *held_out, n_words


def whole_batches(ids: Sequence[int]) -> np.ndarray:
    """Return a held-out text without its last words, which fill no batch: all models get these."""
    return np.array(ids[: (len(ids) - 1) // STEPS_HELD_OUT * STEPS_HELD_OUT + 1])


# -- models that count


class Counts:
    """How often words, and pairs of them, are in a text."""

    def __init__(self, ids: Sequence[int], n_words: int) -> None:
        text = np.array(ids)
        self.n_words = n_words
        self.share = np.bincount(text, minlength=n_words) / len(text)
        self.n_before = np.bincount(text[:-1], minlength=n_words)
        self.pairs, self.n_pairs = np.unique(self._pairs_of(text), return_counts=True)

    def _pairs_of(self, text: np.ndarray) -> np.ndarray:
        return text[:-1].astype(np.int64) * self.n_words + text[1:]

    def perplexity(self, text: np.ndarray, weight: float = 0.0) -> float:
        """Return that of the bigram with this weight, and of the unigram with the rest."""
        pairs = self._pairs_of(text)
        places = np.minimum(np.searchsorted(self.pairs, pairs), len(self.pairs) - 1)
        n_pairs = np.where(self.pairs[places] == pairs, self.n_pairs[places], 0)
        n_before = self.n_before[text[:-1]]
        unigram = self.share[text[1:]]
        bigram = np.where(n_before > 0, n_pairs / np.maximum(n_before, 1), unigram)
        return perplexity(-np.log(weight * bigram + (1 - weight) * unigram))

    def best_weight(self, text: np.ndarray) -> float:
        """Return the weight for which the perplexity of a text is lowest."""
        return min(np.arange(0.01, 1, 0.01), key=lambda weight: self.perplexity(text, weight))


def perplexity(costs: Any) -> float:
    """Return the exponential of the mean cost of a word."""
    return math.exp(np.mean(costs))


# -- the model that learns


def training(model: LanguageModel, optimizer: Any, clip: float) -> Step:
    """Return the step that updates the weights, and returns the cost of a word and the states."""

    @tf.function
    def step(words, following, states):
        with tf.GradientTape() as tape:
            scores, states = model(words, states, is_train=True)
            cost = tl.cost.cross_entropy_seq(scores, following, batch_size=words.shape[0])
        gradients = tape.gradient(cost, model.trainable_weights)
        gradients, _ = tf.clip_by_global_norm(gradients, clip)
        optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))
        return cost / words.shape[1], states

    return step


def measuring(model: LanguageModel) -> Step:
    """Return the step that only returns the cost of a word and the states."""

    @tf.function
    def step(words, following, states):
        scores, states = model(words, states, is_train=False)
        cost = tl.cost.cross_entropy_seq(scores, following, batch_size=words.shape[0])
        return cost / words.shape[1], states

    return step


def read(
    step: Step, states: States, ids: Any, batch: int, steps: int, title: str | None = None
) -> float:
    """Go through a text, with the states carried from batch to batch; return its perplexity."""
    costs = []
    n_batches = (len(ids) // batch - 1) // steps
    batches = tl.iterate.ptb_iterator(ids, batch, steps)
    is_hidden = None if title else True  # None: without a terminal
    with tqdm(batches, title, n_batches, leave=False, unit="batch", disable=is_hidden) as bar:
        for words, following in bar:
            cost, states = step(tf.constant(words), tf.constant(following), states)
            costs.append(float(cost))
            bar.set_postfix(perplexity=f"{perplexity(costs):.1f}", refresh=False)
    return perplexity(costs)


@arguments.program
def main() -> None:
    """Train, and compare with the models that count."""
    parser = arguments.parser(__doc__)
    parser.add_argument(
        "--data", type=Path, help="folder of simple-examples or its .tgz, which is downloaded to it"
    )
    parser.add_argument("--size", choices=SIZES, help="small for the Penn Treebank, else prose")
    parser.add_argument(
        "--epochs", type=arguments.positive, help="passes, if not as many as the size has"
    )
    arguments.add_seed(parser, "of weights and dropout")
    options = arguments.parse(parser, quick={"epochs": 12}, takes="a minute; checked")

    started = time.perf_counter()
    tf.random.set_seed(options.seed)
    size = SIZES[options.size or ("small" if options.data else "prose")]
    train, valid, test, n_words = read_texts(options.data)
    if len(train) // size.batch <= size.steps or min(len(valid), len(test)) <= STEPS_HELD_OUT:
        raise SystemExit(
            f"{options.data}: {len(train)}, {len(valid)} and {len(test)} words are too few for "
            f"{size.batch} strips of {size.steps} words, and one of {STEPS_HELD_OUT}."
        )
    valid, test = whole_batches(valid), whole_batches(test)
    print(f"{len(train):,} words, {n_words:,} different; {len(valid) + len(test):,} held out")

    counts = Counts(train, n_words)
    weight = counts.best_weight(valid)
    unigram, bigram = counts.perplexity(test), counts.perplexity(test, weight)

    model = LanguageModel(n_words, size)
    optimizer = size.optimizer(size.rate)
    learn, measure = training(model, optimizer, size.clip), measuring(model)

    def held_out(ids: np.ndarray) -> float:
        return read(measure, model.before_the_text(1), ids, 1, STEPS_HELD_OUT)

    n_epoch = size.epochs if options.epochs is None else options.epochs
    for epoch in range(1, n_epoch + 1):
        optimizer.learning_rate.assign(size.rate * size.decay ** max(0, epoch - size.n_flat))
        states = model.before_the_text(size.batch)
        title = f"epoch {epoch} of {n_epoch}"
        found = read(learn, states, train, size.batch, size.steps, title)
        tqdm.write(f"{title}: perplexity {found:.1f}, validation {held_out(valid):.1f}")

    reached = held_out(test)
    print("perplexity of the test text:")
    print(f"  unigram {unigram:.1f}")
    print(f"  bigram {bigram:.1f}, of weight {weight:.2f}")
    print(f"  LSTM {reached:.1f}")
    print(f"{time.perf_counter() - started:.0f} s, {time.process_time():.0f} s of processor time")
    if options.quick and not options.data and reached >= bigram:
        raise SystemExit("the perplexity of the LSTM should be below that of the bigram")


if __name__ == "__main__":
    main()
