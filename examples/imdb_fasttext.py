"""Which kind of text is it? fastText: the mean of the vectors of words and pairs of words.

    python examples/imdb_fasttext.py                  # sentences of Python's own reference
    python examples/imdb_fasttext.py --data folder    # IMDB's reviews, from folder/imdb.npz

A text becomes the bag of its n-grams: its words, and pairs of words that follow each other, so that
"not good" is more than "not" and "good". A number for each n-gram is found by hashing, without a
vocabulary; ``tl.layers.AverageEmbedding`` averages their vectors, and a ``Dense`` layer decides.
``tl.optimizers.LazyAdam`` updates the vectors of the batch only, however many there are.

Without ``--data`` the texts are sentences of the pages that ``help()`` shows, and the question is
whether a sentence is from a page about values (strings, mappings, numbers) or about how code runs
(statements, calls, imports, the debugger). With ``--data`` it is whether a review of a film is good
or bad. Every fifth text is held out: accuracy is that on texts not trained on, and is compared with
always saying what is said most often.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import arguments  # noqa: E402 - files beside this one
import classifying  # noqa: E402
import prose  # noqa: E402
import tensorflow as tf  # noqa: E402 - after it was told to be quiet
from tqdm import tqdm  # noqa: E402

PAGES = {
    "values": """
        string-methods typesmapping formatstrings typesseq strings numeric-types sequence-types dict
        comparisons booleans integers floating binary bitwise typesmethods
    """,
    "code": """
        compound debugger execmodel assignment calls import raise async context-managers exceptions
        global return del break continue assert nonlocal
    """,
}
MIN_WORDS, BATCH = 6, 32
MARGIN = 0.25  # above the majority, which --quick has to reach

Split = tuple[list[Sequence], np.ndarray]


def sentences() -> tuple[Split, Split]:
    """Return sentences of Python's reference, and of which kind of page each is."""
    pages, texts, labels = prose.topics(), [], []
    for label, names in enumerate(PAGES.values()):
        each = [paragraph for name in names.split() for paragraph in pages.get(name, [])]
        found = [prose.words(each) for paragraph in each for each in prose.sentences(paragraph)]
        texts += [words for words in found if len(words) >= MIN_WORDS]
        labels += [label] * (len(texts) - len(labels))
    order = np.random.default_rng(0).permutation(len(texts))
    texts, labels = [texts[place] for place in order], np.array(labels)[order]
    n_test = len(texts) // 5
    return (texts[n_test:], labels[n_test:]), (texts[:n_test], labels[:n_test])


def reviews(folder: Path) -> tuple[Split, Split]:
    """Return IMDB's reviews as ids of words, and whether each is good."""
    found = classifying.loaded(tl.files.load_imdb_dataset, folder, nb_words=20_000)
    X_train, y_train, X_test, y_test = found
    if len(X_train) < BATCH or not len(X_test):
        raise SystemExit(
            f"{folder}: {len(X_train)} reviews to train on and {len(X_test)} to test; {BATCH} and "
            "1 are needed"
        )
    return (list(X_train), y_train), (list(X_test), y_test)


def bags(texts: Sequence[Sequence], n_gram: int, buckets: int, length: int) -> np.ndarray:
    """Return the numbers of the n-grams of each text, filled up with 0."""
    found = []
    for text in tqdm(texts, desc="hashing", unit="text", disable=None):
        words = [str(word) for word in text[:length]]
        grams = [
            " ".join(words[first : first + n])
            for n in range(1, n_gram + 1)
            for first in range(len(words) - n + 1)
        ]
        found.append([1 + zlib.crc32(gram.encode()) % (buckets - 1) for gram in grams])
    longest = max(map(len, found))
    return np.array(tl.prepro.pad_sequences(found, maxlen=longest, padding="post"), np.int32)


def network(buckets: int, size: int) -> tl.models.Model:
    """Declare the network."""
    grams = tl.layers.Input([None, None], dtype="int32", name="grams")
    net = tl.layers.AverageEmbedding(grams, buckets, size, name="mean")
    net = tl.layers.Dense(net, 2, name="logits")
    return tl.models.Model(grams, net, name="fasttext")


def show(model: tl.models.Model, X: np.ndarray, texts: Sequence[Sequence], y: np.ndarray) -> None:
    """Print what is made of some sentences."""
    logits = tl.utils.predict(model, X[:5])
    names = list(PAGES)
    for text, label, row in zip(texts, y, logits, strict=False):
        share = float(tf.nn.softmax(row)[1])
        print(f"  {names[label]:>6}, {share:4.0%} code: {' '.join(text)[:80]}")


@arguments.program
def main() -> None:
    """Train, and measure on what was held out."""
    parser = arguments.parser(__doc__)
    number = arguments.positive
    parser.add_argument("--data", type=Path, help="folder of imdb.npz; else Python's reference")
    parser.add_argument("--n-gram", type=number, default=2, help="words in the longest n-gram")
    parser.add_argument(
        "--buckets", type=arguments.between(2, 2**31 - 1), default=200_000,
        help="vectors that n-grams share",
    )  # fmt: skip
    parser.add_argument("--size", type=number, default=50, help="of a vector")
    parser.add_argument("--length", type=number, default=400, help="words of a text that are read")
    parser.add_argument("--epochs", type=number, default=10, help="passes: 10, or 5 over reviews")
    parser.add_argument("--learning-rate", type=arguments.rate, default=0.01, help="of Adam")
    arguments.add_seed(parser, "of weights and order")
    few = {"epochs": 5}
    options = arguments.parse(parser, quick=few, with_data=few, takes="some seconds; checked")

    started = time.perf_counter()
    tf.random.set_seed(options.seed)
    (texts, y), (test_texts, y_test) = reviews(options.data) if options.data else sentences()
    size = (options.n_gram, options.buckets, options.length)
    X, X_test = bags(texts, *size), bags(test_texts, *size)
    majority = max(np.mean(y_test), 1 - np.mean(y_test))
    print(f"{len(X):,} texts to train on, {len(X_test):,} held out; majority {majority:.1%}")

    model = network(options.buckets, options.size)
    optimizer = tl.optimizers.LazyAdam(options.learning_rate)
    data = tf.data.Dataset.from_tensor_slices((X, y))
    data = data.shuffle(len(X), seed=options.seed).batch(BATCH, drop_remainder=True)

    held_out = tf.data.Dataset.from_tensor_slices((X_test, y_test)).batch(500)
    metrics = {"accuracy": classifying.accuracy}
    step = tl.train.GradientStep(model, tl.cost.cross_entropy, optimizer, metrics=metrics)
    evaluate = tl.train.Evaluation(model, metrics, held_out)

    def after_epoch(epoch: tl.train.Epoch) -> None:
        means = ", ".join(f"{name} {mean:.3f}" for name, mean in epoch.metrics.items())
        tqdm.write(f"epoch {epoch.number}: {means}")

    how = {"callbacks": [after_epoch], "evaluate": evaluate}
    reached = tl.train.run(step, data, n_epoch=options.epochs, **how)[-1].metrics["val_accuracy"]
    if not options.data:
        show(model, X_test, test_texts, y_test)
    print(f"accuracy {reached:.1%} on texts held out, the majority {majority:.1%}")
    print(f"{time.perf_counter() - started:.0f} s")
    if options.quick and not options.data and reached < majority + MARGIN:
        raise SystemExit(f"the accuracy should be {MARGIN:.0%} above that of the majority")


if __name__ == "__main__":
    main()
