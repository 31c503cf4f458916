from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, InvalidName
from tensorlayer.layers import Dense, Input, Layer, variable_scope
from tensorlayer.models import Model

X = np.ones([2, 3], "float32")


class Block(Layer):
    """Makes one layer in its constructor and one in each run of ``forward``."""

    def __init__(self, name=None):
        super().__init__(name=name)
        self.first = Dense(n_units=4, in_channels=3, name="first")

    def forward(self, inputs):
        return Dense(n_units=2, name="second")(self.first(inputs))


class Whole(Model):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.block = Block(name="inner")
        self.more = Block()

    def forward(self, x):
        return Dense(n_units=2, name="last")(self.block(x) + self.more(x))


def test_what_forward_makes_is_made_once_and_listed():
    block = Block(name="b")
    once = block(X)
    made = block.all_weights

    np.testing.assert_array_equal(block(X), once)
    np.testing.assert_allclose(tf.function(block)(X), once, rtol=1e-6)
    assert [id(v) for v in block.all_weights] == [id(v) for v in made]
    assert list(block.parameters) == [
        "b/first/weights",
        "b/first/biases",
        "b/second/weights",
        "b/second/biases",
    ]


def test_what_forward_makes_trains():
    block = Block(name="b")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(block(X, is_train=True))

    gradients = tape.gradient(loss, block.trainable_weights)

    assert len(gradients) == 4
    assert all(gradient is not None for gradient in gradients)


def test_two_owners_of_one_class_have_layers_of_their_own():
    one, other = Block(name="one"), Block(name="other")
    one(X), other(X)

    assert not {id(v) for v in one.all_weights} & {id(v) for v in other.all_weights}


def test_variables_are_named_after_scope_owner_and_layer():
    with variable_scope("scope"):
        block = Block(name="b")
    with variable_scope("elsewhere"):  # where it runs does not matter
        block(X)

    assert block.first.name == "scope/b/first"
    assert [v.name for v in block.all_weights][::2] == [
        "scope/b/first/weights:0",
        "scope/b/second/weights:0",
    ]


def test_what_an_owner_makes_does_not_enter_the_scope_around():
    with variable_scope("scope") as scope:
        Block(name="b")(X)

    assert scope.made.names() == ["scope/b"]


def test_reuse_around_an_owner_does_not_reach_into_it():
    with variable_scope("scope", reuse=True):
        block = Whole(name="new")

    assert block(X, is_train=False).shape == (2, 2)


def test_an_owner_without_a_name_is_called_after_its_class():
    assert Block().first.name == "block/first"


def test_paths_leave_out_what_owns():
    whole = Whole(name="whole")
    whole(X, is_train=False)

    assert list(whole.parameters)[::2] == [
        "inner/first/weights",
        "inner/second/weights",
        "last/weights",
        "more/first/weights",
        "more/second/weights",
    ]
    assert whole.block.first.name == "whole/inner/first"


def test_the_scope_around_comes_back_after_a_constructor_that_fails():
    class Failing(Layer):
        def __init__(self, name=None):
            super().__init__(name=name)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Failing(name="f")

    assert Dense(n_units=2, name="d").name == "d"


def test_a_layer_with_parameters_that_forward_makes_needs_a_name():
    class Nameless(Layer):
        def forward(self, inputs):
            return Dense(n_units=2)(inputs)

    with pytest.raises(InvalidName, match=r"in forward\(\), one that has parameters needs a name"):
        Nameless()(X)


@pytest.mark.parametrize("base", [Layer, Model])
def test_a_constructor_that_does_not_call_that_of_its_base_is_told(base):
    class Careless(base):
        def __init__(self, size):
            self.size = size

    with pytest.raises(InvalidArgument, match=r"Careless: its constructor has to begin with super"):
        Careless(3)


def test_arguments_are_remembered_by_name_with_their_defaults():
    layer = Dense(Input([None, 3]), 4, name="d").layer

    assert {key: layer.arguments[key] for key in ("n_units", "in_channels", "name")} == {
        "n_units": 4,
        "in_channels": None,
        "name": "d",
    }
