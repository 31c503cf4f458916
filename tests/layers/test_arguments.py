from __future__ import annotations

import dataclasses
import functools
import inspect
import itertools

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, UnknownArgument
from tensorlayer.initializers import Constant
from tensorlayer.layers import Dense, DynamicRNNLayer
from tensorlayer.layers.arguments import (
    accepts,
    bind,
    describe,
    differences,
    probability,
    same,
    shown,
    takes,
)


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


class Mixed:
    def __init__(self, one, two=2, /, three=3, *rest, four, five=5, **more): ...


class Named:
    def __init__(self, one, two=2, *, three, four=4): ...


@pytest.mark.parametrize("cls", [Mixed, Named, Thing])
def test_arguments_are_bound_as_python_binds_them(cls):
    known, n_bound = inspect.signature(cls.__init__), 0
    names = ["one", "two", "three", "four", "five", "six"]
    for n_args, n_names in itertools.product(range(5), range(3)):
        for chosen in itertools.permutations(names, n_names):
            args, kwargs = tuple(range(n_args)), dict.fromkeys(chosen, "given")
            try:
                expected = known.bind(None, *args, **kwargs)
            except TypeError:
                with pytest.raises(InvalidArgument):
                    bind(cls, args, kwargs)
                continue
            expected.apply_defaults()
            found = dict(expected.arguments)
            found.pop("self")
            found.update(found.pop("more", {}))
            assert list(bind(cls, args, kwargs).items()) == list(found.items())
            n_bound += 1
    assert n_bound > 0


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


# -- functions and objects of Keras


def closing_over(value, default=0, *, keyword=0):
    def function(x, a=default, *, b=keyword):
        return value, x, a, b

    return function


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (closing_over([1, {"a": 2}]), closing_over([1, {"a": 2}]), True),
        (closing_over(1), closing_over(2), False),
        (closing_over(1, 2), closing_over(1, 3), False),
        (closing_over(1, keyword=2), closing_over(1, keyword=3), False),
        (closing_over(np.ones(2)), closing_over(np.ones(2)), True),
        (closing_over(1), print, False),
    ],
)
def test_functions_are_the_same_with_equal_code_defaults_and_captured_values(one, other, is_same):
    assert same(one, other) is is_same


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        (functools.partial(closing_over, 1, keyword=2), True),
        (functools.partial(closing_over, 1, keyword=3), False),
        (functools.partial(closing_over, 2, keyword=2), False),
        (functools.partial(make, 1), False),
        (closing_over, False),
    ],
)
def test_partial_functions_are_the_same_with_equal_functions_and_arguments(other, is_same):
    assert same(functools.partial(closing_over, 1, keyword=2), other) is is_same


def test_arrays_are_compared_by_their_values_with_lists_too():
    assert same(np.arange(3), [0, 1, 2])
    assert same([0, 1, 2], np.arange(3))
    assert not same(np.arange(3), None)
    assert not same(None, np.arange(3))


def test_variables_and_tensors_are_the_same_only_as_objects():
    variable = tf.Variable(1.0)

    assert same([variable], [variable])
    assert not same(variable, tf.Variable(1.0))
    assert not same(variable, 1.0)
    assert not same(1.0, tf.constant(1.0))


def test_lists_tuples_and_dictionaries_are_compared_by_their_items():
    assert same({"a": [1, 2]}, {"a": (1, 2)})
    assert not same([1, 2, 3], [1, 2])
    assert not same([1, 2], [2, 1])
    assert not same({"a": 1}, {"b": 1})
    assert not same({"a": None}, {})
    assert not same([1], 1)


def test_objects_of_keras_are_compared_by_how_they_were_configured():
    keras = tf.keras
    dense = keras.layers.Dense(3)
    built = keras.layers.Dense(3)
    built.build([None, 4])

    assert dense.name != built.name
    assert same(dense, built)
    assert same(keras.initializers.HeNormal(seed=1), keras.initializers.HeNormal(seed=1))
    assert not same(dense, keras.layers.Dense(4))
    assert not same(dense, keras.layers.Dense(3, use_bias=False))
    assert not same(dense, keras.layers.EinsumDense("ab,bc->ac", 3))
    assert not same(dense, "dense")


def test_a_model_of_keras_is_the_same_before_and_after_it_was_built():
    def sequential(n_units):
        return tf.keras.Sequential([tf.keras.layers.Dense(2), tf.keras.layers.Dense(n_units)])

    built = sequential(3)
    built(tf.ones([1, 4]))

    assert same(sequential(3), built)
    assert not same(sequential(4), built)


# -- texts


@dataclasses.dataclass
class Point:
    x: int
    y: object


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.zeros([1000, 2]), "array of shape (1000, 2)"),
        (tf.zeros([3]), "array of shape (3,)"),
        (tf.nn.relu, "relu"),
        (Dense, "Dense"),
        ("a", "'a'"),
        (None, "None"),
        (Point(1, np.zeros([2])), "Point(x=1, y=array of shape (2,))"),
        (Point, "Point"),
        (list(range(81)), "list of 81 values"),
        (tuple(range(81)), "tuple of 81 values"),
        ([1, 2], "[1, 2]"),
        ("a" * 78, repr("a" * 78)),
        ("a" * 79, "'" + "a" * 79 + "..."),
    ],
)
def test_values_are_shown_shortly(value, text):
    assert shown(value) == text


def test_a_list_is_counted_from_81_values_on():
    assert shown([1] * 80) == str([1] * 80)[:80] + "..."


def test_a_description_shows_arguments_that_the_signature_does_not_have():
    assert describe(Open, {"size": 3, "more": None}) == "Open(size=3, more=None)"


# -- signatures


def test_functions_and_classes_tell_what_they_take():
    assert takes(lambda x, is_train: x, "is_train")
    assert takes(lambda x, **options: x, "is_train")
    assert not takes(lambda x, *more: x, "is_train")
    assert accepts(Thing, "act")
    assert not accepts(Thing, "self")
    assert not accepts(Open, "more")


def test_more_keywords_go_to_a_constructor_that_takes_any():
    assert bind(Open, (), {"size": 1, "a": 2, "b": 3}) == {"size": 1, "a": 2, "b": 3}
    assert bind(Open, (1,), {}) == {"size": 1}


def test_an_argument_that_nobody_knows_is_refused_before_one_that_is_missing():
    with pytest.raises(UnknownArgument, match=r"^Thing: unknown argument 'nmae'. Did you mean 'n"):
        bind(Thing, (), {"size": 1, "nmae": "a"})
    with pytest.raises(InvalidArgument, match=r"Thing: too many positional.*It takes Thing\(size"):
        bind(Thing, (1, 2, 3, 4), {})


def test_classes_are_the_same_only_if_they_are_one():
    gru, lstm = tf.keras.layers.GRUCell, tf.keras.layers.LSTMCell

    assert same(gru, gru)
    assert not same(gru, lstm)
    assert not same(gru, gru(3))
    layer = DynamicRNNLayer(cell_fn=gru, n_hidden=3)
    assert repr(layer).startswith("DynamicRNNLayer(cell_fn=GRUCell, n_hidden=3")


@pytest.mark.parametrize("keep", [0.25, 1])
def test_a_probability_is_above_0_and_at_most_1(keep):
    assert probability(keep, "Dropout", "a unit") == keep


@pytest.mark.parametrize("keep", [0, -0.5, 1.5, float("nan")])
def test_another_probability_is_refused(keep):
    with pytest.raises(InvalidArgument, match=rf"Dropout: keep .* a unit, in \(0, 1\]; got {keep}"):
        probability(keep, "Dropout", "a unit")
