"""What examples share that tell classes apart: the share that is right, and folders of data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import Corrupt, DownloadFailed

#: Of each digit, as many as each program needs: to learn from, to validate with and to test.
LEAST = {"learn from": 30, "validate with": 2, "test": 2}


def accuracy(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Return the share of samples whose largest logit is that of their class."""
    found = tf.argmax(logits, axis=1)
    return tf.reduce_mean(tf.cast(found == tf.cast(labels, found.dtype), tf.float32))


def loaded(load: Callable[..., Any], folder: Path, **options: Any) -> Any:
    """Return what a function of ``tl.files`` loads from a folder, or end with a line that says why.

    In a folder that is there, files that are missing are downloaded.
    """
    if not folder.is_dir():
        raise SystemExit(f"{folder} is no folder: make it, and {load.__name__} downloads to it")
    try:
        return load(path=folder, **options)
    except (Corrupt, DownloadFailed) as error:
        raise SystemExit(str(error)) from error


def mnist(folder: Path, shape: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """Return MNIST of a folder, as ``tl.files`` does, or end the program if there is too little."""
    found = loaded(tl.files.load_mnist_dataset, folder, shape=shape)
    for labels, (use, least) in zip(found[1::2], LEAST.items(), strict=True):
        n_of = np.bincount(labels, minlength=10)
        if len(n_of) > 10:
            raise SystemExit(f"{folder}: a label is {len(n_of) - 1}, and digits are from 0 to 9")
        if n_of.min() < least:
            raise SystemExit(
                f"{folder}: of {len(labels):,} pictures to {use}, {n_of.min()} have the label "
                f"{n_of.argmin()}; {least} of each digit are needed"
            )
    return found
