"""Batch normalisation."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.layers.normalization.channels import ChannelNorm
from tensorlayer.layers.updates import MovingMoments

__all__ = ["BatchNorm", "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "BatchNormLayer"]


class BatchNorm(MovingMoments, ChannelNorm):
    r"""Batch normalisation: $y = \gamma (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta$.

    In training, mean and variance are those of the batch, over all axes but the channels, and the
    moving averages follow them: $m \leftarrow d\,m + (1 - d)\,\mu$. In inference they are the
    moving averages.

    Parameters
    ----------
    decay
        The weight d of the old moving average, in [0, 1]. 0.9 follows within tens of steps, which
        suits short runs; 0.99 and more is usual for long ones.
    epsilon
        Added to the variance before the square root.
    act
        The activation, applied last.
    beta_init
        Of the offsets; None leaves them out.
    gamma_init
        Of the scales; None leaves them out.
    moving_mean_init
        Of the moving average of the mean.
    moving_var_init
        Of the moving average of the variance. It starts at 1, so that an untrained network in
        inference passes values on at their size.
    num_features
        The number of channels. With it the parameters are made in the constructor.
    data_format
        `"channels_last"` or `"channels_first"`.
    name
        Unique in the network.

    Notes
    -----
    Input shape: any with channels. Output shape: the same.
    Parameters: `beta`, `gamma` (trainable), `moving_mean`, `moving_var`, each (channels); the
    averages in 32 bits at least, whatever the type of the layer.

    The mode comes from the evaluation. `is_train` of TensorLayer 1.x is accepted where the layer
    is stacked and holds where an evaluation says nothing. The moving variance started at 0 in 2.x,
    which multiplied an untrained network's values by 316 at each layer.

    References
    ----------
    Ioffe and Szegedy, "Batch normalization", ICML 2015.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = BatchNorm(tl.layers.Input([None, 8, 8, 3]), act="relu", name="bn")
    >>> list(net.parameters)
    ['bn/beta', 'bn/gamma', 'bn/moving_mean', 'bn/moving_var']
    """

    def __init__(
        self,
        decay: float = 0.9,
        epsilon: float = 1e-5,
        act: Any = None,
        beta_init: Any = initializers.Zeros(),  # noqa: B008 - a frozen value
        gamma_init: Any = initializers.RandomNormal(mean=1.0, stddev=0.002),  # noqa: B008
        moving_mean_init: Any = initializers.Zeros(),  # noqa: B008
        moving_var_init: Any = initializers.Ones(),  # noqa: B008
        num_features: int | None = None,
        data_format: str = "channels_last",
        name: str | None = None,
    ) -> None:
        super().__init__(epsilon, act, beta_init, gamma_init, num_features, data_format, name)
        self.set_decay(decay)
        self.moving_inits = (moving_mean_init, moving_var_init)

    def build(self, inputs_shape: Any) -> None:
        """Make offset, scale and moving averages."""
        super().build(inputs_shape)
        self.make_averages(self.channels, *self.moving_inits)

    def normalized(self, inputs: tf.Tensor) -> tf.Tensor:
        """Normalise; in training also move the averages."""
        channel_axis = self.channel_axis(inputs.shape.rank)
        moments = self.batch_moments(inputs, channel_axis) if self.is_train else self.averages
        return self.normalize(inputs, *(self.along_channels(each, inputs) for each in moments))


class BatchNorm1d(BatchNorm):
    """[`BatchNorm`][] that requires `(batch, [length,] channels)`.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> BatchNorm1d(tl.layers.Input([None, 50, 32])).outputs.shape
    TensorShape([None, 50, 32])
    """

    ranks = (2, 3)


class BatchNorm2d(BatchNorm):
    """[`BatchNorm`][] that requires images.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> BatchNorm2d(tl.layers.Input([None, 50, 50, 32])).outputs.shape
    TensorShape([None, 50, 50, 32])
    """

    ranks = (4,)


class BatchNorm3d(BatchNorm):
    """[`BatchNorm`][] that requires volumes.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> BatchNorm3d(tl.layers.Input([None, 50, 50, 50, 32])).outputs.shape
    TensorShape([None, 50, 50, 50, 32])
    """

    ranks = (5,)


BatchNormLayer = BatchNorm
