"""Handwritten digits to learn from and others held out, and what small classifiers of them share.

Without a folder they are the 1,797 that scikit-learn ships, 8 x 8, of which a third is held out.
With one they are MNIST's 60,000 and 10,000, 28 x 28.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import arguments  # files beside this one
import classifying
import numpy as np
import pictures
import tensorflow as tf

import tensorlayer as tl

BATCH = 50


class Part(NamedTuple):
    """Images, (n, side, side, 1) of values from 0 to 1, and which digits they are."""

    images: np.ndarray
    labels: np.ndarray


def parser(description: str, name: str, n_epoch: int) -> argparse.ArgumentParser:
    """Return the options that the programs have in common."""
    found = arguments.parser(description)
    found.add_argument("--data", type=Path, help="folder of MNIST; files are downloaded to it")
    found.add_argument(
        "--epochs", type=arguments.positive, default=n_epoch, help="passes over the images"
    )
    arguments.add_seed(found, "of weights, noise and order")
    out = arguments.folder_to_write
    found.add_argument("--out", type=out, default=name, help="the folder of what is written")
    return found


def read(folder: Path | None) -> tuple[Part, Part]:
    """Return digits to learn from, and those that are held out."""
    if folder is not None:
        return _mnist(folder)
    digits = pictures.sklearn().load_digits()
    images = (digits.images[..., None] / 16).astype("float32")
    labels = digits.target.astype("int32")
    order = np.random.default_rng(0).permutation(len(images))
    few, many = np.split(order, [len(images) // 3])
    return Part(images[many], labels[many]), Part(images[few], labels[few])


def _mnist(folder: Path) -> tuple[Part, Part]:
    found = classifying.mnist(folder, shape=(-1, 28, 28, 1))
    X, y, X_more, y_more, X_test, y_test = found
    return Part(np.concatenate([X, X_more]), np.concatenate([y, y_more])), Part(X_test, y_test)


def learn(
    model: tl.models.Model, part: Part, n_epoch: int, rate: float = 0.003, print_freq: int = 0
) -> None:
    """Train a classifier, which gives logits, by cross-entropy; print the loss now and then."""
    tl.utils.fit(
        model,
        train_op=tf.optimizers.Adam(rate),
        cost=tl.cost.cross_entropy,
        X_train=part.images,
        y_train=part.labels,
        batch_size=BATCH,
        n_epoch=n_epoch,
        print_freq=print_freq,
        eval_train=False,
    )


def accuracy(model: tl.models.Model, part: Part) -> float:
    """Return the share of images that a classifier tells right."""
    logits = tl.utils.predict(model, part.images, batch_size=500)
    return float(classifying.accuracy(logits, part.labels))


def draw(rows: Sequence[np.ndarray], path: Path, side: int = 64) -> None:
    """Write rows of square images of values from 0 to 1, each enlarged to a side of 64 pixels."""
    cells = []
    for row in rows:
        times = max(1, side // row.shape[1])
        cells.append(np.asarray(row).clip(0, 1).repeat(times, axis=1).repeat(times, axis=2))
    tl.visualize.save_images(np.concatenate(cells), [len(rows), len(rows[0])], path)
