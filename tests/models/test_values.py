from __future__ import annotations

import functools
import json
import math
import sys

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import NotSerializable
from tensorlayer.models.values import decode, encode, find_class, serializable


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
    ids=repr,
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
    "value", [lambda x: x, unmarked, object(), tf.Variable(1.0), {1: 2}, print]
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
