"""What is frozen: its weights are not trained, and its statistics stand still."""

from __future__ import annotations

import copy
import gc

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.layers import BatchNorm, Dense, Dropout, Input, Layer
from tensorlayer.layers.parameters import frozen_now
from tensorlayer.models import Model

X = np.random.default_rng(0).normal(1.0, 2.0, size=(16, 4)).astype("float32")


def moved(net, *, is_train=True):
    before = [v.numpy() for v in net.nontrainable_weights]
    net(X, is_train=is_train)
    after = [v.numpy() for v in net.nontrainable_weights]
    return any(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize(
    "freeze",
    [
        lambda x: BatchNorm(x, is_train=False, name="bn"),
        lambda x: BatchNorm(is_train=False, name="bn")(x),
        lambda x: BatchNorm(x, trainable=False, name="bn"),
        lambda x: BatchNorm(trainable=False, name="bn")(x),
    ],
)
def test_a_frozen_normalisation_stands_still_in_training(freeze):
    net = Dense(freeze(Input([None, 4])), 2, name="d")

    assert not moved(net)
    np.testing.assert_array_equal(net(X, is_train=True), net(X, is_train=False))
    assert moved(Dense(BatchNorm(Input([None, 4]), name="bn"), 2, name="d"))


class Normed(Layer):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.d = Dense(n_units=4)
        self.bn = BatchNorm()
        self.drop = Dropout(keep=0.5)

    def forward(self, inputs):
        return self.drop(self.bn(self.d(inputs)))


def test_a_frozen_block_freezes_all_in_it():
    net = Normed(Input([None, 4]), trainable=False, name="b")

    assert net.trainable_weights == []
    assert len(net.nontrainable_weights) == len(net.all_weights) == 6
    assert not moved(net)
    np.testing.assert_array_equal(net(X, is_train=True), net(X, is_train=False))


def test_frozen_can_be_thawed():
    net = Normed(Input([None, 4]), name="b")
    assert len(net.trainable_weights) == 4

    net.layer.trainable = False
    assert net.trainable_weights == []
    assert not moved(net)
    net.layer.trainable = True
    assert len(net.trainable_weights) == 4
    assert moved(net)


def test_a_frozen_model_is_frozen_wherever_it_is():
    x = Input([None, 4], name="x")
    backbone = Model(x, Normed(x, name="b"), name="backbone")
    y = Input([None, 4], name="y")
    outer = Model(y, Dense(backbone(y), 2, name="head"))

    backbone.trainable = False

    assert list(map(id, outer.trainable_weights)) == list(
        map(id, outer.get_layer("head").trainable_weights)
    )
    assert not moved(backbone)
    before = backbone.to_arrays()
    outer(X, is_train=True)
    assert all(np.array_equal(v, before[k]) for k, v in backbone.to_arrays().items())


def test_a_network_freezes_the_layers_below_it():
    features = Normed(Input([None, 4]), name="b")
    net = Dense(features, 2, name="head")

    features.trainable = False

    assert len(net.trainable_weights) == 2
    assert not features.trainable
    assert net.trainable


def test_what_is_frozen_survives_the_config():
    x = Input([None, 4], name="x")
    model = Model(x, Dense(x, 2, trainable=False, dtype="float64", name="d"))

    again = Model.from_config(model.config)

    assert again.trainable_weights == []
    assert again.all_weights[0].dtype == tf.float64


# -- what was traced


def test_freezing_is_seen_and_ends_with_thawing():
    layer, before = Dense(n_units=2), frozen_now()
    seen = []
    for trainable in (True, False, False, True, False):
        layer.trainable = trainable
        seen.append(frozen_now() - before)
    assert [len(each) for each in seen] == [0, 1, 1, 0, 1]
    assert seen[1] == seen[4], "a state that comes again is the same one"


def test_a_frozen_copy_is_frozen_as_well():
    before = frozen_now()
    layer = Dense(n_units=2, trainable=False)
    [first] = frozen_now() - before
    copied = copy.deepcopy(layer)
    [second] = frozen_now() - before - {first}

    copied.trainable = True
    assert first in frozen_now()
    assert second not in frozen_now()


def test_what_is_gone_is_not_frozen():
    before = frozen_now()
    layer = Dense(n_units=2, trainable=False)
    [number] = frozen_now() - before
    del layer
    gc.collect()

    assert number not in frozen_now()
