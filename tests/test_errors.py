from __future__ import annotations

import inspect

import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer import errors

CLASSES = [
    cls
    for _, cls in inspect.getmembers(errors, inspect.isclass)
    if issubclass(cls, errors.TensorLayerError)
]


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_is_in_the_drawn_tree_and_explains_itself(cls):
    assert cls.__name__ in errors.__doc__
    assert str(cls()) == inspect.getdoc(cls).partition("\n")[0]
    assert str(cls("what happened")) == "what happened"


@pytest.mark.parametrize(
    ("cls", "builtin"),
    [
        (errors.InvalidArgument, ValueError),
        (errors.UnknownArgument, TypeError),
        (errors.ModeError, AttributeError),
        (errors.NameMissing, LookupError),
        (errors.StoreUnavailable, ConnectionError),
        (errors.ModelNotFound, LookupError),
        (errors.TaskTimeout, TimeoutError),
    ],
)
def test_errors_are_the_builtins_that_scripts_catch(cls, builtin):
    assert issubclass(cls, builtin)


def test_errors_come_out_of_traced_functions_as_they_are():
    @tf.function
    def step(x):
        return tl.layers.Dense(n_units=3)(x)

    with pytest.raises(errors.WrongShape, match="must be of rank 2"):
        step(tf.ones([2, 3, 4]))
