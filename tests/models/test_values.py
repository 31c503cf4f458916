from __future__ import annotations

import functools
import json
import math
import sys

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import BrokenConfig, InvalidArgument, NotSerializable
from tensorlayer.models.names import find_class, serializable
from tensorlayer.models.values import decode, decode_layer, encode
from tests.ids import shown
from tests.models.hostile import structure


@serializable
def marked(x):
    return x


def unmarked(x):
    return x


def round_trip(value):
    return decode(json.loads(json.dumps(encode(value, "place"))))


@pytest.mark.parametrize(
    "value",
    [
        None, True, 3, -2.5, "text", [1, [2.0, None]], (1, (2,), [3]), {"a": (1,), "b": {}},
        slice(1, None, 2), (Ellipsis, None), tf.float16, math.inf, marked,
        tf.nn.relu, tf.math.add, tf.identity, tf.image.flip_left_right, tf.keras.activations.gelu,
        tl.activation.lrelu, tl.initializers.TruncatedNormal(stddev=0.1), np.float32(0.5),
    ],
    ids=shown,
)  # fmt: skip
def test_round_trip(value):
    again = round_trip(value)

    assert again == value
    assert type(again) in {type(value), float}


def test_arrays_partials_and_keras_initializers_round_trip():
    array = np.arange(6, dtype="int16").reshape(2, 3)
    partial = functools.partial(tl.activation.lrelu, alpha=0.3)
    init = tf.keras.initializers.HeNormal(seed=3)

    np.testing.assert_array_equal(round_trip(array), array)
    assert round_trip(array).dtype == array.dtype
    assert math.isnan(round_trip(math.nan))
    assert round_trip(partial).keywords == {"alpha": 0.3}
    assert round_trip(init).get_config() == init.get_config()


@pytest.mark.parametrize(
    "value", [lambda x: x, unmarked, object(), tf.Variable("text"), {1: 2}, print]
)
def test_what_cannot_be_found_again_is_refused_with_its_place(value):
    with pytest.raises(NotSerializable, match=r"Dense 'd', argument act: "):
        encode(value, "Dense 'd', argument act")


@pytest.mark.parametrize(
    "name",
    [
        "os.system", "subprocess.getoutput", "builtins.eval", "tensorflow.load_op_library",
        "tensorflow.io.write_file", "tensorflow.nn.__class__", "tests.models.test_values.unmarked",
        "tensorflow.py_function", "tensorflow.nn.relu.__globals__", "numpy.load", "",
        "tensorflow.keras.activations.deserialize", "tensorflow.keras.activations.get",
        "tensorlayer.activation.get", "tensorflow.nn.fixed_unigram_candidate_sampler",
        "tensorflow.map_fn", "tensorflow.signal.stft", "tensorflow.image.decode_png",
    ],
)  # fmt: skip
def test_nothing_but_tensor_functions_and_marked_ones_is_found(name):
    with pytest.raises(NotSerializable, match=r"no imported module defines and marks"):
        decode({"is": "function", "name": name})


def test_classes_that_are_not_allowed_are_not_made():
    with pytest.raises(NotSerializable, match=r"no imported module"):
        decode({"is": "object", "class": "subprocess.Popen", "config": {"args": "true"}})
    with pytest.raises(NotSerializable, match=r"'subprocess.Popen', which is not imported"):
        find_class(tl.layers.Layer, "subprocess.Popen")


def test_a_config_does_not_import_modules():
    assert "antigravity" not in sys.modules

    with pytest.raises(NotSerializable, match=r"Import the module that does"):
        decode({"is": "function", "name": "antigravity.geohash"})
    assert "antigravity" not in sys.modules


def test_an_unknown_kind_is_refused():
    with pytest.raises(NotSerializable, match=r"unknown kind of value 'code'"):
        decode({"is": "code", "text": "1"})


# -- values of strangers

