from __future__ import annotations

import copy

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import Concat, Dense, Dropout, Input, InputLayer, Lambda
from tensorlayer.layers.graph import evaluate

RNG = np.random.default_rng(0)


def mlp():
    net = Input([None, 6], name="x")
    net = Dense(net, 5, act=tf.nn.relu, name="hidden")
    return Dense(net, 3, name="logits")


# -- what a network is


def test_specs_in_spec_out():
    assert mlp().outputs == tf.TensorSpec([None, 3], tf.float32)


def test_tensors_in_tensor_out():
    x = RNG.normal(size=(4, 6)).astype("float32")
    net = Dense(InputLayer(tf.constant(x), name="x"), 3, name="d")

    weights, biases = net.all_params

    np.testing.assert_allclose(net.outputs, x @ weights.numpy() + biases.numpy(), rtol=1e-5)


def test_a_network_over_a_tensor_is_evaluated_on_other_batches():
    net = Dense(InputLayer(tf.ones([4, 6])), 3)

    assert net(tf.ones([2, 6])).shape == (2, 3)


def test_layers_compute_inside_a_tf_function():
    layer = Dense(n_units=3, name="d")

    @tf.function
    def step(x):
        return layer(InputLayer(x, name="x")).outputs

    first = step(tf.ones([2, 6]))

    np.testing.assert_allclose(step(tf.ones([5, 6]))[:2], first, rtol=1e-6)


def test_layers_become_operations_of_a_tensorflow_1_graph():
    v1 = tf.compat.v1
    x = RNG.normal(size=(4, 6)).astype("float32")
    with tf.Graph().as_default(), v1.Session() as session:
        placeholder = v1.placeholder(tf.float32, [None, 6])
        net = Dense(InputLayer(placeholder, name="x"), 3, name="d")
        session.run(v1.global_variables_initializer())
        weights, result = session.run([net.all_params[0], net.outputs], {placeholder: x})

    np.testing.assert_allclose(result, x @ weights, rtol=1e-5)


def test_declared_inputs_and_tensors_do_not_mix():
    with pytest.raises(InvalidArgument, match=r"joins a network over Input\(shape\) with one over"):
        Concat([Input([None, 3]), InputLayer(tf.ones([2, 3]))])


def test_all_layers_lists_the_events_without_the_inputs():
    net = mlp()

    assert [(n.name, tuple(n.shape)) for n in net.all_layers] == [
        ("hidden", (None, 5)), ("logits", (None, 3)),
    ]  # fmt: skip
    assert len(net) == 2
    assert "<Network 'logits' (None, 3) of Dense(" in repr(net)


def test_parameters_are_counted_and_divided():
    net = tl.layers.BatchNorm(mlp(), name="bn")

    assert net.count_params() == 6 * 5 + 5 + 5 * 3 + 3 + 4 * 3
    assert [v.name for v in net.nontrainable_weights] == ["bn/moving_mean:0", "bn/moving_var:0"]
    assert net.all_weights == net.trainable_weights + net.nontrainable_weights
    assert len(net.all_params) == 8


def test_print_shows_names_and_shapes_without_any_set_up(capsys):
    net = mlp()
    net.print_params(details=True)
    net.print_layers()

    shown = capsys.readouterr().out
    for text in ("hidden/weights", "(6, 5)", "median", "53 parameters", "logits", "(None, 3)"):
        assert text in shown


def test_slices_are_networks():
    net = mlp()[:, :2]
    x = RNG.normal(size=(4, 6)).astype("float32")

    assert tuple(net.shape) == (None, 2)
    np.testing.assert_array_equal(net(x), mlp_values(net, x)[:, :2])


def mlp_values(net, x):
    w1, b1, w2, b2 = (v.numpy() for v in net.all_params)
    hidden = np.maximum(x @ w1 + b1, 0)
    return tf.constant(hidden) @ w2 + b2


