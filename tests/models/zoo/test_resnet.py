from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tensorlayer.models.zoo.resnet import synonyms
from tests.models.zoo.keras_files import assert_points_agree, randomised, write_h5

BLOCKS = {2: 3, 3: 4, 4: 6, 5: 3}
POINTS = {
    "conv1": "conv1_relu",
    "max_pool1": "pool1_pool",
    **{
        f"{stage}{'abcdef'[i]}": f"conv{stage}_block{i + 1}_out"
        for stage, n in BLOCKS.items()
        for i in range(n)
    },
    "avg_pool": "avg_pool",
    "fc1000": "predictions",
}


def keras_resnet(size, classes=1000):
    make = tf.keras.applications.ResNet50
    return randomised(
        make(
            weights=None,
            input_shape=(size, size, 3),
            classes=classes,
            classifier_activation=None,
        )
    )


@pytest.mark.slow
@pytest.mark.parametrize("size", [64, 75])  # even and odd: padding differs
def test_every_point_is_that_of_keras(size, images, tmp_path):
    model, x = keras_resnet(size), images(size)
    path = write_h5(model, tmp_path / "w.h5")

    assert_points_agree(tl.models.ResNet50, POINTS, model, path, x, x)


def names_of_2016(layer):
    """Return what the first releases of Keras called a layer."""
    found = layer.split("_")
    if len(found) == 4 and found[3] in ("conv", "bn"):
        stage, index, place = found[0][4:], int(found[1][5:]), int(found[2])
        kind = "res" if found[3] == "conv" else "bn"
        return f"{kind}{stage}{'abcdef'[index - 1]}_branch{['1', '2a', '2b', '2c'][place]}"
    return {"conv1_conv": "conv1", "conv1_bn": "bn_conv1", "predictions": "fc1000"}.get(
        layer, layer
    )


def weights_of_2016(layer, weight):
    words = {"kernel": "W", "bias": "b", "moving_mean": "running_mean"}
    words["moving_variance"] = "running_std"  # it was called so, and is the variance
    return f"{layer}_{words.get(weight, weight)}_1:0"


@pytest.mark.slow
def test_files_of_the_first_keras_and_a_head_of_ones_own(images, tmp_path):
    model, x = keras_resnet(64), images(64)
    path = write_h5(model, tmp_path / "w.h5", weights_of_2016, names_of_2016)
    net = tl.models.ResNet50(path, n_classes=7)

    assert net.outputs.shape == (None, 7)
    last = tl.models.ResNet50(x=tl.layers.Input([None, 64, 64, 3]), pretrained=path, n_classes=7)
    body = tf.keras.Model(model.inputs, model.get_layer("avg_pool").output)
    values = last.parameters["resnet50/fc1000/weights"], last.parameters["resnet50/fc1000/biases"]
    expected = body(x, training=False) @ values[0] + values[1]
    np.testing.assert_allclose(last(x, is_train=False), expected, rtol=1e-3, atol=1e-4)
    assert np.abs(values[1]).max() == 0


def test_all_layers_with_weights_have_other_names():
    net = tl.models.ResNet50(tl.layers.Input([None, 32, 32, 3]))
    layers = dict.fromkeys(name.split("/")[1] for name in net.parameters)
    model = tf.keras.applications.ResNet50(weights=None, input_shape=(32, 32, 3))

    names = {synonyms(layer)[0] for layer in layers}
    assert names == {layer.name for layer in model.layers if layer.weights}
    assert net.count_params() == model.count_params()


def test_the_mode_of_a_network_on_top_is_that_of_its_declaration(images):
    x = images(32)
    inputs = tl.layers.Input([None, 32, 32, 3])
    with tl.layers.isolated():
        training = tl.models.ResNet50(inputs, end_with="2a", is_train=True)
        before = training.parameters["resnet50/bn_conv1/moving_mean"].numpy()
        training(x)
        assert np.abs(training.parameters["resnet50/bn_conv1/moving_mean"] - before).max() > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"end_with": "2d"}, "ResNet50: it cannot end with '2d'"),
        ({"n_classes": 0}, "ResNet50: n_classes must be a positive integer, got 0"),
    ],
)
def test_what_there_is_not_is_named(arguments, message):
    with pytest.raises(InvalidArgument, match=message):
        tl.models.ResNet50(**arguments)
