"""MNIST and Fashion-MNIST from files of twelve and four pictures."""

import gzip

import numpy as np
import pytest

from tensorlayer import files
from tensorlayer.errors import Corrupt
from tensorlayer.files.loaders.mnist import read_idx
from tests.files.loaders import samples

LOADERS = [files.load_mnist_dataset, files.load_fashion_mnist_dataset]


@pytest.fixture
def folder(tmp_path):
    for name, content in samples.MNIST.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.mark.parametrize("load", LOADERS)
def test_pictures_and_labels(load, folder):
    X_train, y_train, X_val, y_val, X_test, y_test = load(path=folder)
    assert [a.shape for a in (X_train, X_val, X_test)] == [(10, 784), (2, 784), (4, 784)]
    expected = samples.MNIST_X.reshape(12, 784) / 256
    np.testing.assert_array_equal(np.concatenate([X_train, X_val]), expected)
    np.testing.assert_array_equal(np.concatenate([y_train, y_val]), samples.MNIST_Y)
    np.testing.assert_array_equal(X_test, samples.MNIST_TEST_X.reshape(4, 784) / 256)
    np.testing.assert_array_equal(y_test, samples.MNIST_TEST_Y)
    assert {a.dtype.name for a in (X_train, X_val, X_test)} == {"float32"}
    assert {a.dtype.name for a in (y_train, y_val, y_test)} == {"int32"}
    assert X_train.max() == np.float32(255 / 256)


def test_the_shape_is_that_of_the_pictures(folder):
    X = files.load_mnist_dataset(shape=(-1, 28, 28, 1), path=folder)[0]
    np.testing.assert_array_equal(X[..., 0], (samples.MNIST_X[:10] / 256).astype("f4"))


def test_labels_of_another_number_are_refused(folder):
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(samples.make_idx(np.zeros(11)))
    with pytest.raises(Corrupt, match=r"holds 12 pictures and .* 11 labels"):
        files.load_mnist_dataset(path=folder)


RAW = gzip.decompress(samples.make_idx(np.arange(6).reshape(1, 2, 3)))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\x00\x00\x08\x01" + RAW[4:], r"starts with 00 00 08 01 instead of 00 00 08 03"),
        (b"\x00\x00\x0d\x03" + RAW[4:], r"starts with 00 00 0d 03 instead"),
        (b"\x89PNG" + RAW[4:], r"starts with 89 50 4e 47 instead"),
        (b"", r"starts with nothing"),
        (RAW[:-1], r"5 bytes follow a header for the shape \[1, 2, 3\]"),
        (RAW + b"x", r"7 bytes follow"),
        (RAW[:9], r"buffer size must be"),
    ],
)
def test_a_wrong_magic_number_or_length_is_named(raw, message, tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(raw))
    with pytest.raises(Corrupt, match=rf"a\.gz' is not a gz file in the idx format.*({message})"):
        read_idx(tmp_path / "a.gz", 3)


def test_a_broken_gz_is_named(tmp_path):
    for damaged in (RAW, gzip.compress(RAW)[:-9], gzip.compress(RAW)[:-8] + bytes(8)):
        (tmp_path / "a.gz").write_bytes(damaged)
        with pytest.raises(Corrupt, match=r"a\.gz' is not a gz file"):
            read_idx(tmp_path / "a.gz", 3)
