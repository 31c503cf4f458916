from __future__ import annotations

import copy

import numpy as np
import tensorflow as tf

from tensorlayer.layers import Input, InputLayer, Lambda, Layer
from tensorlayer.layers.in_graph import InGraph
from tensorlayer.layers.mode import current_mode, mode

v1 = tf.compat.v1


def affine(x, power=1):
    w = v1.get_variable("w", [x.shape[-1], 2], initializer=v1.ones_initializer())
    return tf.matmul(x**power, w)


def test_what_needs_no_graph_runs_eagerly():
    code, seen = InGraph(), []

    def eager(x):
        seen.append(tf.executing_eagerly())
        return x * tf.Variable(2.0)

    for _ in range(2):
        code.run(eager, tf.constant(1.0))

    assert seen == [True, True]
    assert not code.needs_graph


def test_what_asks_for_variables_by_name_is_traced_once_for_each_mode():
    code, runs = InGraph(needs_graph=True), []

    def noted(x):
        found = affine(x)
        runs.append((tf.executing_eagerly(), current_mode()))
        return found

    for is_train in (False, True, False, True):
        with mode(is_train):
            found = code.run(noted, tf.ones([1, 3]))
        np.testing.assert_array_equal(found, [[3.0, 3.0]])

    assert not any(is_eager for is_eager, _ in runs)
    assert [each for _, each in runs] == [False, True]
    assert len(code.variables) == 1


def test_other_constants_are_another_trace():
    code, x = InGraph(), tf.constant([[2.0]])

    found = [code.run(affine, x, power=power).numpy()[0, 0].item() for power in (1, 2, 1, 3)]

    assert found == [2.0, 4.0, 2.0, 8.0]


def test_batches_of_any_size():
    code = InGraph()

    for n in (1, 3, 5, 7):
        assert code.run(affine, tf.ones([n, 3])).shape == (n, 2)


def seeing_shapes(seen):
    def noting(x):
        seen.append(x.shape.as_list())
        return affine(x)

    return noting


def test_what_is_declared_sees_the_shape_that_is_declared_whatever_the_batch():
    seen = []
    net = Lambda(Input([None, 3]), seeing_shapes(seen), name="f")

    for n in (4, 2, 7):
        assert net(tf.ones([n, 3])).shape == (n, 2)

    assert seen == [[None, 3]] * 2  # to declare it, and eagerly once


def test_what_begins_eagerly_sees_whole_shapes_whatever_was_before():
    code, seen = InGraph(needs_graph=True), []
    function = seeing_shapes(seen)

    for n in (4, 2, 7, 4):
        assert code.run(function, tf.ones([n, 3])).shape == (n, 2)

    assert seen == [[4, 3], [2, 3], [7, 3]]


def test_other_types_and_numbers_of_inputs_are_traced_for_themselves():
    code = InGraph()

    def total(*xs):
        scale = v1.get_variable("scale", initializer=2.0)
        return scale * sum(tf.reduce_sum(tf.cast(x, tf.float32)) for x in xs)

    ones = tf.ones([3])
    for given in ([ones], [tf.ones([3], tf.int32)], [ones, ones], [tf.ones([2, 2])], [ones]):
        expected = 2.0 * sum(int(tf.size(each)) for each in given)
        assert code.run(total, *given).numpy() == expected


def test_a_variable_may_be_the_input():
    code, x = InGraph(), tf.Variable([[1.0, 2.0]])

    for _ in range(2):
        with tf.GradientTape() as tape:
            outputs = code.run(affine, x)
        np.testing.assert_array_equal(outputs, [[3.0, 3.0]])
        np.testing.assert_array_equal(tape.gradient(outputs, x), [[2.0, 2.0]])


def test_what_is_frozen_or_thawed_is_traced_anew():
    code, modes = InGraph(), []

    class Noting(Layer):
        def forward(self, x):
            modes.append(self.is_train)
            return x

    inner = Noting(name="n")

    def function(x):
        return inner(x) * v1.get_variable("w", [3])

    with mode(True):
        for trainable in (True, False, True, False):
            inner.trainable = trainable
            code.run(function, tf.ones([1, 3]))

    assert modes == [True, True, False]  # the first time up to its question


