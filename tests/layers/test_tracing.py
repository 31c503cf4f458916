from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers import Dense, Input, Lambda, Layer, Outputs


def test_declaring_computes_nothing():
    ran = []

    def noted(x):
        ran.append(tf.executing_eagerly())
        return x

    net = Lambda(Input([None, 3]), noted)

    assert ran == [False]
    assert net.outputs == tf.TensorSpec([None, 3])


def test_structures_come_back_in_the_order_in_which_they_were_given():
    net = Lambda(Input([None, 3]), lambda x: {"z": x, "a": [x[:, 0], (x[0], 2 * x)]})

    assert list(net) == ["z", "a"]
    assert net["a"][1][0].outputs.shape == (3,)
    assert isinstance(net["a"][1], tuple)


class Summed(Layer):
    def forward(self, x, weight=None):
        return Outputs([2 * x, x], total=tf.reduce_sum(x), pieces={"first": x[:1]})


def test_what_comes_besides_is_an_attribute_of_every_part():
    double, same = Summed(Input([None, 3]), name="s")
    x = np.arange(6, dtype="float32").reshape(2, 3)

    for net in (double, same):
        assert net.total(x).numpy() == 15
        np.testing.assert_array_equal(net.pieces["first"](x), x[:1])
    np.testing.assert_array_equal(double(x), 2 * x)
    with pytest.raises(AttributeError, match="no attribute 'final_state'"):
        double.final_state  # noqa: B018


def test_a_call_on_tensors_returns_the_result_alone():
    result = Summed()(tf.ones([2, 3]))

    assert isinstance(result, list)
    assert len(result) == 2


@pytest.mark.parametrize(
    ("returned", "kind"),
    [((1.0,), "float"), (None, "NoneType"), ("text", "str"), ([object()], "object")],
)
def test_what_is_no_tensor_is_told(returned, kind):
    def function(x):
        return returned

    with pytest.raises((InvalidArgument, WrongShape), match=rf"Lambda.*(got {kind}|cannot)"):
        Lambda(Input([None, 3]), function)


def test_a_shape_that_does_not_fit_is_told_in_one_line():
    layer = Lambda(lambda x: tf.matmul(x, tf.ones([4, 3])), name="d")

    with pytest.raises(
        WrongShape, match=r"'d'\) cannot be applied .*\(None, 5\): ValueError: Dim"
    ) as e:
        layer(Input([None, 5]))
    assert "\n" not in str(e.value)


def test_a_type_that_does_not_fit_is_told():
    layer = Dense(n_units=3, in_channels=4, name="d")

    with pytest.raises(InvalidArgument, match=r"'d'\): its parameters are float32, its .*float64"):
        layer(Input([None, 4], dtype="float64"))


def test_options_that_are_no_networks_are_passed_as_they_are():
    seen = []

    def function(x, scale, text):
        seen.append((scale, text))
        return scale * x

    net = Lambda(function)(Input([None, 2]), scale=3.0, text="a")

    np.testing.assert_array_equal(net(np.ones([1, 2])), [[3, 3]])
    assert set(seen) == {(3.0, "a")}


@pytest.mark.parametrize(
    ("to_other", "kind"),
    [(tf.RaggedTensor.from_tensor, "RaggedTensor"), (tf.sparse.from_dense, "SparseTensor")],
)
def test_what_is_not_dense_is_refused_where_it_is_declared(to_other, kind):
    with pytest.raises(InvalidArgument, match=f"'other'.* dense tensors.*gives a {kind}. Make it"):
        Lambda(Input([None, 3]), lambda x: [x, to_other(x)], name="other")
    assert not isinstance(Lambda(to_other, name="other")(np.ones([2, 3])), tf.Tensor)
