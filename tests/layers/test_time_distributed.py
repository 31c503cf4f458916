from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import (
    BatchNorm,
    Conv2d,
    Dense,
    Dropout,
    Flatten,
    Input,
    TimeDistributedLayer,
    UnStack,
)
from tensorlayer.models import Model
from tests.layers.twins import assert_twin

X = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")
FRAMES = np.random.default_rng(0).normal(size=(2, 5, 6, 7, 3)).astype("float32")


def dense(net, **options):
    return TimeDistributedLayer(net, Dense, {"n_units": 3, "name": "d"}, name="t", **options)


def test_every_step_goes_through_the_same_dense_layer():
    net = dense(Input([None, 5, 4]))
    weights, biases = net.all_params
    biases.assign([1.0, 2.0, 3.0])

    expected = np.stack([X[:, t] @ weights.numpy() + biases.numpy() for t in range(5)], 1)
    np.testing.assert_allclose(net(X), expected, rtol=1e-5, atol=1e-6)
    assert tuple(net.shape) == (None, 5, 3)
    assert list(net.parameters) == ["t/d/weights", "t/d/biases"]


def test_with_known_sizes_it_is_two_reshapes_around_the_layer():
    net = dense(Input([2, 5, 4]))
    weights, biases = net.all_params

    def twin(x):
        rows = tf.nn.bias_add(tf.matmul(tf.reshape(x, [-1, 4]), weights), biases)
        return tf.reshape(rows, [2, 5, 3])

    assert_twin(net, twin, X)


@pytest.mark.parametrize(
    "shape", [(None, None, 6, 7, 3), (2, None, 6, 7, 3), (None, 5, None, 7, 3)]
)
def test_any_layer_over_any_number_of_steps(shape):
    net = TimeDistributedLayer(Input(shape), Conv2d, {"n_filter": 2, "name": "c"}, name="t")
    conv = Conv2d(Input([None, 6, 7, 3]), n_filter=2)
    for mine, other in zip(conv.all_params, net.all_params, strict=True):
        mine.assign(other)

    expected = np.stack([conv(FRAMES[:, t]) for t in range(5)], 1)
    np.testing.assert_allclose(net(FRAMES), expected, rtol=1e-4, atol=1e-5)
    assert tuple(net.shape)[:2] == shape[:2]


def test_a_layer_that_changes_the_rank():
    net = TimeDistributedLayer(Input([None, 5, 6, 7, 3]), Flatten)

    np.testing.assert_array_equal(net(FRAMES), FRAMES.reshape(2, 5, -1))


def test_a_layer_that_is_made_already_is_shared():
    layer = Dense(3, in_channels=4)
    net = TimeDistributedLayer(Input([None, 5, 4]), layer)

    np.testing.assert_allclose(net(X)[:, 2], layer(X[:, 2]), rtol=1e-5, atol=1e-6)


def test_a_layer_of_several_outputs():
    first, second = TimeDistributedLayer(layer_class=UnStack(num=2, axis=1))(X[..., :2])

    np.testing.assert_array_equal(first, X[..., 0])
    np.testing.assert_array_equal(second, X[..., 1])


def test_it_follows_the_mode():
    net = TimeDistributedLayer(Input([None, 5, 4]), Dropout, {"keep": 0.5})

    np.testing.assert_array_equal(net(X, is_train=False), X)
    masks = net(np.ones_like(X), is_train=True).numpy()
    assert set(masks.ravel().tolist()) == {0.0, 2.0}
    assert not np.array_equal(masks[:, 0], masks[:, 1])


def test_statistics_are_of_all_steps():
    net = TimeDistributedLayer(Input([None, 5, 4]), BatchNorm, {"gamma_init": None})

    rows = net(X, is_train=True).numpy().reshape(-1, 4)

    np.testing.assert_allclose(rows.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(rows.std(0), 1, atol=1e-3)


def test_it_is_saved_with_its_model(tmp_path):
    x = Input([None, 5, 4], name="x")
    model = Model(x, dense(x), name="m")

    model.save(tmp_path / "m.safetensors")

    np.testing.assert_array_equal(
        Model.load(tmp_path / "m.safetensors")(X, is_train=False), model(X, is_train=False)
    )


@pytest.mark.parametrize(
    ("layer", "args"), [(None, None), (tf.nn.relu, None), (Dense(3), {"n_units": 2}), (int, {})]
)
def test_it_needs_a_class_of_layers(layer, args):
    with pytest.raises(InvalidArgument, match="layer_class is a class of layers with layer_args"):
        TimeDistributedLayer(layer_class=layer, layer_args=args)


def test_there_has_to_be_an_axis_of_steps():
    with pytest.raises(WrongShape, match=r"axis of steps behind the batch, got shape \(None,\)"):
        TimeDistributedLayer(Input([None]), Flatten)
