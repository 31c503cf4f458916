"""A bound on the variables that a config can make.

A few bytes of JSON can ask for a layer of a trillion units. Variables are counted before they are
made, so that a model that cannot fit is an error and not the end of the process.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument

__all__ = ["machine_bytes", "variables_within"]

#: Where the machine does not tell: more than one has, less than a made-up size.
_UNKNOWN_BYTES = 2**44


def machine_bytes() -> int:
    """Return the memory of this machine.

    Examples
    --------
    >>> machine_bytes() > 2**20
    True
    """
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return _UNKNOWN_BYTES


@contextmanager
def variables_within(limit_bytes: int) -> Iterator[None]:
    """Refuse variables beyond so many bytes in all, before they take memory.

    Raises
    ------
    InvalidArgument
        One variable too much.

    Examples
    --------
    >>> with variables_within(100):
    ...     v = tf.Variable(lambda: tf.zeros([1000, 1000]), shape=[1000, 1000])
    Traceback (most recent call last):
    tensorlayer.errors.InvalidArgument: the variables need 4000000 bytes or more; there are 100...
    """
    used = 0

    def create(next_creator: Any, **options: Any) -> Any:
        nonlocal used
        shape = options.get("shape")
        shape = _declared(options.get("initial_value")) if shape is None else shape
        used += _size(shape, options.get("dtype"))
        if used > limit_bytes:
            raise InvalidArgument(
                f"the variables need {used} bytes or more; there are {limit_bytes} for them. "
                "Check the sizes of the layers."
            )
        return next_creator(**options)

    with tf.variable_creator_scope(create):
        yield


def _declared(initial_value: Any) -> Any:
    """Return the shape that an initializer would give: that of Keras says it nowhere else."""
    if not callable(initial_value):
        return getattr(initial_value, "shape", None)
    with tf.Graph().as_default():  # where nothing is computed
        return tf.convert_to_tensor(initial_value()).shape


def _size(shape: Any, dtype: Any) -> int:
    """Return the bytes of a variable as far as they are known before it is made."""
    sizes = [] if shape is None else list(tf.TensorShape(shape))
    if shape is None or None in sizes:
        return 0
    # Without a type, that of nearly all parameters. math.prod does not overflow.
    return math.prod(sizes) * tf.as_dtype(dtype or tf.float32).size
