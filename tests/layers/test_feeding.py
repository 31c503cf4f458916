from __future__ import annotations

import re

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import Input
from tensorlayer.layers.feeding import bind_inputs

A, B, C = (Input([None, size], name=name) for size, name in ((1, "a"), (2, "b"), (3, "c")))
VALUES = {node: np.full([4, node.shape[1]], node.shape[1], "float32") for node in (A, B, C)}


def assert_fed(feeds, *nodes):
    """Every input has its own value, in the order of the inputs."""
    assert list(feeds) == list(nodes)
    for node in nodes:
        assert tf.is_tensor(feeds[node])
        np.testing.assert_array_equal(feeds[node], VALUES[node])


# -- which value belongs to which input


@pytest.mark.parametrize("inputs", [A, [A], (A,)])
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [v], lambda v: (v,), lambda v: {"a": v}])
def test_one_input_takes_a_value_a_list_of_one_or_its_name(inputs, wrap):
    assert_fed(bind_inputs(inputs, wrap(VALUES[A])), A)
    assert_fed(bind_inputs(inputs, wrap(tf.constant(VALUES[A]))), A)


def test_a_list_of_one_number_is_a_vector_and_not_a_list_of_one_value():
    node = Input([None], name="x")

    assert bind_inputs(node, [3.0])[node].shape == [1]
    assert bind_inputs(node, [1.0, 2.0])[node].shape == [2]


def test_a_list_of_one_row_is_a_matrix():
    assert bind_inputs(B, [[1.0, 2.0]])[B].shape == [1, 2]


def test_a_list_of_two_arrays_is_one_value_of_a_single_input():
    node = Input([None, None, 2], name="x")

    assert bind_inputs(node, [np.ones([3, 2]), np.ones([3, 2])])[node].shape == [2, 3, 2]


def test_several_inputs_take_values_in_their_order():
    assert_fed(bind_inputs([A, B, C], [VALUES[A], VALUES[B], VALUES[C]]), A, B, C)
    assert_fed(bind_inputs([A, B], (VALUES[A], VALUES[B])), A, B)


def test_several_inputs_take_values_by_name_in_any_order():
    assert_fed(bind_inputs([A, B], {"b": VALUES[B], "a": VALUES[A]}), A, B)


def test_a_nested_structure_takes_the_same_structure():
    inputs = {"one": [A, (B,)], "other": C}
    values = {"other": VALUES[C], "one": [VALUES[A], (VALUES[B],)]}

    assert_fed(bind_inputs(inputs, values), A, B, C)


def test_a_dictionary_of_inputs_goes_by_its_keys_and_not_by_names():
    assert_fed(bind_inputs({"x": A, "a": B}, {"a": VALUES[B], "x": VALUES[A]}), A, B)


def test_one_input_in_a_dictionary_goes_by_its_key():
    assert_fed(bind_inputs({"x": A}, {"x": VALUES[A]}), A)


@pytest.mark.parametrize(
    ("inputs", "values", "message"),
    [
        ([A, B], [1.0], "the network has the inputs 'a', 'b', got 1 value(s)."),
        ([A, B], [1.0, 2.0, 3.0], "the network has the inputs 'a', 'b', got 3 value(s)."),
        ([A, B], np.ones([2, 1]), "the network has the inputs 'a', 'b', got 1 value(s)."),
        ([A, [B, C]], [np.ones([4, 1]), 1.0], "the network has the inputs 'b', 'c', got 1"),
        ({"x": A}, [VALUES[A]], "the network has the inputs 'a', got 1 value(s)."),
        ({"x": A, "y": B}, [1.0, 2.0], "the network has the inputs 'a', 'b', got 2 value(s)."),
        ([A, B], {"a": 1.0, "bb": 1.0}, "no input is named 'bb'. Did you mean 'b'?"),
        ({"x": A}, {"a": 1.0}, "no input is named 'a'. There are: 'x'."),
        ([A, B, C], {"c": 1, "a": 1}, "the input 'b' needs a value, got ['a', 'c']."),
        (A, {}, "the input 'a' needs a value, got []."),
    ],
)
def test_values_that_do_not_fit_the_inputs_say_which_there_are(inputs, values, message):
    with pytest.raises(InvalidArgument, match=re.escape(message)):
        bind_inputs(inputs, values)


# -- which values an input takes


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        ("float32", np.ones([2], "float64")),
        ("float32", [1, 2]),
        ("float32", [True, False]),
        ("float16", [1.5, 2.5]),
        ("bfloat16", [1.0, 2.0]),
        ("complex64", [1.5, 2.5]),
        ("complex64", [1j, 2.5]),
        ("int64", np.ones([2], "int32")),
        ("bool", [True, False]),
        ("string", ["a", b"b"]),
    ],
)
def test_numbers_become_a_tensor_of_the_type_of_the_input(dtype, value):
    node = Input([None], dtype=dtype, name="x")

    fed = bind_inputs(node, value)[node]

    assert (fed.dtype, fed.shape) == (tf.as_dtype(dtype), [2])
    if dtype != "string":
        np.testing.assert_array_equal(tf.cast(fed, tf.complex64), np.asarray(value, "complex64"))


@pytest.mark.parametrize(
    ("dtype", "value", "got"),
    [
        ("int32", [1.5], "float64"),
        ("int32", np.ones([1], "float32"), "float32"),
        ("bool", [0.5], "float64"),
        ("int32", [1j], "complex128"),
        ("int32", [2**40], "int64"),
        ("uint8", [300], "int64"),
        ("uint8", [-1], "int64"),
        ("float32", tf.ones([1], tf.float64), "float64"),
        ("float32", tf.ones([1], tf.int32), "int32"),
    ],
)
def test_a_value_that_would_be_cut_off_and_a_tensor_of_another_type_are_refused(dtype, value, got):
    node = Input([None], dtype=dtype, name="x")

    with pytest.raises(
        WrongShape, match=rf"'x' takes {dtype} of shape \(None,\), got {got} of shape \(1,\). Resh"
    ):
        bind_inputs(node, value)


@pytest.mark.parametrize("value", [np.ones([3]), np.ones([2, 3]), tf.ones([2, 2, 2]), 1.0])
def test_a_value_of_another_shape_is_refused_with_both(value):
    shape = re.escape(str(np.shape(value)))

    with pytest.raises(
        WrongShape, match=rf"the input 'b' takes float32 of shape \(None, 2\), got .* {shape}"
    ):
        bind_inputs(B, value)


@pytest.mark.parametrize("value", [["a"], [[1.0], [1.0, 2.0]], object()])
def test_what_is_no_array_is_refused_with_its_type(value):
    kind = type(value).__name__

    with pytest.raises(
        InvalidArgument,
        match=rf"the input 'b' takes float32 of shape \(None, 2\), got a {kind} that is no array: ",
    ):
        bind_inputs(B, value)


def test_a_tensor_is_taken_as_it_is():
    value = tf.ones([3, 2])

    assert bind_inputs(B, value)[B] is value


def test_inputs_without_names_are_fed_by_those_they_have_in_the_network():
    a, b = tl.layers.Input([None, 1]), tl.layers.Input([None, 2])
    net = tl.layers.Concat([a, b])

    out = net({"input_2": np.zeros([1, 2]), "input_1": np.ones([1, 1])})

    assert out.numpy().tolist() == [[1, 0, 0]]
