"""Fully connected layers."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.base import Layer, require_known, require_rank, require_size

__all__ = ["Dense", "DenseLayer"]


class Dense(Layer):
    r"""Fully connected layer: $y = \mathrm{act}(x W + b)$.

    Parameters
    ----------
    n_units
        The number of outputs.
    act
        The activation, applied last; None for a linear layer.
    W_init
        Of the weights. A truncated normal of 0.05 keeps early activations of stacked layers small.
    b_init
        Of the biases; None for a layer without biases.
    in_channels
        The size of the last axis. With it the parameters are made in the constructor, and the input
        may have any rank.
    name
        Unique in the network.

    Notes
    -----
    Input shape: ``(batch, n_in)``, or ``(..., in_channels)``.
    Output shape: ``(batch, n_units)``, or ``(..., n_units)``.
    Parameters: ``weights`` (n_in, n_units) and ``biases`` (n_units):
    ``n_in * n_units + n_units`` numbers.

    Raises
    ------
    WrongShape
        The input is not of rank 2 and ``in_channels`` is not given, or has other channels than the
        weights.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = tl.layers.Input([None, 784], name="x")
    >>> net = Dense(net, n_units=800, act="relu", name="relu1")
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 800]), 628000)
    """

    def __init__(
        self,
        n_units: int = 100,
        act: Any = None,
        W_init: Any = initializers.TruncatedNormal(stddev=0.05),  # noqa: B008 - a frozen value
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        in_channels: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, act=act)
        self.n_units = positive(n_units, "Dense", "n_units")
        self.W_init = W_init
        self.b_init = b_init
        self.in_channels = in_channels

    def shape_to_build_for(self) -> Any:
        """Return what ``in_channels`` tells."""
        return None if self.in_channels is None else [None, self.in_channels]

    def build(self, inputs_shape: Any) -> None:
        """Make the weights and, unless ``b_init`` is None, the biases."""
        if self.in_channels is None:
            require_rank(self, inputs_shape, (2,), "Put a Flatten before it, or give in_channels.")
        n_in = require_known(self, inputs_shape[-1], "the size of the last axis")
        self.W = self._get_weights("weights", [n_in, self.n_units], self.W_init)
        if self.b_init is not None:
            self.b = self._get_weights("biases", [self.n_units], self.b_init)

    def transform(self, inputs: tf.Tensor) -> tf.Tensor:
        """Compute ``inputs @ W + b``."""
        return self.add_biases(self.multiply(inputs, self.W))

    def multiply(self, inputs: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """Compute ``inputs @ weights``."""
        require_size(self, inputs.shape, -1, weights.shape[0])
        return product(inputs, weights)

    def add_biases(self, z: tf.Tensor) -> tf.Tensor:
        """Compute ``z + b``, or ``z`` of a layer without biases."""
        return z if self.b_init is None else tf.nn.bias_add(z, self.b)


def product(inputs: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Return `inputs @ weights`, a matrix times the last axis of inputs of any rank.

    Above rank 3 it is not left to `tf.matmul`: with an axis of size 1 among the first ones, that of
    TensorFlow 2.21 with oneDNN gives wrong numbers in a `tf.function`, or ends the process.

    Examples
    --------
    >>> product(tf.ones([2, 1, 3, 4]), tf.ones([4, 5])).shape
    TensorShape([2, 1, 3, 5])
    """
    if inputs.shape.rank is not None and inputs.shape.rank > 3:
        return tf.tensordot(inputs, weights, axes=1)
    return tf.matmul(inputs, weights)


DenseLayer = Dense
