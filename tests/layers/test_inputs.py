from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import Dense, Input, InputLayer


def test_an_input_computes_nothing():
    net = Input([None, 3], dtype=tf.int32, name="ids")

    assert net.outputs == tf.TensorSpec([None, 3], tf.int32)
    assert net.all_layers == []
    assert net.all_params == []


@pytest.mark.parametrize(("shape", "dtype"), [("abc", tf.float32), ([None, 3], "float33")])
def test_a_bad_declaration_is_refused(shape, dtype):
    with pytest.raises(InvalidArgument, match="the shape is a list of sizes with the batch first"):
        Input(shape, dtype)


def test_an_input_can_be_evaluated_itself():
    np.testing.assert_array_equal(Input([None, 2])(np.ones([1, 2])), [[1, 1]])


def test_a_network_goes_on_under_another_name():
    hidden = Dense(Input([None, 3]), 2, name="hidden")
    net = InputLayer(hidden, name="again")

    assert [node.name for node in net.all_layers] == ["hidden", "again"]
    assert net.all_params == hidden.all_params


def test_arrays_become_tensors():
    assert InputLayer(np.ones([2, 3], "float32")).outputs.dtype == tf.float32


@pytest.mark.parametrize(("shape", "declared"), [((2, 3), [None, 3]), ((5,), [None]), ((), [])])
def test_the_batch_of_a_tensor_is_free_in_what_is_declared(shape, declared):
    assert InputLayer(tf.ones(shape)).layer.arguments["shape"] == declared


def test_a_tensor_of_unknown_rank_declares_no_shape():
    found = []

    @tf.function(input_signature=[tf.TensorSpec(None)])
    def step(x):
        found.append(InputLayer(x).layer.arguments["shape"])
        return x

    step(tf.ones([2, 3]))

    assert found == [None]
