"""Vectors of words from the words around them: skip-gram with noise-contrastive estimation.

    python examples/word2vec_basic.py                     # the prose of Python's own reference
    python examples/word2vec_basic.py --data text8.zip    # or a text file of your own

A network reads a word and has to tell its real neighbours in the text from words drawn at random.
Words that are used alike get vectors that point the same way; nobody has said what they mean.

1. ``tl.nlp.build_words_dataset`` gives the most frequent words a number each.
2. ``tl.nlp.generate_skip_gram_batch`` makes pairs of a word and one near it.
3. ``tl.layers.Word2vecEmbedding`` has the vectors and the cost. A batch concerns few words, and
   ``tl.optimizers.Adagrad`` updates those only: a step costs the same for any vocabulary.
4. Every few epochs the words nearest to some common ones are printed. The last picture shows 300
   of them on a plane, in ``word2vec.png``.

What was learnt has a number too. The plural of a word is used as the word is, so it should be among
its nearest neighbours: the median rank of plurals is half the vocabulary at first, and falls.
"""

from __future__ import annotations

import itertools
import time
import zipfile
from collections import Counter

import numpy as np

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import arguments  # noqa: E402 - files beside this one
import prose  # noqa: E402
import tensorflow as tf  # noqa: E402 - after it was told to be quiet
from tqdm import tqdm  # noqa: E402

MIN_COUNT = 3  # rarer words are all one, UNK: their surroundings say too little
BATCH = 128
NUM_SKIPS = 4  # pairs of each word
SKIP_WINDOW = 2  # words to the left and right that are near
NUM_SAMPLED = 64  # wrong neighbours of a batch
WORDS_OF_AN_EPOCH = 200_000  # of a long text an epoch is a part


def read_words(path: str | None) -> list[str]:
    """Return the words of a text file, of a zip with one in it, or of Python's reference."""
    if path is None:
        return prose.words(prose.text())
    if not zipfile.is_zipfile(path):
        return prose.words(prose.read_text(path))
    try:
        with zipfile.ZipFile(path) as archive:
            return prose.words(archive.read(archive.namelist()[0]).decode())
    except (zipfile.BadZipFile, IndexError, UnicodeDecodeError) as error:
        raise SystemExit(f"{path}: no zip with a text in UTF-8 ({error})") from error


def network(n_words: int, size: int) -> tl.models.Model:
    """Declare the network: from words and neighbours to the cost."""
    words = tl.layers.Input([None], dtype="int32", name="words")
    near = tl.layers.Input([None, 1], dtype="int32", name="near")
    net = tl.layers.Word2vecEmbedding(
        words,
        train_labels=near,
        vocabulary_size=n_words,
        embedding_size=size,
        num_sampled=min(NUM_SAMPLED, n_words),
        E_init=tl.initializers.RandomUniform(-0.1, 0.1),  # rare words are to follow the text soon
        name="word2vec",
    )
    return tl.models.Model([words, near], net.nce_cost, name="skip-gram")


def pairs(data: np.ndarray, epoch: int) -> tf.data.Dataset:
    """Return batches of words and neighbours, other ones for each epoch."""
    n_words = min(len(data), WORDS_OF_AN_EPOCH)
    words, near, _ = tl.nlp.generate_skip_gram_batch(
        data,
        batch_size=n_words * NUM_SKIPS,
        num_skips=NUM_SKIPS,
        skip_window=SKIP_WINDOW,
        data_index=(epoch - 1) * n_words % len(data),
        seed=epoch,
    )
    each = tf.data.Dataset.from_tensor_slices((words, near))
    return each.shuffle(len(words), seed=epoch).batch(BATCH, drop_remainder=True)


