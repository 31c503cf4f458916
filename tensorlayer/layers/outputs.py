"""What a layer gives besides its result: a final state, a cost.

A ``forward`` declares it by returning :class:`Outputs`; the network then has it as an attribute,
itself a network::

    class Counting(tl.layers.Layer):
        def forward(self, x):
            return tl.layers.Outputs(2 * x, total=tf.reduce_sum(x))

    net = Counting(net)
    net.total                                        # a network
"""

from __future__ import annotations

from typing import Any

__all__ = ["Outputs", "main_of"]


class Outputs:
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

    def __init__(self, main: Any, **sides: Any) -> None:
        self.main = main
        self.sides = sides

    def pair(self) -> tuple[Any, dict[str, Any]]:
        """Return both as one structure of tensors."""
        return self.main, self.sides


def main_of(outputs: Any) -> Any:
    """Return the result without what comes beside it."""
    return outputs.main if isinstance(outputs, Outputs) else outputs
