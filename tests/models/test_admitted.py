"""What a stranger's config may name: a list that is checked against its own rule."""

from __future__ import annotations

import inspect

import pytest
import tensorflow as tf

from tensorlayer.models.admitted import FUNCTIONS, INITIALIZERS
from tensorlayer.models.names import function_name

every_function = pytest.mark.parametrize("path", FUNCTIONS)


@every_function
def test_no_function_takes_a_function_or_a_file(path):
    for parameter in inspect.signature(FUNCTIONS[path]).parameters.values():
        default = parameter.default
        is_type = isinstance(default, (type, tf.DType))
        assert not parameter.name.endswith(("fn", "func", "function", "file", "path", "callable"))
        assert parameter.name not in {"op", "identifier", "config", "custom_objects"}
        assert is_type or not callable(default)


@every_function
def test_every_function_takes_something_to_compute_with(path):
    assert inspect.signature(FUNCTIONS[path]).parameters
    assert not isinstance(FUNCTIONS[path], type)


@pytest.mark.parametrize(
    "path",
    [
        "tensorflow.nn.fixed_unigram_candidate_sampler", "tensorflow.nn.with_space_to_batch",
        "tensorflow.image.decode_image", "tensorflow.signal.stft", "tensorflow.linalg.eye",
        "tensorflow.signal.inverse_stft_window_fn", "tensorflow.keras.activations.get",
        "tensorflow.keras.activations.deserialize", "tensorflow.keras.activations.serialize",
        "tensorlayer.activation.get", "tensorlayer.activation.did_you_mean",
        "tensorflow.map_fn", "tensorflow.py_function", "tensorflow.numpy_function",
        "tensorflow.print", "tensorflow.load_library", "tensorflow.io.read_file",
        "tensorlayer.initializers.get", "tensorflow.keras.initializers.get",
        "tensorflow.keras.initializers.deserialize", "tensorflow.keras.initializers.STFT",
    ],
)  # fmt: skip
def test_what_does_more_than_computing_is_not_there(path):
    assert path not in FUNCTIONS
    assert path not in INITIALIZERS


def test_a_function_has_one_name():
    assert len(FUNCTIONS) == len(set(map(id, FUNCTIONS.values())))
    assert function_name(tf.math.tanh, "act") == "tensorflow.nn.tanh"


def test_initializers_are_classes_of_plain_arguments():
    for path, cls in INITIALIZERS.items():
        assert isinstance(cls, type), path
        cls()


def test_nearly_everything_listed_is_there_in_every_tensorflow():
    assert len(FUNCTIONS) > 370
    assert len(INITIALIZERS) == 22
