"""What TensorFlow has no CPU kernels for, computed by way of what it has.

Whether a kernel exists is decided when a layer is traced: with a GPU everything has one. Without,
`channels_first` is computed around two transpositions, since the kernels of many types and
operations know `channels_last` alone.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

__all__ = ["has_gpu", "in_kernel_format"]


def has_gpu() -> bool:
    """Whether TensorFlow sees a GPU; asking does not start it."""
    return bool(tf.config.list_physical_devices("GPU"))


def in_kernel_format(
    compute: Callable[[tf.Tensor, str], tf.Tensor], inputs: tf.Tensor, data_format: str
) -> tf.Tensor:
    """Return `compute(inputs, data_format)`, in a data format that there is a kernel for.

    Parameters
    ----------
    compute
        A function of a tensor and of its data format, which is that of its result as well.
    inputs
        In `data_format`.
    data_format
        A name of `tf.nn`, such as `NCHW`.

    Examples
    --------
    >>> images = tf.random.normal([2, 3, 8, 8])
    >>> def pool(inputs, data_format):
    ...     return tf.nn.max_pool(inputs, 2, 2, "SAME", data_format)
    >>> in_kernel_format(pool, images, "NCHW").shape
    TensorShape([2, 3, 4, 4])
    """
    if data_format.endswith("C") or has_gpu():
        return compute(inputs, data_format)
    axes = data_format[2:]
    last = tf.transpose(inputs, [0, *range(2, len(data_format)), 1])
    outputs = compute(last, f"N{axes}C")
    return tf.transpose(outputs, [0, len(axes) + 1, *range(1, len(axes) + 1)])
