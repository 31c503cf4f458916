"""Layers that make one network of several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.base import Layer

__all__ = ["Concat", "ConcatLayer", "Elementwise", "ElementwiseLayer"]


def _require_several(layer: Layer, inputs: Any) -> None:
    if not isinstance(inputs, (list, tuple)) or not inputs:
        raise InvalidArgument(f"{layer!r}: it takes a list of networks, got one. Write [a, b].")


class Concat(Layer):
    """Networks side by side along one axis.

    Parameters
    ----------
    concat_dim
        The axis; the last one, which is the channels, by default.
    name
        Unique in the network.

    Notes
    -----
    Input shape: a list that agrees but for the axis. Output shape: the sum of the sizes along it.
    No parameters.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> x = tl.layers.Input([None, 8])
    >>> Concat([tl.layers.Dense(x, 3), tl.layers.Dense(x, 4)]).outputs.shape
    TensorShape([None, 7])
    """

    def __init__(self, concat_dim: int = -1, name: str | None = None) -> None:
        super().__init__(name=name)
        self.concat_dim = concat_dim

    def forward(self, inputs: Sequence[tf.Tensor]) -> tf.Tensor:
        """Concatenate."""
        _require_several(self, inputs)
        return tf.concat(list(inputs), self.concat_dim)


class Elementwise(Layer):
    """Networks combined value by value: ``act(fn(fn(a, b), c))``.

    Parameters
    ----------
    combine_fn
        A function of two tensors, applied from left to right, such as ``tf.add`` or ``tf.minimum``.
        Shapes may broadcast.
    act
        The activation, applied last.
    name
        Unique in the network.

    Notes
    -----
    Input shape: a list. Output shape: that of the broadcast. No parameters.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> x = tl.layers.Input([None, 8])
    >>> Elementwise([x, tl.layers.Dense(x, 8)], combine_fn=tf.add, act="relu").outputs.shape
    TensorShape([None, 8])
    """

    def __init__(
        self,
        combine_fn: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] = tf.minimum,
        act: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, act=act)
        self.combine_fn = combine_fn

    def transform(self, inputs: Sequence[tf.Tensor]) -> tf.Tensor:
        """Fold the inputs."""
        _require_several(self, inputs)
        combined = inputs[0]
        for each in inputs[1:]:  # a loop, so that Python's if on tensors works in the function
            combined = self.combine_fn(combined, each)
        return combined


ConcatLayer = Concat
ElementwiseLayer = Elementwise
