"""Where in a sequence something stands: what attention alone does not see."""

from __future__ import annotations

from typing import Any, ClassVar

import tensorflow as tf

from tensorlayer import initializers
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers.arguments import positive
from tensorlayer.layers.base import Layer, require_known, require_rank
from tensorlayer.layers.spatial_arguments import size_of

__all__ = ["PositionEmbedding", "RotaryEncoding", "SinusoidalEncoding"]


def _wavelength(value: Any, who: str) -> float:
    if not (isinstance(value, (int, float)) and value > 1):
        raise InvalidArgument(f"{who}: max_wavelength is a number above 1, got {value!r}.")
    return float(value)


def _angles(
    inputs: tf.Tensor, positions: Any, max_wavelength: float
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return sine and cosine for each position and pair of channels.

    Both are of the type of the inputs, but not computed in 16 bits, which cannot count to 3000.
    """
    dtype = inputs.dtype if inputs.dtype.size > 2 else tf.float32
    if positions is None:
        positions = tf.range(size_of(inputs, 1))
    exponents = tf.range(0, inputs.shape[-1], 2, dtype) / inputs.shape[-1]
    angles = tf.cast(positions, dtype)[..., tf.newaxis] * max_wavelength**-exponents
    return tf.cast(tf.sin(angles), inputs.dtype), tf.cast(tf.cos(angles), inputs.dtype)


class _OfPairs(Layer):
    """A layer that treats channels in pairs: its build refuses other numbers of them."""

    ranks: ClassVar[tuple[int, ...]] = (3,)

    def build(self, inputs_shape: Any) -> None:
        """Require an even number of channels."""
        require_rank(self, inputs_shape, self.ranks, "It is (batch, steps, ..., channels).")
        if require_known(self, inputs_shape[-1], "the number of channels") % 2:
            raise WrongShape(
                f"{self!r}: it treats channels in pairs, so their number is even, got "
                f"{inputs_shape[-1]}."
            )


class SinusoidalEncoding(_OfPairs):
    r"""Waves of many lengths added: $y_{t,2i} = x_{t,2i} + \sin(t\,\lambda^{-2i/n})$.

    The odd channels get the cosine, $y_{t,2i+1} = x_{t,2i+1} + \cos(t\,\lambda^{-2i/n})$, so that
    the step from one position to another is the same rotation everywhere. It has no parameters and
    knows no longest sequence.

    Parameters
    ----------
    max_wavelength
        $\lambda$: the wavelengths grow from $2\pi$ to nearly $2\pi\lambda$. 10000 is that of the
        paper.
    name
        Unique in the network.

    Notes
    -----
    Input shape: `(batch, steps, channels)`, with an even number of channels. Output shape: the
    same. No parameters.

    A call also takes `positions`, integers `(steps)` or `(batch, steps)`; without them they are
    0, 1, 2, ... One step of a sequence at a time needs them: `encode(x, positions=[t])`.

    Raises
    ------
    WrongShape
        The number of channels is odd, or the input is not of rank 3.

    References
    ----------
    Vaswani et al., "Attention is all you need", NIPS 2017, section 3.5.

    Examples
    --------
    >>> SinusoidalEncoding()(tf.zeros([1, 2, 4], tf.float64)).numpy().round(2).tolist()
    [[[0.0, 1.0, 0.0, 1.0], [0.84, 0.54, 0.01, 1.0]]]
    """

    def __init__(self, max_wavelength: float = 10000.0, name: str | None = None) -> None:
        super().__init__(name=name)
        self.max_wavelength = _wavelength(max_wavelength, "SinusoidalEncoding")

    def forward(self, inputs: tf.Tensor, positions: Any = None) -> tf.Tensor:
        """Add sine and cosine, one beside the other."""
        waves = tf.stack(_angles(inputs, positions, self.max_wavelength), -1)
        shape = tf.concat([tf.shape(waves)[:-2], [inputs.shape[-1]]], 0)
        return inputs + tf.reshape(waves, shape)


class PositionEmbedding(Layer):
    """A trained vector for each position, added: $y_t = x_t + E_t$.

    Parameters
    ----------
    n_positions
        The length of the longest sequence.
    E_init
        Of the vectors. A normal distribution of 0.02 is that of BERT and GPT-2.
    name
        Unique in the network.

    Notes
    -----
    Input shape: `(batch, steps, channels)`. Output shape: the same. Parameters: `embeddings`
    (n_positions, channels).

    A call also takes `positions`, integers `(steps)` or `(batch, steps)`; without them they are
    0, 1, 2, ...

    Raises
    ------
    InvalidArgument
        `n_positions` is no positive integer.
    WrongShape
        The input is longer than that, or not of rank 3.

    References
    ----------
    Gehring et al., "Convolutional sequence to sequence learning", ICML 2017.

    Examples
    --------
    >>> import tensorlayer as tl
    >>> net = PositionEmbedding(tl.layers.Input([None, 50, 64]), n_positions=512)
    >>> net.outputs.shape, net.count_params()
    (TensorShape([None, 50, 64]), 32768)
    """

    def __init__(
        self,
        n_positions: int = 512,
        E_init: Any = initializers.RandomNormal(stddev=0.02),  # noqa: B008 - a frozen value
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.n_positions = positive(n_positions, "PositionEmbedding", "n_positions")
        self.E_init = E_init

    def build(self, inputs_shape: Any) -> None:
        """Make the vectors."""
        require_rank(self, inputs_shape, (3,), "It is (batch, steps, channels).")
        channels = require_known(self, inputs_shape[-1], "the number of channels")
        self.E = self._get_weights("embeddings", [self.n_positions, channels], self.E_init)

    def forward(self, inputs: tf.Tensor, positions: Any = None) -> tf.Tensor:
        """Add the vectors of the positions."""
        if positions is not None:
            return inputs + tf.gather(self.E, positions)
        if (inputs.shape[1] or 0) > self.n_positions:
            raise WrongShape(
                f"{self!r}: the input has {inputs.shape[1]} steps, and there are vectors for "
                f"{self.n_positions}. Give a larger n_positions."
            )
        # Not E[:steps], which would be silent about what is beyond its end.
        return inputs + tf.slice(self.E, [0, 0], [tf.shape(inputs)[1], inputs.shape[-1]])


class RotaryEncoding(_OfPairs):
    r"""Pairs of channels turned by an angle that grows with the position, $t\,\lambda^{-2i/n}$.

    Where queries and keys are turned so, their products depend on the distance between them alone:
    $\langle R_t q, R_s k\rangle = \langle R_{t-s}\,q, k\rangle$.
    [`tensorlayer.layers.MultiheadAttention`][] takes it as `rotary`.

    Parameters
    ----------
    max_wavelength
        $\lambda$; 10000 is that of the paper. Longer sequences want more.
    is_interleaved
        Whether a pair is two channels side by side, as in the paper, or one of the first half
        with one of the second, as in the weights of LLaMA.
    name
        Unique in the network.

    Notes
    -----
    Input shape: `(batch, steps, channels)` or `(batch, steps, heads, channels)`, with an even
    number of channels. Output shape: the same. No parameters.

    A call also takes `positions`, integers `(steps)` or `(batch, steps)`; without them they are
    0, 1, 2, ...

    Raises
    ------
    WrongShape
        The number of channels is odd, or the input of another rank.

    References
    ----------
    Su et al., "RoFormer: enhanced transformer with rotary position embedding", 2021.

    Examples
    --------
    >>> x = tf.constant([[[1.0, 0.0], [1.0, 0.0]]], tf.float64)
    >>> RotaryEncoding()(x).numpy().round(2).tolist()
    [[[1.0, 0.0], [0.54, 0.84]]]
    """

    ranks = (3, 4)

    def __init__(
        self,
        max_wavelength: float = 10000.0,
        is_interleaved: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.max_wavelength = _wavelength(max_wavelength, "RotaryEncoding")
        self.is_interleaved = is_interleaved

    def forward(self, inputs: tf.Tensor, positions: Any = None) -> tf.Tensor:
        """Turn each pair (a, b) to (a cos - b sin, a sin + b cos)."""
        sin, cos = _angles(inputs, positions, self.max_wavelength)
        if inputs.shape.rank == 4:  # the same for all heads
            sin, cos = sin[..., tf.newaxis, :], cos[..., tf.newaxis, :]
        if self.is_interleaved:
            a, b = inputs[..., ::2], inputs[..., 1::2]
            turned = tf.stack([a * cos - b * sin, a * sin + b * cos], -1)
            return tf.reshape(turned, tf.shape(inputs))
        a, b = tf.split(inputs, 2, -1)
        return tf.concat([a * cos - b * sin, a * sin + b * cos], -1)