FUNCTION = {"is": "function", "name": "tensorflow.nn.relu"}
NESTED = {"is": "dict", "items": {"class_name": "Foo", "module": "antigravity"}}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, r"config: unknown kind of value None"),
        ({"is": ["tuple"]}, r"config: unknown kind of value \['tuple'\]"),
        ({"is": "tuple"}, r"config: 'items' is missing"),
        ({"is": "float", "value": "x"}, r"config: ValueError"),
        ({"is": "float", "value": 3}, r"config\['value'\]: it has to be text, got 3"),
        ({"is": "dict", "items": []}, r"\['items'\]: it has to be an object"),
        ({"is": "slice", "items": [1, 2, 3, 4]}, r"config: TypeError"),
        ({"is": "dtype", "name": "float33"}, r"config: TypeError"),
        ({"is": "array", "dtype": "float32", "values": [[1], [1, 2]]}, r"config: ValueError"),
        ({"is": "array", "dtype": "U900000000", "values": ["a"]}, r"an array is of bool"),
        ({"is": "array", "dtype": "object", "values": [{}]}, r"an array is of bool"),
        ({"is": "partial", "call": [3, [], {"is": "dict", "items": {}}]},
         r"config: TypeError: the first argument must be callable"),
        ({"is": "partial", "call": [FUNCTION]}, r"config: ValueError: not enough values"),
        ({"is": "function", "name": None}, r"\['name'\]: it has to be text"),
        ([{"is": "function", "name": "os.system"}], r"config\[0\]: a saved model names 'os.sys"),
        ({"is": "layer", "name": "a", "class": "a.B", "arguments": {}}, r"config: .*'a.B', which"),
        ({"is": "layer", "name": "a", "class": "tensorlayer.layers.Dense", "arguments": {"x": 1}},
         r"config: Dense: unknown argument 'x'"),
    ],
)  # fmt: skip
def test_damage_is_named_with_its_place(value, message):
    with pytest.raises(BrokenConfig, match=message):
        decode(value, "config")


@pytest.mark.parametrize("name", ["RandomNormal", "Constant", "VarianceScaling"])
def test_keras_deserialises_nothing(name, monkeypatch):
    def called(*args, **kwargs):
        raise AssertionError("keras.saving.deserialize_keras_object was called")

    monkeypatch.setattr(
        sys.modules["keras.src.saving.serialization_lib"], "deserialize_keras_object", called
    )
    key = "value" if name == "Constant" else "seed"
    config = {"is": "dict", "items": {key: NESTED}}

    with pytest.raises(BrokenConfig, match=r"arguments of .* are numbers or text"):
        decode({"is": "object", "class": f"tensorflow.keras.initializers.{name}", "config": config})
    plain = {"is": "dict", "items": {key: 3}}
    decode({"is": "object", "class": f"tensorflow.keras.initializers.{name}", "config": plain})
    with pytest.raises(InvalidArgument, match=r"unknown initializer 'antigravity>x'"):
        tl.initializers.get("antigravity>x")


def test_an_initializer_that_holds_more_than_numbers_is_not_written():
    init = tf.keras.initializers.Constant(np.ones(2))

    with pytest.raises(NotSerializable, match=r"W_init: Constant holds .*tl.initializers.Constant"):
        encode(init, "W_init")


@pytest.mark.parametrize(
    "init",
    [
        FUNCTION,
        {"is": "partial", "call": [{"is": "function", "name": "tensorflow.one_hot"}, [], {
            "is": "dict", "items": {"depth": 10**12}}]},
        {"is": "layer", "name": "a", "class": "tensorlayer.layers.Lambda",
         "arguments": {"fn": FUNCTION}},
        "stft",
    ],
)  # fmt: skip
def test_an_initializer_computes_nothing_but_values(init):
    arguments = {"n_units": 3, "in_channels": 2, "W_init": init}

    with pytest.raises(BrokenConfig, match=r"\['arguments'\]\['W_init'\]: an initializer of a"):
        decode_layer("d", {"class": "tensorlayer.layers.Dense", "arguments": arguments})


