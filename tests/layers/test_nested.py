from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument, NameTaken, WrongShape
from tensorlayer.layers import (
    BatchNorm,
    Concat,
    Dense,
    Dropout,
    Input,
    Lambda,
    Layer,
    LayerList,
    ModelLayer,
)
from tensorlayer.models import Model
from tests.layers.twins import assert_twin

X = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")


def inner():
    x = Input([None, 4], name="x")
    return Model(x, Dense(Dropout(x, keep=0.5), 3, name="d"), name="inner")


def test_a_nested_model_follows_the_mode_of_the_network():
    model = inner()
    net = ModelLayer(model=model, name="nested")(Input([None, 4]))
    x = tf.ones([2, 4])

    np.testing.assert_array_equal(net(x, is_train=False), model(x, is_train=False))
    assert not np.array_equal(net(x, is_train=True), net(x, is_train=True))


def test_it_is_saved_with_the_model_around_it(tmp_path):
    x = Input([None, 4], name="x")
    outer = Model(x, Dense(inner().as_layer()(x), 2, name="head"), name="outer")

    outer.save(tmp_path / "outer.safetensors")
    again = Model.load(tmp_path / "outer.safetensors")

    assert list(again.parameters) == [
        "inner/d/weights", "inner/d/biases", "head/weights", "head/biases",
    ]  # fmt: skip
    value = np.ones([1, 4], "float32")
    np.testing.assert_array_equal(again(value, is_train=False), outer(value, is_train=False))


# -- lists of layers


def mlp(name="mlp", **options):
    return LayerList(
        [Dense(5, act=tf.nn.relu, name="hidden"), Dense(2, name="logits")], name=name, **options
    )


def test_layers_of_a_list_are_applied_one_after_the_other():
    net = mlp()(Input([None, 4]))
    w1, b1, w2, b2 = net.all_params

    def twin(x):
        hidden = tf.nn.relu(tf.nn.bias_add(tf.matmul(x, w1), b1))
        return tf.nn.bias_add(tf.matmul(hidden, w2), b2)

    assert_twin(net, twin, X)
    assert list(net.parameters) == [
        "mlp/hidden/weights", "mlp/hidden/biases", "mlp/logits/weights", "mlp/logits/biases",
    ]  # fmt: skip


def test_a_list_of_layers_is_read_like_a_list():
    first, last = Dense(5, name="a"), Dense(2, name="b")
    both = LayerList([first, last])

    assert both[0] is first
    assert both[-1] is last
    assert both[:1] == [first]
    assert list(both) == both.layers == [first, last]
    assert len(both) == 2


def test_an_empty_list_of_layers_passes_on():
    empty = LayerList([])

    assert empty
    np.testing.assert_array_equal(empty(Input([None, 4]))(X), X)


def test_layers_without_names_are_numbered_in_the_list():
    net = LayerList([Dense(5), BatchNorm(), Dense(2, b_init=None)], name="l")(Input([None, 4]))

    assert [name for name in net.parameters if "moving" not in name] == [
        "l/dense_1/weights", "l/dense_1/biases", "l/batch_norm_1/beta", "l/batch_norm_1/gamma",
        "l/dense_2/weights",
    ]  # fmt: skip


def test_variables_are_called_after_the_list_that_is_applied_first():
    inner = LayerList([Dense(2), Dense(2, name="last")], name="inner")
    made = Dense(2, in_channels=4, name="made")

    LayerList([made, inner], name="outer")(X)

    assert [variable.name for variable in made.all_weights + inner.all_weights] == [
        "made/weights:0", "made/biases:0", "outer/inner/dense_1/weights:0",
        "outer/inner/dense_1/biases:0", "outer/inner/last/weights:0", "outer/inner/last/biases:0",
    ]  # fmt: skip


def test_a_list_has_parameters_when_all_of_its_layers_have():
    assert len(LayerList([Dense(3, in_channels=4), Dense(2, in_channels=3)]).all_weights) == 4
    with pytest.raises(InvalidArgument, match="has no weights yet"):
        LayerList([Dense(3, in_channels=4), Dense(2)]).all_weights  # noqa: B018


