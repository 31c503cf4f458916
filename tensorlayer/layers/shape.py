"""Layers that change the shape, and those that take a part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.base import Layer
from tensorlayer.layers.structure import leaves

__all__ = ["Flatten", "FlattenLayer", "Reshape", "ReshapeLayer", "Slice", "Part"]


class Flatten(Layer):
    """All axes but the batch become one.

    Parameters
    ----------
    name
        Unique in the network.

    Notes
    -----
    Input shape: ``(batch, a, b, ...)``. Output shape: ``(batch, a * b * ...)``. No parameters.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> Flatten(tl.layers.Input([None, 7, 7, 64])).outputs.shape
    TensorShape([None, 3136])
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Flatten; the static size is used where it is known, so that layers above can build."""
        sizes = inputs.shape[1:]
        if sizes.is_fully_defined():
            return tf.reshape(inputs, [-1, int(np.prod(sizes))])
        return tf.reshape(inputs, [tf.shape(inputs)[0], -1])


class Reshape(Layer):
    """Another shape for the same values.

    Parameters
    ----------
    shape
        With the batch first; -1 for one size that follows from the others.
    name
        Unique in the network.

    Notes
    -----
    Output shape: ``shape``. No parameters.

    Raises
    ------
    InvalidArgument
        ``shape`` is empty, or more than one size is -1.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> Reshape(tl.layers.Input([None, 784]), shape=[-1, 28, 28, 1]).outputs.shape
    TensorShape([None, 28, 28, 1])
    """

    def __init__(self, shape: Sequence[int], name: str | None = None) -> None:
        super().__init__(name=name)
        sizes = tuple(shape)
        if not sizes or sum(size == -1 for size in sizes) > 1:
            raise InvalidArgument(
                f"Reshape: shape is a list of sizes, of which one may be -1; got {shape!r}."
            )
        self.shape = sizes

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Reshape."""
        return tf.reshape(inputs, self.shape)


class Slice(Layer):
    """What ``net[:, :30]`` makes: a slice of the outputs.

    Parameters
    ----------
    key
        What stands in the brackets: integers, slices, ``...``, ``None`` or a tuple of them.
    name
        Unique in the network.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> tl.layers.Input([None, 100])[:, :30].outputs.shape
    TensorShape([None, 30])
    """

    def __init__(self, key: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        self._key = key

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Slice."""
        return inputs[self._key]


class Part(Layer):
    """One tensor of a layer that returns a structure, such as a recurrent layer and its state.

    Parameters
    ----------
    index
        The place in the flattened structure.
    name
        Unique in the network.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> split = tl.layers.Lambda(lambda x: (x[:, :1], x[:, 1:]))
    >>> first, rest = split(tl.layers.Input([None, 5]))
    >>> first.outputs.shape, rest.outputs.shape
    (TensorShape([None, 1]), TensorShape([None, 4]))
    """

    def __init__(self, index: int, name: str | None = None) -> None:
        super().__init__(name=name)
        self.index = index

    def forward(self, inputs: Any) -> tf.Tensor:
        """Take the part."""
        return leaves(inputs)[self.index]


FlattenLayer = Flatten
ReshapeLayer = Reshape
