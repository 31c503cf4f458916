"""In which mode a model computes: alone, in another one, and in a layer."""

from __future__ import annotations

import numpy as np
import pytest

from tensorlayer.errors import ModeError
from tensorlayer.layers import Dense, Dropout, Input, Layer
from tensorlayer.models import Model
from tests.models.test_model import X, static


def test_a_model_that_was_not_told_the_mode_refuses_to_guess():
    with pytest.raises(ModeError, match=r"'static': call train\(\) or eval\(\) first"):
        static()(X)


def test_the_mode_is_said_once_or_with_each_call():
    model = static()
    inferred = model(X, is_train=False)
    model.eval()

    np.testing.assert_array_equal(model(X), inferred)
    np.testing.assert_array_equal(model(X, is_train=False), inferred)
    model.train()
    assert not np.array_equal(model(X), inferred)


def test_a_call_that_contradicts_the_mode_is_refused():
    model = static()
    model.eval()

    with pytest.raises(ModeError, match=r"told is_train=False.*called with is_train=True"):
        model(X, is_train=True)
    with pytest.raises(AttributeError):
        model(X, is_train=True)


def test_the_mode_can_be_set_and_forgotten():
    model = static()
    model.is_train = False
    assert model(X).shape == (5, 2)
    model.is_train = None

    with pytest.raises(ModeError, match="call train"):
        model(X)


def noisy(name=None):
    x = Input([None, 50], name="x")
    return Model(x, Dropout(Dense(x, 50, name="d"), keep=0.5, name="drop"), name=name)


ONES = np.ones([2, 50], "float32")


def is_random(model, **options):
    return not np.array_equal(model(ONES, **options), model(ONES, **options))


def test_a_model_that_was_told_to_train_can_be_applied_to_a_network():
    inner = noisy()
    inner.train()
    x = Input([None, 50])
    outer = Model(x, inner(x))

    assert is_random(outer, is_train=True)
    assert not is_random(outer, is_train=False), "the evaluation around says it"


def test_a_model_that_was_told_to_infer_is_frozen_in_a_larger_one():
    inner = noisy()
    x = Input([None, 50])
    outer = Model(x, Dense(inner(x), 3))

    inner.eval()

    assert not is_random(outer, is_train=True)
    assert len(outer.trainable_weights) == 4, "eval() is a mode; trainable=False freezes weights"


class Owner(Model):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x)


@pytest.mark.parametrize("told", [None, "train", "eval"])
def test_a_model_in_a_model_of_ones_own_follows_unless_it_was_told_to_infer(told):
    inner = noisy()
    if told:
        getattr(inner, told)()
    outer = Owner(inner)

    assert is_random(outer, is_train=True) == (told != "eval")
    assert not is_random(outer, is_train=False)


def test_the_mode_given_where_a_model_is_applied_counts():
    inner, x = noisy(), Input([None, 50])

    frozen = Model(x, inner(x, is_train=False))
    free = Model(x, inner(x))

    assert not is_random(frozen, is_train=True)
    assert is_random(free, is_train=True)


# -- in a layer of one's own


class Around(Layer):
    """A layer that holds a model, as a block of 2.x does."""

    def __init__(self, model, name=None):
        super().__init__(name=name)
        self.model = model

    def forward(self, x):
        return self.model(x)


@pytest.mark.parametrize("told", [None, "train", "eval"])
def test_a_model_in_a_layer_of_ones_own_infers_where_nobody_said_a_mode(told):
    inner = noisy("inner")
    net = Around(inner, name="around")(Input([None, 50], name="z"))
    if told:
        getattr(inner, told)()

    assert is_random(net) is (told == "train")
    assert is_random(net, is_train=True) is (told != "eval")
    assert not is_random(net, is_train=False)
    with pytest.raises(ModeError):  # outside of any layer it still refuses to guess
        noisy()(ONES)
