"""The arguments that convolution and pooling share: sizes per axis, padding, data format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.arguments import positive

__all__ = [
    "along_channels",
    "as_channels_last",
    "data_format",
    "has_gpu",
    "inner",
    "order",
    "padding",
    "size_of",
    "sizes",
    "sizes_of",
    "spread",
    "with_kernel",
]

# The letters of tf.nn for the spatial axes of each rank.
_AXES = {1: "W", 2: "HW", 3: "DHW"}


def sizes(value: Any, rank: int, who: str, what: str) -> tuple[int, ...]:
    """Return one positive integer for each spatial axis; a single one stands for all.

    Examples
    --------
    >>> sizes(3, 2, "Conv2d", "filter_size")
    (3, 3)
    """
    values = (value,) * rank if hasattr(value, "__index__") else tuple(value)
    try:
        found = tuple(positive(each, who, what) for each in values)
    except InvalidArgument:
        found = ()
    if len(found) != rank:
        raise InvalidArgument(
            f"{who}: {what} is a positive integer or {rank} of them, got {value!r}."
        )
    return found


def padding(value: str, who: str) -> str:
    """Return ``"SAME"`` or ``"VALID"``, however it is written."""
    if not isinstance(value, str) or value.upper() not in {"SAME", "VALID"}:
        raise InvalidArgument(f"{who}: padding is 'SAME' or 'VALID', got {value!r}.")
    return value.upper()


def data_format(value: str | None, rank: int, who: str) -> str:
    """Return the name that ``tf.nn`` gives to a data format, such as ``NHWC``; that of None is it.

    Examples
    --------
    >>> data_format("channels_last", 2, "Conv2d"), data_format("channels_first", 1, "Conv1d")
    ('NHWC', 'NCW')
    """
    axes = _AXES[rank]
    names = {
        None: f"N{axes}C",
        "channels_last": f"N{axes}C",
        "channels_first": f"NC{axes}",
        f"N{axes}C": f"N{axes}C",
        f"NC{axes}": f"NC{axes}",
    }
    if value not in names:
        raise InvalidArgument(
            f"{who}: data_format is 'channels_last' or 'channels_first', got {value!r}."
        )
    return names[value]


def order(value: str, who: str) -> str:
    """Return where the channels are, which is all that counts for inputs of any rank."""
    if value not in {"channels_last", "channels_first"}:
        raise InvalidArgument(
            f"{who}: data_format is 'channels_last' or 'channels_first', got {value!r}."
        )
    return value


def along_channels(part: tf.Tensor, inputs: tf.Tensor, order: str) -> tf.Tensor:
    """Return a value for each channel in a shape that broadcasts to the inputs.

    Examples
    --------
    >>> along_channels(tf.ones([3]), tf.ones([2, 3, 8, 8]), "channels_first").shape
    TensorShape([3, 1, 1])
    """
    if order == "channels_last":
        return part
    return tf.reshape(part, [-1] + [1] * (inputs.shape.rank - 2))


def spread(values: Sequence[int], format_: str) -> list[int]:
    """Return the sizes with 1 for the batch and the channels, as ``tf.nn`` wants them.

    Examples
    --------
    >>> spread((2, 3), "NHWC"), spread((2, 3), "NCHW")
    ([1, 2, 3, 1], [1, 1, 2, 3])
    """
    return [1, *values, 1] if format_.endswith("C") else [1, 1, *values]


def with_kernel(
    compute: Callable[[tf.Tensor, str], tf.Tensor], inputs: tf.Tensor, format_: str
) -> tf.Tensor:
    """Return `compute(inputs, format_)`, in the layout that this machine has kernels for.

    On a CPU many operations, and most gradients, know only channels last. There channels first is
    transposed before and after; where there is a GPU it is computed with as it is.
    """
    if format_.endswith("C") or has_gpu():
        return compute(inputs, format_)
    return as_channels_last(compute, inputs, format_)


def has_gpu() -> bool:
    """Whether TensorFlow sees a GPU, which has kernels that CPUs lack; asking does not start it."""
    return bool(tf.config.list_physical_devices("GPU"))


def as_channels_last(
    compute: Callable[[tf.Tensor, str], tf.Tensor], inputs: tf.Tensor, format_: str
) -> tf.Tensor:
    """Return `compute(inputs, format_)`, which gets channels last and gives the given format.

    Examples
    --------
    >>> def half(x, data_format):
    ...     return tf.nn.avg_pool2d(x, 2, 2, "SAME", data_format)
    >>> as_channels_last(half, tf.zeros([1, 3, 8, 8]), "NCHW").shape
    TensorShape([1, 3, 4, 4])
    """
    if format_.endswith("C"):
        return compute(inputs, format_)
    rank = len(format_)
    outputs = compute(tf.transpose(inputs, [0, *range(2, rank), 1]), f"N{format_[2:]}C")
    return tf.transpose(outputs, [0, rank - 1, *range(1, rank - 1)])


def inner(values: Any, format_: str, who: str, what: str) -> tuple[int, ...]:
    """Return the sizes of the spatial axes, the inverse of `spread`.

    Raises
    ------
    InvalidArgument
        There is not one positive integer for each axis, or it is not 1 for batch and channels.

    Examples
    --------
    >>> inner((1, 2, 3, 1), "NHWC", "Conv2dLayer", "strides")
    (2, 3)
    """
    try:
        given = sizes(values, len(format_), who, what)
    except InvalidArgument:
        given = ()
    outer = [size for size, axis in zip(given, format_, strict=False) if axis in "NC"]
    if not given or outer != [1, 1]:
        raise InvalidArgument(
            f"{who}: {what} has one positive integer for each axis of {format_}, 1 for N and C; "
            f"got {values!r}."
        )
    return tuple(size for size, axis in zip(given, format_, strict=True) if axis not in "NC")


def size_of(inputs: tf.Tensor, axis: int) -> Any:
    """Return the size along an axis: an integer where it is known, else a tensor.

    Examples
    --------
    >>> size_of(tf.zeros([2, 3]), 1)
    3
    """
    size = inputs.shape[axis]
    return tf.shape(inputs)[axis] if size is None else size


def sizes_of(inputs: tf.Tensor) -> list[Any]:
    """Return every size: an integer where it is known, else a tensor.

    Examples
    --------
    >>> sizes_of(tf.zeros([2, 3]))
    [2, 3]
    """
    known = inputs.shape.as_list()
    if None not in known:
        return known
    found = tf.shape(inputs)
    return [found[axis] if size is None else size for axis, size in enumerate(known)]
