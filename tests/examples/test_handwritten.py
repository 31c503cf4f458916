"""Digits to learn from and held out, and what small classifiers of them share."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_digits

import tensorlayer as tl
from tensorlayer.files.loaders import mnist
from tests.examples import small_files
from tests.examples.running import EXAMPLES
from tests.files.loaders import samples

sys.path.insert(0, str(EXAMPLES))

import handwritten
import pictures


def test_a_third_of_the_digits_that_ship_is_held_out():
    train, test = handwritten.read(None)

    found = [np.column_stack([each.images.reshape(-1, 64), each.labels]) for each in (train, test)]
    wanted = np.column_stack([load_digits().data / 16, load_digits().target])
    assert [len(each) for each in found] == [1198, 599]
    np.testing.assert_array_equal(*(np.sort(each, 0) for each in (np.vstack(found), wanted)))
    assert not {row.tobytes() for row in found[0]} & {row.tobytes() for row in found[1]}
    assert train.images.shape[1:] == (8, 8, 1)
    assert train.images.dtype == np.float32


def test_mnist_in_a_folder(tmp_path):
    small_files.write_mnist(tmp_path)

    train, test = handwritten.read(tmp_path)

    images, labels = pictures.digits(28)
    grey = np.rint((images[..., 0] + 1) * 127.5) / 256
    np.testing.assert_array_equal(np.concatenate([train.images, test.images])[..., 0], grey)
    np.testing.assert_array_equal(np.concatenate([train.labels, test.labels]), labels)
    assert len(test.labels) == 297


def test_mnist_that_cannot_be_had_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(mnist, "URL", "http://127.0.0.1:9/")  # where nobody listens
    monkeypatch.setattr(sys.modules["tensorlayer.files.download"], "PAUSE_SECONDS", 0)
    with pytest.raises(SystemExit, match=r"could not be downloaded.*put the file at"):
        handwritten.read(tmp_path)

    for name, content in samples.MNIST.items():
        (tmp_path / name).write_bytes(content[:-30])
    with pytest.raises(SystemExit, match=r"train-images.*damaged"):
        handwritten.read(tmp_path)


def test_a_folder_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(SystemExit, match=r"nowhere is no folder: make it, and load_mnist_dataset"):
        handwritten.read(tmp_path / "nowhere")


def test_a_classifier_learns_and_is_measured():
    rng = np.random.default_rng(0)
    images = rng.uniform(size=[200, 2, 2, 1]).astype("float32")
    part = handwritten.Part(images, (images[:, 0, 0, 0] > images[:, 1, 1, 0]).astype("int32"))
    tf.random.set_seed(0)
    x = tl.layers.Input([None, 2, 2, 1], name="x")
    model = tl.models.Model(x, tl.layers.Dense(tl.layers.Flatten(x), 2, name="logits"))

    handwritten.learn(model, part, n_epoch=50, rate=0.05)

    w, b = (each.numpy() for each in model.all_weights)
    right = (images.reshape(-1, 4) @ w + b).argmax(1) == part.labels
    assert handwritten.accuracy(model, part) == pytest.approx(right.mean())
    assert right.mean() > 0.95


def test_rows_of_images_are_enlarged_to_one_size(tmp_path):
    rng = np.random.default_rng(0)
    small, large = (rng.integers(0, 256, [3, side, side, 1]) / 255 for side in (2, 4))

    handwritten.draw([small, large * 3 - 1], tmp_path / "rows.png", side=8)

    pixels = np.asarray(Image.open(tmp_path / "rows.png"))
    assert pixels.shape == (16, 24)
    np.testing.assert_array_equal(pixels[:8, 8:16], np.kron(small[1, ..., 0], np.full([4, 4], 255)))
    wanted = np.kron((large[2, ..., 0] * 3 - 1).clip(0, 1), np.full([2, 2], 255))
    np.testing.assert_allclose(pixels[8:, 16:], wanted, atol=0.51)


def test_what_the_programs_have_in_common():
    options = handwritten.parser("What it does.", "name", n_epoch=7).parse_args([])

    assert (options.data, options.epochs, options.seed, str(options.out)) == (None, 7, 0, "name")
