"""Layers that are random in training: they drop units, weights or samples, or add noise."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.arguments import probability
from tensorlayer.layers.base import Layer
from tensorlayer.layers.dense import Dense
from tensorlayer.layers.spatial_arguments import size_of
from tensorlayer.layers.tf1 import fed_keep

__all__ = [
    "DropconnectDense",
    "DropconnectDenseLayer",
    "Dropout",
    "DropoutLayer",
    "GaussianNoise",
    "GaussianNoiseLayer",
    "StochasticDepth",
]


class Dropout(Layer):
    r"""Dropout: in training $y_i = m_i x_i / p$ with $m_i \sim \mathrm{Bernoulli}(p)$.

    In inference the input passes unchanged, which is what the scaling by 1/p is for.

    Parameters
    ----------
    keep
        The probability p of *keeping* a unit, in (0, 1]. 0.5 gives the largest number of thinned
        networks.
    seed
        Of the mask; with None the global seed decides.
    name
        Unique in the network.
    is_fix
        Over placeholders of TensorFlow 1, True for a `keep` that is a constant. Without it `keep`
        is a placeholder, which has to be fed: `net.all_drop`.

    Notes
    -----
    Input shape: any. Output shape: the same. No parameters.

    Raises
    ------
    InvalidArgument
        ``keep`` is not in (0, 1].

    References
    ----------
    Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR
    2014.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = Dropout(tl.layers.Input([None, 4]), keep=0.5, seed=1)
    >>> net(tf.ones([1, 4]), is_train=False).numpy().tolist()
    [[1.0, 1.0, 1.0, 1.0]]
    >>> sorted(set(net(tf.ones([8, 4]), is_train=True).numpy().ravel().tolist()))
    [0.0, 2.0]
    """

    drops_in_graphs = True

    def __init__(
        self,
        keep: float = 0.5,
        seed: int | None = None,
        name: str | None = None,
        is_fix: bool | None = None,
    ) -> None:
        super().__init__(name=name)
        self.keep = probability(keep, "Dropout", "a unit")
        self.seed = seed
        self.is_fix = is_fix

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Drop units in training."""
        if not self.is_train:
            return tf.identity(inputs)
        keep = self.keep if self.is_fix else fed_keep(self.keep, inputs.dtype)
        return tf.nn.dropout(inputs, rate=1 - keep, seed=self.seed)


