"""Activations that are layers: their slopes are trained, or they are part of a network's list."""

from __future__ import annotations

from typing import Any, ClassVar

import tensorflow as tf

from tensorlayer import activation, initializers
from tensorlayer.layers import spatial_arguments as spatial
from tensorlayer.layers.base import Layer, require_known, require_size

__all__ = [
    "PRelu",
    "PRelu6",
    "PRelu6Layer",
    "PReluLayer",
    "PTRelu6",
    "PTRelu6Layer",
    "Scale",
    "ScaleLayer",
    "Sign",
    "SignLayer",
]

_DOC = """{summary}

    Each slope is the sigmoid of a parameter, so it stays between 0 and 1 and is trained with the
    rest of the network.

    Parameters
    ----------
    channel_shared
        Whether all channels have the same slope.
    in_channels
        The number of channels. With it, or if they share, the parameters are made in the
        constructor.
    a_init
        Of the parameters; at 0 a slope is one half.
    name
        Unique in the network.
    data_format
        `"channels_last"` or `"channels_first"`.

    Notes
    -----
    Input shape: any with channels. Output shape: the same.
    Parameters: {parameters}, (channels) or (1).

    References
    ----------
    {source}

    Examples
    --------
    >>> import tensorlayer as tl
    >>> layer = tl.layers.{name}(a_init=0.0)
    >>> layer(tf.constant([[-2.0, 3.0, 8.0]])).numpy().tolist()
    [[-1.0, 3.0, {result}]]
    """
_HE = """He et al., "Delving deep into rectifiers", ICCV 2015{more}."""
_KRIZHEVSKY = """; Krizhevsky, "Convolutional deep
    belief networks on CIFAR-10", 2010, for the bound"""


class PRelu(Layer):  # noqa: D101 - made from the shared text
    __doc__ = _DOC.format(
        name="PRelu",
        summary=r"Rectifier with a slope below 0: $y = \max(x, 0) + a \min(x, 0)$.",
        parameters="`alpha`",
        source=_HE.format(more=""),
        result=8.0,
    )

    slopes: ClassVar[tuple[str, ...]] = ("alpha",)

    def __init__(
        self,
        channel_shared: bool = False,
        in_channels: int | None = None,
        a_init: Any = initializers.TruncatedNormal(stddev=0.05),  # noqa: B008 - a frozen value
        name: str | None = None,
        data_format: str = "channels_last",
    ) -> None:
        super().__init__(name=name)
        self.channel_shared = channel_shared
        self.in_channels = in_channels
        self.a_init = a_init
        self.data_format = spatial.order(data_format, type(self).__name__)

    def shape_to_build_for(self) -> Any:
        """Return what the arguments tell; with one axis beside it, either format is right."""
        channels = 1 if self.channel_shared else self.in_channels
        return None if channels is None else [None, channels]

    def build(self, inputs_shape: Any) -> None:
        """Make the parameters of the slopes."""
        size = inputs_shape[-1 if self.data_format == "channels_last" else 1]
        n = 1 if self.channel_shared else require_known(self, size, "the number of channels")
        for slope in self.slopes:
            setattr(self, slope, self._get_weights(slope, [n], self.a_init))

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Rectify, with the slope below 0."""
        return tf.nn.relu(inputs) - self.slope(self.alpha, inputs) * tf.nn.relu(-inputs)

    def slope(self, alpha: tf.Tensor, inputs: tf.Tensor) -> tf.Tensor:
        """Return the slope in a shape that broadcasts to the inputs."""
        if not self.channel_shared:
            axis = -1 if self.data_format == "channels_last" else 1
            require_size(self, inputs.shape, axis, alpha.shape[0])
        return spatial.along_channels(tf.sigmoid(alpha), inputs, self.data_format)


class PRelu6(PRelu):  # noqa: D101
    __doc__ = _DOC.format(
        name="PRelu6",
        summary=r"Rectifier with a slope below 0, at most 6: $y = \min(\mathrm{PReLU}(x), 6)$.",
        parameters="`alpha`",
        source=_HE.format(more=_KRIZHEVSKY),
        result=6.0,
    )

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Rectify, with the slope below 0 and the bound above."""
        return tf.nn.relu6(inputs) - self.slope(self.alpha, inputs) * tf.nn.relu(-inputs)


class PTRelu6(PRelu):  # noqa: D101
    __doc__ = _DOC.format(
        name="PTRelu6",
        summary=r"Rectifier with a slope below 0 and another above 6: there $y = 6 + a' (x - 6)$.",
        parameters="`alpha_low` and `alpha_high`, each",
        source=_HE.format(more=_KRIZHEVSKY),
        result=7.0,
    )

    slopes = ("alpha_low", "alpha_high")

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Rectify, with both slopes."""
        low, high = (self.slope(each, inputs) for each in (self.alpha_low, self.alpha_high))
        return tf.nn.relu6(inputs) - low * tf.nn.relu(-inputs) + high * tf.nn.relu(inputs - 6)


class Scale(Layer):
    """Multiplication with one number, which is trained: $y = s x$.

    Parameters
    ----------
    init_scale
        Where the number starts. 0.05 suits binary networks, whose sums are large.
    name
        Unique in the network.

    Notes
    -----
    Input shape: any. Output shape: the same. Parameters: `scale` (1).

    Examples
    --------
    >>> Scale(init_scale=0.5)(tf.constant([[4.0, -2.0]])).numpy().tolist()
    [[2.0, -1.0]]
    """

    def __init__(self, init_scale: float = 0.05, name: str | None = None) -> None:
        super().__init__(name=name)
        self.init_scale = init_scale

    def build(self, inputs_shape: Any) -> None:
        """Make the number."""
        self.scale = self._get_weights("scale", [1], self.init_scale)

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Multiply."""
        return inputs * self.scale


class Sign(Layer):
    """The sign, with a gradient that passes as it is, clipped to [-1, 1].

    See [`tensorlayer.activation.sign`][]; put it before a binary layer.

    Parameters
    ----------
    name
        Unique in the network.

    Notes
    -----
    Input shape: any. Output shape: the same. No parameters.

    References
    ----------
    Hubara et al., "Binarized neural networks", NIPS 2016.

    Examples
    --------
    >>> Sign()(tf.constant([[4.0, 0.0, -2.0]])).numpy().tolist()
    [[1.0, 0.0, -1.0]]
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)

    def forward(self, inputs: tf.Tensor) -> tf.Tensor:
        """Take the sign."""
        return activation.sign(inputs)


PReluLayer = PRelu
PRelu6Layer = PRelu6
PTRelu6Layer = PTRelu6
ScaleLayer = Scale
SignLayer = Sign
