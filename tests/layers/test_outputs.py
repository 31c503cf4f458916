from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.layers import Dense, Input, Layer, Outputs
from tensorlayer.layers.outputs import main_of
from tensorlayer.layers.structure import rebuild


class Counting(Layer):
    """Gives a total, and where there are two results also a structure, beside its result."""

    def __init__(self, is_pair=False, name=None):
        super().__init__(name=name)
        self.is_pair = is_pair

    def forward(self, x):
        if self.is_pair:
            return Outputs([x, -x], pieces={"z": x + 1, "a": (x + 2,)})
        return Outputs(2 * x, total=tf.reduce_sum(x))


def test_the_result_and_what_comes_beside_it_are_one_structure():
    outputs = Outputs("main", total=1, state=[2])

    assert outputs == ("main", {"total": 1, "state": [2]})
    assert (outputs.main, outputs.sides) == tuple(outputs)
    assert rebuild(outputs, str) == Outputs("main", total="1", state=["2"])


def test_the_main_output_of_plain_outputs_is_themselves():
    plain = ["main"]

    assert main_of(Outputs("main", total=1)) == "main"
    assert main_of(plain) is plain


def test_a_network_has_the_sides_as_networks():
    net = Counting(Input([None, 3], name="x"), name="c")
    x = tf.ones([2, 3])

    assert (net.shape.as_list(), net.total.shape.as_list()) == ([None, 3], [])
    np.testing.assert_array_equal(net(x), 2 * np.ones([2, 3]))
    assert net.total(x).numpy() == 6.0


def test_the_next_layer_gets_the_result():
    net = Dense(Counting(Input([None, 3]), name="c"), 2, name="d")

    assert list(net.parameters) == ["d/weights", "d/biases"]
    assert net(tf.ones([1, 3])).shape == (1, 2)


def test_a_call_on_tensors_gives_the_result_alone():
    x = tf.ones([2, 3])

    np.testing.assert_array_equal(Counting(name="c")(x), 2 * x)
    np.testing.assert_array_equal(tf.function(Counting(name="c"))(x), 2 * x)


def test_each_network_of_a_structure_has_the_sides():
    one, other = Counting(Input([None, 3]), is_pair=True, name="c")
    x = tf.ones([1, 3])

    assert list(one.pieces) == ["z", "a"]
    assert other.pieces["a"][0] is one.pieces["a"][0]
    np.testing.assert_array_equal(other(x), -x)
    np.testing.assert_array_equal(one.pieces["z"](x), x + 1)
    np.testing.assert_array_equal(one.pieces["a"][0](x), x + 2)


def test_sides_over_a_tensor_are_computed_at_once():
    net = Counting(tl.layers.InputLayer(tf.ones([2, 3])), name="c")

    assert net.total.outputs.numpy() == 6.0


def test_an_attribute_that_is_no_side_is_missing_as_in_python():
    net = Counting(Input([None, 3]), name="c")

    with pytest.raises(AttributeError, match="'Network' object has no attribute 'totals'"):
        net.totals  # noqa: B018
    assert not hasattr(Dense(Input([None, 3]), 2), "total")


def test_result_and_sides_are_outputs_of_one_model():
    x = Input([None, 3], name="x")
    net = Counting(x, name="c")
    model = tl.models.Model(x, {"y": net, "total": net.total})

    results = model(np.ones([2, 3]), is_train=False)

    assert results["total"].numpy() == 6.0
    np.testing.assert_array_equal(results["y"], 2 * np.ones([2, 3]))


class Traced(Counting):
    """As the other, traced by TensorFlow, which takes apart what a function returns."""

    forward = tf.function(Counting.forward)


@pytest.mark.parametrize("is_pair", [False, True])
def test_a_forward_that_is_traced_gives_both_too(is_pair):
    x = tf.ones([2, 3])
    net = Traced(Input([None, 3]), is_pair=is_pair, name="c")
    sides = net[0].pieces["z"] if is_pair else net.total

    np.testing.assert_array_equal(sides(x), x + 1 if is_pair else 6.0)
    np.testing.assert_array_equal((net[0] if is_pair else net)(x), x if is_pair else 2 * x)


def test_a_layer_that_keeps_its_precision_gives_the_result_in_the_type_of_the_policy():
    class Kept(Counting):
        keeps_precision = True

    net = Kept(Input([None, 3]), dtype="mixed_bfloat16", name="c")

    assert (net.outputs.dtype, net.total.outputs.dtype) == (tf.bfloat16, tf.float32)


def test_a_network_with_sides_goes_by_the_name_of_its_layer():
    net = tl.layers.Input([None, 5, 3])
    net = tl.layers.RNNLayer(net, tl.layers.BasicLSTMCell, n_hidden=4, name="rnn")

    assert net.name == "rnn"
    assert net.final_state.c.name != "rnn"
