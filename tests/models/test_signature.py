"""What an exported function takes and gives, and what does not fit the model."""

from __future__ import annotations

import os

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import Dense, Input
from tensorlayer.models import Model, Signature
from tensorlayer.models.signature import identifiers, traced


def mlp():
    x = Input([None, 4], name="x")
    return Model(x, Dense(Dense(x, 8, name="hidden"), 3, name="logits"), name="mlp")


def takes(function):
    """Return shapes and types by name."""
    given = function.structured_input_signature[1]
    return {name: (spec.shape.as_list(), spec.dtype.name) for name, spec in given.items()}


def test_without_more_it_takes_and_gives_what_the_model_does():
    a, b = Input([None, 4], name="a"), Input([None, 2, 3], dtype="int32", name="s/b")
    model = Model({"one": a, "two": b}, [Dense(a, 2, name="d"), b])

    function = traced(model, Signature())

    assert takes(function) == {"a": ([None, 4], "float32"), "s_b": ([None, 2, 3], "int32")}
    assert sorted(function.structured_outputs) == ["d", "s_b"]


def test_several_inputs_become_several_others():
    a, b = Input([None, 4], name="a"), Input([None, 2], name="b")
    model = Model({"one": a, "two": b}, Dense(b, 2, name="d"))
    values = np.arange(12, dtype="float32").reshape(2, 6)

    function = traced(
        model,
        Signature(
            inputs=[tf.TensorSpec([None, 6], name="row")],
            preprocess=lambda row: {"two": row[:, 4:], "one": row[:, :4]},
        ),
    )

    assert takes(function) == {"row": ([None, 6], "float32")}
    expected = model({"one": values[:, :4], "two": values[:, 4:]}, is_train=False)
    np.testing.assert_allclose(function(row=tf.constant(values))["d"], expected, rtol=1e-6)


def test_python_control_flow_on_tensors_is_part_of_it():
    def scaled(x):
        if tf.reduce_max(x) > 1.0:
            x = x / 10.0
        return x

    model = mlp()
    function = traced(model, Signature(preprocess=scaled))

    for size in (1.0, 10.0):
        values = tf.fill([2, 4], size)
        expected = model(tf.ones([2, 4]), is_train=False)
        np.testing.assert_allclose(function(x=values)["logits"], expected, rtol=1e-6)


def test_names_are_identifiers_each_once():
    assert identifiers(["a/b", "a.b", "a_b", "1", "é"]) == ["a_b", "a_b_1", "a_b_2", "1", "_"]


@pytest.mark.parametrize(
    ("name", "argument"),
    [("1st", "arg_1st"), ("in", "arg_in"), (".x", "arg__x"), ("self", "arg_self")],
)
def test_inputs_whose_names_are_none_of_python_are_arguments_too(name, argument):
    x = Input([None, 4], name=name)
    model = Model(x, Dense(x, 2, name=name + "y"))

    found = traced(model, Signature())(**{argument: tf.ones([3, 4])})

    np.testing.assert_allclose(
        next(iter(found.values())), model(tf.ones([3, 4]), is_train=False), rtol=1e-6
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preprocess": 3}, r"signature 'serving_default': preprocess is a function, got 3"),
        (
            {"preprocess": lambda x: x[:, :3]},
            r"what preprocess returns and .* the input 'x' takes .*\(None, 4\), got .*\(None, 3\)",
        ),
        (
            {"preprocess": lambda x: tf.cast(x, tf.float64)},
            r"preprocess returns .* takes float32 .* got float64",
        ),
        ({"preprocess": lambda x: [x, x]}, r"preprocess returns .* inputs 'x', got 2 value"),
        ({"preprocess": lambda x: None}, r"preprocess returns .* 'x', got 1 value\(s\): NoneType"),
        (
            {"inputs": {"x": tf.TensorSpec([None, 4], tf.uint8)}},
            r"inputs and the model do not fit: .* takes float32 .* got uint8",
        ),
        ({"inputs": [tf.TensorSpec([None, 4])] * 2}, r"inputs 'x', got 2 value"),
        ({"inputs": {"a b": tf.TensorSpec([None, 4])}}, r"the input 'a b' has no name that an arg"),
        ({"inputs": {"_a": tf.TensorSpec([None, 4])}}, r"the input '_a' .* begin with a letter"),
        ({"inputs": {"for": tf.TensorSpec([None, 4])}}, r"the input 'for' has no name that an arg"),
        ({"inputs": {"self": tf.TensorSpec([None, 4])}}, r"the input 'self' has no name that an "),
        ({"inputs": {"x": [None, 4]}}, r"the input 'x' is a tf.TensorSpec, got \[None, 4\]"),
        ({"inputs": []}, r"inputs are tf.TensorSpec by name, got \[\]"),
        (
            {"inputs": [tf.TensorSpec([None], name="a"), tf.TensorSpec([None], name="a")]},
            r"two inputs have one name: a, a",
        ),
        ({"postprocess": lambda y: (y, y)}, r"returns 2 result\(s\) and the model has 1 output"),
        ({"postprocess": lambda y: {"y": "text"}}, r"results are tensors by name, got str as 'y'"),
        ({"postprocess": lambda y: {}}, r"there is no result"),
        ({"signatures": [Signature("a"), Signature("a")]}, r"two signatures are named 'a'"),
        ({"signatures": {"a": 1}}, r"signatures are a list of tl.models.Signature, got 'a' in it"),
        ({"signatures": Signature()}, r"two signatures are named 'serving_default'"),
        ({"signatures": [Signature()]}, r"two signatures are named 'serving_default'"),
        ({"signatures": [Signature("a", outputs=3)]}, r"outputs are networks of the model, got 3"),
        (
            {"signatures": [Signature("a", outputs=Dense(Input([None, 2], name="z"), 1))]},
            r"signature 'a': its outputs need the input 'z', which is none of the model's: 'x'",
        ),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(options, message, tmp_path):
    with pytest.raises(InvalidArgument, match=message):
        mlp().export(tmp_path / "1", **options)
    assert os.listdir(tmp_path) == []


def test_a_signature_has_a_name():
    for name in ("", "a b", 3):
        with pytest.raises(InvalidArgument, match="a name is letters, digits and _"):
            Signature(name)
    with pytest.raises(InvalidArgument, match="begin with '__saved_model' for itself, got '__sav"):
        Signature("__saved_model_init_op")
