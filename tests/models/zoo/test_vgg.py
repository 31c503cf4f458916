from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tests.models.zoo.keras_files import assert_points_agree, randomised, write_h5

APPLICATIONS = {"vgg16": tf.keras.applications.VGG16, "vgg19": tf.keras.applications.VGG19}
STACKS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
HEAD = {"flatten": "flatten", "fc1_relu": "fc1", "fc2_relu": "fc2", "outputs": "predictions"}
either = pytest.mark.parametrize("kind", APPLICATIONS)


def for_keras(images):
    """Return blue, green and red of 255 less their mean."""
    return tf.keras.applications.vgg16.preprocess_input(255 * images)


def points_of(kind):
    points = {}
    for stack, n in enumerate(STACKS[kind], 1):
        points |= {f"conv{stack}_{i}": f"block{stack}_conv{i}" for i in range(1, n + 1)}
        points[f"pool{stack}"] = f"block{stack}_pool"
    return points


@either
def test_every_point_before_the_dense_layers_is_that_of_keras(kind, images, tmp_path):
    shape = (64, 64, 3)
    model = randomised(APPLICATIONS[kind](weights=None, include_top=False, input_shape=shape))
    path, x = write_h5(model, tmp_path / "w.h5"), images(64)

    assert_points_agree(getattr(tl.models, kind), points_of(kind), model, path, x, for_keras(x))


@pytest.mark.slow
@either
def test_the_dense_layers_are_those_of_keras(kind, images, tmp_path):
    model = randomised(APPLICATIONS[kind](weights=None, classifier_activation=None))
    path, x = write_h5(model, tmp_path / "w.h5"), images(224)[:1]

    declare = getattr(tl.models, kind)
    assert_points_agree(declare, HEAD, model, path, x, for_keras(x))


@either
@pytest.mark.parametrize("end", ["conv1_2", "pool3", "conv5_1"])
def test_dynamic_and_static_models_are_the_same(kind, end, images, tmp_path):
    make = getattr(tl.models, kind)
    dynamic, static = make(end_with=end), make(end_with=end, mode="static")
    dynamic.save_weights(tmp_path / "w.safetensors")

    assert not static.load_weights(tmp_path / "w.safetensors")
    x = images(224)[:1]
    np.testing.assert_allclose(
        dynamic(x, is_train=False), static(x, is_train=False), rtol=1e-5, atol=1e-5
    )
    assert list(dynamic.parameters) == list(static.parameters)


@pytest.mark.parametrize("kind", ["vgg11", "vgg13", "vgg16", "vgg19"])
def test_with_batch_normalisation_every_convolution_is_normalised(kind, images):
    plain = tl.models.VGG(kind, end_with="pool2")
    model = tl.models.VGG(kind, batch_norm=True, end_with="pool2")
    named = tl.models.VGG(f"{kind}_bn", end_with="pool2")

    assert list(named.parameters) == list(model.parameters)
    assert list(plain.parameters) == [n for n in model.parameters if "_bn/" not in n]
    convs = [n.partition("/")[0] for n in plain.parameters if n.endswith("filters")]
    expected = [f"{conv}_bn/{own}" for conv in convs for own in ("beta", "gamma")]
    assert [w for w in expected if w in model.parameters] == expected
    x, values = images(32), {n: v.numpy() for n, v in model.parameters.items()}
    found = model(x, is_train=False)
    np.testing.assert_allclose(found, by_hand(values, convs, x), rtol=1e-3, atol=1e-3)


def by_hand(values, convs, x):
    """Compute two stacks with new moving averages: relu first, then the scale."""
    x = 255 * x - np.float32([123.68, 116.779, 103.939])
    for index, conv in enumerate(convs):
        x = tf.nn.conv2d(x, values[f"{conv}/filters"], 1, "SAME") + values[f"{conv}/biases"]
        x = tf.nn.relu(x) * values[f"{conv}_bn/gamma"] / np.sqrt(1 + 1e-5)
        if [*convs, "conv_"][index + 1][4] != conv[4]:
            x = tf.nn.max_pool2d(x, 2, 2, "SAME")
    return x


