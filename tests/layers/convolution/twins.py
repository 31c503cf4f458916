"""A layer beside another computation with the same parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from tensorlayer.layers import Input


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def network(layer: Any, shape: tuple[int, ...], /, **arguments: Any) -> tuple[Any, np.ndarray]:
    """Return a network of the layer, with random parameters, and values for its input."""
    net = layer(Input([None, *shape]), **arguments, name="layer")
    for variable in net.all_params:
        variable.assign(rng().normal(size=variable.shape))
    return net, rng().normal(size=(2, *shape)).astype("float32")


def assert_same(ours: Any, other: Any, error: float = 1e-5) -> None:
    """Require that the two differ by less than `error`, relative to the largest value."""
    ours, other = np.asarray(ours), np.asarray(other)
    assert ours.shape == other.shape
    np.testing.assert_allclose(ours, other, rtol=0, atol=error * np.abs(other).max())


def assert_as_keras(net: Any, x: np.ndarray, twin: tf.keras.layers.Layer) -> None:
    """Require that a Keras layer with the parameters of the network computes the same."""
    twin.build(x.shape)
    weights = [parameter.numpy() for parameter in net.all_params]
    twin.set_weights([w.reshape(v.shape) for w, v in zip(weights, twin.weights, strict=True)])

    assert_same(net(x), twin(x))


def first(x: np.ndarray) -> np.ndarray:
    """Return values with their channels first."""
    return np.moveaxis(x, -1, 1)


def assert_channels_first_is_the_same(
    layer: Any, shape: tuple[int, ...], /, **arguments: Any
) -> None:
    """Require that both data formats compute the same, and the same gradients."""
    last, x = network(layer, shape, **arguments)
    given = Input([None, shape[-1], *shape[:-1]])
    net = layer(given, **arguments, data_format="channels_first", name="layer")
    for source, target in zip(last.all_params, net.all_params, strict=True):
        target.assign(source)

    assert net.shape == (None, last.shape[-1], *last.shape[1:-1])
    assert_same(net(first(x)), first(last(x).numpy()))
    for ours, other in zip(gradients(net, first(x)), gradients(last, x), strict=True):
        assert_same(ours, other, 1e-4)


def gradients(net: Any, x: Any) -> Any:
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(net(x) ** 2)
    return tape.gradient(loss, net.trainable_weights)
