"""Translation with attention: dates in words become dates in digits.

    python examples/seq2seq_translation.py                  # a minute or two on 2 cores
    python examples/seq2seq_translation.py --quick          # less than one
    python examples/seq2seq_translation.py --data eng-fra.txt

    the third of march nineteen ninety two  ->  1992-03-03
    Friday, 13th August 2027                ->  2027-08-13
    12/25/68                                ->  1968-12-25

The script writes each date in one of many ways, and the model has to find out what they mean. It
reads words, marks and single digits; both languages have one vocabulary. The encoder reads the
source; the decoder writes the target and looks, for each digit, at what matters of the source
(``tl.models.Seq2seqLuongAttention``). Dates of the test are in no sentence of the training.

With ``--data`` the pairs come from a file instead: a pair on each line, source and target with a
tab between them, as in the files of the Tatoeba project.
"""

from __future__ import annotations

import datetime
import random
import re
import time

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()  # no start-up messages; with TF_CPP_MIN_LOG_LEVEL=0 they are there

import arguments  # noqa: E402 - files beside this one
import pairs  # noqa: E402
import prose  # noqa: E402
import tensorflow as tf  # noqa: E402 - after it was told to be quiet

FIRST, LAST = datetime.date(1930, 1, 1), datetime.date(2029, 12, 31)

ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["-", "-", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
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


def dates(n_pairs: int, seed: int) -> tuple[pairs.Pairs, pairs.Pairs]:
    """Return pairs to train on and pairs to test on, of different dates."""
    rng = random.Random(seed)
    days = [FIRST + datetime.timedelta(n) for n in range((LAST - FIRST).days + 1)]
    rng.shuffle(days)
    held_out = len(days) // 20
    train = [rng.choice(days[held_out:]) for _ in range(n_pairs)]
    return tuple(
        [(written(day, rng), day.isoformat()) for day in part] for part in (train, days[:held_out])
    )


def corpus(path: str, n_pairs: int, seed: int) -> tuple[pairs.Pairs, pairs.Pairs]:
    """Return pairs of a file to train on, and others to test on."""
    every = pairs.read_tabs(prose.read_text(path).splitlines())
    if len(every) < 20:
        raise SystemExit(f"{path}: {len(every)} lines have a source, a tab and a target.")
    random.Random(seed).shuffle(every)
    held_out = min(max(len(every) // 20, 1), 500)
    return every[held_out : held_out + n_pairs], every[:held_out]


@arguments.program
def main() -> None:
    """Train, translate what was held out, and count how much of it is right."""
    parser = arguments.parser(__doc__)
    number = arguments.positive
    parser.add_argument("--data", help="a file with source, tab and target on each line")
    parser.add_argument("--pairs", type=number, default=30_000, help="how many pairs to train on")
    parser.add_argument("--epochs", type=number, default=5, help="passes over the pairs")
    parser.add_argument("--units", type=number, default=128, help="of both recurrent layers")
    parser.add_argument("--method", default="dot", choices=["dot", "general", "concat"])
    parser.add_argument("--batch", type=number, default=32, help="pairs in a step")
    parser.add_argument("--rate", type=arguments.rate, default=0.01, help="of learning, at first")
    parser.add_argument("--beam", type=number, default=1, help="sequences followed; 1 is greedy")
    arguments.add_seed(parser, "of weights, dates and order")
    quick = {"pairs": 12_000, "epochs": 4}
    options = arguments.parse(parser, quick, takes="most dates are right")

    tf.random.set_seed(options.seed)
    started = time.perf_counter()
    if options.data:
        train, test = corpus(options.data, options.pairs, options.seed)
    else:
        train, test = dates(options.pairs, options.seed)
    vocabulary = pairs.Vocabulary(text for pair in train for text in pair)
    source = vocabulary.encode([each for each, _ in train], ends=False)
    target = vocabulary.encode([each for _, each in train], ends=True)
    print(f"{len(train)} pairs to train on, {len(test)} to test; {len(vocabulary.names)} tokens")

    # Vectors that differ much at first: attention finds out sooner where to look.
    wide = tl.initializers.RandomUniform(-0.5, 0.5)
    words = tl.layers.Embedding(len(vocabulary.names), 64, E_init=wide, name="tokens")
    model = tl.models.Seq2seqLuongAttention(
        options.units, words, tl.layers.GRUCell, options.method, pad_id=pairs.PAD
    )
    data = pairs.batches(source, target, options.batch, options.seed)
    n_steps = options.epochs * len(data)
    rate = tf.optimizers.schedules.CosineDecay(options.rate, n_steps)

    sources, wanted = [each for each, _ in test], [each for _, each in test]

    def after_epoch(epoch: tl.train.Epoch) -> None:
        found = pairs.answers(model, vocabulary, sources[:250], target.shape[1])
        loss, right = epoch.metrics["loss"], pairs.share_right(found, wanted)
        print(f"epoch {epoch.number}: loss {loss:.4f}, {right:.1%} right", flush=True)

    step = pairs.training(model, tf.optimizers.Adam(rate))
    tl.train.run(step, data, n_epoch=options.epochs, callbacks=[after_epoch], progress=False)

    search = tl.models.BeamSearch(options.beam) if options.beam > 1 else None
    found = pairs.answers(model, vocabulary, sources, target.shape[1], search)
    for text, ours, right in list(zip(sources, found, wanted, strict=True))[:12]:
        is_right = pairs.share_right([ours], [right]) == 1
        print(f"{text:>45}  ->  {ours}" + ("" if is_right else f"   (it is {right})"))
    seconds = time.perf_counter() - started
    right, n = pairs.share_right(found, wanted), len(test)
    print(f"{right:.2%} of {n} held-out sources translated exactly, {seconds:.0f} s")


if __name__ == "__main__":
    main()
