"""Local response normalisation: loud channels inhibit their neighbours."""

from __future__ import annotations

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.base import Layer, require_rank
from tensorlayer.layers.precision import widened

__all__ = ["LocalResponseNorm", "LocalResponseNormLayer"]


class LocalResponseNorm(Layer):
    r"""Local response normalisation: $y_c = x_c / (k + \alpha \sum_{|i - c| \le r} x_i^2)^\beta$.

    Parameters
    ----------
    depth_radius
        How many channels r to each side count; None for TensorFlow's 5.
    bias
        The k, which keeps the divisor from 0; None for TensorFlow's 1.
    alpha
        The weight of the sum (not of a mean); None for TensorFlow's 1.
    beta
        The exponent; None for TensorFlow's 0.5.
    name
        Unique in the network.

    Notes
    -----
    Input shape: `(batch, height, width, channels)`. Output shape: the same. No parameters.
    AlexNet has `depth_radius=2, bias=2, alpha=1e-4, beta=0.75`.

    Raises
    ------
    InvalidArgument
        `depth_radius` is negative or no integer.
    WrongShape
        The input is not of rank 4.

    References
    ----------
    Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural
    networks", NIPS 2012.

    Examples
    --------
    >>> x = tf.constant([1.0, 1.0, 1.0], shape=[1, 1, 1, 3])
    >>> LocalResponseNorm(depth_radius=1)(x).numpy().ravel().round(3).tolist()
    [0.577..., 0.5, 0.577...]
    """

    keeps_precision = True  # the squares of 16 bits overflow

    def __init__(
        self,
        depth_radius: int | None = None,
        bias: float | None = None,
        alpha: float | None = None,
        beta: float | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        radius = 5 if depth_radius is None else depth_radius
        if isinstance(radius, bool) or not hasattr(radius, "__index__") or radius < 0:
            raise InvalidArgument(
                f"LocalResponseNorm: depth_radius is an integer from 0, got {depth_radius!r}."
            )
        self.depth_radius = radius
        self.bias = 1.0 if bias is None else bias
        self.alpha = 1.0 if alpha is None else alpha
        self.beta = 0.5 if beta is None else beta

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Divide by the neighbours' response."""
        require_rank(self, inputs.shape, (4,), "Its layout is NHWC.")
        wide = widened(inputs)
        if wide.dtype == tf.float32:
            outputs = tf.nn.lrn(wide, self.depth_radius, self.bias, self.alpha, self.beta)
            return tf.cast(outputs, inputs.dtype)
        # There are no kernels for all other types.
        width = 2 * self.depth_radius + 1
        squares = tf.pad(tf.square(inputs), [[0, 0]] * 3 + [[self.depth_radius] * 2])
        total = width * tf.nn.avg_pool1d(
            tf.reshape(squares, [-1, tf.shape(squares)[-1], 1]), width, 1, "VALID"
        )
        return inputs / (self.bias + self.alpha * tf.reshape(total, tf.shape(inputs))) ** self.beta


LocalResponseNormLayer = LocalResponseNorm
