"""Keras models and dictionaries of arrays as versions."""

import copy
import subprocess
import sys

import numpy as np
import pytest

from tensorlayer.errors import (
    BrokenConfig,
    InvalidArgument,
    NotSerializable,
    StructureMismatch,
)
from tensorlayer.models import foreign


@pytest.fixture(scope="module")
def keras():
    import keras

    return keras


def small(keras, n_units=3):
    """Return a functional model with an operation, a nested model and weights that do not train."""
    x = keras.Input([4])
    inner = keras.Sequential([keras.Input([4]), keras.layers.Dense(n_units, activation="relu")])
    y = inner(x) + keras.layers.Dense(n_units)(x)
    return keras.Model(x, keras.layers.BatchNormalization()(y))


def test_a_dictionary_comes_back(hub):
    arrays = {"w": np.eye(2, dtype=np.float16), "b/c": np.array(3), "list": [1.0, 2.0]}
    assert hub.models.save("k", arrays).number == 1
    found = hub.models.load("k")
    assert list(found) == ["w", "b/c", "list"]
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == np.asarray(array).dtype
    found["w"][0] = 7
    assert hub.models.arrays("k")["b/c"].shape == ()
    assert hub.models.save("k", {**arrays, "w": np.zeros((2, 2), np.float16)}).number == 2
    with pytest.raises(StructureMismatch, match="'k'"):
        hub.models.save("k", {"w": np.zeros(3)})


@pytest.mark.parametrize("arrays", [{3: [1]}, {"\ud800": [1]}, {"__metadata__": [1]}, {"w": [{}]}])
def test_a_dictionary_that_cannot_be_stored_is_refused(hub, arrays):
    with pytest.raises(NotSerializable):
        hub.models.save("k", arrays)
    assert hub.models.keys() == []


@pytest.mark.parametrize("model", [None, 3, "model", [1], object(), np.zeros(2)])
def test_anything_else_is_refused(hub, model):
    with pytest.raises(InvalidArgument, match=r"a Keras model or a dictionary.* got"):
        hub.models.save("k", model)


def test_a_keras_model_comes_back(hub, keras):
    model = small(keras)
    model.compile("adam", "mse")
    x = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    model.fit(x, np.zeros((8, 3)), verbose=0)
    hub.models.save("k", model, step=1)
    found = hub.models.load("k")
    assert isinstance(found, keras.Model)
    np.testing.assert_array_equal(found(x), model(x))
    assert list(hub.models.arrays("k")) == [each.path for each in model.weights]


def test_the_same_code_makes_the_same_structure(hub, keras):
    hub.models.save("k", small(keras))
    other = small(keras)  # Keras numbers its names
    assert hub.models.save("k", other).number == 2
    x = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(hub.models.load("k")(x), other(x))
    with pytest.raises(StructureMismatch, match="'k'"):
        hub.models.save("k", small(keras, 5))


def test_a_keras_model_without_weights_is_refused(hub, keras):
    with pytest.raises(NotSerializable, match="has no weights yet"):
        hub.models.save("k", keras.Sequential([keras.layers.Dense(2)]))


def test_a_class_of_the_users_needs_to_be_registered(hub, keras):
    class Twice(keras.layers.Layer):
        def call(self, x):
            return 2 * x

    hub.models.save("k", keras.Sequential([keras.Input([2]), Twice()]))
    with pytest.raises(BrokenConfig, match="Twice, which is no part of Keras"):
        hub.models.load("k")
    keras.saving.register_keras_serializable("tests")(Twice)
    hub.models.save("registered", keras.Sequential([keras.Input([2]), Twice()]))
    assert hub.models.load("registered")(np.ones((1, 2))).numpy().tolist() == [[2.0, 2.0]]


HOSTILE = [
    {"module": "os", "class_name": "system", "config": "true"},
    {"module": "builtins", "class_name": "function", "config": "eval"},
    {"module": "keras.utils", "class_name": "function", "config": "get_file"},
    {"module": "keras.saving", "class_name": "load_model", "config": {}},
    {"class_name": "__lambda__", "config": {"value": "x"}},
    {"module": "keras.layers", "class_name": "Lambda", "config": {}},
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_that_was_read_is_executed(keras, hostile):
    model = foreign.KerasModel(small(keras))
    config = copy.deepcopy(model.config)
    config["model"]["config"]["layers"][1]["config"]["activation"] = hostile
    with pytest.raises(BrokenConfig, match="which is no part of Keras that computes"):
        foreign.restore(config, model.to_arrays(), model.structure_digest)


@pytest.mark.parametrize("described", [None, 3, [], {}, {"class_name": "Dense", "config": 3}])
def test_nonsense_is_no_keras_model(described):
    with pytest.raises(BrokenConfig):
        foreign.restore({"kind": "keras", "model": described}, {}, "d")


def test_a_hostile_depth_is_refused():
    described = {}
    for _ in range(5000):
        described = {"config": described}
    with pytest.raises(BrokenConfig, match="nested deeper than"):
        foreign.restore({"kind": "keras", "model": described}, {}, "d")


def test_a_dictionary_needs_no_tensorflow():
    code = (
        "import sys, numpy, tensorlayer.models.foreign as foreign\n"
        "arrays = foreign.savable({'w': numpy.zeros(2)})\n"
        "foreign.restore(arrays.config, arrays.to_arrays(), arrays.structure_digest)\n"
        "sys.exit(bool({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
