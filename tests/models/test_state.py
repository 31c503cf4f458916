"""What is frozen, told and of which types comes back with a config."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import BrokenConfig
from tensorlayer.layers import BatchNorm, Dense, Dropout, Input, Layer
from tensorlayer.models import Model
from tests.models import hostile
from tests.models.test_config import changed

ONES = np.ones([2, 3], np.float32)


class Two(Model):
    """Makes two layers, one of them frozen."""

    def __init__(self, name=None):
        super().__init__(name=name)
        self.backbone = Dense(3, in_channels=3)
        self.backbone.trainable = False
        self.heads = [Dense(2, in_channels=3), Dense(2, in_channels=3)]

    def forward(self, x):
        return self.heads[0](self.backbone(x)) + self.heads[1](x)


class Late(Model):
    """Makes its layer while it computes."""

    def forward(self, x):
        return Dense(3, name="d")(x)


class Declared(Model):
    """Declares the mode of a layer that it makes while it computes."""

    def forward(self, x):
        return Dropout(keep=0.5, name="drop", is_train=False)(x)


class Stack(Layer):
    """Makes its layer when it is built."""

    def build(self, inputs_shape):
        self.inner = Dense(3, in_channels=inputs_shape[-1])

    def forward(self, inputs):
        return self.inner(inputs)


class Typed(Model):
    """Makes a layer that has a type of its own, and one that has not."""

    def __init__(self, name=None):
        super().__init__(name=name)
        self.double = Dense(3, in_channels=3, dtype="float64")
        self.plain = Dense(3, in_channels=3)

    def forward(self, x):
        return self.plain(tf.cast(self.double(x), tf.float32))


def small():
    x = Input([None, 3], name="x")
    return Model(x, BatchNorm(Dense(x, 3, name="d"), name="bn"), name="small")


def again(model):
    loaded = Model.from_config(json.loads(json.dumps(model.config)))
    assert hostile.structure(loaded.config) == hostile.structure(model.config)
    return loaded


def names(model):
    known = {id(variable): name for name, variable in model.parameters.items()}
    return [known[id(variable)] for variable in model.trainable_weights]


def test_what_is_as_it_was_made_has_no_state():
    assert "state" not in str(small().config)


@pytest.mark.parametrize("freeze", [True, False])
def test_the_state_is_no_part_of_the_identity(freeze):
    model, digest = small(), small().structure_digest
    model.trainable = not freeze
    model.get_layer("d").trainable = not freeze

    assert model.structure_digest == digest


def test_a_frozen_model_and_one_within_another_stay_frozen():
    inner = small()
    inner.trainable = False
    x = Input([None, 3], name="x")
    outer = Model(x, Dense(inner.as_layer()(x), 3, name="out"))

    assert again(inner).trainable_weights == []
    assert names(again(outer)) == names(outer) == ["out/weights", "out/biases"]


@pytest.mark.parametrize("is_train", [True, False])
def test_a_model_within_another_keeps_what_it_was_told(is_train):
    inner = small()
    inner.train() if is_train else inner.eval()
    x = Input([None, 3], name="x")
    loaded = again(Model(x, inner.as_layer(name="m")(x)))
    loaded(np.arange(6.0, dtype="float32").reshape(2, 3), is_train=True)

    moved = loaded.get_layer("m").model.get_layer("bn").moving_mean.numpy().any()
    assert moved == is_train


def test_the_mode_of_the_model_that_is_saved_is_for_its_user_to_say():
    model = small()
    model.eval()

    assert again(model)(ONES, is_train=True).shape == (2, 3)


def test_what_a_model_of_ones_own_made_is_frozen_and_thawed():
    model = Two()
    model.backbone.trainable = True
    model.heads[1].trainable = False
    loaded = again(model)

    assert names(loaded) == names(model)
    assert loaded.backbone.trainable
    assert [head.trainable for head in loaded.heads] == [True, False]


def test_what_a_layer_made_in_its_build_is_frozen():
    x = Input([None, 3], name="x")
    model = Model(x, Stack(x, name="s"), name="m")
    model.get_layer("s").inner.trainable = False

    assert again(model).trainable_weights == []


def test_a_part_that_a_forward_makes_is_our_error():
    model = Late()
    model(ONES, is_train=False)
    model.all_layers[0].trainable = False

    with pytest.raises(BrokenConfig, match=r"\['parts'\].*make it in the constructor"):
        Model.from_config(model.config)


@pytest.mark.parametrize("make", [small, Two])
def test_the_types_of_a_policy_come_back_without_it(make):
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = make()
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    loaded = again(model)

    assert loaded(ONES, is_train=False).dtype == model(ONES, is_train=False).dtype == tf.bfloat16
    assert {variable.dtype for variable in loaded.all_weights} == {tf.float32}


def test_what_was_declared_with_a_layer_that_a_forward_makes_is_left_to_it():
    model = Declared()
    model(ONES, is_train=False)

    assert "state" not in again(model).config


def test_a_type_that_is_an_argument_is_no_state():
    x = Input([None, 3], name="x")
    model = Model(x, Dense(x, 3, dtype="float64", name="d"))

    assert "state" not in hostile.layers(model.config)["d"]
    assert "state" not in Typed().config


@pytest.mark.parametrize("dtype", [tf.float64, "float64"])
def test_a_type_is_written_as_it_was_given(dtype):
    x = Input([None, 3], name="x")
    loaded = again(Model(x, Dense(x, 3, dtype=dtype, name="d")))

    assert loaded.get_layer("d").arguments["dtype"] == dtype
    assert type(loaded.get_layer("d").arguments["dtype"]) is type(dtype)


def test_a_policy_that_was_given_is_written_by_its_name():
    x = Input([None, 3], name="x")
    policy = tf.keras.mixed_precision.Policy("mixed_bfloat16")
    model = Model(x, Dense(x, 3, dtype=policy, name="d"))

    assert again(model)(ONES, is_train=False).dtype == tf.bfloat16


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (3, r"\['state'\]: it has to be an object, got 3"),
        ({"trainable": 1}, r"\['trainable'\]: it has to be true or false, got 1"),
        ({"is_train": "no"}, r"\['is_train'\]: it has to be true or false, got 'no'"),
        ({"parts": {"none": {}}}, r"\['parts'\]\['none'\]: .* has no such part"),
        ({"precision": ["int8", "float16"]}, r"\['precision'\]: two floating-point types"),
        ({"precision": ["float16"]}, r"\['precision'\]: .*not enough values"),
    ],
)
def test_a_broken_state_is_told_with_its_place(state, message):
    with pytest.raises(BrokenConfig, match=message):
        Model.from_config(changed(hostile.small(), "model_architecture", 1, "state", to=state))


def test_a_model_without_a_policy_is_loaded_as_it_was_under_one():
    x = Input([None, 3], name="x")
    model = Model(x, Dense(x, 2, name="d"))
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        again = Model.from_config(model.config)
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")

    assert again.outputs.outputs.dtype == tf.float32
