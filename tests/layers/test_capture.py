from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import Dense
from tensorlayer.layers.capture import Capture
from tensorlayer.layers.get_variable import GraphNeeded

v1 = tf.compat.v1


def two_layers(x):
    with v1.variable_scope("net"):
        W = v1.get_variable("W", [2, 2], initializer=v1.ones_initializer)
        with v1.variable_scope(v1.get_variable_scope(), reuse=True):
            again = v1.get_variable("W", [2, 2])
        b = v1.get_variable("b", initializer=tf.constant([1.0, 2.0]))
    return tf.matmul(tf.matmul(x, W), again) + b


def test_get_variable_is_found_again_in_traces():
    capture, x = Capture(), tf.ones([1, 2])

    for factor in (1, 2):
        found = tf.function(lambda factor=factor: factor * capture.run(two_layers, x))()
        np.testing.assert_allclose(found, [[5.0 * factor, 6.0 * factor]])
    assert list(capture.named("net")) == ["W", "b"]


def test_get_variable_needs_a_graph():
    capture = Capture()

    with pytest.raises(GraphNeeded, match="net/W"):
        capture.run(two_layers, tf.ones([1, 2]))
    assert not capture.needs_graph
    assert tf.function(capture.run)(two_layers, tf.ones([1, 2])).shape == (1, 2)
    assert capture.needs_graph


def test_the_first_run_may_be_a_trace():
    capture = Capture()
    traced = tf.function(lambda x: capture.run(two_layers, x))

    np.testing.assert_allclose(traced(tf.ones([1, 2])), [[5.0, 6.0]])
    assert len(capture.variables) == 2


def test_two_captures_do_not_share():
    one, other = Capture(), Capture()
    for each in (one, other):
        tf.function(each.run)(two_layers, tf.ones([1, 2]))

    assert one.variables[0] is not other.variables[0]


def test_variables_of_one_name_are_numbered():
    capture = Capture()
    capture.run(lambda: [tf.Variable(1.0, name="v"), tf.Variable(2.0, name="v")])

    assert list(capture.named("x")) == ["v", "v_1"]


def test_new_variables_in_a_later_run_are_refused():
    capture = Capture()
    capture.run(lambda n: [tf.Variable(1.0) for _ in range(n)], 1)

    with pytest.raises(InvalidArgument, match="its first run did not make; that made"):
        capture.run(lambda n: [tf.Variable(1.0) for _ in range(n)], 2)


def test_what_our_layers_make_within_a_function_is_theirs():
    capture, layer = Capture(), Dense(n_units=2, W_init="ones", name="d")

    def scaled(x):
        return layer(x) * v1.get_variable("scale", initializer=3.0)

    for _ in range(2):
        found = tf.function(lambda: capture.run(scaled, tf.ones([1, 4])))()
        np.testing.assert_array_equal(found, [[12.0, 12.0]])
    assert list(capture.named()) == ["scale"]
    assert list(layer.parameters) == ["d/weights", "d/biases"]


def test_variables_are_found_again_by_name_in_any_order():
    capture = Capture()

    def make(*names):
        return [tf.Variable(0.0, name=name) for name in names]

    a, b = capture.run(make, "a", "b")

    found = capture.run(make, "b", "a")
    assert found[0] is b
    assert found[1] is a


def test_only_some_of_the_variables_of_one_name_are_refused():
    capture = Capture()
    capture.run(lambda n: [tf.Variable(1.0, name="v") for _ in range(n)], 2)

    with pytest.raises(InvalidArgument, match=r"the variable 'v' that its first run made 2 times"):
        capture.run(lambda n: [tf.Variable(1.0, name="v") for _ in range(n)], 1)
    assert capture.run(lambda: "none of them") == "none of them"