def test_a_structure_unpacks_into_networks():
    def split(x):
        return 2 * x, {"first": x[:, :1], "rest": x[:, 1:]}

    double, parts = Lambda(Input([None, 4]), split, name="split")
    net = Concat([double, parts["rest"]])

    assert tuple(parts["first"].shape) == (None, 1)
    np.testing.assert_array_equal(net(tf.ones([1, 4])), [[2, 2, 2, 2, 1, 1, 1]])


@pytest.mark.parametrize(
    "use",
    [
        tf.nn.relu, tf.convert_to_tensor, tf.reduce_mean, np.asarray, np.mean, iter, list,
        lambda net: tf.concat([net, net], 0), lambda net: tf.stack([net, net]),
        lambda net: tf.matmul(net, net), lambda net: tf.ones([2, 2]) + net, lambda net: net[0],
        lambda net: tf.function(lambda: tf.nn.relu(net))(),
    ],
)  # fmt: skip
def test_a_network_is_no_tensor_and_no_container(use):
    for net in (mlp(), Input([None, 3])):
        with pytest.raises((ValueError, TypeError), match=r"tl.layers.Lambda\(net, tf.nn"):
            use(net)
        assert bool(net)


def test_unpacking_a_network_that_is_one_says_so():
    with pytest.raises(InvalidArgument, match="is a network, not a tensor, a list"):
        _out, _state = mlp()


def test_a_network_is_checkpointed_by_the_names_of_its_layers(tmp_path):
    net = Dense(mlp(), 2)
    before = [v.numpy() for v in net.all_params]
    path = tf.train.Checkpoint(net=net).write(str(tmp_path / "c"))
    for variable in net.all_params:
        variable.assign(variable + 1)

    tf.train.Checkpoint(net=net).read(path).assert_consumed()

    for variable, value in zip(net.all_params, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    names = [name for name, _ in tf.train.list_variables(path)]
    assert "net/dense_1/W/.ATTRIBUTES/VARIABLE_VALUE" in names


def test_a_module_that_keeps_a_network_lists_and_saves_its_variables(tmp_path):
    class Foreign(tf.Module):
        def __init__(self):
            super().__init__()
            self.net = mlp()

    module = Foreign()

    assert len(module.trainable_variables) == 4
    path = tf.train.Checkpoint(module=module).write(str(tmp_path / "c"))
    assert len(tf.train.list_variables(path)) == 5


def test_a_deep_network_is_copied_with_layers_of_its_own():
    net = Input([None, 2])
    for _ in range(300):
        net = tl.layers.Flatten(net)
    net = Dense(net, 2, name="d")

    copied = copy.deepcopy(net)

    assert list(copied.parameters) == list(net.parameters)
    assert len(copied) == 301
    copied.all_params[0].assign(tf.zeros([2, 2]))
    assert np.any(net.all_params[0].numpy() != 0)
    x = np.ones([1, 2], "float32")
    np.testing.assert_array_equal(copied(x), [[0, 0]])


# -- evaluation


def test_a_fraction_is_not_cut_off_for_an_input_of_integers():
    net = Lambda(Input([None], dtype="int32", name="ids"), lambda x: x + 1)

    with pytest.raises(WrongShape, match=r"input 'ids' takes int32 of shape .*, got float64"):
        net(np.array([1.5]))
    assert net([1, 2]).numpy().tolist() == [2, 3]


def test_every_event_is_computed_once():
    calls = []

    def count(x):
        calls.append(1)
        return x

    shared = Lambda(Input([None, 2]), count, name="shared")
    net = Concat([shared, shared, Lambda(shared, tf.identity, name="after")])
    calls.clear()

    net(tf.ones([1, 2]))

    assert len(calls) == 1


def test_nothing_below_a_given_value_is_computed():
    hidden = Lambda(Input([None, 2], name="x"), tf.identity, name="hidden")
    net = Lambda(hidden, lambda x: 2 * x, name="double")

    values = evaluate(net, {hidden: tf.ones([1, 2])})

    np.testing.assert_array_equal(values, [[2, 2]])


def test_several_inputs_are_fed_in_order_or_by_name():
    a, b = Input([None, 2], name="a"), Input([None, 3], name="b")
    net = Concat([a, b], name="both")
    values = [tf.ones([1, 2]), tf.zeros([1, 3])]

    by_order, by_name = net(values), net({"b": values[1], "a": values[0]})

    np.testing.assert_array_equal(by_order, [[1, 1, 0, 0, 0]])
    np.testing.assert_array_equal(by_name, by_order)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([tf.ones([1, 2])], r"has the inputs 'a', 'b', got 1 value"),
        (tf.ones([1, 2]), r"got 1 value"),
        ({"a": 1.0, "c": 1.0}, r"no input is named 'c'.*'a', 'b'"),
        ({"a": 1.0}, r"the input 'b' needs a value"),
    ],
)
def test_values_that_do_not_match_the_inputs_are_refused(values, message):
    net = Concat([Input([None, 2], name="a"), Input([None, 3], name="b")])

    with pytest.raises(InvalidArgument, match=message):
        net(values)


