"""Layers that change the shape or the order of values, and those that take a part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.base import Layer, require_known, require_rank
from tensorlayer.layers.structure import leaves

__all__ = [
    "ExpandDims",
    "ExpandDimsLayer",
    "Flatten",
    "FlattenLayer",
    "Part",
    "Reshape",
    "ReshapeLayer",
    "Shuffle",
    "Slice",
    "Tile",
    "TileLayer",
    "Transpose",
    "TransposeLayer",
    "advanced_indexing_op",
    "flatten_reshape",
]


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
        """Flatten."""
        return flatten_reshape(inputs)


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
        ``shape`` is no list of sizes, or empty, or more than one size is -1.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> Reshape(tl.layers.Input([None, 784]), shape=[-1, 28, 28, 1]).outputs.shape
    TensorShape([None, 28, 28, 1])
    """

    def __init__(self, shape: Sequence[int], name: str | None = None) -> None:
        super().__init__(name=name)
        sizes = tuple(shape) if isinstance(shape, Iterable) else ()
        are_sizes = all(hasattr(size, "__index__") for size in sizes)
        if not sizes or not are_sizes or sum(size == -1 for size in sizes) > 1:
            raise InvalidArgument(
                f"Reshape: shape is a list of sizes, of which one may be -1; got {shape!r}."
            )
        self.shape = sizes

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Reshape."""
        return tf.reshape(inputs, self.shape)


class Transpose(Layer):
    r"""The axes in another order: axis $i$ of the output is axis $p_i$ of the input.

    Parameters
    ----------
    perm
        The axes $p$, such as ``(0, 2, 1)``, with the batch as 0; None reverses all of them, the
        batch included.
    conjugate
        Whether complex values are conjugated as well; real ones stay as they are.
    name
        Unique in the network.

    Notes
    -----
    Output shape: that of the input, in the order ``perm``. No parameters.

    Raises
    ------
    InvalidArgument
        ``perm`` is not each axis once.
    WrongShape
        The input has another rank than ``perm`` says.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> Transpose(tl.layers.Input([None, 20, 8]), perm=[0, 2, 1]).outputs.shape
    TensorShape([None, 8, 20])
    """

    def __init__(
        self, perm: Sequence[int] | None = None, conjugate: bool = False, name: str | None = None
    ) -> None:
        super().__init__(name=name)
        axes = perm if isinstance(perm, (list, tuple, np.ndarray)) else ()
        if perm is not None and (not len(axes) or sorted(axes) != list(range(len(axes)))):
            raise InvalidArgument(
                f"Transpose: perm has each axis from 0 once, such as [0, 2, 1]; got {perm!r}."
            )
        self.perm = None if perm is None else tuple(perm)
        self.conjugate = conjugate

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Transpose."""
        if self.perm is not None:
            require_rank(self, inputs.shape, (len(self.perm),), "Give perm an entry for each axis.")
        return tf.transpose(inputs, self.perm, self.conjugate)


class Tile(Layer):
    """The input several times, one copy after the other along each axis.

    Parameters
    ----------
    multiples
        How often, for each axis with the batch first, such as ``[1, 2, 1]``.
    name
        Unique in the network.

    Notes
    -----
    Output shape: each size of the input times its multiple. No parameters.

    Raises
    ------
    InvalidArgument
        ``multiples`` is not a list of positive integers.
    WrongShape
        The input has another rank than ``multiples`` says.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> Tile(tl.layers.Input([None, 5, 3]), multiples=[1, 2, 1]).outputs.shape
    TensorShape([None, 10, 3])
    """

    def __init__(self, multiples: Sequence[int] | None = None, name: str | None = None) -> None:
        super().__init__(name=name)
        if not isinstance(multiples, (list, tuple, np.ndarray)) or not len(multiples):
            raise InvalidArgument(
                "Tile: multiples is a list with a positive integer for each axis, such as "
                f"[1, 2, 1]; got {multiples!r}."
            )
        self.multiples = tuple(positive(each, "Tile", "each of multiples") for each in multiples)

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Tile."""
        ranks = (len(self.multiples),)
        require_rank(self, inputs.shape, ranks, "Give multiples an entry for each axis.")
        return tf.tile(inputs, self.multiples)


class ExpandDims(Layer):
    """One more axis, of size 1.

    Parameters
    ----------
    axis
        Where it is in the output; -1 for the last, 0 before the batch.
    name
        Unique in the network.

    Notes
    -----
    Output shape: that of the input with a 1 at ``axis``. No parameters.

    Raises
    ------
    WrongShape
        The input has too few axes for ``axis``.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> ExpandDims(tl.layers.Input([None, 28, 28]), axis=-1).outputs.shape
    TensorShape([None, 28, 28, 1])
    """

    def __init__(self, axis: int, name: str | None = None) -> None:
        super().__init__(name=name)
        self.axis = axis

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Put the axis in."""
        rank = inputs.shape.rank
        if rank is not None and not -rank - 1 <= self.axis <= rank:
            raise WrongShape(
                f"{self!r}: axis must be from {-rank - 1} to {rank} for an input of shape "
                f"{tuple(inputs.shape)}."
            )
        return tf.expand_dims(inputs, self.axis)


