from __future__ import annotations

import functools

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, UnknownArgument
from tensorlayer.initializers import Constant
from tensorlayer.layers.arguments import bind, describe, differences, same


class Thing:
    def __init__(self, size, act=None, name=None):
        pass


class Open:
    def __init__(self, size, **rest):
        pass


def make(factor):
    return lambda x: factor * x


def test_defaults_are_included():
    assert bind(Thing, (3,), {"act": "relu"}) == {"size": 3, "act": "relu", "name": None}
    assert bind(Open, (3,), {"more": 4}) == {"size": 3, "more": 4}


def test_errors_name_the_closest_argument_and_the_signature():
    with pytest.raises(UnknownArgument, match=r"Thing: unknown argument 'siz'. Did you mean"):
        bind(Thing, (), {"siz": 3})
    with pytest.raises(InvalidArgument, match=r"missing a required .*It takes Thing\(size, act"):
        bind(Thing, (), {})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (make(2), make(2)),
        (functools.partial(make, 3), functools.partial(make, 3)),
        (np.arange(3), np.arange(3)),
        (Constant(1.0), Constant(1.0)),
        (tf.keras.initializers.HeNormal(seed=1), tf.keras.initializers.HeNormal(seed=1)),
        ({"a": [1, (2,)]}, {"a": [1, (2,)]}),
        (tf.nn.relu, tf.nn.relu),
    ],
)
def test_equal_arguments(one, other):
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (make(2), make(3)),
        (lambda x: x, lambda x: -x),
        (functools.partial(make, 3), functools.partial(make, 4)),
        (np.arange(3), np.arange(4)),
        (Constant(1.0), Constant(2.0)),
        (tf.constant(1.0), tf.constant(1.0)),
        ([1, 2], [1]),
        (1, None),
    ],
)
def test_different_arguments(one, other):
    assert not same(one, other)


def test_differences_name_what_differs_or_is_missing():
    assert differences({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}) == ["b", "c"]


def test_a_description_shows_what_is_not_a_default():
    given = {"size": 3, "act": tf.nn.relu, "name": None}

    assert describe(Thing, given) == "Thing(size=3, act=relu)"
