"""The perceptron in three forms: against NumPy and each other, and the program as it is run."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.distance import cdist

from tests.examples import small_files
from tests.examples.running import EXAMPLES, help_of, run, run_here, run_within

sys.path.insert(0, str(EXAMPLES))

import mnist_mlp

RNG = np.random.default_rng(0)


def test_both_forms_compute_what_numpy_does():
    x = RNG.random((7, 64)).astype("float32")
    static, subclassed = mnist_mlp.static(64), mnist_mlp.Subclassed(64)
    assert list(static.parameters) == list(subclassed.parameters)
    values = [RNG.normal(size=each.shape).astype("float32") for each in static.all_weights]
    for model in (static, subclassed):
        for each, value in zip(model.all_weights, values, strict=True):
            each.assign(value)

    expected = x
    for i in (0, 2, 4):
        expected = (np.maximum(expected, 0) if i else expected) @ values[i] + values[i + 1]
    for model in (static, subclassed):
        np.testing.assert_allclose(model(x, is_train=False), expected, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("make", [mnist_mlp.static, mnist_mlp.Subclassed])
def test_both_forms_drop_while_they_train(make):
    model, x = make(64), RNG.random((2000, 64)).astype("float32")

    hidden = model.get_layer("drop1")(x, is_train=True).numpy()

    assert np.mean(hidden == 0) == pytest.approx(0.2, abs=0.01)
    np.testing.assert_allclose(hidden[hidden > 0], x[hidden > 0] / 0.8, rtol=1e-5)
    assert not np.allclose(model(x, is_train=True), model(x, is_train=False))


def test_both_images_go_through_the_same_weights():
    model, x = mnist_mlp.siamese(64), RNG.random((5, 64)).astype("float32")

    left, right = model([x, x[::-1]], is_train=False)

    assert len(model.trainable_weights) == 6
    np.testing.assert_allclose(left, right[::-1], rtol=1e-5)
    with tf.GradientTape() as tape:
        left, _ = model([x, x], is_train=False)
    assert all(each is not None for each in tape.gradient(left, model.trainable_weights))


def test_partners_are_of_the_same_class_and_of_another():
    labels = RNG.permutation(np.repeat([0, 1, 2, 3], [40, 2, 30, 50]))
    seen, others = set(), set()
    for seed in range(60):
        same, other = mnist_mlp.pairs(labels, np.random.default_rng(seed))
        assert np.all(labels[same] == labels)
        assert np.all(same != np.arange(len(labels)))
        assert np.all(labels[other] != labels)
        seen |= set(same[labels == 3])
        others |= set(labels[other[labels == 0]])

    assert seen == set(np.flatnonzero(labels == 3))
    assert others == {1, 2, 3}


def test_half_of_the_pairs_are_the_same():
    images, labels = RNG.random((30, 4)), np.repeat([0, 1, 2], 10)

    left, right, are_same = mnist_mlp.paired(images, labels, seed=1)

    class_of = {row.tobytes(): label for row, label in zip(images, labels, strict=True)}
    expected = [
        class_of[a.tobytes()] == class_of[b.tobytes()] for a, b in zip(left, right, strict=True)
    ]
    np.testing.assert_array_equal(are_same, expected)
    assert are_same.mean() == 0.5


def test_the_cost_pulls_the_same_together_and_pushes_others_to_the_margin():
    left, right = RNG.normal(scale=0.3, size=(2, 20, 3))
    are_same = (np.arange(20) % 2).astype("float32")

    found = mnist_mlp.distances(tf.constant(left), tf.constant(right))

    expected = np.diag(cdist(left, right))
    np.testing.assert_allclose(found, expected)
    assert expected.min() < mnist_mlp.MARGIN < expected.max()
    each = list(zip(expected, are_same, strict=True))
    costs = [d**2 if same else max(1 - d, 0) ** 2 for d, same in each]
    cost = mnist_mlp.contrastive(tf.cast(found, tf.float32), are_same)
    assert float(cost) == pytest.approx(np.mean(costs), rel=1e-5)
    right_ones = [(d < 0.5) == bool(same) for d, same in each]
    assert float(mnist_mlp.told_right(found, are_same)) == pytest.approx(np.mean(right_ones))


def test_images_that_are_the_same_leave_the_cost_a_slope():
    place = tf.Variable(tf.ones([1, 3]))
    with tf.GradientTape() as tape:
        cost = mnist_mlp.contrastive(mnist_mlp.distances(place, tf.ones([1, 3])), 1.0)

    assert np.all(np.isfinite(tape.gradient(cost, place)))


def test_digits_are_held_out():
    digits = mnist_mlp.read(None)

    sizes = [len(images) for images, _ in digits]
    assert sizes == [1078, 359, 360]
    from sklearn.datasets import load_digits

    every = sorted(map(bytes, np.concatenate([images for images, _ in digits])))
    assert every == sorted(map(bytes, (load_digits().data / 16).astype("float32")))


def reached(shown):
    """Return the share that the script prints."""
    found = re.search(r"([\d.]+)% of ([\d,]+) (?:pairs|digits) held out", shown)
    assert found, shown
    return float(found[1]) / 100


@pytest.mark.examples
@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.parametrize("kind", list(mnist_mlp.BARS))
def test_digits_are_read(tmp_path, kind):
    shown = run("mnist_mlp.py", tmp_path, "--quick", "--kind", kind)

    assert reached(shown) >= mnist_mlp.BARS[kind]
    assert (tmp_path / "mnist_mlp.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.examples
@pytest.mark.slow
@pytest.mark.timeout(200)
def test_files_of_mnist_are_read(tmp_path):
    small_files.write_mnist(tmp_path)

    shown = run_within(
        "mnist_mlp.py", tmp_path, "--data", ".", "--epochs", "10", "--out", "own.png"
    )

    assert "of 297 digits held out" in shown
    assert reached(shown) > 0.85  # the last digits are of other writers
    assert (tmp_path / "own.png").exists()


@pytest.mark.slow
def test_the_result_is_printed_though_the_picture_fails(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "own.png").symlink_to("/dev/full")

    with pytest.raises(SystemExit, match="stopped: No space left"):
        run_here("mnist_mlp.py", "--epochs", "1", "--out", "new/own.png")

    assert re.search(r"[\d.]+% of 360 digits held out are read", capsys.readouterr().out)


def test_what_is_no_folder_is_refused_in_a_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit) as ended:
        run_here("mnist_mlp.py", "--data", "nowhere")

    assert (
        str(ended.value) == "nowhere is no folder: make it, and load_mnist_dataset downloads to it"
    )


def test_help_teaches():
    shown = help_of("mnist_mlp.py")

    assert "Hadsell" in shown
    assert "--quick" in shown
