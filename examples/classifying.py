"""What examples share that tell classes apart: the share that is right, and folders of data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from tensorlayer.errors import Corrupt, DownloadFailed


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
