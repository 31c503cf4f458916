"""Where networks begin: declared inputs and tensors that are there already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.base import Layer
from tensorlayer.layers.graph import Network

__all__ = ["Input", "InputLayer"]


class _Input(Layer):
    """The layer behind every input: it computes nothing and says what may be fed."""

    shares_by_name = False

    def __init__(
        self, shape: Sequence[int | None], dtype: str = "float32", name: str | None = None
    ) -> None:
        super().__init__(name=name)
        self.spec = tf.TensorSpec(shape, dtype)

    def forward(self, inputs: Any) -> Any:
        """Refuse: an input has a value only by being fed."""
        raise InvalidArgument(f"the input {self.name!r} needs a value.")


class _Identity(Layer):
    """The layer of ``InputLayer(network)``: the network goes on under another name."""

    def forward(self, inputs: Any) -> Any:
        """Return the inputs."""
        return inputs


def Input(  # noqa: N802 - the name of TensorLayer 2.x
    shape: Sequence[int | None], dtype: tf.DType | str = tf.float32, name: str | None = None
) -> Network:
    """Declare an input: the start of a network.

    Nothing is computed: ``outputs`` is a ``tf.TensorSpec``, and every layer above finds its shape
    by abstract tracing.

    Parameters
    ----------
    shape
        With the batch first; None for a size that is free.
    dtype
        Of the values.
    name
        Unique in the network, and the name under which values can be fed.

    Returns
    -------
    Network

    Examples
    --------
    >>> Input([None, 784], name="x").outputs
    TensorSpec(shape=(None, 784), dtype=tf.float32, name=None)
    """
    try:
        spec = tf.TensorSpec(None if shape is None else tuple(shape), dtype)
    except (TypeError, ValueError) as error:
        raise InvalidArgument(
            "Input: the shape is a list of sizes with the batch first, like [None, 784], and the "
            f"dtype one of TensorFlow's; got shape={shape!r}, dtype={dtype!r}."
        ) from error
    size = None if spec.shape.rank is None else spec.shape.as_list()
    return Network(_Input(size, spec.dtype.name, name=name), (), {}, spec)


def InputLayer(inputs: Any, name: str | None = None) -> Network:  # noqa: N802 - the name of 1.x
    """Start a network from a tensor that is there already.

    Layers above compute at once, in the tensor's own world: eagerly, inside a ``tf.function``, or
    as operations of a TensorFlow 1 graph. The network can be evaluated later on other values, of
    any batch size.

    Parameters
    ----------
    inputs
        A tensor, a ``tf.compat.v1`` placeholder or an array. A network is taken as it is, under
        another name.
    name
        Unique in the network.

    Returns
    -------
    Network

    Examples
    --------
    >>> InputLayer(tf.ones([2, 3]), name="x").outputs.shape
    TensorShape([2, 3])
    """
    if isinstance(inputs, Network):
        return _Identity(inputs, name=name)
    if isinstance(inputs, (tf.RaggedTensor, tf.SparseTensor)):
        raise InvalidArgument(
            f"InputLayer: it takes a tensor or an array, got a {type(inputs).__name__}. Make it "
            "dense first, with to_tensor() or tf.sparse.to_dense."
        )
    tensor = tf.convert_to_tensor(inputs)
    shape = tensor.shape
    free = None if shape.rank is None else [None, *shape.as_list()[1:]] if shape.rank else []
    return Network(_Input(free, tensor.dtype.name, name=name), (), {}, tensor)
