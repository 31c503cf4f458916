"""A small chatbot: it answers what it has been told, however it is asked.

    python examples/chatbot.py                          # a little more than a minute on 2 cores
    python examples/chatbot.py --quick                  # less than one
    python examples/chatbot.py --data dialogues.txt     # dialogues of your own

A recurrent encoder reads the question; a decoder writes the answer word by word and looks, for each
word, at the words of the question (``tl.models.Seq2seqLuongAttention``).

Without ``--data`` the dialogues are about Python's own library, and its docstrings are the answers:

    what does math.gcd do?    ->  Greatest Common Divisor.
    tell me about str.upper   ->  Return a copy of the string converted to uppercase.

Each thing is asked for in four ways, of which one is held out: at the end the chatbot hears that
one for the first time. How many answers are right then is printed, and for some questions

- the answer of a beam search, the best of the sequences that it has followed,
- answers that are drawn among the likeliest words, which differ from each other.

``--data`` takes three kinds of files: question, tab and answer on each line; lines of which each
second one answers the one before, as in the Twitter dialogues; and ``movie_lines.txt`` of the
Cornell movie dialogues. Conversations with strangers have no right answers: read them.
"""

from __future__ import annotations

import builtins
import importlib
import inspect
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

MODULES = [
    "math",
    "statistics",
    "random",
    "itertools",
    "functools",
    "heapq",
    "textwrap",
    "shutil",
    "time",
    "json",
]
TYPES = (str, list, dict, set, int, float)
WAYS = ("what does {} do?", "tell me about {}", "what is {} for?", "please explain {}.")
CORNELL = " +++$+++ "
MOST_WORDS = 25  # longer answers are cut


def things() -> dict[str, str]:
    """Return what Python's library says of its functions, in a sentence each."""
    owners = {name: importlib.import_module(name) for name in MODULES}
    owners |= {"builtins": builtins, **{kind.__name__: kind for kind in TYPES}}
    found = {}
    for owner, where in owners.items():
        for name, thing in sorted(vars(where).items()):
            text = " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
            sentence = re.split(r"(?<=[.!?])\s", text)[0]
            if callable(thing) and not name.startswith("_") and 3 <= len(sentence.split()) <= 20:
                found[name if owner == "builtins" else f"{owner}.{name}"] = sentence
    return found


def questions(n_things: int, seed: int) -> tuple[pairs.Pairs, pairs.Pairs]:
    """Return questions with answers to train on; and of each thing one that is asked otherwise."""
    rng, train, test = random.Random(seed), [], []
    for name, answer in sorted(things().items())[:n_things]:
        ways = [(way.format(name), answer) for way in WAYS]
        test.append(ways.pop(rng.randrange(len(ways))))
        train += ways
    return train, test


def read(path: str) -> pairs.Pairs:
    """Return the dialogues of a file of one of three kinds."""
    text = prose.read_text(path, errors="replace")  # that of films is in Latin-1
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if lines and CORNELL in lines[0]:
        return cornell(lines)
    if lines and "\t" in lines[0]:
        return pairs.read_tabs(lines)
    return list(zip(lines[::2], lines[1::2], strict=False))


def cornell(lines: list[str]) -> pairs.Pairs:
    """Return what is said next in a film, and by somebody else."""
    said = {}
    for line in lines:
        number, who, film, _, text = [*line.split(CORNELL, 4), "", "", "", ""][:5]
        if not number.strip("L").isdecimal():
            raise SystemExit(f"a line of the film dialogues has no number: {line[:60]!r}")
        said[int(number.strip("L"))] = (film, who, text.strip())
    found = []
    for number, (film, who, text) in sorted(said.items()):
        next_film, other, answer = said.get(number + 1, ("", "", ""))
        if text and answer and film == next_film and who != other:
            found.append((text, answer))
    return found


