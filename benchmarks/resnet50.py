"""ResNet-50, declared with the library and with Keras: the same layers, the same parameters."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tensorlayer.layers import (
    BatchNorm,
    Conv2d,
    Dense,
    Elementwise,
    Input,
    Lambda,
    MaxPool2d,
    Network,
)

#: A layer is a convolution, normalisation, addition, pooling, mean or dense one, in both libraries.
#: A relu belongs to the layer before it: an argument here, a layer more in Keras.
N_LAYERS = 53 + 53 + 16 + 1 + 1 + 1
#: The number of filters and of blocks in each stage.
STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))


class Ours:
    """The parts of the network; a convolution has no biases and is normalised."""

    def __init__(self, init: Any) -> None:
        self.init = init

    def start(self) -> Network:
        """Declare the input."""
        return Input([None, 224, 224, 3])

    def conv(self, net: Network, n: int, size: int, stride: int = 1, act: Any = "relu") -> Network:
        """Convolve and normalise."""
        net = Conv2d(net, n, size, stride, W_init=self.init, b_init=None)
        return BatchNorm(net, act=act)

    def pool(self, net: Network) -> Network:
        """Pool after the first convolution."""
        return MaxPool2d(net, 3, 2)

    def add(self, net: Network, other: Network) -> Network:
        """End a block."""
        return Elementwise([net, other], combine_fn=tf.add, act="relu")

    def end(self, net: Network) -> Network:
        """Classify."""
        net = Lambda(net, lambda x: tf.reduce_mean(x, axis=[1, 2]))
        return Dense(net, 1000, W_init=self.init)


class Keras:
    """The same with the functional interface of Keras."""

    def __init__(self, init: Any) -> None:
        self.init = init

    def start(self) -> Any:
        """Declare the input."""
        return tf.keras.Input([224, 224, 3])

    def conv(self, net: Any, n: int, size: int, stride: int = 1, act: Any = "relu") -> Any:
        """Convolve and normalise."""
        layers = tf.keras.layers
        net = layers.Conv2D(
            n, size, stride, padding="same", use_bias=False, kernel_initializer=self.init
        )(net)
        net = layers.BatchNormalization()(net)
        return net if act is None else layers.Activation(act)(net)

    def pool(self, net: Any) -> Any:
        """Pool after the first convolution."""
        return tf.keras.layers.MaxPooling2D(3, 2, padding="same")(net)

    def add(self, net: Any, other: Any) -> Any:
        """End a block."""
        return tf.keras.layers.Activation("relu")(tf.keras.layers.Add()([net, other]))

    def end(self, net: Any) -> Any:
        """Classify."""
        net = tf.keras.layers.GlobalAveragePooling2D()(net)
        return tf.keras.layers.Dense(1000, kernel_initializer=self.init)(net)


def resnet50(parts: Ours | Keras) -> Any:
    """Declare the network."""
    net = parts.pool(parts.conv(parts.start(), 64, 7, 2))
    for stage, (n, n_blocks) in enumerate(STAGES):
        for block in range(n_blocks):
            is_first = block == 0
            stride = 2 if is_first and stage else 1
            short = parts.conv(net, 4 * n, 1, stride, act=None) if is_first else net
            net = parts.conv(parts.conv(net, n, 1, stride), n, 3)
            net = parts.add(parts.conv(net, 4 * n, 1, act=None), short)
    return parts.end(net)
