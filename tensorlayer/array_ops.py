"""Tensors filled with one value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

__all__ = ["alphas", "alphas_like"]


def alphas(
    shape: Sequence[int] | tf.TensorShape | tf.Tensor, alpha_value: Any, name: str | None = None
) -> tf.Tensor:
    """Return a tensor of a shape, filled with one value.

    Parameters
    ----------
    shape
        A list of integers, a tensor shape, or an integer tensor of rank 1, which may be known only
        when a graph runs. A single integer is the length of a vector.
    alpha_value
        A number, boolean, string or scalar tensor; its type is that of the result.
    name
        The name of the operation.

    Examples
    --------
    >>> alphas([2, 3], 0.5).numpy().tolist()
    [[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]]
    """
    if isinstance(shape, tf.TensorShape):
        shape = shape.as_list()
    shape = tf.convert_to_tensor(shape, dtype_hint=tf.int32)
    return tf.fill(tf.reshape(shape, [-1]), alpha_value, name=name)


def alphas_like(
    tensor: tf.Tensor, alpha_value: Any, name: str | None = None, optimize: bool = True
) -> tf.Tensor:
    """Return a tensor of the shape of another one, filled with one value.

    Parameters
    ----------
    tensor
        Any tensor, array or nested lists.
    alpha_value
        A number, boolean, string or scalar tensor. A Python number takes the type of ``tensor``
        where that can hold it, so 0.5 like a bfloat16 tensor is bfloat16 and like an integer tensor
        is float32; everything else keeps its own type.
    name
        The name of the operation.
    optimize
        Take the shape as a constant where it is known while a graph is traced.

    Examples
    --------
    >>> alphas_like(tf.constant([[1, 2, 3], [4, 5, 6]]), 0.5).numpy().tolist()
    [[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]]
    >>> alphas_like(tf.ones([2], tf.float64), 3)
    <tf.Tensor: shape=(2,), dtype=float64, numpy=array([3., 3.])>
    """
    tensor = tf.convert_to_tensor(tensor)
    is_static = optimize and tensor.shape.is_fully_defined()
    shape = tensor.shape if is_static else tf.shape(tensor)
    return alphas(shape, _as_type_of(tensor, alpha_value), name=name)


def _as_type_of(tensor: tf.Tensor, value: Any) -> Any:
    dtype = tensor.dtype
    holds_fractions = dtype.is_floating or dtype.is_complex
    if type(value) is float and holds_fractions:  # not a subclass: np.float64 has a type of its own
        return tf.cast(value, dtype)
    if type(value) is int and (holds_fractions or dtype.is_integer):
        return tf.cast(value, dtype)
    return value
