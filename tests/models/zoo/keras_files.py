"""Networks of Keras with random weights, and files as Keras wrote them in 2016 and after."""

from __future__ import annotations

import h5py
import numpy as np
import tensorflow as tf

import tensorlayer as tl


def randomised(model, seed=0):
    """Give every weight a value that keeps activations of about the same size."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        shape = tuple(weight.shape)
        if weight.name in ("kernel", "depthwise_kernel"):
            fan_in = np.prod(shape[:2]) if "depthwise" in weight.name else np.prod(shape[:-1])
            value = rng.standard_normal(shape, np.float32) * np.sqrt(2 / fan_in)
        elif weight.name in ("gamma", "moving_variance"):
            value = rng.uniform(0.5, 1.5, shape)
        else:
            value = 0.1 * rng.standard_normal(shape)
        weight.assign(value)
    return model


def write_h5(model, path, name_of=lambda layer, weight: f"{layer}/{weight}:0", rename=str):
    """Write the layout of Keras 1 and 2: a group for each layer, also for those without weights."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [rename(layer.name).encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(rename(layer.name))
            names = [name_of(rename(layer.name), each.name) for each in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, each in zip(names, layer.weights, strict=True):
                group.create_dataset(name, data=each.numpy())
    return path


def assert_points_agree(declare, points, model, path, x, keras_x, tolerance=1e-4):
    """Compare all points of a network with the layers of Keras, the weights being those in a file.

    Only the longest network reads them; the others share its layers by name.
    """
    outputs = [model.get_layer(name).output for name in points.values()]
    expected = tf.keras.Model(model.input, outputs)(keras_x, training=False)
    inputs = tl.layers.Input([None, *x.shape[1:]])
    with tl.layers.isolated():
        last = list(points)[-1]
        whole = declare(x=inputs, pretrained=path, end_with=last, reuse=tl.layers.AUTO_REUSE)
        for end, wanted in zip(points, expected, strict=True):
            net = declare(x=inputs, end_with=end, reuse=True)
            assert set(map(id, net.all_params)) <= set(map(id, whole.all_params)), end
            found = np.reshape(net(x, is_train=False), wanted.shape)
            scale = np.abs(wanted).max()
            np.testing.assert_allclose(found / scale, wanted / scale, atol=tolerance, err_msg=end)
