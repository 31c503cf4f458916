from __future__ import annotations

import numpy as np
import tensorflow as tf

from tensorlayer.layers import BatchNorm, Dense, Dropout, Input
from tensorlayer.models import Model

RNG = np.random.default_rng(0)
X = RNG.normal(size=(256, 4)).astype("float32")
Y = (X[:, 0] > X[:, 1]).astype("int64")


def model():
    x = Input([None, 4], name="x")
    net = Dropout(BatchNorm(Dense(x, 16, act="relu", name="h"), name="bn"), keep=0.9, name="drop")
    return Model(x, Dense(net, 8, name="out"), name="inner")


def keras_model(inner):
    outer = tf.keras.Sequential([tf.keras.Input([4]), inner.as_keras(), tf.keras.layers.Dense(2)])
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    outer.compile(tf.keras.optimizers.Adam(0.02), loss, metrics=["accuracy"])
    return outer


def test_keras_trains_the_variables_of_the_model():
    inner = model()
    before = inner.to_arrays()
    outer = keras_model(inner)
    for name, value in inner.to_arrays().items():
        np.testing.assert_array_equal(value, before[name])

    history = outer.fit(X, Y, epochs=12, verbose=0)

    assert history.history["accuracy"][-1] > 0.9
    assert len(outer.trainable_weights) == 6 + 2
    for name, value in inner.to_arrays().items():
        assert not np.array_equal(value, before[name]), f"{name} did not change"


def test_it_follows_the_mode_of_keras():
    inner = model()
    layer = inner.as_keras()

    np.testing.assert_allclose(layer(X), inner(X, is_train=False), rtol=1e-5)
    assert not np.allclose(layer(X, training=True), layer(X, training=False))


def test_weights_are_saved_by_keras_and_by_us(tmp_path):
    inner = model()
    outer = keras_model(inner)
    expected = outer.predict(X[:5], verbose=0)
    outer.save_weights(tmp_path / "w.weights.h5")
    inner.save_weights(tmp_path / "w.safetensors")
    zeros = {name: np.zeros_like(value) for name, value in inner.to_arrays().items()}

    for load in (
        lambda: outer.load_weights(tmp_path / "w.weights.h5"),
        lambda: inner.load_weights(tmp_path / "w.safetensors"),
    ):
        inner.assign_arrays(zeros)
        load()
        np.testing.assert_allclose(outer.predict(X[:5], verbose=0), expected, rtol=1e-5)


def test_a_model_of_ones_own_is_a_keras_layer_too():
    class Own(Model):
        def __init__(self):
            super().__init__()
            self.dense = Dense(3, in_channels=4)

        def forward(self, x):
            return self.dense(x)

    inner = Own()
    outer = tf.keras.Sequential([tf.keras.Input([4]), inner.as_keras()])

    np.testing.assert_allclose(outer(X), inner(X, is_train=False), rtol=1e-5)
    assert outer.count_params() == 15
