from __future__ import annotations

import copy
import io
import pickle  # noqa: TID251 - to see that it is refused

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import NotSerializable
from tensorlayer.layers import BatchNorm, Dense, Input, Layer
from tensorlayer.layers.parameters import HasParameters
from tensorlayer.models import Model


def things():
    x = Input([None, 3], name="x")
    net = BatchNorm(x, name="bn")
    return {"layer": net.layer, "network": net, "model": Model(x, net)}


every_kind = pytest.mark.parametrize("kind", ["layer", "network", "model"])


@every_kind
def test_layers_networks_and_models_tell_the_same(kind, capsys):
    thing = things()[kind]
    beta, gamma, mean, variance = thing.parameters.values()

    assert thing.trainable_weights == [beta, gamma]
    assert thing.nontrainable_weights == [mean, variance]
    assert thing.all_weights == [beta, gamma, mean, variance]
    assert thing.count_params() == 12
    thing.print_params()
    assert "moving_var" in capsys.readouterr().out


@every_kind
def test_the_names_of_a_module_tell_the_same(kind):
    thing = things()[kind]

    assert isinstance(thing, tf.Module)
    assert thing.trainable_variables == thing.trainable_weights
    assert thing.non_trainable_variables == thing.nontrainable_weights
    assert thing.variables == thing.all_weights


def test_trainable_variables_come_first():
    net = BatchNorm(BatchNorm(Input([None, 2]), name="a"), name="b")

    assert [v.trainable for v in net.all_weights] == [True] * 4 + [False] * 4
    assert [v.trainable for v in net.all_params] == [True, True, False, False] * 2
    assert all(isinstance(v, tf.Variable) for v in net.all_params)


# -- freezing


@every_kind
def test_what_is_frozen_trains_nothing_and_keeps_its_weights(kind):
    thing = things()[kind]
    variables = list(thing.parameters.values())

    assert thing.trainable is True
    thing.trainable = 0

    assert thing.trainable is False
    assert thing.trainable_weights == []
    assert thing.nontrainable_weights == thing.all_weights == variables
    thing.trainable = True
    assert len(thing.trainable_weights) == 2


@every_kind
def test_what_is_frozen_computes_as_in_inference(kind):
    thing = things()[kind]
    thing.trainable = False

    thing(np.ones([2, 3], "float32"), is_train=True)

    np.testing.assert_array_equal(thing.nontrainable_weights[2], np.zeros(3))


def test_a_layer_is_frozen_from_the_start_by_its_argument():
    net = Dense(Dense(Input([None, 3]), 2, name="a", trainable=False), 2, name="b")

    assert [v.name for v in net.trainable_weights] == ["b/weights:0", "b/biases:0"]


def test_a_network_is_trainable_as_long_as_one_layer_is():
    net = Dense(Dense(Input([None, 3]), 2, name="a"), 2, name="b")
    net.trainable = False
    assert not net.trainable

    net.layer.trainable = True

    assert net.trainable
    assert [v.name for v in net.trainable_weights] == ["b/weights:0", "b/biases:0"]


def test_a_variable_that_is_not_trained_stays_so():
    class Counter(HasParameters):
        def __init__(self):
            super().__init__()
            self.w = tf.Variable([1.0, 2.0])
            self.n = tf.Variable(0, trainable=False)

    counter = Counter()

    assert (counter.trainable_weights, counter.nontrainable_weights) == ([counter.w], [counter.n])
    assert counter.count_params() == 3
    assert list(counter.parameters) == ["w", "n"]


# -- copies


@every_kind
def test_a_deep_copy_has_variables_of_its_own_under_the_same_names(kind):
    thing = things()[kind]
    copied = copy.deepcopy(thing)

    assert list(copied.parameters) == list(thing.parameters)
    assert not {id(v) for v in copied.all_weights} & {id(v) for v in thing.all_weights}
    copied.all_weights[0].assign_add(tf.ones([3]))
    np.testing.assert_array_equal(thing.all_weights[0], np.zeros(3))
    x = np.ones([2, 3], "float32")
    difference = copied(x, is_train=False) - thing(x, is_train=False)
    np.testing.assert_allclose(difference, np.ones([2, 3]), rtol=1e-5)


def test_a_deep_copy_keeps_what_is_shared_shared():
    layer = Dense(2, in_channels=2, name="d")
    first, second = copy.deepcopy([layer, layer])

    assert first is second
    assert first is not layer


def test_a_deep_copy_of_a_cycle_ends():
    class Cyclic(Layer):
        def forward(self, x):
            return x

    layer = Cyclic(name="c")
    layer.itself = layer

    copied = copy.deepcopy(layer)

    assert copied.itself is copied


@every_kind
@pytest.mark.parametrize("protocol", [0, 2, pickle.HIGHEST_PROTOCOL])
def test_pickling_is_refused_with_what_to_do_instead(kind, protocol):
    with pytest.raises(
        NotSerializable, match=r"cannot be pickled. Write a model with save\(path\).*copy.deepcopy"
    ):
        pickle.Pickler(io.BytesIO(), protocol).dump(things()[kind])
    with pytest.raises(NotSerializable, match="cannot be pickled"):
        copy.copy(things()[kind])