def dialogues(path: str, n_pairs: int, seed: int) -> tuple[pairs.Pairs, pairs.Pairs]:
    """Return dialogues of a file to train on, and others to look at."""
    every = read(path)
    if len(every) < 20:
        raise SystemExit(f"{path}: {len(every)} pairs of lines were found; see --help for files.")
    random.Random(seed).shuffle(every)
    held_out = min(max(len(every) // 20, 1), 200)
    return every[held_out : held_out + n_pairs], every[:held_out]


def show(model, vocabulary: pairs.Vocabulary, asked: pairs.Pairs, n_steps: int, seed: int) -> None:
    """Print answers of a beam, and drawn ones."""
    texts = [question for question, _ in asked]
    beam = pairs.answers(model, vocabulary, texts, n_steps, tl.models.BeamSearch(4, 0.6))
    drawn = [
        pairs.answers(
            model, vocabulary, texts, n_steps, tl.models.SampledSearch(5, 0.9, seed=seed + n)
        )
        for n in range(2)
    ]
    for row, (question, answer) in enumerate(asked):
        print(f"\n     Q: {question}\n  beam: {beam[row]}")
        for each in drawn:
            print(f" drawn: {each[row]}")
        print(f"  data: {answer}")


@arguments.program
def main() -> None:
    """Train, ask in ways that were held out, and show answers."""
    parser = arguments.parser(__doc__)
    number = arguments.positive
    parser.add_argument("--data", help="a file with dialogues")
    parser.add_argument("--pairs", type=number, default=100_000, help="how many dialogues at most")
    parser.add_argument("--things", type=number, default=10_000, help="of Python, without --data")
    parser.add_argument("--epochs", type=number, default=40, help="passes over the dialogues")
    parser.add_argument("--units", type=number, default=192, help="of both recurrent layers")
    parser.add_argument("--method", default="dot", choices=["dot", "general", "concat"])
    parser.add_argument("--batch", type=number, default=32, help="dialogues in a step")
    parser.add_argument("--rate", type=arguments.rate, default=0.005, help="of learning, at first")
    arguments.add_seed(parser, "of weights, order and drawn words")
    quick = {"things": 100, "epochs": 30}
    options = arguments.parse(parser, quick, takes="less than half a minute")

    tf.random.set_seed(options.seed)
    started = time.perf_counter()
    if options.data:
        train, test = dialogues(options.data, options.pairs, options.seed)
    else:
        train, test = questions(options.things, options.seed)
    vocabulary = pairs.Vocabulary(text for pair in train for text in pair)
    source = vocabulary.encode([each for each, _ in train], False, MOST_WORDS)
    target = vocabulary.encode([each for _, each in train], True, MOST_WORDS)
    print(f"{len(train)} pairs to train on, {len(test)} held out; {len(vocabulary.names)} words")

    wide = tl.initializers.RandomUniform(-0.5, 0.5)
    words = tl.layers.Embedding(len(vocabulary.names), 64, E_init=wide, name="words")
    model = tl.models.Seq2seqLuongAttention(
        options.units, words, tl.layers.GRUCell, options.method, pad_id=pairs.PAD
    )
    data = pairs.batches(source, target, options.batch, options.seed)
    rate = tf.optimizers.schedules.CosineDecay(options.rate, options.epochs * len(data))

    def after_epoch(epoch: tl.train.Epoch) -> None:
        print(f"epoch {epoch.number}: loss {epoch.metrics['loss']:.4f}", flush=True)

    step = pairs.training(model, tf.optimizers.Adam(rate))
    tl.train.run(step, data, n_epoch=options.epochs, callbacks=[after_epoch], progress=False)

    asked = [question for question, _ in test]
    found = pairs.answers(model, vocabulary, asked, target.shape[1], tl.models.BeamSearch(4))
    right = pairs.share_right(found, [answer for _, answer in test])
    show(model, vocabulary, test[:: max(1, len(test) // 6)][:6], target.shape[1], options.seed)
    seconds = time.perf_counter() - started
    print(
        f"\n{right:.1%} of {len(test)} held-out questions answered as the data do, {seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