def test_a_layer_that_does_not_fit_is_named():
    with pytest.raises(WrongShape, match=r"Dense\(n_units=2, name='b'\): .* of rank 2"):
        LayerList([Lambda(lambda x: x[None]), Dense(2, name="b")])(Input([None, 4]))


def test_a_list_follows_the_mode_and_can_be_frozen():
    net = LayerList([Dropout(0.5), BatchNorm(), Dropout(0.5)], name="l")(Input([None, 4]))
    inferred = net(X, is_train=False)

    assert not np.array_equal(net(X, is_train=True), net(X, is_train=True))
    np.testing.assert_array_equal(net.layer(X), net(X))
    net.layer.trainable = False
    assert net.trainable_weights == []
    np.testing.assert_allclose(net(X, is_train=True), net(X, is_train=False))
    assert inferred.shape == X.shape


def test_in_a_block_and_in_a_model_of_ones_own():
    class Block(Layer):
        def __init__(self, name=None):
            super().__init__(name=name)
            self.both = mlp()

        def forward(self, x):
            return self.both(x)

    class Own(Model):
        def __init__(self):
            super().__init__(name="own")
            self.both = mlp()

        def forward(self, x):
            return self.both(x)

    block = Block(Input([None, 4]), name="block")
    own = Own()
    own(X, is_train=False)

    assert next(iter(block.parameters)) == "block/mlp/hidden/weights"
    assert next(iter(own.parameters)) == "mlp/hidden/weights"


def test_the_first_layer_of_a_list_may_merge():
    net = LayerList([Concat(), Dense(2)])([Input([None, 4]), Input([None, 4])])

    assert net([X, X]).shape == (3, 2)


def test_a_list_of_lists():
    net = LayerList([mlp("a"), mlp("b")], name="both")(Input([None, 4]))

    assert list(net.parameters)[::4] == ["both/a/hidden/weights", "both/b/hidden/weights"]
    assert repr(net.layer) == "LayerList(name='both')"
    assert str(net.layer).splitlines() == [
        "LayerList(name='both')",
        "  LayerList(name='a')",
        "    Dense(n_units=5, act=relu, name='hidden')",
        "    Dense(n_units=2, name='logits')",
        "  LayerList(name='b')",
        "    Dense(n_units=5, act=relu, name='hidden')",
        "    Dense(n_units=2, name='logits')",
    ]


def test_a_layer_that_is_twice_in_a_list_is_shared():
    dense = Dense(4, name="d")
    net = LayerList([dense, dense], name="l")(Input([None, 4]))

    assert list(net.parameters) == ["l/d/weights", "l/d/biases"]
    weights = dense.W.numpy()
    np.testing.assert_allclose(net(X), X @ weights @ weights, rtol=1e-4, atol=1e-6)


def test_somebody_elses_layer_in_a_list_may_use_ifs_on_tensors():
    class Sign(Layer):
        def forward(self, x):
            if tf.reduce_sum(x) > 0:
                x = -x
            return x

    net = LayerList([Sign()])(Input([None, 4]))

    np.testing.assert_array_equal(tf.function(net)(np.abs(X)), -np.abs(X))
    assert net.layer.needs_autograph
    assert not mlp().needs_autograph


@pytest.mark.parametrize("layers", [[Dense(2), tf.nn.relu], Dense, None])
def test_a_list_is_of_layers(layers):
    with pytest.raises(
        InvalidArgument, match=r"LayerList: it takes a list of layers, got .*Lambda"
    ):
        LayerList(layers)


def test_two_layers_of_one_name_are_refused_at_once():
    with pytest.raises(NameTaken, match="the name 'd' is taken"):
        LayerList([Dense(2, name="d"), Dense(3, name="d")])


def test_names_in_a_list_do_not_depend_on_the_name_of_the_model_that_made_it():
    class Holder(Model):
        def __init__(self, name):
            super().__init__(name=name)
            self.block = LayerList([Dense(3, in_channels=4), Dense(2, in_channels=3, name="last")])

        def forward(self, x):
            return self.block(x)

    one, other = Holder("one"), Holder("other")

    assert list(one.parameters)[::2] == ["block/dense_1/weights", "block/last/weights"]
    assert list(one.parameters) == list(other.parameters)
