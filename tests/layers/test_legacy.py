from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import Dense, Input, InputLayer, Layer


class Double(Layer):
    """As TensorLayer 1.11 documents a custom layer."""

    def __init__(self, prev_layer, scale=2.0, act=None, name="double"):
        super().__init__(prev_layer=prev_layer, act=act, name=name)
        self.outputs = self._apply_activation(self.inputs * scale)
        self._add_layers(self.outputs)


class OldDense(Layer):
    """As TensorLayer 1.6 documents one."""

    def __init__(self, layer=None, n_units=3, name="old_dense"):
        Layer.__init__(self, name=name)
        self.inputs = layer.outputs
        with tf.compat.v1.variable_scope(name):
            W = tf.compat.v1.get_variable("W", shape=[self.inputs.shape[-1], n_units])
        b = tf.Variable(tf.zeros([n_units]), name=f"{name}/b")
        self.outputs = tf.matmul(self.inputs, W) + b
        self.all_layers = list(layer.all_layers)
        self.all_params = list(layer.all_params)
        self.all_layers.extend([self.outputs])
        self.all_params.extend([W, b])


class Sum(Layer):
    def __init__(self, prev_layer, name="sum"):
        super().__init__(prev_layer=prev_layer, name=name)
        self.outputs = self.inputs[0] + self.inputs[1]


class Nothing(Layer):
    def __init__(self, prev_layer, name="nothing"):
        super().__init__(prev_layer=prev_layer, name=name)


def test_a_constructor_that_computes_is_a_layer():
    net = Double(Input([None, 2]), scale=3.0, act=tf.nn.relu, name="triple")
    net = Dense(net, 1, name="after")

    assert [n.name for n in net.all_layers] == ["triple", "after"]
    np.testing.assert_array_equal(net.parents[0](tf.constant([[1.0, -1.0]])), [[3, 0]])


def test_its_variables_are_made_once_and_become_the_networks():
    net = OldDense(Input([None, 4]), n_units=3, name="dense")

    assert list(net.parameters) == ["dense/W", "dense/b"]
    x = np.ones([2, 4], "float32")
    W, b = net.all_params
    assert W.name == "dense/W:0"  # in the scope that the constructor enters
    for evaluate in (net, tf.function(lambda x: net(x)), tf.function(lambda x: 1 * net(x))):
        np.testing.assert_allclose(evaluate(tf.constant(x)), x @ W.numpy() + b.numpy(), rtol=1e-5)
    assert net.all_params == [W, b]


def test_it_trains():
    net = OldDense(Input([None, 4]), n_units=1, name="dense")
    x = tf.ones([8, 4])

    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(net(x) ** 2 + net(x))

    assert all(g is not None for g in tape.gradient(loss, net.trainable_weights))


def test_it_computes_over_tensors_and_lists():
    a, b = InputLayer(tf.ones([1, 2]), name="a"), InputLayer(tf.ones([1, 2]), name="b")

    np.testing.assert_array_equal(Sum([a, b]).outputs, [[2, 2]])
    assert Double(prev_layer=a).outputs.shape == (1, 2)


def test_a_constructor_that_sets_no_outputs_is_refused():
    with pytest.raises(InvalidArgument, match=r"Nothing 'nothing'.*has to set self.outputs"):
        Nothing(Input([None, 2]))


def test_names_of_the_default_are_unique_as_well():
    net = Double(Input([None, 2]))

    with pytest.raises(tl.errors.NameTaken, match="'double' is taken"):
        Double(net)
