"""The language model: its states over windows, the models that count, the script as it is run."""

from __future__ import annotations

import itertools
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tests.examples.running import help_of, run, run_within

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import ptb_lstm

TEXT = np.random.default_rng(0).integers(0, 30, 101)


def small(**options):
    size = {
        "units": 8,
        "keep": 0.5,
        "init": 0.5,
        "steps": 5,
        "clip": 5,
        "n_flat": 1,
        "decay": 0.5,
        "epochs": 1,
    }
    return ptb_lstm.Size(**{**size, **options})


def model_of(**options):
    tf.random.set_seed(0)
    return ptb_lstm.LanguageModel(30, small(**options))


@pytest.mark.parametrize("is_tied", [True, False])
def test_two_windows_with_the_state_carried_are_the_one_long_window(is_tied):
    model = model_of(is_tied=is_tied)
    words = TEXT[:40].reshape(2, 20)
    begin = model.before_the_text(2)

    whole, last = model(words, begin, is_train=False)
    first, between = model(words[:, :7], begin, is_train=False)
    second, end = model(words[:, 7:], between, is_train=False)
    without, _ = model(words[:, 7:], begin, is_train=False)

    np.testing.assert_allclose(tf.concat([first, second], 1), whole, rtol=1e-5, atol=1e-6)
    tf.nest.map_structure(lambda a, b: np.testing.assert_allclose(a, b, 1e-5, 1e-6), end, last)
    assert np.abs(without - second).max() > 0.01


def test_the_perplexity_does_not_depend_on_the_windows():
    model = model_of()
    step = ptb_lstm.measuring(model)

    found = [ptb_lstm.read(step, model.before_the_text(1), TEXT, 1, n) for n in (100, 50, 10, 1)]

    scores, _ = model(TEXT[np.newaxis, :-1], model.before_the_text(1), is_train=False)
    logs = tf.nn.log_softmax(scores[0]).numpy()[np.arange(100), TEXT[1:]]
    np.testing.assert_allclose(found, np.exp(-logs.mean()), rtol=1e-5)


def test_training_begins_each_batch_with_the_states_of_the_one_before():
    model = model_of(keep=1.0)
    frozen = tf.optimizers.SGD(0.0)  # the weights stay: only the states are different
    step = ptb_lstm.training(model, frozen, clip=5.0)

    states, costs = model.before_the_text(4), []
    for words, following in tl.iterate.ptb_iterator(TEXT, 4, 12):
        cost, states = step(words, following, states)
        costs.append(float(cost))

    measured = ptb_lstm.read(ptb_lstm.measuring(model), model.before_the_text(4), TEXT, 4, 24)
    np.testing.assert_allclose(ptb_lstm.perplexity(costs), measured, rtol=1e-5)


def test_the_models_that_count_are_those_of_a_dictionary():
    train, test = [0, 1, 0, 1, 2, 0, 2, 1, 0], [1, 0, 2, 2, 0, 1]
    words, pairs = Counter(train), Counter(itertools.pairwise(train))
    before = Counter(train[:-1])

    def cost(first, second, weight):
        bigram = pairs[first, second] / before[first]
        return -np.log(weight * bigram + (1 - weight) * words[second] / len(train))

    counts = ptb_lstm.Counts(train, 3)
    for weight in (0.0, 0.3, 0.6):
        costs = [cost(a, b, weight) for a, b in itertools.pairwise(test)]
        found = counts.perplexity(np.array(test), weight)
        assert found == pytest.approx(np.exp(np.mean(costs)))
    best = counts.best_weight(np.array(test))
    assert all(
        counts.perplexity(np.array(test), best) <= counts.perplexity(np.array(test), weight)
        for weight in np.arange(0.05, 1, 0.05)
    )


def test_sizes_are_those_of_the_paper():
    small, medium, large = (ptb_lstm.SIZES[name] for name in ("small", "medium", "large"))

    assert [each.units for each in (small, medium, large)] == [200, 650, 1500]
    assert [each.keep for each in (small, medium, large)] == [1.0, 0.5, 0.35]
    assert weights_in(medium) == pytest.approx(20e6, rel=0.02)  # as those who cite it count
    assert weights_in(large) == pytest.approx(66e6, rel=0.02)
    weights = ptb_lstm.LanguageModel(10_000, small).trainable_weights
    assert sum(np.prod(each.shape) for each in weights) == weights_in(small)


def weights_in(size, n_words=10_000):
    """Return how many weights the formulas say: vectors, layers, softmax."""
    n = size.units
    return n_words * n + size.layers * (8 * n * n + 4 * n) + (n + 1) * n_words


def perplexities(shown):
    """Return those of the unigram, the bigram and the LSTM, as the script prints them."""
    found = [re.search(rf"{name} ([\d.]+)", shown) for name in ("unigram", "bigram", "  LSTM")]
    assert all(found), shown
    return [float(each[1]) for each in found]


@pytest.mark.slow
@pytest.mark.timeout(330)
def test_the_lstm_foretells_text_better_than_models_that_count(tmp_path):
    shown = run("ptb_lstm.py", tmp_path, "--quick", "--epochs", "9")

    unigram, bigram, lstm = perplexities(shown)
    assert lstm < bigram < unigram
    assert "AutoGraph" not in shown


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_the_folder_of_the_penn_treebank_is_read(tmp_path):
    folder = tmp_path / "ptb" / "simple-examples" / "data"
    folder.mkdir(parents=True)
    # What comes third depends on the first: more than a model of pairs can know.
    rng = np.random.default_rng(0)
    for part, n in (("train", 2000), ("valid", 200), ("test", 200)):
        lines = [" a then b \n" if each else " c then d \n" for each in rng.integers(0, 2, n)]
        (folder / f"ptb.{part}.txt").write_text("".join(lines))

    shown = run_within("ptb_lstm.py", tmp_path, "--data", str(tmp_path), "--epochs", "6")

    unigram, bigram, lstm = perplexities(shown)
    assert lstm < 1.3  # one bit for each line of four words: 2 ** (1 / 4) = 1.19
    assert lstm < bigram < unigram


def test_help_teaches():
    shown = help_of("ptb_lstm.py")

    assert "Zaremba" in shown
    assert "--size" in shown
    assert "--quick" in shown
