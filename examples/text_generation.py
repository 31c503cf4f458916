"""Text that nobody wrote: an LSTM learns which word comes next, and goes on from a beginning.

    python examples/text_generation.py                    # learns the prose of Python's reference
    python examples/text_generation.py --data book.txt --prompt "it was"

1. The text is cut into words and marks, and windows of them are learnt in random order.
2. After every epoch the network writes: it is given the prompt, then each word that was drawn, and
   keeps in its states what was written before. ``tl.nlp.sample_top`` draws among the likeliest
   words only, since with all of them each sentence soon meets a word that makes no sense.
3. At the end it writes in several ways, so that they can be compared. A low temperature is safe and
   repeats itself, a high one is bold and loses the thread.

What was learnt has a number too: the perplexity of paragraphs that were held out, every tenth one.
Between so many equally likely words the network hesitates on average. The unigram, which only knows
how frequent each word is, is what it has to beat.
"""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import arguments  # noqa: E402 - files beside this one
import prose  # noqa: E402
import tensorflow as tf  # noqa: E402 - after it was told to be quiet
from tqdm import tqdm  # noqa: E402

UNKNOWN = "<unk>"
END = "<eos>"  # of a paragraph
MIN_COUNT = 3  # rarer words are unknown: of those nothing can be learnt
BATCH, STEPS = 20, 20
STEPS_HELD_OUT = 50  # at once; with the states carried on it does not matter how many

#: From the probabilities of the words to the number of the one that is written.
Draw = Callable[[np.ndarray], int]


def words_and_marks(text: str) -> list[str]:
    """Return the words of a paragraph in lower case, and the marks of its sentences as words."""
    return re.findall(r"\w+(?:['-]\w+)*|[.,:;!?]", text.lower())


def as_text(words: Iterable[str]) -> str:
    """Return words and marks as people write them."""
    text = " ".join(words).replace(f" {END}", "\n ").strip()
    return re.sub(r" ([.,:;!?])", r"\1", text)


def read_texts(path: str | None) -> tuple[np.ndarray, np.ndarray, dict[str, int]]:
    """Return the text to train on and the one held out as numbers, and those of the words."""
    text = prose.text() if path is None else prose.read_text(path)
    paragraphs = [[*words_and_marks(line), END] for line in text.splitlines() if line.strip()]
    test = [word for paragraph in paragraphs[::10] for word in paragraph]
    del paragraphs[::10]
    train = [word for paragraph in paragraphs for word in paragraph]
    if len(train) <= BATCH * STEPS or len(test) <= STEPS_HELD_OUT:
        raise SystemExit(
            f"{path}: {len(train)} words to train on, {len(test)} held out, which are every tenth "
            f"line; {BATCH * STEPS + 1} and {STEPS_HELD_OUT + 1} are needed. Give a longer text, "
            "with each paragraph on a line of its own."
        )
    counts = Counter(train)
    frequent = [word for word in train if counts[word] >= MIN_COUNT]
    numbers = tl.nlp.build_vocab([*frequent, UNKNOWN])
    ids = [tl.nlp.words_to_word_ids(each, numbers, UNKNOWN) for each in (train, test)]
    return np.array(ids[0]), np.array(ids[1]), numbers


def network(n_words: int, units: int, keep: float) -> tl.models.Model:
    """Declare the network: from words and the states before to scores and the states after."""
    words = tl.layers.Input([None, None], dtype="int32", name="words")
    before = [tl.layers.Input([None, units], name=name) for name in ("h", "c")]
    net = tl.layers.Embedding(words, n_words, units, name="vectors")
    net = tl.layers.Dropout(net, keep, name="drop1")
    net, after = tl.layers.LSTMRNN(net, units=units, initial_state=before, name="lstm")
    net = tl.layers.Dropout(net, keep, name="drop2")
    net = tl.layers.Dense(net, n_words, in_channels=units, name="scores")
    return tl.models.Model([words, *before], [net, *after], name="writer")


def windows(ids: np.ndarray, seed: int) -> tf.data.Dataset:
    """Return batches of windows in random order, each with the word that follows its last one."""
    n_windows = (len(ids) - 1) // STEPS
    starts = STEPS * np.arange(n_windows)[:, None]
    each = tf.data.Dataset.from_tensor_slices(ids[starts + np.arange(STEPS + 1)].astype("int32"))
    return each.shuffle(n_windows, seed=seed).batch(BATCH, drop_remainder=True)


def unigram_perplexity(train: np.ndarray, test: np.ndarray, n_words: int) -> float:
    """Return how well the frequencies of the words foretell a text."""
    counts = np.maximum(np.bincount(train, minlength=n_words), 1)
    return math.exp(-np.mean(np.log(counts[test[1:]] / counts.sum())))


