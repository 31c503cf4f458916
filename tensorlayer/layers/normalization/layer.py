"""Layer normalisation: each sample by itself, over all that it consists of."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.base import require_known
from tensorlayer.layers.normalization.channels import ChannelNorm
from tensorlayer.layers.precision import cast

__all__ = ["LayerNorm", "LayerNormLayer", "RMSNorm"]


class LayerNorm(ChannelNorm):
    r"""Layer normalisation: $y = \gamma (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta$.

    Mean and variance are those of each sample, so that batches of any size, and training and
    inference, compute the same.

    Parameters
    ----------
    center
        Whether there are offsets.
    scale
        Whether there are scales. The next layer makes up for them if it is linear.
    act
        The activation, applied last.
    epsilon
        Added to the variance before the square root. 1e-12 is that of TensorFlow 1.
    begin_norm_axis
        The first axis that mean and variance are taken over; all after it follow. 1 is a whole
        sample; -1, one position of a sequence, is what transformers use.
    begin_params_axis
        The first axis that offsets and scales differ along.
    beta_init
        Of the offsets.
    gamma_init
        Of the scales.
    data_format
        `"channels_last"`, or `"channels_first"` for offsets and scales along axis 1.
    name
        Unique in the network.

    Notes
    -----
    Input shape: `(batch, ...)`. Output shape: the same.
    Parameters: `beta` and `gamma`, each of the shape `inputs_shape[begin_params_axis:]`, so
    (channels).

    Raises
    ------
    InvalidArgument
        An axis that the input has not, or the batch among those to normalise over; other
        parameters than one for each channel with channels first.

    References
    ----------
    Ba, Kiros and Hinton, "Layer normalization", 2016.

    Examples
    --------
    >>> x = tf.constant([[1.0, 3.0], [10.0, 30.0]])
    >>> LayerNorm()(x).numpy().round(3).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """

    def __init__(
        self,
        center: bool = True,
        scale: bool = True,
        act: Any = None,
        epsilon: float = 1e-12,
        begin_norm_axis: int = 1,
        begin_params_axis: int = -1,
        beta_init: Any = initializers.Zeros(),  # noqa: B008 - a frozen value
        gamma_init: Any = initializers.Ones(),  # noqa: B008
        data_format: str = "channels_last",
        name: str | None = None,
    ) -> None:
        offset, scales = beta_init if center else None, gamma_init if scale else None
        super().__init__(epsilon, act, offset, scales, None, data_format, name)
        if data_format == "channels_first" and begin_params_axis != -1:
            raise InvalidArgument(
                f"LayerNorm: with channels first there is a parameter for each channel, so "
                f"begin_params_axis is -1, got {begin_params_axis!r}."
            )
        self.begin_norm_axis = begin_norm_axis
        self.begin_params_axis = begin_params_axis

    def build(self, inputs_shape: Any) -> None:
        """Make offsets and scales."""
        rank = len(inputs_shape)
        self.norm_axes = list(range(self._axis("begin_norm_axis", rank), rank))
        if self.data_format == "channels_first":
            super().build(inputs_shape)
            return
        first = self._axis("begin_params_axis", rank)
        shape = [
            require_known(self, size, "each axis of the parameters")
            for size in inputs_shape[first:]
        ]
        self.channels = shape[-1]
        if self.beta_init is not None:
            self.beta = self._get_weights("beta", shape, self.beta_init)
        if self.gamma_init is not None:
            self.gamma = self._get_weights("gamma", shape, self.gamma_init)

    def _axis(self, what: str, rank: int) -> int:
        """Return an axis, counted from the first."""
        axis = getattr(self, what)
        if not (1 <= axis < rank or -rank < axis < 0):
            raise InvalidArgument(
                f"{self!r}: {what} is an axis of the input behind the batch, from 1 to {rank - 1}, "
                f"got {axis!r}."
            )
        return axis % rank

    def normalized(self, inputs: tf.Tensor) -> tf.Tensor:
        """Normalise each sample."""
        return self.normalize(inputs, *tf.nn.moments(inputs, self.norm_axes, keepdims=True))


class RMSNorm(ChannelNorm):
    r"""Normalisation by the size alone: $y = \gamma x / \sqrt{\overline{x^2} + \epsilon}$.

    The mean is over the channels of each position. What layer normalisation does beside it,
    subtracting the mean, costs time and helped little in large transformers.

    Parameters
    ----------
    epsilon
        Added to the mean square before the root.
    act
        The activation, applied last.
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
    Input shape: any with channels. Output shape: the same. Parameters: `gamma` (channels).

    References
    ----------
    Zhang and Sennrich, "Root mean square layer normalization", NeurIPS 2019.

    Examples
    --------
    >>> RMSNorm()(tf.constant([[5.0, -5.0]])).numpy().round(3).tolist()
    [[1.0, -1.0]]
    """

    def __init__(
        self,
        epsilon: float = 1e-6,
        act: Any = None,
        gamma_init: Any = initializers.Ones(),  # noqa: B008 - a frozen value
        num_features: int | None = None,
        data_format: str = "channels_last",
        name: str | None = None,
    ) -> None:
        super().__init__(epsilon, act, None, gamma_init, num_features, data_format, name)

    def normalized(self, inputs: tf.Tensor) -> tf.Tensor:
        """Divide by the root of the mean square."""
        axis = self.channel_axis(inputs.shape.rank)
        mean_square = tf.reduce_mean(tf.square(inputs), axis, keepdims=True)
        outputs = inputs * tf.math.rsqrt(mean_square + self.epsilon)
        scale = cast(self.along_channels(self.gamma, inputs), inputs.dtype)
        return outputs if scale is None else outputs * scale


LayerNormLayer = LayerNorm
