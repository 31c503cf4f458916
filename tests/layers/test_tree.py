from __future__ import annotations

import tensorflow as tf

from tensorlayer.layers import Dense
from tensorlayer.layers.tree import children, named_variables


def test_containers_and_modules_are_walked_in_order_of_definition():
    module = tf.Module()
    module.b = tf.Variable(1.0)
    module.parts = {"x": [tf.Variable(2.0)], "y": Dense(2, in_channels=3)}
    module.a = tf.Variable(3.0)

    assert list(named_variables(module)) == [
        "b",
        "parts/x/0",
        "parts/y/weights",
        "parts/y/biases",
        "a",
    ]


def test_a_variable_is_listed_once():
    module = tf.Module()
    module.first = module.second = tf.Variable(1.0)

    assert list(named_variables(module)) == ["first"]


def test_layers_that_were_named_go_by_their_name():
    module = tf.Module()
    module.attribute = Dense(2, in_channels=3, name="given")

    assert list(named_variables(module)) == ["given/weights", "given/biases"]


def test_private_attributes_are_references_not_parts():
    module = tf.Module()
    module._private = tf.Variable(1.0)

    assert list(children(module)) == []
    assert named_variables(module) == {}


def test_cycles_end():
    module = tf.Module()
    module.itself = module
    module.other = tf.Module()
    module.other.back = module
    module.other.w = tf.Variable(1.0)

    assert list(named_variables(module)) == ["other/w"]
