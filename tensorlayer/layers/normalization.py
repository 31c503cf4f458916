"""Normalisation."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.base import Layer, require_known
from tensorlayer.layers.updates import update

__all__ = ["BatchNorm", "BatchNormLayer"]


class BatchNorm(Layer):
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
    beta_init, gamma_init
        Of offset and scale; None leaves the one or the other out.
    moving_mean_init, moving_var_init
        Of the moving averages. The variance starts at 1, so that an untrained network in inference
        passes values on at their size.
    num_features
        The number of channels. With it the parameters are made in the constructor.
    data_format
        ``"channels_last"`` or ``"channels_first"``.
    name
        Unique in the network.

    Notes
    -----
    Input shape: any with channels. Output shape: the same.
    Parameters: ``beta``, ``gamma`` (trainable), ``moving_mean``, ``moving_var``, each (channels).

    The mode comes from the evaluation. ``is_train`` of TensorLayer 1.x is accepted where the layer
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

    keeps_precision = True  # moments of 16 bits are off, and averages of them stand still

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
        super().__init__(name=name, act=act)
        if not 0 <= decay <= 1:
            raise InvalidArgument(f"BatchNorm: decay must be in [0, 1], got {decay!r}.")
        if data_format not in {"channels_last", "channels_first"}:
            raise InvalidArgument(
                "BatchNorm: data_format is 'channels_last' or 'channels_first', "
                f"got {data_format!r}."
            )
        self.decay = decay
        self.epsilon = epsilon
        self.inits = (beta_init, gamma_init, moving_mean_init, moving_var_init)
        self.data_format = data_format
        self.num_features = num_features

    def shape_to_build_for(self) -> Any:
        """Return what ``num_features`` tells; with one axis beside it, either format is right."""
        return None if self.num_features is None else [None, self.num_features]

    def build(self, inputs_shape: Any) -> None:
        """Make offset, scale and moving averages."""
        size = inputs_shape[-1 if self.data_format == "channels_last" else 1]
        channels = require_known(self, size, "the number of channels")
        beta, gamma, mean, variance = self.inits
        self.beta = self.gamma = None
        if beta is not None:
            self.beta = self._get_weights("beta", [channels], beta)
        if gamma is not None:
            self.gamma = self._get_weights("gamma", [channels], gamma)
        self.moving_mean = self._get_weights("moving_mean", [channels], mean, trainable=False)
        self.moving_var = self._get_weights("moving_var", [channels], variance, trainable=False)

    def transform(self, inputs: tf.Tensor) -> tf.Tensor:
        """Normalise; in training also move the averages."""
        mean, variance = self._statistics(inputs)
        parts = [mean, variance, self.beta, self.gamma]
        if self.data_format == "channels_first":
            shape = [-1] + [1] * (inputs.shape.rank - 2)
            parts = [None if part is None else tf.reshape(part, shape) for part in parts]
        return tf.nn.batch_normalization(inputs, *parts, self.epsilon)

    def _statistics(self, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        if not self.is_train:
            return self.moving_mean, self.moving_var
        channel = inputs.shape.rank - 1 if self.data_format == "channels_last" else 1
        axes = [axis for axis in range(inputs.shape.rank) if axis != channel]
        mean, variance = tf.nn.moments(inputs, axes)
        averages = [
            (moving, moving * self.decay + now * (1 - self.decay))
            for moving, now in ((self.moving_mean, mean), (self.moving_var, variance))
        ]
        if not inputs.shape.num_elements():  # free or none: of an empty batch there is no mean
            has_some = tf.size(inputs) > 0
            averages = [(moving, tf.where(has_some, new, moving)) for moving, new in averages]
            # Nor may one that is no number reach the gradients of offset and scale.
            mean = tf.where(has_some, mean, self.moving_mean)
            variance = tf.where(has_some, variance, self.moving_var)
        return update(averages, (mean, variance))


BatchNormLayer = BatchNorm
