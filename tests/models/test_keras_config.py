"""Keras layers in the config of a model: the same in every process, and nothing hostile."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

from tensorlayer.errors import BrokenConfig, NotSerializable
from tensorlayer.layers import Input, Lambda
from tensorlayer.models import Model, foreign
from tensorlayer.models.keras_config import without_numbers
from tests.models.test_foreign import HOSTILE

X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


def branched():
    x = keras.Input([4])
    left, right = keras.layers.Dense(3, activation="softmax")(x), keras.layers.Dense(3)(x)
    return keras.Model(x, keras.layers.Softmax()(left + right))


def of(layer):
    x = Input([None, 4], name="x")
    return Model(x, Lambda(x, layer, name="keras"), name="m")


def test_the_same_code_has_the_same_structure_whatever_keras_numbers():
    one, other = of(branched()), of(branched())

    assert one.config["model_architecture"] != other.config["model_architecture"]
    assert one.structure_digest == other.structure_digest
    assert of(keras.layers.Dense(3)).structure_digest != of(keras.layers.Dense(4)).structure_digest


@pytest.mark.parametrize(
    "make",
    [
        branched,
        lambda: keras.layers.Dense(3, "relu", kernel_initializer="he_normal"),
        lambda: keras.layers.LayerNormalization(name="mine"),
        lambda: keras.Sequential([keras.layers.Dense(3), branched_of(3)]),
        lambda: keras.layers.Activation("relu"),
    ],
)
def test_layers_and_models_come_back(make):
    model = of(make())

    found = Model.from_config(json.loads(json.dumps(model.config)))
    found.assign_arrays(model.to_arrays())

    assert list(found.parameters) == list(model.parameters)
    np.testing.assert_allclose(found(X, is_train=False), model(X, is_train=False), rtol=1e-5)
    assert found.structure_digest == model.structure_digest


def branched_of(n):
    x = keras.Input([n])
    return keras.Model(x, keras.layers.Dense(2)(x) * keras.layers.Dense(2)(x))


def test_a_layer_in_two_places_is_one_after_reading():
    dense = keras.layers.Dense(4)
    x = Input([None, 4], name="x")
    model = Model(x, Lambda(Lambda(x, dense, name="a"), dense, name="b"), name="m")

    found = Model.from_config(json.loads(json.dumps(model.config)))

    assert len(found.all_weights) == len(model.all_weights) == 2
    found.assign_arrays(model.to_arrays())
    np.testing.assert_allclose(found(X, is_train=False), model(X, is_train=False), rtol=1e-5)


def test_frozen_layers_stay_frozen():
    dense = keras.layers.Dense(4)
    dense.trainable = False

    found = Model.from_config(of(dense).config)

    assert found.trainable_weights == []


def test_a_class_that_is_not_registered_says_how_to():
    class Own(keras.layers.Layer):
        def call(self, x):
            return x

    message = (
        r"Lambda .keras., argument fn: .*Own, which is no part of Keras"
        r"(.|\n)*register_keras_serializable"
    )
    with pytest.raises(NotSerializable, match=message):
        of(Own()).config  # noqa: B018
    with pytest.raises(NotSerializable, match=r"__lambda__|Lambda"):
        of(keras.layers.Lambda(lambda x: x)).config  # noqa: B018


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_that_was_read_is_executed(hostile):
    config = json.loads(json.dumps(of(keras.layers.Dense(3)).config))
    entry = config["model_architecture"][1]["arguments"]["fn"]["layer"]["config"]
    entry["activation"] = hostile

    with pytest.raises(BrokenConfig, match="which is no part of Keras that computes"):
        Model.from_config(config)


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ({}, "BrokenConfig|class_name|no layer|KeyError|TypeError"),
        ({"module": "keras.initializers", "class_name": "Zeros", "config": {},
          "registered_name": None}, "it describes a Zeros, no layer"),
        ({"module": "keras.layers", "class_name": "Nothing", "config": {},
          "registered_name": None}, "Nothing"),
        (3, "has to be an object"),
    ],
)  # fmt: skip
def test_what_is_no_layer_is_refused(described, message):
    config = json.loads(json.dumps(of(keras.layers.Dense(3)).config))
    config["model_architecture"][1]["arguments"]["fn"]["layer"] = described

    with pytest.raises(BrokenConfig, match=message):
        Model.from_config(config)


def test_a_size_that_does_not_fit_into_memory_is_refused_before_it_is_made():
    config = json.loads(json.dumps(of(keras.layers.Dense(3)).config))
    layer = config["model_architecture"][1]["arguments"]["fn"]["layer"]
    layer["config"]["units"] = 10**13

    with pytest.raises(BrokenConfig, match="the variables need"):
        Model.from_config(config)


def test_names_that_were_given_stay():
    x = keras.Input([4], name="input_layer_5")
    y = keras.layers.Dense(3, name="dense_8")(keras.layers.Dense(3, name="dense_9")(x))
    inner = keras.Model(x, y, name="functional_3")

    found = Model.from_config(json.loads(json.dumps(of(inner).config)))

    read = found.get_layer("keras").arguments["fn"]
    assert [read.name, *(each.name for each in read.layers)] == [
        "functional_3", "input_layer_5", "dense_9", "dense_8"
    ]  # fmt: skip


def test_an_identity_counts_the_names_of_keras_from_the_first_one_on():
    def dense(name):
        return {"class_name": "Dense", "config": {"name": name}}

    used = [dense("dense_9"), dense("dense_4"), dense("mine"), dense("dense_9")]
    used.append({"keras_history": ["dense_4", 0, 0], "output_layers": [["dense_9", 0, 0]]})
    used.append(
        {"class_name": "Activation", "config": {"name": "dense_1", "activation": "dense_4"}}
    )
    others = {"is": "dict", "items": {"name": "dense_9"}}

    (found, kept) = without_numbers([{"is": "keras", "layer": used}, others])

    found = found["layer"]
    assert [each["config"]["name"] for each in found[:4]] == ["dense", "dense_2", "mine", "dense"]
    assert found[4] == {"keras_history": ["dense_2", 0, 0], "output_layers": [["dense", 0, 0]]}
    assert found[5]["config"] == {"name": "dense_1", "activation": "dense_4"}
    assert kept == others


def learned(*values):
    """Return a model with a layer that has learned from data, and what it computes."""
    layer = keras.layers.Normalization()
    layer.adapt(np.array(values, "float32")[:, None])
    model = of(keras.Sequential([keras.layers.Dense(1, kernel_initializer="ones"), layer]))
    return model, model(X, is_train=False).numpy()


def by_file(path):
    def load(model, other):
        model.save(path)
        return Model.load(path)

    return load


def by_weights(model, other):
    model.save_weights("w.npz")
    other.load_weights("w.npz")
    return other


def by_arrays(model, other):
    other.assign_arrays(model.to_arrays())
    return other


def by_keras(model, other):
    keras.Sequential([keras.Input([4]), model.as_keras()]).save("outer.keras")
    outer = keras.models.load_model("outer.keras")
    return lambda x, is_train: outer(x, training=is_train)


@pytest.mark.parametrize("load", [by_file("m.h5"), by_weights, by_arrays, by_keras])
def test_what_a_layer_has_learned_from_data_is_computed_with(load, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, expected = learned(1.0, 5.0, 9.0)
    other, others = learned(0.0, 1.0)
    assert not np.allclose(expected, others)

    np.testing.assert_allclose(load(model, other)(X, is_train=False), expected, rtol=1e-4)


def test_a_model_of_keras_computes_with_what_it_has_learned():
    layer = keras.layers.Normalization()
    layer.adapt(X)
    model = keras.Sequential([keras.Input([4]), layer])
    kept = foreign.KerasModel(model)

    found = foreign.restore(kept.config, kept.to_arrays(), kept.structure_digest)

    np.testing.assert_allclose(found(X), (X - X.mean(0)) / X.std(0), atol=1e-5)