@pytest.mark.slow
def test_logits_and_what_is_positive_of_them(images):
    x = tl.layers.Input([None, 224, 224, 3])
    with tl.layers.isolated():
        logits = tl.models.VGG16(x, reuse=tl.layers.AUTO_REUSE)
        positive = tl.models.VGG16(x, end_with="fc3_relu", reuse=True)
        value = images(224)[:1]
        expected = np.maximum(logits(value, is_train=False), 0)

        np.testing.assert_allclose(positive(value, is_train=False), expected)
        assert (expected == 0).any()
        assert (expected > 0).any()


def test_a_tensor_gives_outputs_at_once_as_in_1_x(images):
    x = images(32)
    net = tl.models.VGG19(tf.constant(x), end_with="conv2_2")

    assert net.outputs.shape == (2, 16, 16, 128)
    assert all(name.startswith("vgg19/") for name in net.parameters)
    np.testing.assert_allclose(net(x), net.outputs, rtol=1e-4, atol=1e-4)


def test_a_placeholder_of_tensorflow_1(images):
    x = images(32)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        placeholder = tf.compat.v1.placeholder(tf.float32, [None, 32, 32, 3])
        net = tl.models.VGG16(placeholder, end_with="pool1")
        again = tl.models.VGG16(placeholder, end_with="pool1", reuse=True)
        session.run([each.initializer for each in net.all_params])
        one, two = session.run([net.outputs, again.outputs], {placeholder: x})

        assert one.shape == (2, 16, 16, 64)
        np.testing.assert_array_equal(one, two)
        assert again.all_params[0] is net.all_params[0]


def test_a_saved_dynamic_model_is_loaded_where_nobody_has_used_vgg(tmp_path, images):
    model, x = tl.models.vgg16(end_with="conv1_2"), images(16)
    model.save(tmp_path / "model.h5")
    np.save(tmp_path / "x.npy", x)
    program = f"""if True:
        import numpy as np, tensorlayer as tl
        model = tl.models.Model.load({str(tmp_path / "model.h5")!r})
        x = np.load({str(tmp_path / "x.npy")!r})
        np.save({str(tmp_path / "y.npy")!r}, model(x, is_train=False))"""
    subprocess.run([sys.executable, "-c", program], check=True)

    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), model(x, is_train=False), rtol=1e-5)


def test_layers_are_found_by_their_names():
    model = tl.models.vgg16(end_with="pool1")

    assert model.get_layer("conv1_2").n_filter == 64
    assert tl.models.VGG16 is tl.models.vgg16


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tl.models.VGG("vgg15"), r"there is no layer_type 'vgg15'.*'vgg16'"),
        (lambda: tl.models.vgg16(end_with="conv3_4"), "vgg16.*cannot end with 'conv3_4'.*conv3_3"),
        (lambda: tl.models.vgg19(mode="statc"), 'vgg19: mode is "dynamic" or "static", got'),
    ],
)
def test_what_there_is_not_is_named(make, message):
    with pytest.raises(InvalidArgument, match=message):
        make()


class Scored(tl.models.VGG):
    """A trained network with a head of one's own, in the style of 2.x."""

    def __init__(self):
        super().__init__("vgg11", end_with="pool1", name="scored")
        self.scale = tf.Variable(2.0)
        self.score = tl.layers.Conv2d(3, (1, 1), in_channels=64, name="score")

    def forward(self, inputs):
        return self.scale * self.score(super().forward(inputs))


def test_a_subclass_with_layers_of_its_own_lists_and_loads_them(tmp_path):
    model, images = Scored(), tf.random.stateless_uniform([1, 8, 8, 3], (0, 1))
    outputs = model(images, is_train=False)

    model.save_weights(tmp_path / "scored.h5")
    other = Scored()
    other.load_weights(tmp_path / "scored.h5")

    assert list(model.parameters) == [
        *("conv1_1/filters", "conv1_1/biases", "scale", "score/filters", "score/biases")
    ]
    np.testing.assert_allclose(other(images, is_train=False), outputs, rtol=1e-5)
