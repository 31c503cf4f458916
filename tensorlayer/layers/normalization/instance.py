"""Instance normalisation: each channel of each image by itself."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.layers.normalization.channels import ChannelNorm

__all__ = [
    "InstanceNorm",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "InstanceNormLayer",
]


class InstanceNorm(ChannelNorm):
    r"""Instance normalisation: $y = \gamma (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta$.

    Mean and variance are those of each channel of each image, over its spatial axes: the contrast
    of an image goes, which is what the transfer of styles wants. Training and inference compute
    the same.

    Parameters
    ----------
    act
        The activation, applied last.
    epsilon
        Added to the variance before the square root.
    beta_init
        Of the offsets; None leaves them out.
    gamma_init
        Of the scales; None leaves them out.
    num_features
        The number of channels. With it the parameters are made in the constructor.
    data_format
        `"channels_last"` or `"channels_first"`.
    name
        Unique in the network.

    Notes
    -----
    Input shape: `(batch, ..., channels)` with one to three spatial axes. Output shape: the same.
    Parameters: `beta` and `gamma`, each (channels).

    Raises
    ------
    WrongShape
        The input has no spatial axis, or more than three.

    References
    ----------
    Ulyanov, Vedaldi and Lempitsky, "Instance normalization: the missing ingredient for fast
    stylization", 2016.

    Examples
    --------
    >>> x = tf.constant([1.0, 3.0, 10.0, 30.0], shape=[2, 2, 1])
    >>> InstanceNorm(gamma_init=1.0)(x).numpy().ravel().round(3).tolist()
    [-1.0, 1.0, -1.0, 1.0]
    """

    ranks = (3, 4, 5)

    def __init__(
        self,
        act: Any = None,
        epsilon: float = 1e-5,
        beta_init: Any = initializers.Zeros(),  # noqa: B008 - a frozen value
        gamma_init: Any = initializers.RandomNormal(mean=1.0, stddev=0.002),  # noqa: B008
        num_features: int | None = None,
        data_format: str = "channels_last",
        name: str | None = None,
    ) -> None:
        super().__init__(epsilon, act, beta_init, gamma_init, num_features, data_format, name)

    def normalized(self, inputs: tf.Tensor) -> tf.Tensor:
        """Normalise each channel of each image."""
        channel_axis = self.channel_axis(inputs.shape.rank)
        axes = [axis for axis in range(1, inputs.shape.rank) if axis != channel_axis]
        return self.normalize(inputs, *tf.nn.moments(inputs, axes, keepdims=True))


class InstanceNorm1d(InstanceNorm):
    """[`InstanceNorm`][] that requires `(batch, length, channels)`.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> InstanceNorm1d(tl.layers.Input([None, 50, 32])).outputs.shape
    TensorShape([None, 50, 32])
    """

    ranks = (3,)


class InstanceNorm2d(InstanceNorm):
    """[`InstanceNorm`][] that requires images.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> InstanceNorm2d(tl.layers.Input([None, 50, 50, 32])).outputs.shape
    TensorShape([None, 50, 50, 32])
    """

    ranks = (4,)


class InstanceNorm3d(InstanceNorm):
    """[`InstanceNorm`][] that requires volumes.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> InstanceNorm3d(tl.layers.Input([None, 50, 50, 50, 32])).outputs.shape
    TensorShape([None, 50, 50, 50, 32])
    """

    ranks = (5,)


InstanceNormLayer = InstanceNorm
