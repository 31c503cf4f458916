"""What a layer gives besides its result: a final state, a cost.

A ``forward`` declares it by returning [`Outputs`][]; the network then has it as an attribute,
itself a network:

    class Counting(tl.layers.Layer):
        def forward(self, x):
            return tl.layers.Outputs(2 * x, total=tf.reduce_sum(x))

    net = Counting(net)
    net.total                                        # a network
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

__all__ = ["Outputs", "main_of"]

_NONE: Mapping[str, Any] = MappingProxyType({})


class Outputs(tuple):
    """A result, and what comes beside it.

    Parameters
    ----------
    main
        The result: what the next layer gets, and what a call on tensors returns.
    sides
        Tensors, or structures of tensors, by name.

    Examples
    --------
    >>> import tensorflow as tf
    >>> import tensorlayer as tl
    >>> class Counting(tl.layers.Layer):
    ...     def forward(self, x):
    ...         return tl.layers.Outputs(2 * x, total=tf.reduce_sum(x))
    >>> net = Counting(tl.layers.Input([None, 3]))
    >>> net.outputs.shape, net.total.outputs.shape
    (TensorShape([None, 3]), TensorShape([]))
    >>> net.total(tf.ones([2, 3])).numpy().item()
    6.0
    """

    _fields = ("main", "sides")  # so TensorFlow rebuilds it as it does a named tuple

    def __new__(cls, main: Any, _sides: Mapping[str, Any] = _NONE, **sides: Any) -> Outputs:
        """Make it; the sides may also come as one dictionary, as when it is rebuilt."""
        return super().__new__(cls, (main, {**_sides, **sides}))

    main = property(operator.itemgetter(0))
    sides = property(operator.itemgetter(1))


def main_of(outputs: Any) -> Any:
    """Return the result without what comes beside it."""
    return outputs.main if isinstance(outputs, Outputs) else outputs
