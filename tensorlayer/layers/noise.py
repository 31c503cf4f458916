"""Layers that are random in training: dropout."""

from __future__ import annotations

import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.base import Layer

__all__ = ["Dropout", "DropoutLayer"]


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

    def __init__(self, keep: float = 0.5, seed: int | None = None, name: str | None = None) -> None:
        super().__init__(name=name)
        if not 0 < keep <= 1:
            raise InvalidArgument(
                f"Dropout: keep is the probability of keeping a unit, in (0, 1]; got {keep!r}."
            )
        self.keep = keep
        self.seed = seed

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Drop units in training."""
        if not self.is_train:
            return tf.identity(inputs)
        return tf.nn.dropout(inputs, rate=1 - self.keep, seed=self.seed)


DropoutLayer = Dropout
