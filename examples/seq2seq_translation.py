"""Translation with attention: dates in words become dates in digits.

    python examples/seq2seq_translation.py                  # a minute or two on 2 cores
    python examples/seq2seq_translation.py --quick          # less than one
    python examples/seq2seq_translation.py --data eng-fra.txt

    the third of march nineteen ninety two  ->  1992-03-03
    Friday, 13th August 2027                ->  2027-08-13
    12/25/68                                ->  1968-12-25

The script writes each date in one of many ways, and the model has to find out what they mean. It
reads words, marks, and digits two by two; both languages have one vocabulary. The encoder reads the
source; the decoder writes the target and looks, for each number, at what matters of the source
(``tl.models.Seq2seqLuongAttention``). Dates of the test are in no sentence of the training.

With ``--data`` the pairs come from a file instead: a pair on each line, source and target with a
tab between them, as in the files of the Tatoeba project.
"""

from __future__ import annotations

import argparse
import datetime
import random
import re
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()  # no start-up messages; with TF_CPP_MIN_LOG_LEVEL=0 they are there

import tensorflow as tf  # noqa: E402 - after it was told to be quiet

PAD, START, END, UNKNOWN = range(4)
SPECIAL = ["<pad>", "<start>", "<end>", "<unknown>"]
FIRST, LAST = datetime.date(1930, 1, 1), datetime.date(2029, 12, 31)

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()
ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth"}
ORDINALS |= {"nine": "ninth", "twelve": "twelfth"}


