"""Digits and photographs in the files of MNIST and CIFAR-10: small, real, and to be learnt from."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from tests.examples.running import EXAMPLES
from tests.files.loaders import samples

sys.path.insert(0, str(EXAMPLES))

import cifar10_cnn
import pictures


def write_mnist(folder: Path) -> None:
    """Write 1,500 digits to train on, of which a sixth validates, and 297 to test."""
    images, labels = pictures.digits(28)
    grey = np.rint((images[..., 0] + 1) * 127.5)
    parts = (grey[:1500], labels[:1500], grey[1500:], labels[1500:])
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in zip(samples.MNIST, parts, strict=True):
        (folder / name).write_bytes(samples.make_idx(part))


def write_cifar10(folder: Path) -> None:
    """Write 600 pieces of photographs to train on, and 200 to test, in the Python version."""
    data, rng = cifar10_cnn.read(None, n_pieces=60), np.random.default_rng(0)
    rows = rng.permutation(600).reshape(5, 120)
    parts = [(data.X_train[each], data.y_train[each]) for each in rows]
    chosen = rng.permutation(1000)[:200]
    parts.append((data.X_test[chosen], data.y_test[chosen]))
    for name, (pixels, labels) in zip(samples.CIFAR_PYTHON, parts, strict=True):
        planes = pixels.transpose(0, 3, 1, 2).reshape(len(pixels), -1)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(samples.make_python_2_pickle(planes, labels))