class DropconnectDense(Dense):
    r"""Fully connected layer that drops weights: $y = \mathrm{act}(x (M \odot W) / p + b)$.

    In training each weight is kept with probability p, the same ones for the whole batch. In
    inference $M / p$ is 1. Over placeholders of TensorFlow 1, p is one to be fed: `net.all_drop`.

    Parameters
    ----------
    keep
        The probability p of *keeping* a weight, in (0, 1].
    n_units
        The number of outputs.
    act
        The activation, applied last.
    W_init
        Of the weights.
    b_init
        Of the biases; None for a layer without biases.
    in_channels
        The size of the last axis. With it the parameters are made in the constructor.
    name
        Unique in the network.
    seed
        Of the mask; with None the global seed decides.

    Notes
    -----
    Input shape: `(batch, n_in)`. Output shape: `(batch, n_units)`.
    Parameters: `weights` (n_in, n_units) and `biases` (n_units).

    Raises
    ------
    InvalidArgument
        `keep` is not in (0, 1].
    WrongShape
        The input is not of rank 2 and `in_channels` is not given.

    References
    ----------
    Wan et al., "Regularization of neural networks using DropConnect", ICML 2013. It samples in
    inference as well; here the mean is taken, as for dropout.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = DropconnectDense(tl.layers.Input([None, 784]), keep=0.8, n_units=100)
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 100]), 78500)
    """

    drops_in_graphs = True

    def __init__(
        self,
        keep: float = 0.5,
        n_units: int = 100,
        act: Any = None,
        W_init: Any = initializers.TruncatedNormal(stddev=0.05),  # noqa: B008 - a frozen value
        b_init: Any = initializers.Constant(0.0),  # noqa: B008
        in_channels: int | None = None,
        name: str | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__(n_units, act, W_init, b_init, in_channels, name)
        self.keep = probability(keep, "DropconnectDense", "a weight")
        self.seed = seed

    def transform(self, inputs: tf.Tensor) -> tf.Tensor:
        """Compute `inputs @ W + b`, in training with some of the weights."""
        W = self.W
        if self.is_train:
            W = tf.nn.dropout(W, rate=1 - fed_keep(self.keep, W.dtype), seed=self.seed)
        return self.add_biases(self.multiply(inputs, W))


class GaussianNoise(Layer):
    r"""Noise that is added: $y_i = x_i + n_i$ with $n_i \sim \mathcal{N}(\mu, \sigma^2)$.

    Parameters
    ----------
    mean
        Of the noise.
    stddev
        Of the noise, 0 or more.
    is_always
        Whether inference adds it too, as in the generator of a GAN; False for noise that only makes
        training more robust.
    seed
        Of the noise; with None the global seed decides.
    name
        Unique in the network.
    is_train
        How TensorLayer 1.x said the same when the network was built. It goes before `is_always`.

    Notes
    -----
    Input shape: any. Output shape: the same. No parameters.

    Raises
    ------
    InvalidArgument
        `stddev` is negative.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = GaussianNoise(tl.layers.Input([None, 4]), stddev=0.1, is_always=False)
    >>> net(tf.ones([1, 4]), is_train=False).numpy().tolist()
    [[1.0, 1.0, 1.0, 1.0]]
    """

    def __init__(
        self,
        mean: float = 0.0,
        stddev: float = 1.0,
        is_always: bool = True,
        seed: int | None = None,
        name: str | None = None,
        is_train: bool | None = None,
    ) -> None:
        super().__init__(name=name)
        if not stddev >= 0:  # nor is it no number
            raise InvalidArgument(f"GaussianNoise: stddev is 0 or more, got {stddev!r}.")
        self.mean = mean
        self.stddev = stddev
        self.is_always = is_always if is_train is None else is_train
        self.seed = seed

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Add the noise."""
        if not (self.is_always or self.is_train):
            return tf.identity(inputs)
        return inputs + tf.random.normal(
            tf.shape(inputs), self.mean, self.stddev, inputs.dtype, self.seed
        )


class StochasticDepth(Layer):
    r"""Stochastic depth: in training $y = m x / p$ with $m \sim \mathrm{Bernoulli}(p)$.

    There is one m for each sample. The layer ends the branch of a residual block, so that some
    samples skip the block:
    `net = Elementwise([net, StochasticDepth(branch)], tf.add)`. In inference the input passes.

    Parameters
    ----------
    keep
        The probability p of *keeping* the branch of a sample, in (0, 1]. The paper goes from 1 at
        the first block to 0.5 at the last; 0.8 is usual in smaller networks.
    seed
        Of the mask; with None the global seed decides.
    name
        Unique in the network.

    Notes
    -----
    Input shape: `(batch, ...)`. Output shape: the same. No parameters.

    Raises
    ------
    InvalidArgument
        `keep` is not in (0, 1].

    References
    ----------
    Huang et al., "Deep networks with stochastic depth", ECCV 2016.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = StochasticDepth(tl.layers.Input([None, 3]), keep=0.5)
    >>> rows = net(tf.ones([8, 3]), is_train=True).numpy().tolist()
    >>> all(row in ([0.0] * 3, [2.0] * 3) for row in rows)
    True
    """

    def __init__(self, keep: float = 0.8, seed: int | None = None, name: str | None = None) -> None:
        super().__init__(name=name)
        self.keep = probability(keep, "StochasticDepth", "a sample")
        self.seed = seed

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Drop samples in training."""
        if not self.is_train:
            return tf.identity(inputs)
        shape = [size_of(inputs, 0)] + [1] * (inputs.shape.rank - 1)
        return tf.nn.dropout(inputs, rate=1 - self.keep, noise_shape=shape, seed=self.seed)


DropconnectDenseLayer = DropconnectDense
DropoutLayer = Dropout
GaussianNoiseLayer = GaussianNoise