class Writer:
    """A network that reads and writes with its states carried on."""

    def __init__(self, model: tl.models.Model, units: int, numbers: dict[str, int]) -> None:
        self.model, self.units, self.numbers = model, units, numbers
        self.words = tl.nlp.build_reverse_dictionary(numbers)
        shape = tf.TensorSpec([1, None], tf.int32), *[tf.TensorSpec([1, units])] * 2
        self.read = tf.function(self._read, input_signature=shape)

    def _read(self, words: tf.Tensor, h: tf.Tensor, c: tf.Tensor) -> tuple[tf.Tensor, ...]:
        scores, h, c = self.model([words, h, c], is_train=False)
        return scores[0], h, c

    def perplexity(self, text: np.ndarray) -> float:
        """Return how well it foretells a text that it reads from the beginning."""
        states, costs = [tf.zeros([1, self.units])] * 2, []
        for words, following in tl.iterate.ptb_iterator(text, 1, STEPS_HELD_OUT):
            scores, *states = self.read(words, *states)
            costs.append(tl.cost.cross_entropy(scores, following[0]))
        return math.exp(np.mean(costs))

    def write(self, prompt: str, n_words: int, draw: Draw) -> str:
        """Return the prompt and so many words more."""
        states = [tf.zeros([1, self.units])] * 2
        written = words_and_marks(prompt)
        ids = tl.nlp.words_to_word_ids(written, self.numbers, UNKNOWN)
        for _ in range(n_words):
            scores, *states = self.read(np.array([ids], np.int32), *states)
            p = tf.nn.softmax(scores[-1]).numpy()
            p[self.numbers[UNKNOWN]] = 0  # which nobody would write
            ids = [draw(p)]
            written.append(self.words[ids[0]])
        return as_text(written)


def training(model: tl.models.Model, units: int, rate: float) -> Callable[..., dict]:
    """Return the step that learns a batch of windows."""
    optimizer = tf.optimizers.Adam(rate)
    zeros = tf.zeros([BATCH, units])

    def step(batch):
        with tf.GradientTape() as tape:
            scores, *_ = model([batch[:, :-1], zeros, zeros], is_train=True)
            cost = tl.cost.cross_entropy_seq(scores, batch[:, 1:]) / (BATCH * STEPS)
        gradients, _ = tf.clip_by_global_norm(tape.gradient(cost, model.trainable_weights), 1.0)
        optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))
        return {"cost": cost}

    return step


@arguments.program
def main() -> None:
    """Learn, and write."""
    parser = arguments.parser(__doc__)
    parser.add_argument("--data", help="a text, a paragraph on each line; else Python's reference")
    number = arguments.positive
    parser.add_argument("--prompt", default="if the", help="the beginning that is gone on from")
    parser.add_argument("--length", type=number, default=50, help="words that are written")
    parser.add_argument(
        "--top-k", type=number, default=10, help="words, the likeliest, to draw from"
    )
    parser.add_argument("--units", type=number, default=200, help="of the LSTM and of word vectors")
    parser.add_argument("--keep", type=arguments.share, default=0.5, help="what dropout keeps")
    parser.add_argument("--learning-rate", type=arguments.rate, default=0.003, help="of Adam")
    parser.add_argument("--epochs", type=number, default=15, help="passes over the text")
    arguments.add_seed(parser, "of weights, order and draws")
    options = arguments.parse(parser, quick={"epochs": 4}, takes="half a minute; checked")
    if not words_and_marks(options.prompt):
        parser.error(f"--prompt {options.prompt!r} has no word to begin with")

    started = time.perf_counter()
    tf.random.set_seed(options.seed)
    train, test, numbers = read_texts(options.data)
    unigram = unigram_perplexity(train, test, len(numbers))
    print(f"{len(train):,} words, {len(numbers):,} different; {len(test):,} held out")

    model = network(len(numbers), options.units, options.keep)
    writer = Writer(model, options.units, numbers)
    rng = np.random.default_rng(options.seed)

    def top(p: np.ndarray) -> int:
        return tl.nlp.sample_top(p, options.top_k, seed=rng)

    def after_epoch(epoch: tl.train.Epoch) -> None:
        found = math.exp(epoch.metrics["cost"]), writer.perplexity(test)
        tqdm.write("epoch {}: perplexity {:.1f}, held out {:.1f}".format(epoch.number, *found))
        tqdm.write(f"  {writer.write(options.prompt, options.length, top)}")

    step = training(model, options.units, options.learning_rate)
    data = windows(train, options.seed)
    tl.train.run(step, data, n_epoch=options.epochs, callbacks=[after_epoch])

    ways: dict[str, Draw] = {
        "always the likeliest": lambda p: tl.nlp.sample(p, None),
        "temperature 0.5": lambda p: tl.nlp.sample(p, 0.5, seed=rng),
        "temperature 1.0": lambda p: tl.nlp.sample(p, 1.0, seed=rng),
        f"the {options.top_k} likeliest": top,
        "the likeliest nine tenths": lambda p: tl.nlp.sample_nucleus(p, 0.9, seed=rng),
    }
    for way, draw in ways.items():
        print(f"{way}:\n  {writer.write(options.prompt, options.length, draw)}")
    reached = writer.perplexity(test)
    print(f"perplexity {reached:.1f} of the text held out, {unigram:.1f} by the unigram")
    print(f"{time.perf_counter() - started:.0f} s, {time.process_time():.0f} s of processor time")
    if options.quick and not options.data and reached >= unigram:
        raise SystemExit("the perplexity should be below that of the unigram")


if __name__ == "__main__":
    main()
