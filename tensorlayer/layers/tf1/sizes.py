"""Sizes of shapes in a graph of TensorFlow 1: objects of a class of their own, or numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import tensorflow as tf

__all__ = ["plain_sizes"]

v1 = tf.compat.v1


def plain_sizes(owner: Any = None) -> AbstractContextManager[object]:
    """Read sizes of shapes as numbers within the block, also after ``disable_v2_behavior()``.

    There a size is an object of a class of its own, which 1.x was written for and this library is
    not. It is one switch for the process: a script that builds graphs in several threads after
    ``disable_v2_behavior()`` has to build them one after the other.

    Parameters
    ----------
    owner
        The layer or model that computes. The functions and constructors that our layers hold for
        scripts, such as a `Lambda`, get what the script chose.
    """
    if tf.executing_eagerly() or isinstance(tf.TensorShape([1])[0], int):
        return nullcontext()
    is_holder = type(owner).__module__.startswith("tensorlayer.layers.")
    return nullcontext() if is_holder and type(owner).needs_autograph else _switched()


@contextmanager
def _switched() -> Iterator[None]:
    v1.enable_v2_tensorshape()
    try:
        yield
    finally:
        v1.disable_v2_tensorshape()