class Shuffle(Layer):
    r"""Channels spread over groups, so that the next grouped convolution sees every group.

    With $g$ groups of $n = C / g$ channels, channel $j\,n + i$ of the output is channel
    $i\,g + j$ of the input.

    Parameters
    ----------
    group
        The number of groups $g$.
    name
        Unique in the network.

    Notes
    -----
    Input shape: ``(batch, ..., channels)``. Output shape: the same. No parameters. The shuffle of
    ``C / g`` groups undoes that of ``g``.

    Raises
    ------
    InvalidArgument
        ``group`` is not a positive integer, or the channels cannot be divided by it.

    References
    ----------
    Zhang et al., "ShuffleNet", CVPR 2018.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> Shuffle(group=2)(tf.constant([[0, 1, 2, 3, 4, 5]])).numpy().tolist()
    [[0, 2, 4, 1, 3, 5]]
    """

    def __init__(self, group: int, name: str | None = None) -> None:
        super().__init__(name=name)
        self.group = positive(group, "Shuffle", "group")

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Shuffle the last axis."""
        channels = require_known(self, inputs.shape[-1], "the number of channels")
        if channels % self.group:
            raise InvalidArgument(
                f"{self!r}: the number of channels must be a multiple of group, got {channels} "
                f"channels for {self.group} groups."
            )
        apart = tf.reshape(inputs, [-1, channels // self.group, self.group])
        mixed = tf.transpose(apart, [0, 2, 1])
        sizes = inputs.shape[1:]
        return tf.reshape(mixed, [-1, *sizes] if sizes.is_fully_defined() else tf.shape(inputs))


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
        parts = leaves(inputs)
        if not -len(parts) <= self.index < len(parts):
            raise InvalidArgument(
                f"{self!r}: index is the place of one of {len(parts)} tensors, from 0."
            )
        return parts[self.index]


def flatten_reshape(variable: Any, name: str = "flatten") -> tf.Tensor:
    """Return the values with all axes but the batch as one.

    The static size is used where it is known, so that layers above can be built.

    Parameters
    ----------
    variable
        A tensor or an array of rank 1 or more.
    name
        Of the operation.

    Returns
    -------
    tf.Tensor
        Of shape ``(batch, product of the other sizes)``.

    Raises
    ------
    WrongShape
        It has no batch axis.

    Examples
    --------
    >>> flatten_reshape(tf.zeros([8, 7, 7, 64])).shape
    TensorShape([8, 3136])
    """
    values = tf.convert_to_tensor(variable)
    if values.shape.rank == 0:
        raise WrongShape("flatten_reshape: the first axis is the batch, got a single number.")
    sizes = values.shape[1:]
    if sizes.is_fully_defined():
        return tf.reshape(values, [-1, int(np.prod(sizes))], name)
    return tf.reshape(values, [tf.shape(values)[0], -1], name)


def advanced_indexing_op(inputs: Any, index: Any) -> tf.Tensor:
    """Return one step of each sequence: its last one, if ``index`` has the lengths.

    Parameters
    ----------
    inputs
        Of shape ``(batch, steps, features)``.
    index
        Of shape ``(batch,)``: which step, *counted from 1*.

    Returns
    -------
    tf.Tensor
        Of shape ``(batch, features)``.

    Examples
    --------
    >>> sequences = tf.reshape(tf.range(12), [2, 3, 2])
    >>> advanced_indexing_op(sequences, [1, 3]).numpy().tolist()
    [[0, 1], [10, 11]]
    """
    return tf.gather(inputs, tf.convert_to_tensor(index) - 1, batch_dims=1)


ExpandDimsLayer = ExpandDims
FlattenLayer = Flatten
ReshapeLayer = Reshape
TileLayer = Tile
TransposeLayer = Transpose
