"""Functions of (output, target), and the batches that they are measured on."""

from __future__ import annotations

import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.train.measures import measured, require_measures, split


def error(output, target):
    return tf.reduce_mean(abs(output - target))


def test_functions_by_name_are_a_new_dictionary():
    given = {"error": error}

    found = require_measures(given, "Step")

    assert found == given
    assert found is not given


@pytest.mark.parametrize("metrics", [None, [error], {"error": 1.0}, {"": error}, error])
def test_what_is_no_function_by_name_is_refused(metrics):
    with pytest.raises(InvalidArgument, match=r"^Step: metrics are functions of .* Give for exam"):
        require_measures(metrics, "Step")


@pytest.mark.parametrize(
    "given", [tf.keras.metrics.BinaryAccuracy(), tf.keras.losses.BinaryCrossentropy()]
)
def test_objects_of_keras_take_the_target_first(given):
    rule = rf"Step: 'a' is .* Keras's {type(given).__name__}, which takes \(target, output\)"
    with pytest.raises(InvalidArgument, match=rule):
        require_measures({"a": given}, "Step")


def test_the_last_of_a_batch_is_the_target():
    assert split((1, 2), "Step") == (1, 2)
    assert split((1, 2, 3), "Step") == ([1, 2], 3)


@pytest.mark.parametrize(("batch", "got"), [((), "nothing"), (({},), "1 value of type dict")])
def test_a_batch_has_a_target(batch, got):
    with pytest.raises(InvalidArgument, match=rf"^Step: a batch is \(input, .*got {got}\. Rearr"):
        split(batch, "Step")


def test_measures_are_scalars():
    output, target = tf.constant([1.0, 3.0]), tf.constant([1.0, 1.0])

    assert float(measured({"error": error}, output, target, "Step")["error"]) == 1.0
    assert float(measured({"half": lambda y, t: 0.5}, output, target, "Step")["half"]) == 0.5
    with pytest.raises(InvalidArgument, match=r"Step: a metric is a scalar, got 'd' of shape \(2,"):
        measured({"d": lambda y, t: y - t}, output, target, "Step")