@pytest.mark.parametrize("value", [tf.ones([2, 5]), np.ones([6]), tf.ones([2, 6], tf.float64)])
def test_a_value_of_the_wrong_shape_or_type_is_refused_with_both(value):
    got = rf"got float(32|64) of shape \({', '.join(map(str, value.shape))},?\)"

    with pytest.raises(WrongShape, match=rf"input 'x' takes float32 of shape \(None, 6\), {got}"):
        mlp()(value)


def test_arrays_of_another_float_type_are_converted():
    assert mlp()(np.ones([2, 6])).dtype == tf.float32


def test_the_mode_of_an_evaluation_wins_over_the_mode_of_the_declaration():
    x = tf.ones([1, 100])
    net = Dropout(Input([None, 100]), keep=0.5, is_train=True)

    assert np.any(net(x) == 0), "a script of 1.x that never says a mode gets the declared one"
    assert np.all(net(x, is_train=False) == 1)


def test_the_mode_is_a_matter_of_the_trace():
    net = Dropout(Input([None, 100]), keep=0.5)
    x = tf.ones([1, 100])
    train = tf.function(lambda x: net(x, is_train=True))
    infer = tf.function(lambda x: net(x, is_train=False))

    for _ in range(2):
        assert np.any(train(x) == 0)
        assert np.all(infer(x) == 1)


def test_a_thousand_stacked_layers_build_and_evaluate():
    net = Input([None, 4], name="x")
    for index in range(1000):
        net = Dense(net, 4, W_init=tl.initializers.Constant(0.25), name=f"d{index}")

    np.testing.assert_allclose(net(tf.ones([1, 4])), np.ones([1, 4]), rtol=1e-4)
    assert len(net.all_params) == 2000


def test_python_control_flow_on_tensors_works_in_custom_layers():
    class Positive(tl.layers.Layer):
        def forward(self, inputs):
            if tf.reduce_sum(inputs) > 0:
                return inputs
            return -inputs

    net = Positive(Input([None, 2]), name="positive")
    traced = tf.function(lambda x: net(x))

    np.testing.assert_array_equal(traced(-tf.ones([1, 2])), [[1, 1]])


def test_networks_offer_what_their_layer_says():
    class Counted(tl.layers.Layer):
        for_networks = ("double", "shape_of")
        double = 2

        def forward(self, x):
            return tl.layers.Outputs(x, other=x) if self.facts.own_name == "both" else x

        def shape_of(self, network, more):
            return network.outputs.shape, more

    for name in ("one", "both"):
        net = Counted(tl.layers.Input([None, 3]), name=name)
        assert net.double == 2
        assert net.shape_of("more") == (tf.TensorShape([None, 3]), "more")
        with pytest.raises(AttributeError, match="no attribute 'triple'"):
            net.triple  # noqa: B018
