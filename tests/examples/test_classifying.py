"""What examples share that tell classes apart: the share that is right, and folders."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tests.files.loaders import samples

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import classifying


@pytest.mark.parametrize("kind", ["int32", "int64", "uint8"])
def test_the_share_that_is_right(kind):
    logits = np.random.default_rng(0).normal(size=(50, 3)).astype("float32")
    labels = np.random.default_rng(1).integers(0, 3, 50).astype(kind)

    found = classifying.accuracy(tf.constant(logits), tf.constant(labels))

    assert float(found) == pytest.approx(np.mean(logits.argmax(1) == labels))


def test_a_folder_is_loaded_with_options(tmp_path):
    for name, content in samples.MNIST.items():
        (tmp_path / name).write_bytes(content)

    found = classifying.loaded(tl.files.load_mnist_dataset, tmp_path, shape=(-1, 28, 28, 1))

    assert found[0].shape == (10, 28, 28, 1)


def test_what_is_no_folder_ends_the_program_with_a_line(tmp_path):
    with pytest.raises(SystemExit, match=r"nowhere is no folder: make it, and load_mnist_dataset"):
        classifying.loaded(tl.files.load_mnist_dataset, tmp_path / "nowhere")


def test_files_that_are_damaged_end_the_program_with_a_line(tmp_path):
    for name in samples.MNIST:
        (tmp_path / name).write_bytes(gzip.compress(b"something else"))

    with pytest.raises(SystemExit, match=r"train-images-idx3-ubyte.gz'? is not a gz file in the"):
        classifying.loaded(tl.files.load_mnist_dataset, tmp_path)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([0] * 10, r"of 9 pictures to learn from, 0 have the label 1; 30 of each digit are needed"),
        (list(range(10)) * 60, r"of 10 pictures to test, 1 have the label 0; 2 of each digit are"),
        ([*range(10), 11] * 60, "a label is 11, and digits are from 0 to 9"),
    ],
)
def test_a_folder_of_too_few_digits_ends_the_program_with_a_line(tmp_path, labels, said):
    parts = labels, list(range(10))
    arrays = [array for each in parts for array in (np.zeros((len(each), 28, 28)), np.array(each))]
    for name, array in zip(samples.MNIST, arrays, strict=True):
        (tmp_path / name).write_bytes(samples.make_idx(array))

    with pytest.raises(SystemExit, match=rf"^{tmp_path}: {said}"):
        classifying.mnist(tmp_path, shape=(-1, 784))
