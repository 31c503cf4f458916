from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tests.models.zoo.keras_files import assert_points_agree, randomised, write_h5

ENDS = (
    *("conv1", "maxpool1", "fire2", "fire3", "maxpool3", "fire4", "fire5", "maxpool5"),
    *("fire6", "fire7", "fire8", "fire9", "drop1", "conv10", "out"),
)


def keras_squeezenet(size):
    """Return SqueezeNet 1.1, written after the authors' own description of it."""
    layers = tf.keras.layers

    def conv(x, n, size, name, stride=1, act="relu"):
        return layers.Conv2D(n, size, stride, "same", activation=act, name=name)(x)

    def pool(x, name):
        return layers.MaxPooling2D(3, 2, name=name)(x)

    def fire(x, number, squeeze, expand):
        name = f"fire{number}"
        x = conv(x, squeeze, 1, f"{name}.squeeze1x1")
        sides = [conv(x, expand, size, f"{name}.expand{size}x{size}") for size in (1, 3)]
        return layers.Concatenate(name=name)(sides)

    inputs = tf.keras.Input([size, size, 3])
    x = pool(conv(inputs, 64, 3, "conv1", stride=2), "maxpool1")
    x = pool(fire(fire(x, 2, 16, 64), 3, 16, 64), "maxpool3")
    x = pool(fire(fire(x, 4, 32, 128), 5, 32, 128), "maxpool5")
    x = fire(fire(x, 6, 48, 192), 7, 48, 192)
    x = layers.Dropout(0.5, name="drop1")(fire(fire(x, 8, 64, 256), 9, 64, 256))
    x = conv(x, 1000, 1, "conv10", act=None)
    return tf.keras.Model(inputs, layers.GlobalAveragePooling2D(name="out")(x))


@pytest.mark.parametrize("size", [64, 75])
def test_every_point_is_that_of_the_paper(size, images, tmp_path):
    model, x = randomised(keras_squeezenet(size)), images(size)
    points = {end: end for end in ENDS}

    path = write_h5(model, tmp_path / "w.h5")
    assert_points_agree(tl.models.SqueezeNetV1, points, model, path, x, x)


def test_1_x_called_its_end_output():
    net = tl.models.SqueezeNetV1(tl.layers.Input([None, 64, 64, 3]), end_with="output")

    assert net.name == "squeezenetv1/out"


def test_arrays_by_position_as_tensorlayer_published_them(images, tmp_path):
    model = tl.models.SqueezeNetV1()
    values = [np.random.default_rng(i).random(w.shape) for i, w in enumerate(model.all_weights)]
    values = [value.astype(np.float32) for value in values]
    pickled = np.empty(len(values), object)
    pickled[:] = values
    np.savez(tmp_path / "squeezenet.npz", params=pickled)
    tl.files.save_npz(values, tmp_path / "plain.npz")

    for place in (tmp_path, tmp_path / "plain.npz"):
        short = tl.models.SqueezeNetV1(place, end_with="fire4")
        whole = tl.models.SqueezeNetV1(str(place))
        for made in (short, whole):
            for variable, value in zip(made.all_weights, values, strict=False):
                np.testing.assert_array_equal(variable, value)


def test_what_there_is_not_is_named():
    with pytest.raises(InvalidArgument, match="SqueezeNetV1: it cannot end with 'fire1'"):
        tl.models.SqueezeNetV1(end_with="fire1")
