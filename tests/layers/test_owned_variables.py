"""Variables that the code of others makes in a layer or model: called after it."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.layers import Dense, Input, InputLayer, Layer, variable_scope
from tensorlayer.models import Model

X = np.ones([2, 3], "float32")


class Scaled(Layer):
    """Variables of TensorFlow's own from each of the three methods."""

    def __init__(self, name=None):
        super().__init__(name=name)
        self.gain = tf.Variable(tf.ones([3]), name="gain")
        self.late = None

    def build(self, inputs_shape):
        self.shift = tf.Variable(tf.zeros(inputs_shape[-1:]), name="shift")

    def forward(self, inputs):
        if self.late is None:
            self.late = tf.Variable(tf.zeros([3]), name="late")
        return inputs * self.gain + self.shift + self.late


class ScaledModel(Model):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.gain = tf.Variable(tf.ones([3]), name="gain")
        self.late = None

    def forward(self, x):
        if self.late is None:
            self.late = tf.Variable(tf.zeros([3]), name="late")
        return Dense(3, name="d")(x * self.gain + self.late)


def names_of(thing):
    return {variable.name for variable in thing.all_weights}


@pytest.mark.parametrize("declare", [lambda: Input([None, 3]), lambda: InputLayer(X)])
def test_variables_of_attributes_are_called_by_their_full_names(declare):
    with variable_scope("generator"):
        net = Scaled(declare(), name="scaled")

    assert list(net.parameters) == [
        f"generator/scaled/{name}" for name in ("gain", "late", "shift")
    ]
    assert [v.name for v in net.all_params] == [f"{name}:0" for name in net.parameters]


def test_variables_of_attributes_are_called_by_their_full_names_in_tensorflow_1():
    with tf.Graph().as_default(), variable_scope("generator"):
        net = Scaled(InputLayer(tf.constant(X)), name="scaled")
        assert names_of(net) == {f"generator/scaled/{n}:0" for n in ("gain", "late", "shift")}


def test_variables_of_a_model_are_called_by_their_full_names():
    with variable_scope("generator"):
        model = ScaledModel(name="my model")
    model(X, is_train=True)

    ends = ("gain", "late", "d/weights", "d/biases")
    assert names_of(model) == {f"generator/my_model/{end}:0" for end in ends}
    assert set(model.parameters) == set(ends)


def test_variables_of_what_an_owner_makes_are_called_after_both():
    class Around(Layer):
        def __init__(self, name=None):
            super().__init__(name=name)
            self.inner = Scaled(name="inner")
            self.own = tf.Variable(tf.ones([3]), name="own")
            self.dense = Dense(3, in_channels=3, name="dense")

        def forward(self, x):
            return self.dense(self.inner(x)) * self.own

    with variable_scope("generator"):
        net = Around(Input([None, 3]), name="around")

    assert [v.name for v in net.all_params] == [f"{name}:0" for name in net.parameters]
    assert "generator/around/inner/shift" in net.parameters


def test_variables_of_an_unnamed_layer_begin_with_the_scope():
    with variable_scope("generator"):
        net = Scaled(Input([None, 3]))

    assert all(name.startswith("generator/scaled") for name in names_of(net))


def test_what_others_make_around_a_constructor_keeps_its_name():
    with tf.name_scope("around"):
        Scaled(name="scaled")
        assert tf.Variable(1.0, name="v").name == "around/v:0"
        assert Dense(2, in_channels=3, name="d").all_weights[0].name == "d/weights:0"


def test_one_unnamed_layer_calls_what_build_and_forward_make_after_one_number():
    class Two(Layer):
        def __init__(self, name=None):
            super().__init__(name=name)
            self.parts_of_it = [Scaled(), Scaled()]

        def forward(self, x):
            return self.parts_of_it[1](self.parts_of_it[0](x))

    layer = Two(name="two")
    layer(X)

    for number, part in enumerate(layer.parts_of_it, 1):
        assert part.shift.name == f"two/scaled_{number}/shift:0"
        assert part.late.name == f"two/scaled_{number}/late:0"
