"""Switchable normalisation: a mix of three others that is learnt."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.layers.normalization.channels import ChannelNorm

__all__ = ["SwitchNorm", "SwitchNormLayer"]


class SwitchNorm(ChannelNorm):
    r"""Switchable normalisation: $y = \gamma (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta$.

    $\mu = \sum_k w_k \mu_k$ and $\sigma^2 = \sum_k w'_k \sigma_k^2$ mix the moments of the batch,
    of the instance and of the layer. The weights are softmaxes of three parameters each.

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
    data_format
        `"channels_last"` or `"channels_first"`.
    name
        Unique in the network.

    Notes
    -----
    Input shape: `(batch, height, width, channels)`. Output shape: the same.
    Parameters: `gamma`, `beta`, each (channels), `mean_weight` and `var_weight`, each (3), in the
    order batch, instance, layer.

    There are no moving averages: the moments of the batch are those of the batch that is evaluated,
    in inference too, so an image is seen differently in another company.

    Raises
    ------
    WrongShape
        The input is not of rank 4.

    References
    ----------
    Luo et al., "Differentiable learning-to-normalize via switchable normalization", ICLR 2019.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = SwitchNorm(tl.layers.Input([None, 8, 8, 3]), name="sn")
    >>> list(net.parameters)
    ['sn/gamma', 'sn/beta', 'sn/mean_weight', 'sn/var_weight']
    """

    ranks = (4,)
    order = ("gamma", "beta")

    def __init__(
        self,
        act: Any = None,
        epsilon: float = 1e-5,
        beta_init: Any = initializers.Constant(0.0),  # noqa: B008 - a frozen value
        gamma_init: Any = initializers.Constant(1.0),  # noqa: B008
        data_format: str = "channels_last",
        name: str | None = None,
    ) -> None:
        super().__init__(epsilon, act, beta_init, gamma_init, None, data_format, name)

    def build(self, inputs_shape: Any) -> None:
        """Make scales, offsets and the weights of the mix."""
        super().build(inputs_shape)
        self.mean_weight = self._get_weights("mean_weight", [3], 1.0)
        self.var_weight = self._get_weights("var_weight", [3], 1.0)

    def normalized(self, inputs: tf.Tensor) -> tf.Tensor:
        """Normalise by the mixed moments."""
        channel = self.channel_axis(inputs.shape.rank)
        instance = [axis for axis in (1, 2, 3) if axis != channel]
        kinds = ([0, *instance], instance, [1, 2, 3])
        means, variances = zip(
            *(tf.nn.moments(inputs, axes, keepdims=True) for axes in kinds), strict=True
        )
        mean, variance = _mix(self.mean_weight, means), _mix(self.var_weight, variances)
        return self.normalize(inputs, mean, variance)


def _mix(weights: tf.Tensor, values: tuple[tf.Tensor, ...]) -> tf.Tensor:
    """Return the sum of the values, weighted by a softmax."""
    shares = tf.nn.softmax(tf.cast(weights, values[0].dtype))
    batch, instance, layer = (
        share * each for share, each in zip(tf.unstack(shares), values, strict=True)
    )
    return batch + instance + layer  # which broadcasts


SwitchNormLayer = SwitchNorm
