"""The convolutional network of TensorFlow's CIFAR-10 tutorial.

24x24 crops; convolution 5x5x64, pooling 3/2, normalisation over neighbouring channels, convolution
5x5x64, normalisation, pooling; dense layers of 384, 192 and 10. Batch 128.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import sonnet as snt
import tensorflow as tf

import tensorlayer as tl
from benchmarks.workloads.contestant import (
    Contestant,
    Workload,
    descending,
    mean_cross_entropy,
)

BATCH, SIDE, CLASSES, RATE = 128, 24, 10, 0.1
FILTERS, UNITS = 64, (384, 192)
NORM = {"depth_radius": 4, "bias": 1.0, "alpha": 0.001 / 9.0, "beta": 0.75}
CONV_INIT = {"stddev": 0.05}
DENSE_INIT = {"stddev": 0.04}
OUT_INIT = {"stddev": 1 / 192}


def images(n_batches: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return batches of noise whose class is the brightest of ten places: it can be learned."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(n_batches):
        x = rng.normal(size=(BATCH, SIDE, SIDE, 3)).astype(np.float32)
        y = rng.integers(0, CLASSES, BATCH)
        rows, columns = 4 + 8 * (y // 4), 2 + 6 * (y % 4)
        x[np.arange(BATCH), rows, columns] += 8
        found.append((x, y))
    return found


def native() -> Contestant:
    """TensorFlow, written by hand."""

    def weight(*shape: int, stddev: float) -> tf.Variable:
        return tf.Variable(tf.random.truncated_normal(shape, stddev=stddev))

    def biases(n: int, value: float = 0.0) -> tf.Variable:
        return tf.Variable(tf.fill([n], value))

    n_flat = (SIDE // 4) ** 2 * FILTERS
    weights = [
        weight(5, 5, 3, FILTERS, **CONV_INIT), biases(FILTERS),
        weight(5, 5, FILTERS, FILTERS, **CONV_INIT), biases(FILTERS, 0.1),
        weight(n_flat, UNITS[0], **DENSE_INIT), biases(UNITS[0], 0.1),
        weight(UNITS[0], UNITS[1], **DENSE_INIT), biases(UNITS[1], 0.1),
        weight(UNITS[1], CLASSES, **OUT_INIT), biases(CLASSES),
    ]  # fmt: skip

    def cost(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        w1, b1, w2, b2, w3, b3, w4, b4, w5, b5 = weights
        x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, w1, 1, "SAME"), b1))
        x = tf.nn.local_response_normalization(tf.nn.max_pool2d(x, 3, 2, "SAME"), **NORM)
        x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, w2, 1, "SAME"), b2))
        x = tf.nn.max_pool2d(tf.nn.local_response_normalization(x, **NORM), 3, 2, "SAME")
        x = tf.reshape(x, [-1, n_flat])
        x = tf.nn.relu(tf.nn.bias_add(tf.matmul(x, w3), b3))
        x = tf.nn.relu(tf.nn.bias_add(tf.matmul(x, w4), b4))
        return mean_cross_entropy(tf.nn.bias_add(tf.matmul(x, w5), b5), y)

    return descending(cost, weights, RATE)


def network() -> tl.layers.Network:
    """Declare the network with our layers."""

    def normal(stddev: float) -> Any:
        return tl.initializers.TruncatedNormal(stddev=stddev)

    conv, dense, tenth = normal(**CONV_INIT), normal(**DENSE_INIT), tl.initializers.Constant(0.1)
    net = tl.layers.Input([None, SIDE, SIDE, 3], name="x")
    net = tl.layers.Conv2d(net, FILTERS, (5, 5), act="relu", W_init=conv, name="conv1")
    net = tl.layers.MaxPool2d(net, (3, 3), (2, 2), name="pool1")
    net = tl.layers.LocalResponseNorm(net, **NORM, name="norm1")
    net = tl.layers.Conv2d(
        net, FILTERS, (5, 5), act="relu", W_init=conv, b_init=tenth, name="conv2"
    )
    net = tl.layers.LocalResponseNorm(net, **NORM, name="norm2")
    net = tl.layers.MaxPool2d(net, (3, 3), (2, 2), name="pool2")
    net = tl.layers.Flatten(net, name="flat")
    for index, n in enumerate(UNITS, 1):
        net = tl.layers.Dense(net, n, "relu", W_init=dense, b_init=tenth, name=f"dense{index}")
    return tl.layers.Dense(net, CLASSES, W_init=normal(**OUT_INIT), name="logits")


def ours() -> Contestant:
    """TensorLayer."""
    net = network()
    return descending(
        lambda x, y: mean_cross_entropy(net(x, is_train=True), y), net.trainable_weights, RATE
    )


def sonnet() -> Contestant:
    """Sonnet 2."""

    def norm(x: tf.Tensor) -> tf.Tensor:
        return tf.nn.local_response_normalization(x, **NORM)

    def pool(x: tf.Tensor) -> tf.Tensor:
        return tf.nn.max_pool2d(x, 3, 2, "SAME")

    def options(stddev: float, bias: float = 0.1) -> dict[str, Any]:
        return {
            "w_init": snt.initializers.TruncatedNormal(stddev=stddev),
            "b_init": snt.initializers.Constant(bias),
        }

    net = snt.Sequential([
        snt.Conv2D(FILTERS, 5, **options(**CONV_INIT, bias=0.0)), tf.nn.relu, pool, norm,
        snt.Conv2D(FILTERS, 5, **options(**CONV_INIT)), tf.nn.relu, norm, pool,
        snt.Flatten(),
        snt.Linear(UNITS[0], **options(**DENSE_INIT)), tf.nn.relu,
        snt.Linear(UNITS[1], **options(**DENSE_INIT)), tf.nn.relu,
        snt.Linear(CLASSES, **options(**OUT_INIT, bias=0.0)),
    ])  # fmt: skip
    net(tf.zeros([1, SIDE, SIDE, 3]))  # makes the weights
    layers = [each for each in net.submodules if isinstance(each, (snt.Conv2D, snt.Linear))]
    weights = [weight for each in layers for weight in (each.w, each.b)]
    return descending(lambda x, y: mean_cross_entropy(net(x), y), weights, RATE)


def keras() -> tf.keras.Model:
    """Keras 3."""

    def normal(stddev: float) -> Any:
        return tf.keras.initializers.TruncatedNormal(stddev=stddev)

    layers = tf.keras.layers
    tenth = tf.keras.initializers.Constant(0.1)
    conv = {"padding": "same", "activation": "relu", "kernel_initializer": normal(**CONV_INIT)}
    dense = {
        "activation": "relu",
        "kernel_initializer": normal(**DENSE_INIT),
        "bias_initializer": tenth,
    }
    model = tf.keras.Sequential([
        layers.Input([SIDE, SIDE, 3]),
        layers.Conv2D(FILTERS, 5, **conv),
        layers.MaxPool2D(3, 2, "same"),
        layers.Lambda(lambda x: tf.nn.local_response_normalization(x, **NORM)),
        layers.Conv2D(FILTERS, 5, **conv, bias_initializer=tenth),
        layers.Lambda(lambda x: tf.nn.local_response_normalization(x, **NORM)),
        layers.MaxPool2D(3, 2, "same"),
        layers.Flatten(),
        *(layers.Dense(n, **dense) for n in UNITS),
        layers.Dense(CLASSES, kernel_initializer=normal(**OUT_INIT)),
    ])  # fmt: skip
    model.compile(
        tf.keras.optimizers.SGD(RATE),
        tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    return model


WORKLOAD = Workload(
    name="CIFAR-10",
    unit="images",
    per_step=BATCH,
    n_steps=16,
    n_at_once=1,
    batches=images,
    contestants={"native": native, "TensorLayer": ours, "Sonnet": sonnet},
    keras=keras,
    loop_bar=1.0,
)
