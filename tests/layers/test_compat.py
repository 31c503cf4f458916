from __future__ import annotations

import logging

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, UnknownArgument
from tensorlayer.layers import DenseLayer, DropoutLayer, InputLayer


def test_a_network_in_the_spelling_of_1_x():
    x = tf.constant(np.random.default_rng(0).normal(size=(4, 6)), tf.float32)
    net = InputLayer(x, name="input_layer")
    net = DropoutLayer(net, keep=0.8, is_fix=True, is_train=False, name="drop1")
    net = DenseLayer(net, n_units=5, act=tf.nn.relu, W_init_args=None, name="relu1")
    net = tl.layers.BatchNormLayer(net, is_train=False, name="bn")
    net = DenseLayer(prev_layer=net, n_units=2, act=tf.identity, name="output")

    assert net.outputs.shape == (4, 2)
    assert len(net.all_params) == 8
    assert len(net.all_layers) == 4


def test_is_train_of_a_declaration_is_the_mode_of_its_outputs():
    x = tf.constant(np.random.default_rng(0).normal(3.0, 2.0, size=(64, 5)), tf.float32)

    trained = tl.layers.BatchNorm(InputLayer(x), is_train=True, name="bn")
    inferred = tl.layers.BatchNorm(InputLayer(x), is_train=False, name="bn")

    np.testing.assert_allclose(np.mean(trained.outputs, 0), 0, atol=0.01)
    np.testing.assert_allclose(inferred.outputs, x, rtol=0.05, atol=0.05)


def test_arguments_without_effect_are_accepted_and_said(caplog):
    with caplog.at_level(logging.WARNING, "tensorlayer"):
        DenseLayer(InputLayer(tf.ones([1, 2])), n_units=1, W_init_args={"dtype": tf.float16})

    assert "Dense: the argument W_init_args has no effect" in caplog.text


def test_old_names_of_arguments_are_taken():
    x = tl.layers.Input([None, 4, 4, 8])

    assert tl.layers.SubpixelConv2d(x, n_out_channel=2).layer.n_out_channels == 2
    assert tl.layers.DeConv2d(x, n_out_channel=2).layer.n_filter == 2
    with pytest.raises(tl.errors.UnknownArgument, match="unknown argument 'n_out_channel'"):
        DenseLayer(InputLayer(tf.ones([1, 2])), n_out_channel=2)
    with pytest.raises(
        tl.errors.UnknownArgument, match="'n_filter' is given twice, also as 'n_out"
    ):
        tl.layers.DeConv2d(x, n_filter=2, n_out_channel=2)


def test_set_name_reuse_stays_callable_and_names_the_scope(caplog):
    with caplog.at_level(logging.WARNING, "tensorlayer"):
        tl.layers.set_name_reuse(True)

    assert "variable_scope(name, reuse=True)" in caplog.text


def test_networks_that_are_merged_may_be_called_layers():
    one, other = (InputLayer(tf.ones([2, n]), name=f"x{n}") for n in (3, 4))

    assert tl.layers.ConcatLayer(layers=[one, other], name="c").outputs.shape == (2, 7)
    assert tl.layers.LayerList(layers=[DenseLayer(n_units=2)], name="l")(one).outputs.shape == (
        2,
        2,
    )


def test_only_layers_that_began_networks_take_tensors():
    ids = tf.constant([1, 2])

    net = tl.layers.Embedding(ids, 10, 3, name="e")

    assert len(net.input_nodes) == 1
    assert tl.layers.OneHot(inputs=ids, depth=3, name="o").outputs.shape == (2, 3)
    with pytest.raises(InvalidArgument, match="a layer is stacked on a network, got EagerTensor"):
        DenseLayer(tf.ones([2, 3]), n_units=2)
    with pytest.raises(UnknownArgument, match="given twice, also as 'inputs'"):
        tl.layers.Embedding(net, inputs=ids, vocabulary_size=3, name="f")


def test_a_dropout_that_is_fixed_drops_where_nobody_says_that_it_trains():
    x = tf.ones([1, 400])

    fixed = DropoutLayer(InputLayer(x), keep=0.5, is_fix=True).outputs.numpy()
    free = DropoutLayer(InputLayer(x), keep=0.5, is_fix=False).outputs

    assert set(fixed.ravel()) == {0.0, 2.0}
    assert 120 < np.count_nonzero(fixed) < 280
    np.testing.assert_array_equal(free, x)


def test_every_layer_can_be_told_the_type_of_its_variables():
    net = DenseLayer(InputLayer(tf.ones([1, 2])), n_units=3, dtype=tf.float16)

    assert {each.dtype for each in net.all_params} == {tf.float16}


def test_a_network_given_as_an_activation_is_told_what_one_is():
    x = tl.layers.Input([None, 4])

    with pytest.raises(InvalidArgument, match=r"'act' is no input .* a layer or a model\.$"):
        DenseLayer(x, n_units=3, act=x)


def test_a_layer_of_ones_own_has_its_own_is_fix():
    class Fixed(tl.layers.Layer):
        def __init__(self, is_fix=False, is_train=False, name=None):
            super().__init__(name=name)
            self.said = (is_fix, is_train)

        def forward(self, inputs):
            return inputs

    net = Fixed(tl.layers.Input([None, 3]), is_fix=True)

    assert net.layer.said == (True, False)
    assert net.is_train is None


def test_is_fix_of_a_dropout_is_in_its_config_only_if_it_was_said():
    said = DropoutLayer(tl.layers.Input([None, 3]), keep=0.5, is_fix=True, name="drop")
    unsaid = DropoutLayer(tl.layers.Input([None, 3]), keep=0.5, name="drop")

    assert said.layer.config["args"] == {"keep": 0.5, "name": "drop", "is_fix": True}
    assert unsaid.layer.config["args"] == {"keep": 0.5, "name": "drop"}
    assert said.is_train is True


def test_what_may_be_a_tensor_becomes_a_network():
    x = tl.layers.InputLayer(tf.ones([2, 4]), name="x")

    net = tl.layers.ReconLayer(x, x_recon=tf.ones([2, 4]), n_units=4, act="sigmoid", name="recon")

    assert isinstance(net.options["x_recon"], tl.layers.Network)
