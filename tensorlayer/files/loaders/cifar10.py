"""CIFAR-10: 60,000 colour pictures of 32 x 32 in ten classes."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from tensorlayer.files import pickled
from tensorlayer.files.loaders.place import find, read_whole, unpack

__all__ = ["load_cifar10_dataset"]

URL = "https://www.cs.toronto.edu/~kriz/"
ARCHIVE = "cifar-10-python.tar.gz"
CHECKSUM = "sha256:6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
PYTHON, BINARY = "cifar-10-batches-py", "cifar-10-batches-bin"

#: Red, green and blue, each 32 rows of 32.
PIXELS = 3 * 32 * 32
N_CLASSES = 10

Place = str | os.PathLike[str]


def load_cifar10_dataset(
    shape: tuple[int, ...] = (-1, 32, 32, 3),
    path: Place = "data",
    plotable: bool = False,
    second: float = 3,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Load CIFAR-10, from the Python version or the binary one.

    Parameters
    ----------
    shape
        (-1, 32, 32, 3), rows, columns, channels; or (-1, 3, 32, 32), as the files have it; or
        (-1, 3072), flat in the order of the files.
    path
        Where the folder ``cifar-10-batches-py`` or ``cifar-10-batches-bin``, or the archive
        ``cifar-10-python.tar.gz`` is; or where it is to be downloaded to (``path/cifar10``).
    plotable
        Show some of the pictures.
    second
        For how many seconds.

    Returns
    -------
    tuple
        X_train, y_train, X_test, y_test: 50,000 and 10,000 pictures as float32 in [0, 255] and
        class numbers as int32.

    Raises
    ------
    DownloadFailed
        It is not there and cannot be downloaded.
    Corrupt
        A file is damaged, or not what its name says. The Python version is pickled; it is read
        without executing anything, and refused if it names anything but arrays.

    References
    ----------
    A. Krizhevsky: Learning multiple layers of features from tiny images. 2009.
    """
    folder = find(path, "cifar10", BINARY) or unpack(
        path, "cifar10", PYTHON, ARCHIVE, URL, CHECKSUM
    )
    read, ending = (_read_binary, ".bin") if folder.name == BINARY else (_read_python, "")
    batches = [read(folder / f"data_batch_{i}{ending}") for i in range(1, 6)]
    X_train = np.concatenate([pixels for pixels, _ in batches])
    y_train = np.concatenate([labels for _, labels in batches])
    X_test, y_test = read(folder / f"test_batch{ending}")
    X_train, X_test = _arrange(X_train, shape), _arrange(X_test, shape)
    if plotable:
        _show(X_train, second)
    return X_train, y_train.astype(np.int32), X_test, y_test.astype(np.int32)


def _read_binary(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read records of one byte for the class and 3072 for the pixels."""
    with read_whole(path, "a batch of CIFAR-10's binary version"):
        data = np.fromfile(path, np.uint8)
        if not data.size or data.size % (1 + PIXELS):
            raise ValueError(f"{data.size} bytes are not records of {1 + PIXELS} bytes")
        records = data.reshape(-1, 1 + PIXELS)
        return records[:, 1:], _checked(records[:, 0])


def _read_python(path: Path) -> tuple[np.ndarray, np.ndarray]:
    with read_whole(path, "a batch of CIFAR-10's Python version"), path.open("rb") as file:
        batch = pickled.load(file)
        pixels, labels = batch["data"], np.array(batch["labels"])
        if pixels.shape != (len(labels), PIXELS) or pixels.dtype != np.uint8:
            raise ValueError(f"{pixels.dtype} of shape {pixels.shape} for {len(labels)} labels")
        return pixels, _checked(labels)


def _checked(labels: np.ndarray) -> np.ndarray:
    if labels.min() < 0 or labels.max() >= N_CLASSES:
        raise ValueError(f"there are class numbers from {labels.min()} to {labels.max()}")
    return labels


def _arrange(pixels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if tuple(shape[1:]) == (32, 32, 3):
        pixels = pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return pixels.reshape(shape).astype(np.float32)


def _show(X: np.ndarray, second: float) -> None:
    from tensorlayer import visualize

    pictures = X[:24] if X.shape[-1] == 3 else X[:24].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    visualize.images2d(pictures.astype(np.uint8), second=second, saveable=False, name="cifar10")
