from __future__ import annotations

import numpy as np
import tensorflow as tf

from tensorlayer.layers import Dense, Dropout, Input, ModelLayer
from tensorlayer.models import Model


def inner():
    x = Input([None, 4], name="x")
    return Model(x, Dense(Dropout(x, keep=0.5), 3, name="d"), name="inner")


def test_a_nested_model_follows_the_mode_of_the_network():
    model = inner()
    net = ModelLayer(model=model, name="nested")(Input([None, 4]))
    x = tf.ones([2, 4])

    np.testing.assert_array_equal(net(x, is_train=False), model(x, is_train=False))
    assert not np.array_equal(net(x, is_train=True), net(x, is_train=True))


def test_it_is_saved_with_the_model_around_it(tmp_path):
    x = Input([None, 4], name="x")
    outer = Model(x, Dense(inner().as_layer()(x), 2, name="head"), name="outer")

    outer.save(tmp_path / "outer.safetensors")
    again = Model.load(tmp_path / "outer.safetensors")

    assert list(again.parameters) == [
        "inner/d/weights", "inner/d/biases", "head/weights", "head/biases",
    ]  # fmt: skip
    value = np.ones([1, 4], "float32")
    np.testing.assert_array_equal(again(value, is_train=False), outer(value, is_train=False))
