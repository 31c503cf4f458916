from __future__ import annotations

import functools
import sys
import types

import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, NotSerializable
from tensorlayer.models import names
from tensorlayer.models.names import find_function, function_name, makes_values, serializable
from tests.ids import shown


@serializable
def marked(x):
    return x


@serializable
class Marked:
    pass


class Below(Marked):
    pass


def unmarked(x):
    return x


@pytest.mark.parametrize(
    ("file", "path"), [("/somewhere/train.py", "train.run"), (None, "__main__.run")]
)
def test_what_a_script_defines_is_called_after_its_file(monkeypatch, file, path):
    script, thing = types.ModuleType("__main__"), types.FunctionType(unmarked.__code__, {})
    thing.__module__, thing.__qualname__ = "__main__", "run"
    if file is not None:
        script.__file__ = file
    monkeypatch.setitem(sys.modules, "__main__", script)

    assert names.import_path(thing) == path


def test_functions_are_found_under_the_name_that_they_got():
    for function in (marked, tf.nn.relu, tf.add, tf.linalg.inv, tl.activation.lrelu):
        assert find_function(function_name(function, "place")) is function
    assert function_name(tf.nn.relu, "place") == "tensorflow.nn.relu"


def test_imported_classes_are_found_by_their_path_and_others_are_not():
    assert names.find_class(tl.layers.Layer, names.import_path(tl.layers.Dense)) is tl.layers.Dense
    assert names.find_class(Marked, names.import_path(Below)) is Below
    with pytest.raises(NotSerializable, match=r"is not imported.* Did you mean '.*\.Dense'"):
        names.find_class(tl.layers.Layer, "tensorlayer.layers.Dens")


def test_a_mark_is_that_of_one_object():
    assert names.is_marked(Marked)
    assert not names.is_marked(Below)
    wrapper = functools.wraps(marked)(lambda x: 2 * x)
    assert not names.is_marked(wrapper)
    with pytest.raises(NotSerializable, match=r"decorate it, outermost and once"):
        function_name(wrapper, "place")


def test_looking_for_a_name_asks_no_module(monkeypatch):
    asked = []
    lazy = types.ModuleType("lazy")
    lazy.__getattr__ = lambda name: asked.append(name)
    monkeypatch.setitem(sys.modules, "lazy", lazy)

    with pytest.raises(NotSerializable, match=r"no imported module defines and marks"):
        find_function("lazy.more.function")
    assert asked == []


def test_what_stands_within_a_function_is_not_found():
    @serializable
    def inner(x):
        return x

    with pytest.raises(NotSerializable, match=r"the function 'inner' has no name by which"):
        function_name(inner, "place")


def test_what_has_no_name_cannot_be_marked():
    with pytest.raises(InvalidArgument, match=r"marks functions and classes, which have names"):
        serializable(functools.partial(marked))


@pytest.mark.parametrize(
    "thing",
    [None, 0.5, [1.0], "he_normal", "zeros", tl.initializers.Ones(), marked,
     functools.partial(marked), tf.keras.initializers.Orthogonal()],
    ids=shown,
)  # fmt: skip
def test_initializers_make_values(thing):
    assert makes_values(thing)


@pytest.mark.parametrize(
    "thing",
    [tf.nn.relu, functools.partial(tf.one_hot, depth=9), tl.layers.Flatten(), unmarked, "stft"],
    ids=shown,
)
def test_functions_of_tensors_and_layers_make_no_values(thing):
    assert not makes_values(thing)