def number(n: int, between: str = " ") -> str:
    """Return a number below 100 in words."""
    if n < len(ONES):
        return ONES[n]
    return TENS[n // 10] + (between + ONES[n % 10] if n % 10 else "")


def ordinal(n: int) -> str:
    """Return a number of a day in words: twenty-third."""
    *before, last = number(n, "-").split("-")
    last = ORDINALS.get(last) or re.sub("y$", "ie", last) + "th"
    return "-".join([*before, last])


def year(n: int) -> str:
    """Return a year in words, as people say it."""
    if 2000 <= n < 2010:
        return "two thousand" + (f" and {ONES[n % 10]}" if n % 10 else "")
    return f"{number(n // 100)} {number(n % 100) if n % 100 > 9 else 'oh ' + ONES[n % 100]}"


def written(day: datetime.date, rng: random.Random) -> str:
    """Return a date in one of the ways in which people write it."""
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10 * (day.day // 10 != 1), "th")
    month, weekday = day.strftime("%B"), day.strftime("%A")
    ways = [
        f"the {ordinal(day.day)} of {month} {year(day.year)}",
        f"{month} the {ordinal(day.day)}, {year(day.year)}",
        f"{month} {day.day}, {day.year}",
        f"{month[:3]} {day.day} {day.year}",
        f"{day.day} {month} {day.year}",
        f"{weekday}, {day.day}{suffix} {month} {day.year}",
        f"{weekday[:3]} {day.day} {month[:3]} '{day:%y}",
        f"{day.day}.{day.month}.{day.year}",
        f"{day:%m/%d/%y}",
        f"{day:%Y%m%d}",
        f"{weekday}, {month} {ordinal(day.day)} {day.year}",
    ]
    text = rng.choice(ways)
    return text.lower() if rng.random() < 0.5 else text


def dates(n_pairs: int, seed: int) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return pairs to train on and pairs to test on, of different dates."""
    rng = random.Random(seed)
    days = [FIRST + datetime.timedelta(n) for n in range((LAST - FIRST).days + 1)]
    rng.shuffle(days)
    held_out = len(days) // 20
    train = [rng.choice(days[held_out:]) for _ in range(n_pairs)]
    return tuple(
        [(written(day, rng), day.isoformat()) for day in part] for part in (train, days[:held_out])
    )


def corpus(path: str, n_pairs: int, seed: int) -> tuple[list[tuple[str, str]], ...]:
    """Return the pairs of a file with a tab in each line; sources of the test are not trained."""
    pairs = {}
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        source, tab, rest = line.partition("\t")
        if tab and source.strip() and (target := rest.split("\t")[0].strip()):
            pairs.setdefault(source.strip(), target)
    if len(pairs) < 20:
        raise SystemExit(f"{path}: {len(pairs)} lines have a source, a tab and a target.")
    every = random.Random(seed).sample(sorted(pairs.items()), len(pairs))
    held_out = min(len(every) // 20, 500)
    return every[held_out : held_out + n_pairs], every[:held_out]


class Vocabulary:
    """The most frequent words, numbers and marks, and their ids."""

    def __init__(self, texts: list[str], at_most: int = 20_000) -> None:
        counts = Counter(token for text in texts for token in tokens(text))
        self.names = [*SPECIAL, *(token for token, _ in counts.most_common(at_most))]
        self.ids = {name: index for index, name in enumerate(self.names)}

    def encode(self, texts: list[str], ends: bool) -> np.ndarray:
        """Return ids, a row for each text, with pads behind; ``ends`` puts start and end around."""
        rows = [[self.ids.get(token, UNKNOWN) for token in tokens(text)] for text in texts]
        rows = [[START, *row, END] if ends else row for row in rows]
        padded = np.full([len(rows), max(map(len, rows))], PAD, np.int32)
        for row, ids in zip(padded, rows, strict=True):
            row[: len(ids)] = ids
        return padded

    def decode(self, ids: np.ndarray) -> str:
        """Return the text of ids up to the end."""
        ids = list(ids)
        return joined(self.names[each] for each in ids[: ids.index(END) if END in ids else None])


def tokens(text: str) -> list[str]:
    """Cut a text into words, digits two by two, and marks."""
    return re.findall(r"[^\W\d_]+|\d\d?|\S", text.lower())


def joined(tokens: Iterable[str]) -> str:
    """Return a text: numbers and dates in one piece, marks behind their words."""
    return re.sub(r"(?<=[\d-]) (?=[\d-])| (?=[.,!?])", "", " ".join(tokens))


def training(model: tl.models.Model, optimizer: tf.optimizers.Optimizer):
    """Return the function of a step of training."""

    def step(source, target):
        with tf.GradientTape() as tape:
            logits = model(inputs=[source, target[:, :-1]], is_train=True)
            answer = target[:, 1:]
            loss = tl.cost.cross_entropy_seq_with_mask(logits, answer, answer != PAD)
        gradients = tape.gradient(loss, model.trainable_weights)
        gradients, _ = tf.clip_by_global_norm(gradients, 5.0)
        optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))
        return {"loss": loss}

    return step


def batches(source: np.ndarray, target: np.ndarray, batch_size: int, seed: int) -> tf.data.Dataset:
    """Return batches of one shape in a new order in each epoch."""
    data = tf.data.Dataset.from_tensor_slices((source, target)).shuffle(len(source), seed)
    return data.batch(batch_size, drop_remainder=True).prefetch(2)


def translated(model, vocabulary: Vocabulary, sources: list[str], n_steps: int, beam: int):
    """Return the translations of texts."""
    search = tl.models.BeamSearch(beam) if beam > 1 else None
    found = []
    for first in range(0, len(sources), 250):
        ids = vocabulary.encode(sources[first : first + 250], ends=False)
        best = model.translate(ids, n_steps, START, END, search=search).best.ids
        found += [vocabulary.decode(row) for row in best.numpy()]
    return found


def main() -> None:
    """Train, translate what was held out, and count how much of it is right."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="less training: most dates are right")
    parser.add_argument("--data", help="a file with source, tab and target on each line")
    parser.add_argument("--pairs", type=int, default=30_000, help="how many pairs to train on")
    parser.add_argument("--epochs", type=int, default=5, help="passes over the pairs")
    parser.add_argument("--units", type=int, default=128, help="of both recurrent layers")
    parser.add_argument("--method", default="dot", choices=["dot", "general", "concat"])
    parser.add_argument("--batch", type=int, default=64, help="pairs in a step")
    parser.add_argument("--rate", type=float, default=0.01, help="of learning, at the beginning")
    parser.add_argument("--beam", type=int, default=1, help="sequences followed; 1 is greedy")
    parser.add_argument("--seed", type=int, default=0, help="of weights, dates and order")
    options = parser.parse_args()
    if options.quick:
        options.pairs, options.epochs = min(options.pairs, 12_000), min(options.epochs, 4)

    tf.random.set_seed(options.seed)
    started = time.perf_counter()
    if options.data:
        train, test = corpus(options.data, options.pairs, options.seed)
    else:
        train, test = dates(options.pairs, options.seed)
    vocabulary = Vocabulary([text for pair in train for text in pair])
    source = vocabulary.encode([each for each, _ in train], ends=False)
    target = vocabulary.encode([each for _, each in train], ends=True)
    print(f"{len(train)} pairs to train on, {len(test)} to test; {len(vocabulary.names)} tokens")

    # Vectors that differ much at first: attention finds out sooner where to look.
    wide = tl.initializers.RandomUniform(-0.5, 0.5)
    words = tl.layers.Embedding(len(vocabulary.names), 64, E_init=wide, name="tokens")
    model = tl.models.Seq2seqLuongAttention(
        options.units, words, tl.layers.GRUCell, options.method, pad_id=PAD
    )
    data = batches(source, target, min(options.batch, len(source)), options.seed)
    n_steps = options.epochs * len(data)
    rate = tf.optimizers.schedules.CosineDecay(options.rate, n_steps)

    sources, wanted = [each for each, _ in test], [joined(tokens(each)) for _, each in test]

    def right(found: list[str]) -> float:
        return np.mean([a == b for a, b in zip(found, wanted, strict=False)])

    def after_epoch(epoch: tl.train.Epoch) -> None:
        found = translated(model, vocabulary, sources[:250], target.shape[1], 1)
        loss = epoch.metrics["loss"]
        print(f"epoch {epoch.number}: loss {loss:.4f}, {right(found):.1%} right", flush=True)

    step = training(model, tf.optimizers.Adam(rate))
    tl.train.run(step, data, n_epoch=options.epochs, callbacks=[after_epoch], progress=False)

    found = translated(model, vocabulary, sources, target.shape[1], options.beam)
    for text, ours, theirs in list(zip(sources, found, wanted, strict=True))[:12]:
        print(f"{text:>45}  ->  {ours}" + ("" if ours == theirs else f"   (it is {theirs})"))
    seconds = time.perf_counter() - started
    n = len(test)
    print(f"{right(found):.2%} of {n} held-out sources translated exactly, {seconds:.0f} s")


if __name__ == "__main__":
    main()
