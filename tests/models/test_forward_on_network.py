"""A model of a network and of a forward of its own: both are listed, saved and exported."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.layers import Dense
from tensorlayer.models import Model


@pytest.fixture(autouse=True)
def _isolated():
    """Keep the names of one test from the next."""
    with tl.layers.isolated():
        yield


class Headed(Model):
    """A network, and a head that its own forward puts on it."""

    def __init__(self, name=None):
        x = tl.layers.Input([None, 4], name="x")
        super().__init__(x, Dense(x, n_units=5, name="body"), name=name)
        self.head = Dense(n_units=2, in_channels=5, name="head")

    def forward(self, x):
        return self.head(super().forward(x))


class Halved(Model):
    def forward(self, x):
        return super().forward(x) / 2


def test_a_head_on_a_network_is_listed_trained_and_saved(tmp_path):
    model, values = Headed(name="m"), np.ones([3, 4], "float32")
    body, bias, head, head_bias = (variable.numpy() for variable in model.all_weights)
    expected = (values @ body + bias) @ head + head_bias
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(values, is_train=True))

    assert list(model.parameters)[2:] == ["head/weights", "head/biases"]
    assert model.get_layer("head") is model.all_layers[-1] is model.head
    assert None not in tape.gradient(loss, model.trainable_weights)
    model.save(tmp_path / "m.h5")
    loaded = Model.load(tmp_path / "m.h5")
    np.testing.assert_allclose(loaded(values, is_train=False), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("make", [Headed, lambda: Halved(*_ends(), name="halved")])
def test_the_forward_of_ones_own_is_exported_and_not_the_network_below(make, tmp_path):
    model, values = make(), np.ones([3, 4], "float32")

    model.export(tmp_path)

    served = tf.saved_model.load(tmp_path).signatures["serving_default"](tf.constant(values))
    np.testing.assert_allclose(
        next(iter(served.values())), model(values, is_train=False), rtol=1e-5, atol=1e-6
    )


def _ends():
    x = tl.layers.Input([None, 4], name="x")
    return x, Dense(x, n_units=5, name="body")
