from __future__ import annotations

import logging

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import (
    BatchNorm,
    Dense,
    Dropout,
    Input,
    InputLayer,
    clear_layers_name,
    get_collection_trainable,
    get_layers_with_name,
    get_variables_with_name,
    initialize_global_variables,
    list_remove_repeat,
    merge_networks,
    print_all_variables,
    variable_scope,
)
from tensorlayer.models import Model

v1 = tf.compat.v1


def network():
    dropped = Dropout(Input([None, 4], name="x"), keep=0.5)
    with variable_scope("generator"):
        net = Dense(dropped, n_units=3, name="d")
        net = BatchNorm(net, name="bn")
    return Dense(net, n_units=2, name="head")


def names(variables):
    return [variable.name.partition(":")[0] for variable in variables]


def test_layers_are_found_by_name(caplog):
    net = network()
    with caplog.at_level(logging.INFO, "tensorlayer"):
        found = get_layers_with_name(net, "generator/", verbose=True)

    assert [each.name for each in found] == ["generator/d", "generator/bn"]
    assert [each.outputs.shape[1] for each in found] == [3, 3]
    assert [record.getMessage().split()[1] for record in caplog.records] == [
        "generator/d:", "generator/bn:",
    ]  # fmt: skip
    assert get_layers_with_name(net, "dropout_1") == [net.all_layers[0]]
    assert get_layers_with_name(net) == net.all_layers


def test_layers_of_a_model_are_found_by_name():
    net = network()
    model = Model(net.input_nodes, net)

    assert get_layers_with_name(model, "head") == [net.layer]


def test_variables_of_a_network_are_found_by_name(caplog):
    net = network()
    with caplog.at_level(logging.INFO, "tensorlayer"):
        trained = get_variables_with_name("generator", True, True, net=net)

    assert names(trained) == [
        "generator/d/weights", "generator/d/biases", "generator/bn/beta", "generator/bn/gamma",
    ]  # fmt: skip
    assert len(caplog.records) == 4
    every = get_variables_with_name("generator", False, net=net)
    assert names(every)[4:] == ["generator/bn/moving_mean", "generator/bn/moving_var"]


def test_variables_of_one_layer():
    net = network()

    assert names(get_collection_trainable("head", net)) == ["head/weights", "head/biases"]
    assert names(get_collection_trainable("generator/bn", net)) == [
        "generator/bn/beta", "generator/bn/gamma",
    ]  # fmt: skip
    assert get_collection_trainable("generator", net) == []


def test_variables_of_a_graph_of_tensorflow_1(capsys):
    with tf.Graph().as_default():
        net = InputLayer(v1.placeholder(tf.float32, [None, 4]), name="x")
        with variable_scope("encoder"):
            net = BatchNorm(Dense(net, n_units=3, name="d"), name="bn")
        trained = get_variables_with_name("encoder")
        assert names(trained) == [
            "encoder/d/weights", "encoder/d/biases", "encoder/bn/beta", "encoder/bn/gamma",
        ]  # fmt: skip
        assert len(get_variables_with_name("encoder", train_only=False)) == 6
        assert names(get_collection_trainable("encoder/d")) == names(trained)[:2]
        print_all_variables()

    shown = capsys.readouterr().out
    assert "encoder/bn/moving_var (3,) float32" in shown
    assert "encoder/d/weights (4, 3) float32" in shown


@pytest.mark.parametrize(
    ("find", "who"),
    [
        (lambda: get_variables_with_name("a"), "get_variables_with_name"),
        (lambda: get_collection_trainable("a"), "get_collection_trainable"),
        (print_all_variables, "print_all_variables"),
    ],
)
def test_eagerly_variables_belong_to_a_network(find, who):
    with pytest.raises(InvalidArgument, match=f"{who}: eagerly variables belong.*Give net="):
        find()


def test_a_name_has_to_be_given():
    with pytest.raises(InvalidArgument, match="give a text that is in the names, got None"):
        get_variables_with_name(net=network())


def test_variables_are_shown(capsys):
    print_all_variables(True, network())

    shown = capsys.readouterr().out
    assert "generator/d/weights (4, 3) float32" in shown
    assert "moving_mean" not in shown


def test_repeated_items_are_left_out():
    one, other = tf.Variable(1.0), tf.Variable(1.0)

    kept = list_remove_repeat([one, other, one, other])

    assert [id(each) for each in kept] == [id(one), id(other)]
    assert list_remove_repeat(["a", "b", "a"]) == ["a", "b"]
    assert list_remove_repeat([[1], [1], (2,)]) == [[1], (2,)]
    assert list_remove_repeat([]) == []


def test_merged_networks_give_the_first_and_list_all():
    x = Input([None, 4], name="x")
    first, second = Dense(x, n_units=3, name="first"), Dense(x, n_units=2, name="second")
    merged = merge_networks([first, second])
    values = np.ones([2, 4], "float32")

    np.testing.assert_array_equal(merged(values), first(values))
    assert names(merged.all_params) == [
        "first/weights", "first/biases", "second/weights", "second/biases",
    ]  # fmt: skip
    assert set(merged.all_layers) >= {first, second}


@pytest.mark.parametrize("given", [None, [], [1]])
def test_what_is_merged_are_networks(given):
    with pytest.raises(InvalidArgument, match="merge_networks: layers is a list of networks, got"):
        merge_networks(given)


def test_clear_layers_name_says_that_it_does_nothing(caplog):
    net = network()
    with caplog.at_level(logging.WARNING, "tensorlayer"):
        clear_layers_name()

    assert "clear_layers_name() has no effect" in caplog.text
    assert len(get_layers_with_name(net)) == 4


def test_a_name_that_no_variable_has_is_warned_of(caplog):
    net = Dense(Input([None, 4]), n_units=2, name="relu")

    with caplog.at_level("WARNING", logger="tensorlayer"):
        assert get_variables_with_name("relu/W", net=net) == []

    assert "'relu/W' is in none of the names ['relu/weights', 'relu/biases']" in caplog.text


def test_names_of_parameters_in_scripts_of_1x_find_those_of_today():
    with tf.Graph().as_default():
        net = InputLayer(v1.placeholder(tf.float32, [None, 6, 6, 3]), name="x")
        net = tl.layers.Conv2d(net, 4, name="cnn1")
        net = tl.layers.FlattenLayer(BatchNorm(net, name="bn"), name="flat")
        Dense(net, n_units=3, name="d1relu")

        def found(name, **options):
            return names(get_variables_with_name(name, **options))

        assert found("relu/W") == ["d1relu/weights"]
        assert found("relu/b") == ["d1relu/biases"]  # as it is: biases begin with b
        assert found("cnn1/W_conv2d") == found("cnn1/kernel") == ["cnn1/filters"]
        assert found("cnn1/b_conv2d") == ["cnn1/biases"]
        assert found("bn/moving_variance", train_only=False) == ["bn/moving_var"]
        assert found("missing/W") == []


def test_variables_are_initialized_in_a_session_only():
    initialize_global_variables(None)
    with pytest.raises(InvalidArgument, match=r"it takes a session, such as .*, got 'sess'"):
        initialize_global_variables("sess")
