from __future__ import annotations

import copy
import io
import pickle  # noqa: TID251 - to see that it is refused

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, NotSerializable, UnlistedVariable
from tensorlayer.layers import BatchNorm, Dense, Input, Lambda, Layer
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
    plain = capsys.readouterr().out
    assert "moving_var" in plain
    assert "median" not in plain
    thing.print_params(details=True)
    assert "median" in capsys.readouterr().out


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


def test_a_deep_copy_whose_function_holds_the_variables_of_the_original_is_told():
    scale = tf.Variable(2.0, name="scale")
    layer = Lambda(lambda x: x * scale, fn_weights=[scale], name="scaled")
    np.testing.assert_array_equal(layer(tf.ones([2]), is_train=False), [2.0, 2.0])

    copied = copy.deepcopy(layer)

    with pytest.raises(UnlistedVariable, match="scale"):
        copied(tf.ones([2]), is_train=False)
    np.testing.assert_array_equal(layer(tf.ones([2]), is_train=False), [2.0, 2.0])


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


# -- names that attributes of one's own cannot have


def a_kind(base, set_in, name):
    """Return a class that sets the attribute ``name`` in its constructor or in its ``forward``."""

    class Odd(base):
        def __init__(self):
            super().__init__(name="odd")
            if set_in == "constructor":
                setattr(self, name, "x")

        def forward(self, inputs):
            if set_in == "forward":
                setattr(self, name, "x")
            return inputs

    return Odd


OF_LAYERS = ["facts", "arguments", "is_train", "parameters", "variables", "trainable_weights"]
OF_MODELS = ["facts", "arguments", "follow", "parameters", "variables", "config", "inputs"]


@pytest.mark.parametrize("set_in", ["constructor", "forward"])
@pytest.mark.parametrize(
    ("base", "name"), [*[(Layer, name) for name in OF_LAYERS], *[(Model, n) for n in OF_MODELS]]
)
def test_an_attribute_in_the_place_of_something_else_is_refused_with_what_is_taken(
    base, name, set_in
):
    with pytest.raises(
        InvalidArgument,
        match=rf"^Odd: the attribute '{name}' cannot be set, .*arguments, .*submodules, .*\.$",
    ):
        a_kind(base, set_in, name)()(Input([None, 3]))


PRIVATE = ["_weights", "_layers", "_keep", "_mode", "_said", "_held", "_ends", "_parts"]


@pytest.mark.parametrize("base", [Layer, Model])
@pytest.mark.parametrize("name", [*PRIVATE, "parts", "place", "save", "train", "transform"])
def test_other_names_are_free(base, name):
    thing = a_kind(base, "constructor", name)()
    x = np.ones([2, 3], "float32")

    np.testing.assert_array_equal(thing(x, is_train=False), x)
    assert getattr(thing, name) == "x"
    assert thing.all_weights == []
    assert repr(thing)
    assert thing(Input([None, 3])).outputs.shape == [None, 3]


def test_a_class_that_defines_the_name_itself_sets_it():
    class Own(Layer):
        is_train = None

        def __init__(self):
            super().__init__()
            self.is_train = "always"

    assert Own().is_train == "always"


def test_an_error_of_somebodys_setter_is_his():
    class Own(Layer):
        @property
        def width(self):
            return 1

        @width.setter
        def width(self, width):
            raise AttributeError("not today")

    with pytest.raises(AttributeError, match="not today"):
        Own().width = 2
