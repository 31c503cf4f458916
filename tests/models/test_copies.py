"""Copies of models and of what they consist of."""

from __future__ import annotations

import copy
import pickle  # noqa: TID251 - to show that it is refused
import threading

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import NotSerializable
from tensorlayer.layers import Dense, Input, Lambda, Layer
from tensorlayer.models import Model
from tests.models.test_model import X, static


class Own(Model):
    def __init__(self):
        super().__init__()
        self.first = Dense(n_units=3, act="relu", in_channels=4)
        self.blocks = [Dense(n_units=2, in_channels=3, name="named")]

    def forward(self, x):
        return self.blocks[0](self.first(x))


def test_a_copy_has_variables_of_its_own():
    for model in (static(), Own()):
        copied = copy.deepcopy(model)
        np.testing.assert_array_equal(copied(X, is_train=False), model(X, is_train=False))
        assert list(copied.parameters) == list(model.parameters)
        for variable in copied.all_weights:
            variable.assign(tf.zeros_like(variable))
        assert np.any(model(X, is_train=False).numpy() != 0)
        assert copied.structure_digest == model.structure_digest


def test_a_copied_model_is_another_layer():
    model = static()
    first = model.as_layer()
    copied = copy.deepcopy(model)

    assert copied.as_layer().model is copied
    assert model.as_layer() is first
    assert model.as_layer("other") is not first


@pytest.mark.parametrize("thing", [static(), static().outputs, static().get_layer("hidden")])
def test_pickling_says_what_to_do_instead(thing):
    with pytest.raises(
        NotSerializable, match=r"cannot be pickled. Write a model with save\(path\)"
    ):
        pickle.dumps(thing)


class Event(threading.Event):
    def __deepcopy__(self, memo):
        return self


class Slow(Layer):
    """A layer that lets another thread in while a copy reads its attributes."""

    def __deepcopy__(self, memo):
        self.about_to_be_copied.set()
        self.may_go_on.wait(30)
        return super().__deepcopy__(memo)

    def forward(self, x):
        return x


def test_a_network_is_copied_while_another_thread_computes_with_it():
    slow = Slow(name="slow")
    slow.about_to_be_copied, slow.may_go_on = Event(), Event()
    net = slow(Dense(Input([None, 4]), 3, name="a"))
    copies = []
    thread = threading.Thread(target=lambda: copies.append(copy.deepcopy(net)))
    thread.start()
    slow.about_to_be_copied.wait(30)
    net(X)  # which keeps its plan, an attribute, from now on
    slow.may_go_on.set()
    thread.join()

    np.testing.assert_array_equal(copies[0](X), net(X))


def test_a_copy_of_a_new_layer_is_found_in_the_scope_it_was_made_in():
    with tl.layers.isolated(), tl.layers.variable_scope("s", reuse=True) as scope:
        copied = copy.deepcopy(Lambda(tf.nn.relu, name="new"))
        copied(X)
        assert Lambda(tf.nn.relu, name="new") is copied
    assert scope.made.named("s/new") == [copied]
