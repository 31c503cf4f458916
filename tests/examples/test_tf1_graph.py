"""The script of TensorLayer 1.x: its network against NumPy, and the program as it is run."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tests.examples import small_files
from tests.examples.running import EXAMPLES, help_of, run, run_within

sys.path.insert(0, str(EXAMPLES))

import tf1_graph

RNG = np.random.default_rng(0)


def relu(x):
    return np.maximum(x, 0)


def test_it_computes_what_numpy_does():
    X, y = RNG.random((30, 12)).astype("float32"), RNG.integers(0, 10, 30)
    with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
        made = tf1_graph.build(12, 7)
        tl.layers.initialize_global_variables(sess)
        W1, b1, W2, b2, W3, b3 = sess.run(made.network.all_params)
        off = tl.utils.dict_to_one(made.network.all_drop)
        feed = {made.x: X, made.y_: y, **off}
        cost, acc, found = sess.run([made.cost, made.acc, made.y_op], feed)
        noisy = [sess.run(made.cost, {**feed, **made.network.all_drop}) for _ in range(2)]

    logits = relu(relu(X @ W1 + b1) @ W2 + b2) @ W3 + b3
    np.testing.assert_array_equal(found, logits.argmax(1))
    assert acc == pytest.approx(np.mean(logits.argmax(1) == y))
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert cost == pytest.approx(-np.mean(np.log(probabilities[np.arange(30), y])), rel=1e-4)
    assert noisy[0] != noisy[1]


def reached(shown):
    """Return the share that the script prints."""
    found = re.search(r"([\d.]+)% of ([\d,]+) digits held out", shown)
    assert found, shown
    return float(found[1]) / 100


@pytest.mark.examples
@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.parametrize("arguments", [[], ["--without-v2"]], ids=["graph", "without-v2"])
def test_digits_are_read(tmp_path, arguments):
    shown = run("tf1_graph.py", tmp_path, "--quick", *arguments)

    assert reached(shown) >= tf1_graph.BAR
    assert "relu1/weights" in shown
    assert "val acc" in shown
    shapes = [each.shape for each in np.load(tmp_path / "tf1_graph" / "model.npz").values()]
    assert shapes == [(64, 400), (400,), (400, 400), (400,), (400, 10), (10,)]


@pytest.mark.examples
@pytest.mark.slow
@pytest.mark.timeout(200)
def test_files_of_mnist_are_read(tmp_path):
    small_files.write_mnist(tmp_path)

    shown = run_within("tf1_graph.py", tmp_path, "--data", ".", "--epochs", "10", "--out", "own")

    assert reached(shown) > 0.85  # the last digits are of other writers
    assert (tmp_path / "own" / "model.npz").exists()


def test_help_teaches():
    shown = help_of("tf1_graph.py")

    assert "all_drop" in shown
    assert "--quick" in shown