def test_traces_are_kept_up_to_a_number_the_last_ones():
    code, calls, x = InGraph(needs_graph=True), [], tf.ones([1, 3])

    def powered(x, power):
        calls.append(power)
        return affine(x, power)

    for power in (*range(100), 99, 98, 0):
        code.run(powered, x, power=power)

    assert calls == [*range(100), 0]
    assert 1 < len(code._traced) < 100


def test_gradients_reach_variables_and_inputs():
    code, x = InGraph(), tf.Variable([[1.0, 2.0]])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(code.run(affine, tf.convert_to_tensor(x)))

    of_w, of_x = tape.gradient(loss, [code.variables[0], x])
    np.testing.assert_array_equal(of_w, [[1.0, 1.0], [2.0, 2.0]])
    np.testing.assert_array_equal(of_x, [[2.0, 2.0]])


def test_collections_stay_in_the_graph():
    code = InGraph()

    def collected(x):
        v1.add_to_collection("mine", x)
        assert len(v1.get_collection("mine")) == 1
        return affine(x)

    for n in (1, 2, 3):
        code.run(collected, tf.ones([n, 3]))

    assert v1.get_collection("mine") == []


def test_collections_stay_empty_where_it_runs_eagerly():
    v1.add_to_collection("mine", "before")
    code = InGraph()

    def noted(x):
        v1.add_to_collection("mine", x)
        v1.add_to_collection("others", x)
        return 2 * x

    for _ in range(3):
        code.run(noted, tf.ones([1]))

    assert v1.get_collection("mine") == ["before"]
    assert v1.get_collection("others") == []
    v1.get_default_graph().clear_collection("mine")


def test_a_copy_has_variables_and_traces_of_its_own():
    code, x = InGraph(), tf.ones([1, 3])
    code.run(affine, x)

    copied = copy.deepcopy(code)
    copied.variables[0].assign(tf.zeros([3, 2]))

    np.testing.assert_array_equal(copied.run(affine, x), [[0.0, 0.0]])
    np.testing.assert_array_equal(code.run(affine, x), [[3.0, 3.0]])


def counted(calls):
    def noting(x):
        calls.append(tf.executing_eagerly())
        return affine(x)

    return noting


def test_what_a_trace_has_found_to_ask_for_variables_is_not_tried_eagerly():
    code, calls = InGraph(), []
    function = counted(calls)

    tf.function(lambda x: code.run(function, x))(tf.ones([1, 3]))
    assert calls == [False]
    for _ in range(2):
        code.run(function, tf.ones([1, 3]))

    assert code.needs_graph
    assert calls == [False, False]  # its own trace, once


def test_what_begins_eagerly_runs_up_to_its_question_and_then_in_a_trace():
    calls = []
    net = Lambda(InputLayer(tf.ones([1, 3])), counted(calls), name="f")

    assert calls == [True, False]
    np.testing.assert_array_equal(net.layer(tf.ones([1, 3]), is_train=False), [[3.0, 3.0]])
    assert len(calls) == 2
    assert [each.name for each in net.all_params] == ["f/w:0"]


def test_what_stands_before_the_question_leaves_nothing_behind():
    def function(x):
        scale = tf.Variable(2.0, name="scale")
        v1.add_to_collection("mine", x)
        with v1.variable_scope(None, default_name="tower"):
            return scale * affine(x)

    net = Lambda(InputLayer(tf.ones([1, 3])), function, name="f")

    assert list(net.parameters) == ["f/scale", "f/tower/w"]
    np.testing.assert_array_equal(net.outputs, [[6.0, 6.0]])
    assert v1.get_collection("mine") == []


def test_batches_of_many_sizes_need_few_traces():
    code, seen = InGraph(), []
    noting = seeing_shapes(seen)

    for n in range(1, 31):
        assert code.run(noting, tf.ones([n, 3])).shape == (n, 2)

    assert len(seen) == 10
    assert seen[-1] == [None, 3]
