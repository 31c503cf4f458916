from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, NameMissing
from tensorlayer.layers import Conv2d, Input
from tensorlayer.models.zoo.recipe import Recipe
from tensorlayer.models.zoo.trained import Trained

MADE = []


def points(net, is_train):
    del is_train
    for name in ("first", "second", "third"):
        MADE.append(name)
        net = Conv2d(net, 3, (1, 1), name=name)
        yield name, net


RECIPE = Recipe(
    "Small", "small", ("first", "second", "third"), points, Trained((), ""), {"2nd": "second"}
)


@pytest.fixture(autouse=True)
def _alone():
    MADE.clear()
    with tl.layers.isolated():
        yield


def test_nothing_behind_the_end_is_made():
    model = RECIPE.declare(False, "second", "mine")

    assert MADE == ["first", "second"]
    assert model.name == "mine"
    assert model.inputs[0].shape == (None, 224, 224, 3)
    assert list(model.parameters)[::2] == ["first/filters", "second/filters"]


def test_a_point_may_have_another_name():
    assert RECIPE.declare(False, "2nd", None).outputs.layer.name == "second"


def test_an_end_that_is_not_there_is_named_and_nothing_made():
    with pytest.raises(InvalidArgument, match=r"Small: it cannot end with 'secnd'.*'second'"):
        RECIPE.declare(False, "secnd", None)
    with pytest.raises(InvalidArgument, match=r"cannot end with \['first'\]"):
        RECIPE.declare(False, ["first"], None)
    assert MADE == []


def test_a_network_in_the_place_of_pretrained_is_stood_on():
    below = Conv2d(Input([None, 2, 2, 5]), 4, name="below")

    net = RECIPE.declare(below, "first", None)
    assert list(net.parameters)[::2] == ["below/filters", "small/first/filters"]
    assert RECIPE.declare(False, "first", None, below).shape == net.shape


def test_the_name_of_a_network_is_its_scope():
    net = RECIPE.declare(Input([None, 2, 2, 5]), "first", "other")

    assert list(net.parameters) == ["other/first/filters", "other/first/biases"]


def test_layers_are_shared_by_the_scope():
    one, two = Input([None, 2, 2, 5], name="a"), Input([None, 2, 2, 5], name="b")
    with pytest.raises(NameMissing, match="small/first"):
        RECIPE.declare(one, "third", None, reuse=True)
    first = RECIPE.declare(one, "third", None)

    second = RECIPE.declare(two, "second", None, reuse=True)
    assert second.all_params[0] is first.all_params[0]
    assert RECIPE.declare(two, "second", None).all_params[0] is not first.all_params[0]


def test_only_its_own_layers_get_weights(tmp_path):
    below = Conv2d(Input([None, 2, 2, 5]), 5, (1, 1), name="first")
    kept = below.all_params[0].numpy()
    arrays = {"first/filters": np.ones([1, 1, 5, 3]), "first/biases": np.ones(3)}
    np.savez(tmp_path / "w.npz", **arrays)

    net = RECIPE.declare(tmp_path / "w.npz", "first", None, x=below)
    np.testing.assert_array_equal(net.parameters["first/filters"], kept)
    np.testing.assert_array_equal(net.parameters["small/first/filters"], np.ones([1, 1, 5, 3]))


def test_a_tensor_is_computed_on_at_once():
    net = RECIPE.declare(tf.ones([2, 2, 2, 5]), "third", None)

    assert net.outputs.shape == (2, 2, 2, 3)
    np.testing.assert_allclose(net(np.ones([2, 2, 2, 5])), net.outputs, rtol=1e-5)


def test_weights_may_be_not_asked_for_by_none():
    assert RECIPE.declare(None, "first", None).n_weights == 2


def test_what_is_no_path_is_named():
    with pytest.raises(InvalidArgument, match=r"Small: pretrained is True.*got 3\. What.*as x="):
        RECIPE.declare(3, "first", None)


def test_models_are_importable_without_tensorflow():
    program = "import tensorlayer.models, sys; print('tensorflow' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert found.stdout.strip() == "False"
