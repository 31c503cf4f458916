"""Scripts as they are written for TensorLayer 2.x run, on small files in the true formats."""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import tensorlayer as tl
from tests.examples import small_files
from tests.examples.running import EXAMPLES, run

sys.path.insert(0, str(EXAMPLES))

import prose

TUTORIALS = Path(__file__).parent / "tutorials"

pytestmark = [pytest.mark.examples, pytest.mark.slow, pytest.mark.timeout(300)]


def number(shown, pattern):
    """Return the last number that stands after a text."""
    found = re.findall(pattern + r"\s*([\d.]+)", shown)
    assert found, shown
    return float(found[-1])


def test_mnist_by_a_static_network(tmp_path):
    small_files.write_mnist(tmp_path / "data" / "mnist")

    shown = run(TUTORIALS / "tutorial_mnist_static.py", tmp_path)

    assert number(shown, "test acc:") > 0.85  # the last digits are of other writers
    assert number(shown, "val acc:") > 0.85
    assert "same: True" in shown
    assert "Dense(n_units=800" in shown  # the model, printed


def test_cifar10_with_augmentation(tmp_path):
    small_files.write_cifar10(tmp_path / "data" / "cifar10")

    shown = run(TUTORIALS / "tutorial_cifar10_cnn_static.py", tmp_path)

    assert number(shown, "test acc:") > 0.4  # of ten classes


def test_text8_by_skip_gram(tmp_path):
    words = [word for word in prose.words(prose.text()) if word.isalpha()]
    (tmp_path / "data" / "mm_test8").mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "data" / "mm_test8" / "text8.zip", "w") as archive:
        archive.writestr("text8", " " + " ".join(words))

    shown = run(TUTORIALS / "tutorial_word2vec_basic.py", tmp_path)

    assert f"Data size: {len(words)} words" in shown
    losses = [float(each) for each in re.findall(r"Average loss at step .*: ([\d.]+)", shown)]
    assert losses[-1] < 0.6 * losses[0]
    assert len(re.findall(r"Nearest to \w+: \w+", shown)) == 8
    saved = np.load(tmp_path / "model_word2vec.npz")
    assert sorted(values.shape for values in saved.values()) == [(2000,), (2000, 32), (2000, 32)]
    vocabulary = tl.files.load_npy_to_any(path=str(tmp_path), name="vocab.npy")
    first, n = (tmp_path / "vocab_text8.txt").read_text().split()[:2]
    assert vocabulary["dictionary"][first] == 0
    assert (first, int(n)) == tuple(vocabulary["count"][0])
    assert (tmp_path / "model_word2vec.hdf5").exists()