def test_models_and_layers_round_trip():
    x = tl.layers.Input([None, 3], name="x")
    model = tl.models.Model(x, tl.layers.Dense(x, 2, name="d"), name="inner")
    layer = tl.layers.Dense(n_units=4, in_channels=2)

    found, same = round_trip([model, layer])

    assert found.name == "inner"
    assert structure(found.config) == structure(model.config)
    assert list(found.parameters) == ["d/weights", "d/biases"]
    assert (type(same), same.arguments["n_units"], same.facts.is_named) == (
        tl.layers.Dense,
        4,
        False,
    )


@pytest.mark.parametrize("kind", ["bool", "int", "uint", "float", "bfloat16"])
def test_arrays_of_every_type_of_numbers_round_trip(kind):
    sizes = {"int": (8, 16, 32, 64), "uint": (8, 16, 32, 64), "float": (16, 32, 64)}
    for name in [f"{kind}{size}" for size in sizes.get(kind, ("",))]:
        array = np.array([[0, 1]], tf.as_dtype(name).as_numpy_dtype)

        assert round_trip(array).dtype == array.dtype
        np.testing.assert_array_equal(round_trip(array), array)


@pytest.mark.parametrize("kind", ["float32", "bfloat16", "int64"])
def test_variables_come_back_with_name_and_value(kind):
    variable = tf.Variable(tf.cast([[0, 1, 2]], kind), trainable=False, name="scope/first")

    found = decode(json.loads(json.dumps(encode(variable, "x"))))

    assert (found.name, found.dtype, found.trainable) == ("scope/first:0", kind, False)
    np.testing.assert_array_equal(found, variable)


def test_a_variable_of_a_graph_has_no_value_to_write():
    with tf.Graph().as_default():
        variable = tf.compat.v1.get_variable("first", initializer=1.0)
        with pytest.raises(NotSerializable, match=r"x: .* 'first:0' has a value in a session only"):
            encode(variable, "x")


def test_what_a_scope_around_a_layer_says_is_not_written():
    v1 = tf.compat.v1
    with v1.variable_scope("s", regularizer=tf.nn.l2_loss):
        told = tl.layers.Lambda(tl.layers.Input([None, 2]), tf.nn.relu, name="told")
    with v1.variable_scope("s", initializer=tf.ones):
        plain = tl.layers.Lambda(tl.layers.Input([None, 2]), tf.nn.relu, name="plain")

    with pytest.raises(NotSerializable, match=r"'s/told': it was made in a tf.compat.v1.variable"):
        encode(told.layer, "x")
    assert encode(plain.layer, "x")["is"] == "layer"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"name": 3}, r"\['name'\]"),
        ({"trainable": "yes"}, r"\['trainable'\]"),
        ({"value": {"dtype": "object", "values": []}}, r"\['value'\]\['dtype'\]: an array is of"),
    ],
)
def test_a_damaged_variable_is_named_with_its_place(damage, message):
    with pytest.raises(BrokenConfig, match=message):
        decode(encode(tf.Variable([1.0]), "x") | damage, "arguments")


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([{}]), np.array([1j])])
def test_arrays_of_text_and_objects_are_not_written(array):
    with pytest.raises(NotSerializable, match=r"place: a ndarray cannot be saved"):
        encode(array, "place")


@serializable
class Scaling:
    """An object of one's own that saved models know."""

    def __init__(self, scale):
        self.scale = scale

    def get_config(self):
        return {"scale": self.scale}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def test_a_marked_object_comes_back_from_its_config():
    again = round_trip(Scaling((2, 3)))

    assert isinstance(again, Scaling)
    assert again.scale == (2, 3)


def test_classes_of_layers_come_back_and_others_do_not():
    written = encode(tl.layers.Dense, "layer_class")

    assert written == {"is": "class", "name": "tensorlayer.layers.Dense"}
    assert decode(written) is tl.layers.Dense
    for name in ("builtins.dict", "subprocess.Popen", "tensorlayer.models.Model"):
        with pytest.raises(tl.errors.NotSerializable, match=f"names the class '{name}'"):
            decode({"is": "class", "name": name})
