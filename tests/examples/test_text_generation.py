"""Text generation as a user runs it, and what the writer reads and writes."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.examples.running import help_of, run, run_here, run_within

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import text_generation

NUMBERS = {text_generation.UNKNOWN: 0, "a": 1, "b": 2, "c": 3, ".": 4}


def writer():
    tf.random.set_seed(0)
    model = text_generation.network(len(NUMBERS), units=6, keep=0.5)
    for weight in model.trainable_weights:
        weight.assign(tf.random.normal(weight.shape))
    return text_generation.Writer(model, 6, NUMBERS)


def test_words_and_marks_become_text_again():
    words = text_generation.words_and_marks('If it\'s built-in, (then) it is "fast": see x.y!')

    assert words[:4] == ["if", "it's", "built-in", ","]
    assert text_generation.as_text([*words, "<eos>", "so"]) == (
        "if it's built-in, then it is fast: see x. y!\n  so"
    )


def test_windows_are_those_of_the_text_each_once():
    ids = np.arange(1, 20 * 40 + 2)

    batches = list(text_generation.windows(ids, seed=0).as_numpy_iterator())

    assert [each.shape for each in batches] == [(20, 21)] * 2
    every = np.concatenate(batches)
    assert (np.diff(every, axis=1) == 1).all()
    assert sorted(every[:, 0]) == list(range(1, 800, 20))
    assert list(every[:, 0]) != sorted(every[:, 0])


def test_it_writes_what_the_whole_text_so_far_makes_likeliest():
    own = writer()

    written = own.write("a b", 8, lambda p: int(p.argmax())).replace(".", " .").split()

    ids = [NUMBERS[word] for word in written]
    zeros = np.zeros([1, 6], np.float32)
    scores, *_ = own.model([np.array([ids[:-1]], np.int32), zeros, zeros], is_train=False)
    expected = scores[0, 1:, 1:].numpy().argmax(axis=1) + 1  # never the unknown word
    assert ids[2:] == expected.tolist()
    assert len(set(ids)) > 1


def test_the_perplexity_is_that_of_one_long_window():
    own, text = writer(), np.random.default_rng(0).integers(0, 5, 151)

    zeros = np.zeros([1, 6], np.float32)
    scores, *_ = own.model([text[np.newaxis, :-1].astype("int32"), zeros, zeros], is_train=False)
    logs = tf.nn.log_softmax(scores[0]).numpy()[np.arange(150), text[1:]]
    assert own.perplexity(text) == pytest.approx(np.exp(-logs.mean()), rel=1e-5)


def test_the_unigram_knows_how_frequent_words_are():
    train, test = np.array([0, 1, 1, 2]), np.array([0, 1, 2])

    found = text_generation.unigram_perplexity(train, test, 3)

    assert found == pytest.approx((0.5 * 0.25) ** -0.5)


def perplexities(shown):
    """Return those of the network and of the unigram, as the script prints them."""
    found = re.search(r"perplexity ([\d.]+) of the text held out, ([\d.]+) by the unigram", shown)
    assert found, shown
    return float(found[1]), float(found[2])


@pytest.mark.slow
@pytest.mark.timeout(330)
def test_what_is_learnt_is_more_than_how_frequent_words_are(tmp_path):
    shown = run("text_generation.py", tmp_path, "--epochs", "2", "--prompt", "it is")

    reached, unigram = perplexities(shown)
    assert reached < 0.7 * unigram
    written = re.findall(r"^  it is\b", shown, re.MULTILINE)
    assert len(written) == 2 + 5  # after each epoch, and in each way at the end


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_a_text_of_ones_own_is_learnt(tmp_path):
    # Three lines in turn: those that are held out, every tenth, are in the same order.
    lines = "The cat sat on a mat.\nA dog ran to the cat!\nBoth were happy.\n"
    (tmp_path / "own.txt").write_text(lines * 200)

    arguments = [
        "--data",
        "own.txt",
        "--prompt",
        "the",
        "--units",
        "32",
        "--epochs",
        "30",
        "--keep",
        "1",
    ]
    shown = run_within("text_generation.py", tmp_path, *arguments)

    reached, _ = perplexities(shown)
    assert reached < 1.5
    assert "on a mat.\n" in shown.partition("always the likeliest")[2]


@pytest.mark.parametrize("prompt", ["", " ", "()"])
def test_a_prompt_without_a_word_is_refused_in_a_line(prompt, capsys):
    with pytest.raises(SystemExit):
        run_here("text_generation.py", f"--prompt={prompt}")

    assert f"error: --prompt {prompt!r} has no word to begin with" in capsys.readouterr().err


def test_a_text_of_too_few_paragraphs_is_refused_in_a_line(tmp_path):
    (tmp_path / "own.txt").write_text("word " * 5000)

    with pytest.raises(SystemExit, match=r"own.txt: 0 words to train on, 5001 held out, .* of its"):
        text_generation.read_texts(str(tmp_path / "own.txt"))


def test_help_teaches():
    shown = help_of("text_generation.py")

    assert "sample_top" in shown
    assert "--quick" in shown
