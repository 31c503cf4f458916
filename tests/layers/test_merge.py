from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import (
    Concat,
    Dense,
    Elementwise,
    ElementwiseLambda,
    Input,
    InputLayer,
    Layer,
    MultiplexerLayer,
    Stack,
    StackLayer,
    UnStack,
    UnStackLayer,
    isolated,
)
from tensorlayer.models import Model
from tests.layers.twins import assert_twin

A, B, C = np.random.default_rng(0).normal(size=(3, 2, 4)).astype("float32")


def inputs(n=3):
    return [Input([None, 4], name=name) for name in "abc"[:n]]


def test_concat_is_along_the_last_axis_by_default():
    np.testing.assert_array_equal(Concat(inputs())([A, B, C]), np.concatenate([A, B, C], -1))
    np.testing.assert_array_equal(Concat(inputs(), concat_dim=0)([A, B, C]), np.vstack([A, B, C]))


@pytest.mark.parametrize("axis", [3, -4])
def test_concat_is_along_an_axis_that_is_there(axis):
    x = tf.zeros([2, 3, 4])

    with pytest.raises(WrongShape, match=r"concat_dim must be from -3 to 2 for an .*\(2, 3, 4\)"):
        Concat(concat_dim=axis)([x, x])
    assert Concat(concat_dim=-3)([x, x]).shape == Concat(concat_dim=0)([x, x]).shape == [4, 3, 4]


def test_what_is_put_side_by_side_agrees_but_for_the_axis():
    x, y = tf.zeros([2, 3, 4]), tf.zeros([2, 5, 4])

    assert Concat(concat_dim=1)([x, y]).shape == [2, 8, 4]
    rule = r"agree but for axis -1, got shapes \(2, 3, 4\), \(2, 5, 4\)\."
    with pytest.raises(WrongShape, match=rule):
        Concat()([x, y])


def test_elementwise_folds_from_the_left_then_activates():
    net = Elementwise(inputs(), combine_fn=tf.subtract, act=tf.nn.relu)

    np.testing.assert_allclose(net([A, B, C]), np.maximum((A - B) - C, 0), rtol=1e-6)
    np.testing.assert_array_equal(Elementwise(inputs(2))([A, B]), np.minimum(A, B))


SAME = {
    Concat: lambda: Concat(),
    Elementwise: lambda: Elementwise(tf.add),
    Stack: lambda: Stack(),
    ElementwiseLambda: lambda: ElementwiseLambda(lambda *x: tf.add_n(x)),
    MultiplexerLayer: lambda: MultiplexerLayer(sel=1),
}
TWINS = {
    Concat: lambda *x: tf.concat(list(x), -1),
    Elementwise: lambda a, b, c: tf.add(tf.add(a, b), c),
    Stack: lambda *x: tf.stack(list(x), 1),
    ElementwiseLambda: lambda *x: tf.add_n(x),
    MultiplexerLayer: lambda a, b, c: tf.identity(b),
}


@pytest.mark.parametrize("kind", TWINS)
def test_traced_it_is_its_twin(kind):
    net = SAME[kind]()(inputs())
    if kind is MultiplexerLayer:  # a layer that computes nothing needs no identity
        np.testing.assert_array_equal(net([A, B, C]), B)
    else:
        assert_twin(net, TWINS[kind], A, B, C)