def similarities(vectors: np.ndarray, words: list[int]) -> np.ndarray:
    """Return how alike some words are to all: the cosine, and nothing for the word itself."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    found = unit[words] @ unit.T
    found[np.arange(len(words)), words] = -np.inf
    return found


def rank_of_plurals(vectors: np.ndarray, ids: dict[str, int]) -> float:
    """Return the median place of the plural among the neighbours of each of the common words."""
    common = [word for word in itertools.islice(ids, 1000) if len(word) > 2]
    both = [(ids[word], ids[f"{word}s"]) for word in common if f"{word}s" in ids]
    alike = similarities(vectors, [word for word, _ in both])
    ranks = [np.sum(row > row[plural]) for row, (_, plural) in zip(alike, both, strict=True)]
    return float(np.median(ranks)) + 1 if ranks else np.nan  # without plurals


def nearest(vectors: np.ndarray, names: dict[int, str], words: list[int]) -> str:
    """Return lines of words and those nearest to them."""
    order = np.argsort(-similarities(vectors, words), axis=1)[:, :7]
    return "\n".join(
        f"  {names[word]:>12}: {', '.join(names[other] for other in others)}"
        for word, others in zip(words, order.tolist(), strict=True)
    )


def draw(vectors: np.ndarray, names: dict[int, str], path: str) -> None:
    """Write the picture of the most common words."""
    import matplotlib

    matplotlib.use("Agg")  # which needs no screen
    figure = tl.visualize.tsne_embedding(vectors, names, plot_only=300, second=0, saveable=False)
    figure.savefig(path, dpi=80)


@arguments.program
def main() -> None:
    """Train, and show the words."""
    parser = arguments.parser(__doc__)
    parser.add_argument("--data", help="text8.zip or a text file; without it Python's reference")
    number = arguments.positive
    parser.add_argument("--vocabulary", type=number, default=50_000, help="words that have vectors")
    parser.add_argument("--size", type=number, default=64, help="of a vector")
    parser.add_argument(
        "--epochs", type=number, default=20, help="passes, of 200,000 words at most"
    )
    parser.add_argument("--learning-rate", type=arguments.rate, default=1.0, help="of Adagrad")
    parser.add_argument(
        "--every", type=number, default=5, help="epochs between lists of neighbours"
    )
    arguments.add_seed(parser, "of vectors and samples")
    parser.add_argument(
        "--png", type=arguments.picture_to_write, default="word2vec.png", help="the picture"
    )
    options = arguments.parse(parser, quick={"epochs": 10}, takes="a minute at most; checked")
    arguments.needed("matplotlib")
    arguments.needed("sklearn", install="scikit-learn")

    started = time.perf_counter()
    tf.random.set_seed(options.seed)
    words = read_words(options.data)
    n_words = min(options.vocabulary, sum(n >= MIN_COUNT for n in Counter(words).values()))
    if n_words < 2 or len(words) < BATCH:
        raise SystemExit(
            f"{options.data}: {len(words)} words, of which {n_words} are there {MIN_COUNT} times; "
            f"{BATCH} and 2 are needed. Give a longer text."
        )
    data, _, ids, names = tl.nlp.build_words_dataset(words, n_words, printable=False)
    data = np.array(data, np.int32)
    model = network(len(ids), options.size)
    optimizer = tl.optimizers.Adagrad(options.learning_rate)
    (table,) = (each for each in model.trainable_weights if "embeddings" in each.name)
    shown = list(range(20, 28) if len(ids) > 28 else range(1, min(len(ids), 9)))  # common words
    first = rank_of_plurals(table.numpy(), ids)
    print(f"{len(data):,} words, {len(ids):,} different; plurals at {first:,.0f} of {len(ids):,}")

    def step(words, near):
        with tf.GradientTape() as tape:
            cost = model([words, near], is_train=True)
        gradients = tape.gradient(cost, model.trainable_weights)
        optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))
        return {"cost": cost}

    def after_epoch(epoch: tl.train.Epoch) -> None:
        rank = rank_of_plurals(table.numpy(), ids)
        line = f"epoch {epoch.number}: cost {epoch.metrics['cost']:.3f}, plurals at {rank:,.0f}"
        tqdm.write(line)
        if epoch.number % options.every == 0:
            tqdm.write(nearest(table.numpy(), names, shown))

    def batches(epoch: int) -> tf.data.Dataset:
        return pairs(data, epoch)

    tl.train.run(step, batches, n_epoch=options.epochs, callbacks=[after_epoch])

    rank = rank_of_plurals(table.numpy(), ids)
    print(f"the median rank of a plural fell from {first:,.0f} to {rank:,.0f}; {options.png}")
    print(f"{time.perf_counter() - started:.0f} s")
    draw(table.numpy(), names, options.png)
    if options.quick and options.data is None and rank > 0.5 * first:
        raise SystemExit(f"the rank should have halved, from {first} to {rank}")


if __name__ == "__main__":
    main()
