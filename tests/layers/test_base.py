from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, UnknownArgument, WrongShape
from tensorlayer.layers import Dense, Input, Layer


class Scaled(Layer):
    """A custom layer as TensorLayer 2.x documents it."""

    def __init__(self, n_units, act=None, name=None, in_channels=None):
        super().__init__(name, act=act)
        self.n_units = n_units
        self.in_channels = in_channels
        if in_channels is not None:
            self.build((None, in_channels))
            self._built = True

    def build(self, inputs_shape):
        shape = [inputs_shape[-1], self.n_units]
        self.W = self._get_weights("weights", shape=shape, init=tl.initializers.ones())

    def forward(self, inputs):
        z = tf.matmul(inputs, self.W)
        return z if self.act is None else self.act(z)


class Block(Layer):
    """A layer of layers."""

    def __init__(self, name=None):
        super().__init__(name=name)
        self.first = Dense(n_units=3)
        self.others = [Dense(n_units=2, name="named")]

    def forward(self, inputs):
        return self.others[0](self.first(inputs))


def test_custom_layer_is_three_methods():
    net = Scaled(Input([None, 2]), n_units=3, act="relu", name="scaled")

    np.testing.assert_array_equal(net(tf.ones([1, 2])), [[2, 2, 2]])
    assert list(net.parameters) == ["scaled/weights"]
    assert net.layer.act is tf.nn.relu


def test_weights_exist_from_the_start_with_in_channels():
    layer = Scaled(3, in_channels=2, name="s")

    assert layer.all_weights[0].name == "s/weights:0"
    np.testing.assert_array_equal(layer(tf.ones([1, 2])), [[2, 2, 2]])


def test_layers_in_layers_are_named_by_attribute_or_name():
    net = Block(Input([None, 4]), name="block")

    assert list(net.parameters) == [
        "block/first/weights", "block/first/biases",
        "block/others/named/weights", "block/others/named/biases",
    ]  # fmt: skip


def test_prev_layer_is_the_first_argument():
    x = Input([None, 4])

    assert Dense(prev_layer=x, n_units=3).outputs == Dense(x, 3).outputs
    assert Dense(layer=x, n_units=3).outputs == Dense(x, 3).outputs


def test_the_previous_network_given_twice_is_refused():
    x = Input([None, 4])

    with pytest.raises(UnknownArgument, match="given twice, also as 'prev_layer'"):
        Dense(x, prev_layer=x, n_units=3)


def test_a_raw_tensor_as_previous_layer_names_the_remedy():
    with pytest.raises(InvalidArgument, match=r"tl.layers.InputLayer\(tensor\)"):
        Dense(tf.ones([2, 4]), n_units=3)


def test_too_many_arguments_show_the_signature():
    with pytest.raises(InvalidArgument, match=r"Flatten: too many.*Flatten\(name"):
        tl.layers.Flatten(Input([None, 2]), "name", 3)


def test_an_unknown_activation_names_the_closest():
    with pytest.raises(InvalidArgument, match=r"unknown activation 'rellu'. Did you mean 'relu'"):
        Dense(Input([None, 2]), 3, act="rellu")


def test_a_layer_without_forward_says_so():
    class Empty(Layer):
        pass

    with pytest.raises(InvalidArgument, match="Empty: a layer has to define forward"):
        Empty()(tf.ones([1]))


def test_a_layer_applied_to_a_tensor_is_told_the_mode():
    layer, x = tl.layers.Dropout(keep=0.5), tf.ones([1, 100])

    assert np.any(layer(x, is_train=True) == 0)
    assert np.all(layer(x) == 1)


def test_a_layer_applied_to_another_size_is_named():
    layer = Dense(n_units=3, name="shared")
    layer(Input([None, 4]))

    with pytest.raises(
        WrongShape, match=r"Dense.*'shared'\) cannot be applied to shape \(None, 5\)"
    ):
        layer(Input([None, 5]))


def test_weights_are_made_once_and_not_while_computing():
    layer = Scaled(3, name="s")
    traced = tf.function(lambda x: layer(x))
    traced(tf.ones([1, 2]))
    weight = layer.W

    layer(tf.ones([4, 2]))

    assert layer.W is weight
    assert layer.trainable_weights == [weight]


def test_a_layer_is_a_module(tmp_path):
    layer = Scaled(3, in_channels=2)

    path = tf.train.Checkpoint(layer=layer).write(str(tmp_path / "c"))
    layer.W.assign(tf.zeros([2, 3]))
    tf.train.Checkpoint(layer=layer).read(path)

    np.testing.assert_array_equal(layer.W, np.ones([2, 3]))


def test_initializers_are_callables_names_numbers_or_arrays():
    for init in (
        tl.initializers.ones(),
        "ones",
        1.0,
        np.ones([4, 3]),
        tf.keras.initializers.Ones(),
    ):
        layer = Dense(Input([None, 4]), 3, W_init=init).layer

        np.testing.assert_array_equal(layer.W, np.ones([4, 3]))


def test_layers_follow_a_distribution_strategy():
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        net = Dense(Input([None, 4]), 3)

    result = strategy.run(lambda: net(tf.ones([2, 4])))

    assert strategy.experimental_local_results(result)[0].shape == (2, 3)


def test_other_variables_can_take_the_place_of_the_parameters():
    layer = Dense(2, in_channels=3)
    other = tf.Variable(tf.ones([3, 2]))

    layer.replace_variables({layer.W.ref(): other})

    assert layer.W is layer.parameters["weights"] is other
    np.testing.assert_array_equal(layer(tf.ones([1, 3])), [[3, 3]])
