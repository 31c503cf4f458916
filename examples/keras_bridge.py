"""A network of layers of this library, of Keras, and of a function that makes Keras layers.

    python examples/keras_bridge.py                  # digits of scikit-learn
    python examples/keras_bridge.py --data folder    # MNIST

``tl.layers.KerasLayer`` takes a Keras model, here a residual block with a shortcut; a function that
makes Keras layers while it computes, here the head; ``tl.layers.Lambda`` takes the same. Their
weights are the network's: one optimizer trains all of it, batch normalisation and dropout follow
the mode, and the file of the model holds them with their structure. It is read again, without any
weights of this program in between, and has to tell 95 % of digits that were held out.
"""

from __future__ import annotations

import time

import numpy as np

import tensorlayer as tl
from tensorlayer.startup import quiet_tensorflow

quiet_tensorflow()

import arguments  # noqa: E402 - files beside this one
import handwritten  # noqa: E402
import keras  # noqa: E402 - after TensorFlow was told to be quiet
import tensorflow as tf  # noqa: E402

BAR = 0.95


def residual(side: int, n_channels: int) -> keras.Model:
    """Return a block that adds to its input what two convolutions make of it."""
    x = keras.Input([side, side, n_channels])
    y = keras.layers.Conv2D(n_channels, 3, padding="same", use_bias=False)(x)
    y = keras.layers.Activation("relu")(keras.layers.BatchNormalization(momentum=0.9)(y))
    y = keras.layers.Conv2D(n_channels, 3, padding="same", use_bias=False)(y)
    return keras.Model(x, keras.layers.BatchNormalization(momentum=0.9)(y) + x)


@tl.models.serializable
def head(maps: tf.Tensor) -> tf.Tensor:
    """Return logits; the layers are made in the first run and found again in every later one."""
    means = keras.layers.GlobalAveragePooling2D()(maps)
    hidden = keras.layers.Dense(64, activation="relu")(means)
    return keras.layers.Dense(10)(keras.layers.Dropout(0.2)(hidden))


def network(side: int) -> tl.models.Model:
    """Declare the network."""
    x = tl.layers.Input([None, side, side, 1], name="images")
    net = tl.layers.Conv2d(x, 32, (3, 3), act="relu", name="conv1")
    net = tl.layers.KerasLayer(net, keras_layer=residual(side, 32), name="residual")
    net = tl.layers.MaxPool2d(net, (2, 2), (2, 2), name="pool")
    net = tl.layers.Conv2d(net, 64, (3, 3), act="relu", name="conv2")
    net = tl.layers.KerasLayer(net, keras_layer=head, name="head")
    return tl.models.Model(x, net, name="keras-bridge")


@arguments.program
def main() -> None:
    """Train the network, write it, read it, and measure what was read."""
    parser = handwritten.parser(__doc__, "keras_bridge", n_epoch=40)
    options = arguments.parse(parser, quick={"epochs": 20}, takes="half a minute")
    started = time.perf_counter()
    tf.keras.utils.set_random_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    train, test = handwritten.read(options.data)

    model = network(train.images.shape[1])
    handwritten.learn(model, train, options.epochs)
    path = options.out / "model.safetensors"
    model.save(path)
    found = tl.models.Model.load(path)
    differ = np.abs(model(test.images, is_train=False) - found(test.images, is_train=False)).max()
    reached = handwritten.accuracy(found, test)

    of_keras = sum(name.startswith(("residual/", "head/")) for name in model.parameters)
    print(f"{len(model.parameters)} variables, {of_keras} of Keras; {path.stat().st_size:,} bytes")
    print(f"accuracy of the model that was read {reached:.1%}, largest difference {differ:.1g}")
    print(f"{time.perf_counter() - started:.0f} s")
    if options.data is None and reached < BAR:
        raise SystemExit(f"the accuracy should be {BAR:.0%}")


if __name__ == "__main__":
    main()
