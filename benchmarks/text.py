"""Text and batches against plain Python and NumPy, written as TensorLayer 1 and 2 have it.

Run with ``python -m benchmarks.text``; ``--quick`` takes seconds, ``--check`` exits with 1 if a bar
is missed. Both sides of a pair run in interleaved rounds on the same data; a ratio is the median
over rounds.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks import harness
from benchmarks.harness import Bar, Case, Spread
from tensorlayer import iterate, nlp

#: The time of ours may be so many times that of the plain way: level, within what rounds differ by.
BAR = Bar(1.1, is_upper=True)
PACKAGES = ("numpy", "tensorflow")
N_TOKENS, N_WORDS, N_TEXT = 50_000, 200_000, 929_589  # the last is the length of PTB

Call = Callable[[], Any]


def plain_sample_top(p: np.ndarray, top_k: int) -> int:
    """Partition, then draw."""
    tokens = np.argpartition(p, -top_k)[-top_k:]
    kept = p[tokens]
    return np.random.choice(tokens, p=kept / kept.sum())


def plain_word_ids(words: Sequence[str], ids: Mapping[str, int], unknown: str) -> list[int]:
    """Look up word by word."""
    result = []
    for word in words:
        if ids.get(word) is not None:
            result.append(ids[word])
        else:
            result.append(ids[unknown])
    return result


def plain_ptb_iterator(text: Any, batch_size: int, num_steps: int) -> Iterator[Any]:
    """Copy the text into rows, and slice them."""
    text = np.array(text, dtype=np.int32)
    length = len(text) // batch_size
    rows = np.zeros([batch_size, length], dtype=np.int32)
    for row in range(batch_size):
        rows[row] = text[length * row : length * (row + 1)]
    for step in range((length - 1) // num_steps):
        first, last = step * num_steps, (step + 1) * num_steps
        yield rows[:, first:last], rows[:, first + 1 : last + 1]


def plain_minibatches(inputs: Any, targets: Any, batch_size: int) -> Iterator[Any]:
    """Shuffle indices, and take those of each batch."""
    order = np.arange(len(inputs))
    np.random.shuffle(order)
    for first in range(0, len(inputs) - batch_size + 1, batch_size):
        part = order[first : first + batch_size]
        if isinstance(inputs, list):
            yield [inputs[i] for i in part], [targets[i] for i in part]
        else:
            yield inputs[part], targets[part]


def drained(batches: Callable[..., Iterator[Any]], *arguments: Any) -> Call:
    """Return a call that goes through all batches."""
    return lambda: deque(batches(*arguments), maxlen=0)


def shuffled(inputs: Any, targets: Any) -> Call:
    """Return a call that goes through all of our batches, shuffled."""
    return lambda: deque(iterate.minibatches(inputs, targets, 32, shuffle=True), maxlen=0)


def pairs(rng: np.random.Generator) -> dict[str, tuple[Call, Call]]:
    """Return ours and the plain way of each."""
    p = rng.random(N_TOKENS) ** 8
    p /= p.sum()
    words = [f"word{number}" for number in rng.zipf(1.3, N_WORDS) % (N_TOKENS // 2)]
    ids = {"UNK": 0} | {f"word{number}": number + 1 for number in range(N_TOKENS // 4)}
    text = rng.integers(0, 10_000, N_TEXT)
    x, y = rng.random((5_000, 100), np.float32), np.arange(5_000)
    tensors = tf.constant(x), tf.constant(y)
    lists = x.tolist(), y.tolist()
    found = {
        f"sample_top, 10 of {N_TOKENS:,}": (
            lambda: nlp.sample_top(p, 10, rng),
            lambda: plain_sample_top(p, 10),
        ),
        f"words_to_word_ids, {N_WORDS:,} words": (
            lambda: nlp.words_to_word_ids(words, ids),
            lambda: plain_word_ids(words, ids, "UNK"),
        ),
    }
    for kind, data in {"a list": text.tolist(), "an array": text}.items():
        found[f"ptb_iterator of {kind}, 20 x 35"] = (
            drained(iterate.ptb_iterator, data, 20, 35),
            drained(plain_ptb_iterator, data, 20, 35),
        )
    for kind, data in {"arrays": (x, y), "lists": lists}.items():
        found[f"minibatches of {kind}, shuffled"] = (
            shuffled(*data),
            drained(plain_minibatches, *data, 32),
        )
    found["minibatches of tensors, shuffled, against arrays"] = (
        shuffled(*tensors),
        drained(plain_minibatches, x, y, 32),
    )
    return found


def measure(name: str, ours: Call, plain: Call, n_rounds: int) -> Case:
    """Return the milliseconds of both in each round."""
    ours(), plain()  # warms up
    taken = harness.rounds({"TensorLayer": ours, "plain": plain}, n_rounds)
    samples = {side: [1e3 * each for each in times] for side, times in taken.items()}
    ratio = Spread.of_ratios(samples["TensorLayer"], samples["plain"])
    return Case(name=name, unit="ms", samples=samples, figures={name: ratio})


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the results, and return 1 if ``--check`` finds a bar missed."""
    options = harness.options(__doc__, arguments)
    known = pairs(np.random.default_rng(0))
    n_rounds = 5 if options.quick else 31
    cases = [measure(name, *both, n_rounds) for name, both in known.items()]
    return harness.report(
        "text",
        "Time of ours / time of plain Python and NumPy",
        cases,
        dict.fromkeys(known, BAR),
        options,
        packages=PACKAGES,
        n_rounds=n_rounds,
    )


if __name__ == "__main__":
    sys.exit(main())
