"""MNIST and Fashion-MNIST: 70,000 pictures of 28 x 28 grey values in ten classes."""

from __future__ import annotations

import gzip
import math
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tensorlayer.errors import Corrupt
from tensorlayer.files.loaders.place import fetch, read_whole

__all__ = ["load_fashion_mnist_dataset", "load_mnist_dataset", "read_idx"]

URL = "https://storage.googleapis.com/cvdf-datasets/mnist/"
FASHION_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

CHECKSUMS = {
    "train-images-idx3-ubyte.gz": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "md5:d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "md5:9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "md5:ec29112dd5afa0611ce80d1b7f02629c",
}
FASHION_CHECKSUMS = {
    "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
}

#: A sixth of the training pictures, 10,000 of 60,000, is for validation.
VALIDATION_SHARE = 6

#: The third byte of an idx file that holds unsigned bytes.
UBYTE = 0x08

Place = str | os.PathLike[str]
Split = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def load_mnist_dataset(shape: tuple[int, ...] = (-1, 784), path: Place = "data") -> Split:
    """Load MNIST: handwritten digits.

    Parameters
    ----------
    shape
        Of the pictures: (-1, 784) for dense layers, (-1, 28, 28, 1) for convolutions.
    path
        Where the four gz files are, or are to be downloaded to (``path/mnist``).

    Returns
    -------
    tuple
        X_train, y_train, X_val, y_val, X_test, y_test: 50,000, 10,000 and 10,000 pictures as
        float32 in [0, 0.996] (the grey value divided by 256) and class numbers as int32. The
        validation pictures are the last of the training file.

    Raises
    ------
    DownloadFailed
        A file is not there and cannot be downloaded.
    Corrupt
        A file is damaged, or not what its name says.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document
    recognition. Proceedings of the IEEE, 1998.
    """
    return _load(shape, path, "mnist", URL, CHECKSUMS)


def load_fashion_mnist_dataset(shape: tuple[int, ...] = (-1, 784), path: Place = "data") -> Split:
    """Load Fashion-MNIST: pieces of clothing, in the form of MNIST.

    Parameters
    ----------
    shape
        Of the pictures.
    path
        Where the four gz files are, or are to be downloaded to (``path/fashion_mnist``).

    Returns
    -------
    tuple
        As [`load_mnist_dataset`][] returns.

    Raises
    ------
    DownloadFailed, Corrupt
        As [`load_mnist_dataset`][] raises.

    References
    ----------
    H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST, a novel image dataset for benchmarking machine
    learning algorithms. arXiv:1708.07747, 2017.
    """
    return _load(shape, path, "fashion_mnist", FASHION_URL, FASHION_CHECKSUMS)


def _load(
    shape: tuple[int, ...], path: Place, folder: str, url: str, checksums: Mapping[str, str]
) -> Split:
    files = [fetch(path, folder, name, url, checksum) for name, checksum in checksums.items()]
    X, y = _read_pair(files[0], files[1], shape)
    X_test, y_test = _read_pair(files[2], files[3], shape)
    n_train = len(X) - len(X) // VALIDATION_SHARE
    return X[:n_train], y[:n_train], X[n_train:], y[n_train:], X_test, y_test


def _read_pair(images: Path, labels: Path, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    X, y = read_idx(images, 3), read_idx(labels, 1)
    if len(X) != len(y):
        raise Corrupt(
            f"{str(images)!r} holds {len(X)} pictures and {str(labels)!r} {len(y)} labels. They "
            "are not of one dataset; delete both and get them again."
        )
    return X.reshape(shape) / np.float32(256), y.astype(np.int32)


def read_idx(path: Place, rank: int) -> np.ndarray:
    """Return the bytes of a gz file in the idx format.

    Two zero bytes, the type, the rank, the length of each axis as four bytes with the high byte
    first, and the values.

    Raises
    ------
    Corrupt
        The file is short or long, or says another type or rank.
    """
    with read_whole(path, "a gz file in the idx format"), gzip.open(path) as file:
        head = file.read(4)
        if head != bytes([0, 0, UBYTE, rank]):
            raise ValueError(
                f"it starts with {head.hex(' ') or 'nothing'} instead of 00 00 08 {rank:02x}, "
                f"bytes of rank {rank}"
            )
        shape = np.frombuffer(file.read(4 * rank), ">u4").tolist()
        data = file.read()
        if len(shape) != rank or len(data) != math.prod(shape):
            raise ValueError(f"{len(data)} bytes follow a header for the shape {shape}")
        return np.frombuffer(data, np.uint8).reshape(shape)
