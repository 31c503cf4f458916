"""Everything of Keras in one model: a layer, a Sequential, a functional and a subclassed model."""

from __future__ import annotations

import keras

from tensorlayer.layers import Dense, Input, KerasLayer, Lambda
from tensorlayer.models import Model, serializable


@keras.saving.register_keras_serializable("tests")
class Twice(keras.Model):
    """A subclassed model."""

    def __init__(self, units: int, **options: object) -> None:
        super().__init__(**options)
        self.units = units
        self.dense = keras.layers.Dense(units, "tanh")
        self.norm = keras.layers.BatchNormalization(momentum=0.5)

    def call(self, x, training=False):
        return self.norm(self.dense(self.dense(x)), training=training)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def functional() -> keras.Model:
    x = keras.Input([6])
    y = keras.layers.Dense(6, activation="relu")(x) + keras.layers.Dense(6)(x)
    return keras.Model(x, keras.layers.BatchNormalization(momentum=0.5)(y))


@serializable
def block(x):
    x = keras.layers.Dropout(0.5)(keras.layers.Dense(5, "tanh")(x))
    return keras.layers.BatchNormalization(momentum=0.5)(x)


def build() -> Model:
    x = Input([None, 6], name="x")
    net = Lambda(x, keras.layers.Dense(6, "tanh"), name="layer")
    net = Lambda(net, functional(), name="functional")
    net = KerasLayer(net, keras.Sequential([keras.layers.Dense(6)]), name="sequential")
    net = KerasLayer(net, Twice(6), name="subclassed")
    net = KerasLayer(net, block, name="block")
    return Model(x, Dense(net, 2, name="out"), name="all_of_keras")