@pytest.mark.parametrize("kind", SAME)
def test_in_a_model_and_in_a_block_it_takes_a_list(kind):
    expected = TWINS[kind](*map(tf.constant, (A, B, C)))

    class Block(Layer):
        def __init__(self, name=None):
            super().__init__(name=name)
            self.merge = SAME[kind]()

        def forward(self, x):
            return self.merge([x, x + B - A, x + C - A])

    given = inputs()
    static = Model(given, SAME[kind]()(given))

    np.testing.assert_allclose(static([A, B, C], is_train=False), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(Block()(A), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(SAME[kind]()([A, B, C]), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layer", [Concat, Elementwise, Stack])
def test_one_network_is_not_a_list(layer):
    with pytest.raises(InvalidArgument, match="takes a list of networks, got one"):
        layer(Input([None, 4]))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_stack_makes_an_axis_and_unstack_takes_it(axis):
    stacked = Stack(inputs(), axis=axis)([A, B, C])

    np.testing.assert_array_equal(stacked, np.stack([A, B, C], axis))
    for mine, array in zip(UnStack(axis=axis)(stacked), (A, B, C), strict=True):
        np.testing.assert_array_equal(mine, array)


def test_networks_of_other_shapes_are_refused_by_name():
    with pytest.raises(WrongShape, match=r"Stack\(name='s'\) cannot be applied to shape"):
        Stack([Input([None, 4]), Input([None, 5])], name="s")


def test_unstack_gives_a_list_of_networks():
    x = Input([None, 3, 4], name="x")
    steps = UnStackLayer(x, axis=1, name="steps")
    summed = Elementwise([Dense(step, 2, name=f"d{i}") for i, step in enumerate(steps)], tf.add)
    values = np.stack([A[0], B[0], C[0]])[None].repeat(2, 0)

    assert len(steps) == 3
    assert steps.outputs == list(steps)
    assert [tuple(step.outputs.shape) for step in steps] == [(None, 4)] * 3
    np.testing.assert_array_equal(steps[1](values), values[:, 1])
    expected = sum(values[:, i] @ summed.parameters[f"d{i}/weights"].numpy() for i in range(3))
    np.testing.assert_allclose(summed(values), expected, rtol=1e-4, atol=1e-5)


def test_unstack_in_a_model_gives_a_list_of_tensors():
    x = Input([None, 3, 4], name="x")
    model = Model(x, UnStack(x, axis=1))
    values = np.stack([A[0], B[0], C[0]])[None]

    outputs = model(values, is_train=False)

    assert isinstance(outputs, list)
    for step, output in enumerate(outputs):
        np.testing.assert_array_equal(output, values[:, step])
    assert_twin(model, lambda v: tf.unstack(v, axis=1), values)


def test_unstack_needs_to_know_how_many():
    with pytest.raises(WrongShape, match=r"size of axis 0 must be known.*\(None, 4\) and num=None"):
        UnStack(Input([None, 4]))
    with pytest.raises(WrongShape, match=r"axis 1 must be known, and num.*\(None, 4\) and num=3"):
        UnStack(Input([None, 4]), num=3, axis=1)
    with pytest.raises(InvalidArgument, match="UnStack: num must be a positive integer, got 0"):
        UnStack(Input([None, 4]), num=0, axis=1)
    with pytest.raises(WrongShape, match=r"size of axis 2 must be known"):
        UnStack(Input([None, 4]), axis=2)
    assert len(UnStack(Input([None, 4]), num=2)) == 2
    assert len(UnStack(Input([None, 4]), axis=-1)) == 4


def test_a_function_of_several_networks():
    w = tf.Variable(3.0, name="w")
    net = ElementwiseLambda(
        inputs(),
        lambda a, b, c, k: k * w * (a - b * c),
        fn_weights=[w],
        fn_args={"k": 2.0},
        act="tanh",
    )

    np.testing.assert_allclose(net([A, B, C]), np.tanh(6 * (A - B * C)), rtol=1e-4, atol=1e-5)
    assert net.all_params[0] is w
    again = net.layer([A, B, C], k=0.5)
    np.testing.assert_allclose(again, np.tanh(1.5 * (A - B * C)), rtol=1e-4, atol=1e-5)


def test_a_function_of_several_is_told_the_mode():
    net = ElementwiseLambda(inputs(2), lambda a, b, is_train: a if is_train else b)

    np.testing.assert_array_equal(net([A, B], is_train=True), A)
    np.testing.assert_array_equal(net([A, B], is_train=False), B)


def test_sel_is_a_number_a_network_or_a_tensor_in_a_function():
    layer, sel = MultiplexerLayer(), Input([], "int32", name="sel")
    net = MultiplexerLayer(inputs(), sel=sel, name="mux")
    chosen = tf.function(lambda x, which: layer(x, sel=which))
    fixed = layer(inputs(), sel=2)

    for number, expected in enumerate([A, B, C]):
        np.testing.assert_array_equal(net([A, B, C, number]), expected)
        np.testing.assert_array_equal(chosen([A, B, C], tf.constant(number)), expected)
        np.testing.assert_array_equal(MultiplexerLayer(sel=number)([A, B, C]), expected)
    np.testing.assert_array_equal(fixed([A, B, C]), C)
    np.testing.assert_array_equal(layer([A, B, C]), A)
    assert chosen.experimental_get_tracing_count() == 1
    assert tuple(net.shape) == (None, 4)
    assert_twin(net, lambda a, b, c, s: tf.gather(tf.stack([a, b, c]), s), A, B, C, np.int32(1))


def test_a_gradient_reaches_the_network_that_was_chosen():
    x = [tf.constant(each) for each in (A, B, C)]
    with tf.GradientTape() as tape:
        tape.watch(x)
        out = MultiplexerLayer()(x, sel=tf.constant(1))

    np.testing.assert_array_equal(
        [tf.reduce_sum(each) for each in tape.gradient(out, x)], [0, A.size, 0]
    )


def test_over_placeholders_sel_is_one_that_is_fed():
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as sess, isolated():
        a, b = (v1.placeholder(tf.float32, [None, 4]) for _ in range(2))
        nets = [InputLayer(a, name="a"), InputLayer(b, name="b")]
        net = MultiplexerLayer(nets, name="mux")
        above = ElementwiseLambda([net], lambda x: 2 * x, name="twice")
        feed = {a: A, b: B}

        assert (net.sel.op.type, net.sel.shape, net.name) == ("Placeholder", (), "mux")
        assert above.all_drop == {}
        for number, expected in enumerate((A, B)):
            np.testing.assert_array_equal(
                sess.run(above.outputs, {**feed, net.sel: number}), 2 * expected
            )
        with pytest.raises(tf.errors.InvalidArgumentError, match="feed a value for placeholder"):
            sess.run(above.outputs, feed)
        chosen = v1.placeholder(tf.int32, [])
        by_network = MultiplexerLayer(nets, sel=InputLayer(chosen, name="sel"), name="other")
        np.testing.assert_array_equal(sess.run(by_network.outputs, {**feed, chosen: 1}), B)
        constant = MultiplexerLayer(nets, sel=1, name="constant")
        np.testing.assert_array_equal(sess.run(constant.outputs, feed), B)
        np.testing.assert_array_equal(sess.run(above([A, B])), 2 * A)


@pytest.mark.parametrize("sel", [3, -1, 1.0, "a"])
def test_sel_is_the_number_of_a_network(sel):
    with pytest.raises(InvalidArgument, match="number of one of 3 networks, from 0 to 2; got"):
        MultiplexerLayer(inputs(), sel=sel)


def test_sel_is_one_number():
    with pytest.raises(WrongShape, match=r"sel is a single number, got shape \(2,\)"):
        MultiplexerLayer()([A, B], sel=tf.constant([0, 1]))


def test_names_of_1x():
    assert (StackLayer, UnStackLayer) == (Stack, UnStack)
