"""Variables by name, as TensorFlow 1 gives them: it is the oracle."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, NameMissing, NameTaken, WrongShape
from tensorlayer.layers import Input, InputLayer, Lambda, LambdaLayer

v1 = tf.compat.v1
ONES = v1.ones_initializer()


def worlds(function):
    """Return makers of a layer of the function: declared, eager and in a graph of TensorFlow 1."""

    def in_graph():
        with tf.Graph().as_default(), tl.layers.isolated():
            Lambda(InputLayer(v1.placeholder(tf.float32, [None, 2])), function, name="f")

    return [
        lambda: Lambda(Input([None, 2]), function, name="f"),
        lambda: Lambda(InputLayer(tf.ones([1, 2])), function, name="f"),
        in_graph,
    ]


def in_tensorflow_1(function):
    with tf.Graph().as_default():
        function(v1.placeholder(tf.float32, [None, 2]))


def twice(x):
    return v1.get_variable("w", [2]) + v1.get_variable("w", [2]) + x


def never_made(x):
    with v1.variable_scope("a", reuse=True):
        return x + v1.get_variable("w", [2])


def other_shape(x):
    with v1.variable_scope("a", reuse=v1.AUTO_REUSE):
        return x + v1.get_variable("w", [2]) + v1.get_variable("w", [1])


def other_type(x):
    with v1.variable_scope("a", reuse=v1.AUTO_REUSE):
        w = v1.get_variable("w", [2], tf.float32)
        return x + w + tf.cast(v1.get_variable("w", [2], tf.float64), tf.float32)


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (
            twice,
            NameTaken,
            r"asks for the variable '(f/)?w' a second time.*reuse=tf.compat.v1.AUTO",
        ),
        (
            never_made,
            NameMissing,
            r"'(f/)?a/w' to be reused, which .* made none. Ask for it before",
        ),
        (
            other_shape,
            WrongShape,
            r"'(f/)?a/w' of shape \(1,\), and has made it of shape \(2,\). Sh",
        ),
        (
            other_type,
            InvalidArgument,
            r"a/w' of type float64, and .* of type float32. Give the sam",
        ),
    ],
)
def test_what_tensorflow_1_refuses_is_refused(function, error, message):
    with pytest.raises(ValueError, match=r"[Vv]ariable"):
        in_tensorflow_1(function)

    for make in worlds(function):
        with pytest.raises(error, match=message):
            make()


def test_what_is_reused_is_the_same_variable():
    def shared(x):
        with v1.variable_scope("a"):
            first = v1.get_variable("w", [2], initializer=ONES)
        with v1.variable_scope("a", reuse=True):
            second = v1.get_variable("w", [2])
        with v1.variable_scope("b", reuse=v1.AUTO_REUSE):
            third = [v1.get_variable("w", [2], initializer=ONES) for _ in range(2)]
        assert first is second
        assert third[0] is third[1]
        assert first is not third[0]
        return x * first + third[0]

    in_tensorflow_1(shared)
    for make in worlds(shared):
        make()
    net = Lambda(Input([None, 2]), shared, name="f")
    assert list(net.parameters) == ["f/a/w", "f/b/w"]
    np.testing.assert_array_equal(net(tf.ones([1, 2])), [[2.0, 2.0]])


def test_constraints_are_kept_and_optimizers_keep_to_them():
    def bounded(x):
        return x * v1.get_variable(
            "w", [2], initializer=ONES, constraint=lambda v: tf.clip_by_value(v, 0.5, 2.0)
        )

    for net in (
        Lambda(Input([None, 2]), bounded, name="f"),
        Lambda(InputLayer(tf.ones([1, 2])), bounded, name="f"),
    ):
        (w,) = net.trainable_weights
        np.testing.assert_array_equal(w.constraint(tf.constant([0.0, 3.0])), [0.5, 2.0])
        tf.optimizers.SGD(1.0).apply_gradients([(tf.constant([9.0, 0.0]), w)])
        np.testing.assert_array_equal(w, [0.5, 1.0])


def test_a_constraint_and_a_regularizer_of_the_scope():
    def scoped(x):
        with v1.variable_scope("a", constraint=tf.abs, regularizer=tf.reduce_sum):
            return x * v1.get_variable("w", [2], initializer=ONES)

    net = Lambda(Input([None, 2]), scoped, name="f")
    net(tf.ones([1, 2]))

    assert net.all_params[0].constraint is tf.abs
    assert [loss.numpy() for loss in net.regularization_losses] == [2.0]


def doubling(getter, *args, **kwargs):
    return 2.0 * getter(*args, **kwargs)


def scaled(x):
    with v1.variable_scope("inner"):
        return x * v1.get_variable("w", [2])


def around(**said):
    """Return what TensorFlow 1 makes of a function in a scope: outputs, losses and values."""
    with tf.Graph().as_default(), v1.Session() as session:
        with v1.variable_scope("s", **said):
            outputs = scaled(tf.ones([1, 2]))
        session.run(v1.global_variables_initializer())
        return session.run([outputs, v1.losses.get_regularization_losses(), v1.global_variables()])


@pytest.mark.parametrize(
    "said",
    [
        {"custom_getter": doubling, "initializer": ONES},
        {"regularizer": tf.reduce_sum, "initializer": v1.constant_initializer(3.0)},
        {"custom_getter": doubling, "regularizer": tf.reduce_sum, "initializer": ONES},
        {"dtype": tf.float32, "initializer": ONES},
    ],
    ids=lambda said: "-".join(said),
)
def test_what_the_scope_around_the_layer_says_is_kept(said):
    outputs, losses, values = around(**said)

    for inputs in (Input([None, 2]), InputLayer(tf.ones([1, 2]))):
        with tl.layers.isolated(), v1.variable_scope("s", **said):
            net = Lambda(inputs, scaled, name="f")
        with v1.variable_scope("other", regularizer=tf.reduce_max):
            found = [net.layer(tf.ones([1, 2])), net.regularization_losses, net.all_params]
        for ours, theirs in zip(found, (outputs, losses, values), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_a_getter_within_the_function_comes_before_that_around_the_layer():
    def adding(getter, *args, **kwargs):
        return 1.0 + getter(*args, **kwargs)

    def function(x):
        with v1.variable_scope("inner", custom_getter=adding):
            return x * v1.get_variable("w", [2], initializer=ONES)

    with tf.Graph().as_default(), v1.Session() as session:
        with v1.variable_scope("s", custom_getter=doubling):
            theirs = function(tf.ones([1, 2]))
        session.run(v1.global_variables_initializer())
        expected = session.run(theirs)
    with tl.layers.isolated(), v1.variable_scope("s", custom_getter=doubling):
        net = Lambda(Input([None, 2]), function, name="f")

    np.testing.assert_array_equal(net(tf.ones([1, 2])), expected)


def test_a_layer_that_a_function_makes_has_variables_of_its_own():
    inner = []

    def outer(x):
        inner.append(Lambda(scaled, name="inner_layer"))
        return inner[-1](x * v1.get_variable("v", [2], initializer=ONES))

    net = Lambda(Input([None, 2]), outer, name="f")
    net(tf.ones([1, 2]))

    assert list(net.parameters) == ["f/v", "f/inner_layer/inner/w"]
    assert inner[0] is inner[-1]


def test_variables_are_in_the_collections_that_tensorflow_1_has_them_in():
    seen = []

    def collected(x):
        v1.get_variable("plain", [2])
        v1.get_variable("still", [2], trainable=False)
        v1.get_variable("mine", [2], collections=["mine"])
        v1.get_variable("local", [2], collections=["local_variables"], trainable=False)
        keys = ("variables", "trainable_variables", "mine", "local_variables")
        names = [[v.name.rpartition("/")[2] for v in v1.get_collection(key)] for key in keys]
        seen.append(names)
        return x

    in_tensorflow_1(collected)
    for make in worlds(collected):
        make()

    assert [v1.global_variables(), v1.trainable_variables(), v1.local_variables()] == [[], [], []]
    assert seen[0][2:] == [["mine:0"], ["local:0"]]
    assert all(each == seen[0] for each in seen)


def test_in_a_graph_of_tensorflow_1_losses_are_in_its_collection_once():
    def decayed(x):
        w = v1.get_variable("w", [2], initializer=ONES, regularizer=tf.reduce_sum)
        return x * w

    with tf.Graph().as_default(), v1.Session() as session, tl.layers.isolated():
        x = v1.placeholder(tf.float32, [None, 2])
        net = LambdaLayer(InputLayer(x), decayed, name="f")
        net.layer(InputLayer(x, name="again"))
        session.run(v1.global_variables_initializer())
        losses = v1.losses.get_regularization_losses()

        assert len(losses) == 1
        assert session.run(losses) == [2.0]
        assert session.run(net.regularization_losses) == [2.0]


def test_statistics_of_replicas_are_averaged():
    def moving(x):
        v1.get_variable("mean", [2], trainable=False)
        v1.get_variable("steps", initializer=0, dtype=tf.int32, trainable=False)
        return x * v1.get_variable("w", [2])

    mean, steps, w = Lambda(Input([None, 2]), moving, name="f").layer.code.variables

    kinds = [each.aggregation for each in (mean, steps, w)]
    none = tf.VariableAggregation.NONE
    assert kinds == [tf.VariableAggregation.MEAN, none, none]


def asked(function, world):
    """Return the type, shape and first value of the variable that a function asks for."""
    if world == "tensorflow 1":
        with tf.Graph().as_default(), v1.Session() as session:
            variable = function()
            session.run(v1.global_variables_initializer())
            return variable.dtype.base_dtype.name, variable.shape.as_list(), session.run(variable)
    made = []

    def layer(x):
        made.append(function())
        return x

    inputs = Input([None, 2]) if world == "declared" else InputLayer(tf.ones([1, 2]))
    net = Lambda(inputs, layer, name="f")
    (variable,) = net.all_weights
    return variable.dtype.name, variable.shape.as_list(), variable.numpy()


def by_position(getter, name, shape=None, dtype=None, *rest, **options):
    return getter(name, shape, tf.float64, *rest, **options)


def through_a_getter_of_its_own():
    with v1.variable_scope("own", custom_getter=by_position):
        return v1.get_variable("w", [2], initializer=ONES)


@pytest.mark.parametrize("world", ["declared", "eager"])
@pytest.mark.parametrize(
    "function",
    [
        lambda: v1.get_variable("step", initializer=0, trainable=False),
        lambda: v1.get_variable("rows", initializer=np.array([2, 0, 1]), trainable=False),
        lambda: v1.get_variable("wide", initializer=np.array([2.5, 0.5])),
        lambda: v1.get_variable("scale", initializer=3.0),
        lambda: v1.get_variable("count", [2], tf.int32, trainable=False),
        lambda: v1.get_variable("flag", [], tf.bool, trainable=False),
        lambda: v1.get_variable("w", [2], initializer=v1.ones_initializer),
        lambda: v1.get_variable("given", initializer=lambda: tf.ones([2, 3])),
        lambda: v1.get_variable("half", [3], tf.float16, initializer=ONES),
        through_a_getter_of_its_own,
    ],
)
def test_values_and_types_are_those_of_tensorflow_1(function, world):
    dtype, shape, value = asked(function, world)

    expected = asked(function, "tensorflow 1")
    assert (dtype, shape) == expected[:2]
    np.testing.assert_array_equal(value, expected[2])


@pytest.mark.parametrize(
    "function",
    [lambda: v1.get_variable("w"), lambda: v1.get_variable("w", [2], tf.complex64)],
)
def test_what_has_no_value_to_begin_with_is_refused(function):
    with pytest.raises(ValueError, match="initializer"):
        asked(function, "tensorflow 1")
    with pytest.raises(InvalidArgument, match=r"'(f/)?w' of shape .* has no value to begin with"):
        asked(function, "declared")
