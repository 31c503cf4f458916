"""Spatial transformers: images seen through an affine map that the network chooses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import spatial_arguments as spatial
from tensorlayer.layers.base import Layer, require_known, require_rank
from tensorlayer.layers.precision import widened
from tensorlayer.layers.shape import flatten_reshape

__all__ = [
    "SpatialTransformer2dAffine",
    "SpatialTransformer2dAffineLayer",
    "batch_transformer",
    "transformer",
]


def transformer(
    U: Any,
    theta: Any,
    out_size: Sequence[int],
    name: str = "SpatialTransformer2dAffine",
) -> tf.Tensor:
    r"""Return images seen through affine maps.

    The pixel at $(x, y)$ of the output, with both from -1 to 1 over it, is the value of the image
    at $(x', y')^T = \theta\,(x, y, 1)^T$, interpolated between the four pixels around it.

    Parameters
    ----------
    U
        The images, of shape ``(batch, height, width, channels)``.
    theta
        The maps, of shape ``(batch, 6)`` or ``(batch, 2, 3)``: the rows for $x'$ and $y'$.
    out_size
        Height and width of the output.
    name
        Of the operations.

    Returns
    -------
    tf.Tensor
        Of shape ``(batch, *out_size, channels)``. Gradients reach the images and the maps.

    Raises
    ------
    WrongShape
        The images are not of rank 4, or the maps are not of 6 numbers.

    Notes
    -----
    Over the image, -1 is its first pixel and 1 is one step behind its last: column
    $(x' + 1)\,W / 2$. What is not between pixels of the image is 0.

    References
    ----------
    Jaderberg et al., "Spatial transformer networks", NIPS 2015.

    Examples
    --------
    >>> image = tf.reshape(tf.range(4.0), [1, 2, 2, 1])
    >>> halved = transformer(image, [[0.5, 0.0, -0.5, 0.0, 0.5, -0.5]], out_size=(3, 3))
    >>> halved[0, :, :, 0].numpy().tolist()
    [[0.0, 0.5, 1.0], [1.0, 1.5, 2.0], [2.0, 2.5, 3.0]]
    """
    images, theta = tf.convert_to_tensor(U), widened(tf.convert_to_tensor(theta))
    if images.shape.rank != 4:
        raise WrongShape(
            "transformer: images are of shape (batch, height, width, channels), got "
            f"{images.shape}."
        )
    if theta.shape[1:].as_list() not in [[6], [2, 3]]:
        raise WrongShape(
            f"transformer: theta is of shape (batch, 6) or (batch, 2, 3), got {theta.shape}."
        )
    height, width = spatial.sizes(out_size, 2, "transformer", "out_size")
    with tf.name_scope(name):
        x, y = tf.meshgrid(
            tf.linspace(tf.constant(-1, theta.dtype), 1, width),
            tf.linspace(tf.constant(-1, theta.dtype), 1, height),
        )
        grid = tf.reshape(tf.stack([x, y, tf.ones_like(x)]), [3, -1])
        places = (tf.matmul(tf.reshape(theta, [-1, 2, 3]), grid) + 1) / 2
        values = _sample(images, places[:, 0], places[:, 1])
        return tf.reshape(values, [-1, height, width, spatial.size_of(images, 3)])


def _sample(images: tf.Tensor, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Return the values at parts of width and height, both (batch, places), between four pixels."""
    size = tf.shape(images)
    pixels = tf.reshape(images, [size[0], size[1] * size[2], images.shape[3] or size[3]])
    rows, columns = (tf.cast(each, x.dtype) for each in (size[1], size[2]))
    x, y = x * columns, y * rows
    is_inside = (x >= 0) & (x <= columns - 1) & (y >= 0) & (y <= rows - 1)
    # Elsewhere it does not matter which pixel, as long as there is one.
    x, y = (tf.where(is_inside, each, tf.zeros_like(each)) for each in (x, y))
    left, top = tf.floor(x), tf.floor(y)
    parts = []
    for column, row in ((left, top), (left + 1, top), (left, top + 1), (left + 1, top + 1)):
        weight = (1 - tf.abs(x - column)) * (1 - tf.abs(y - row))
        weight = tf.where(is_inside, weight, tf.zeros_like(weight))
        # A neighbour behind the border has the weight 0.
        place = tf.cast(tf.minimum(row, rows - 1), tf.int32) * size[2]
        place += tf.cast(tf.minimum(column, columns - 1), tf.int32)
        near = tf.gather(pixels, place, batch_dims=1)
        parts.append(near * tf.cast(weight, pixels.dtype)[..., tf.newaxis])
    return tf.add_n(parts)


def batch_transformer(
    U: Any,
    thetas: Any,
    out_size: Sequence[int],
    name: str = "BatchSpatialTransformer2dAffine",
) -> tf.Tensor:
    """Return each image seen through several affine maps.

    Parameters
    ----------
    U
        The images, of shape ``(batch, height, width, channels)``.
    thetas
        The maps, of shape ``(batch, maps, 6)``, or 2 by 3 instead of 6.
    out_size
        Height and width of the output.
    name
        Of the operations.

    Returns
    -------
    tf.Tensor
        Of shape ``(batch * maps, *out_size, channels)``: all maps of the first image come first.

    Raises
    ------
    WrongShape
        As ``transformer``, or there is no axis of maps.

    Examples
    --------
    >>> flips = [[[1, 0, 0, 0, 1, 0], [-1, 0, 0, 0, 1, 0]]]
    >>> batch_transformer(tf.ones([1, 8, 8, 3]), tf.cast(flips, tf.float32), (4, 4)).shape
    TensorShape([2, 4, 4, 3])
    """
    thetas = tf.convert_to_tensor(thetas)
    if thetas.shape[2:].as_list() not in [[6], [2, 3]]:
        raise WrongShape(
            "batch_transformer: thetas is of shape (batch, maps, 6) or (batch, maps, 2, 3), got "
            f"{thetas.shape}."
        )
    with tf.name_scope(name):
        repeated = tf.repeat(U, spatial.size_of(thetas, 1), axis=0)
        return transformer(repeated, tf.reshape(thetas, [-1, 6]), out_size)


class SpatialTransformer2dAffine(Layer):
    r"""Images seen through a map that is learnt: ``transformer`` with $\theta = \tanh(x W + b)$.

    Parameters
    ----------
    out_size
        Height and width of the output; None is (40, 40).
    in_channels
        The number of values that theta comes from. With it the parameters are made in the
        constructor.
    data_format
        Of the images: ``"channels_last"`` or ``"channels_first"``.
    name
        Unique in the network.

    Notes
    -----
    Input: a list ``[theta_input, images]``, or the images and ``theta_layer=`` as in 1.x. What
    theta comes from is flattened to ``(batch, n)``.
    Output shape: ``(batch, *out_size, channels)``, in the format of the images.
    Parameters: ``weights`` (n, 6), which start at 0, and ``biases`` (6), which start at the
    identity: an untrained layer enlarges by 1 / tanh(1), about 1.3, because of the tanh.

    Raises
    ------
    WrongShape
        The images are not of rank 4.
    InvalidArgument
        There is only one input.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> images = tl.layers.Input([None, 60, 60, 1])
    >>> theta = tl.layers.Dense(tl.layers.Flatten(images), n_units=20, act="tanh")
    >>> net = SpatialTransformer2dAffine([theta, images], out_size=(40, 40), name="stn")
    >>> net.outputs.shape, net.parameters["stn/weights"].shape
    (TensorShape([None, 40, 40, 1]), TensorShape([20, 6]))
    """

    keeps_precision = True  # places in 16 bits are off by pixels

    def __init__(
        self,
        out_size: Any = (40, 40),
        in_channels: int | None = None,
        data_format: str = "channel_last",
        name: str | None = None,
        theta_layer: Any = None,
    ) -> None:
        super().__init__(name=name)
        who = type(self).__name__
        self.out_size = spatial.sizes(
            (40, 40) if out_size is None else out_size, 2, who, "out_size"
        )
        self.in_channels = in_channels
        spelled = str(data_format).replace("channel_", "channels_")  # 2.x left the s out
        self.data_format = spatial.data_format(spelled, 2, who)
        if theta_layer is not None:
            raise InvalidArgument(f"{who}: theta_layer is a network, got {theta_layer!r}.")

    def shape_to_build_for(self) -> Any:
        """Return what ``in_channels`` tells."""
        return None if self.in_channels is None else [None, self.in_channels]

    def build(self, inputs_shape: Any, theta_layer: Any = None) -> None:
        """Make the parameters of the map."""
        n_in = self.in_channels
        if n_in is None:
            shape = inputs_shape[0] if theta_layer is None else theta_layer
            if not isinstance(shape, (list, tuple)):
                return  # one input: forward refuses it
            sizes = [require_known(self, size, "every size of theta's input") for size in shape[1:]]
            n_in = int(np.prod(sizes))
        identity = initializers.Constant([1.0, 0.0, 0.0, 0.0, 1.0, 0.0])
        self.W = self._get_weights("weights", [n_in, 6], initializers.Zeros())
        self.b = self._get_weights("biases", [6], identity)

    def forward(self, inputs: Any, theta_layer: Any = None) -> tf.Tensor:
        """Find the maps and look through them."""
        if theta_layer is None and not (isinstance(inputs, (list, tuple)) and len(inputs) == 2):
            raise InvalidArgument(
                f"{self!r}: it takes a list of two networks, [theta_input, images], or the images "
                "with theta_layer=theta_input."
            )
        found, images = inputs if theta_layer is None else (theta_layer, inputs)
        require_rank(self, images.shape, (4,), f"Images are in {self.data_format}.")
        found, W, b = map(widened, (flatten_reshape(found), self.W, self.b))
        theta = tf.tanh(tf.nn.bias_add(tf.matmul(found, W), b))

        def look(images: tf.Tensor, _: str) -> tf.Tensor:
            return transformer(images, theta, self.out_size)

        return spatial.as_channels_last(look, images, self.data_format)


SpatialTransformer2dAffineLayer = SpatialTransformer2dAffine
