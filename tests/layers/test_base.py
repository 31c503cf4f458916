from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, UnknownArgument, WrongShape
from tensorlayer.layers import Dense, Input, Layer, variable_scope
from tensorlayer.layers.base import require_rank


class Scaled(Layer):
    """A custom layer as TensorLayer 2.x documents it."""

    def __init__(self, n_units, act=None, name=None, in_channels=None):
        super().__init__(name, act=act)
        self.n_units = n_units
        self.in_channels = in_channels
        if in_channels is not None:
            self.build((None, in_channels))
            self._built = True

    def build(self, inputs_shape):
        shape = [inputs_shape[-1], self.n_units]
        self.W = self._get_weights("weights", shape=shape, init=tl.initializers.ones())

    def forward(self, inputs):
        z = tf.matmul(inputs, self.W)
        return z if self.act is None else self.act(z)


class Block(Layer):
    """A layer of layers."""

    def __init__(self, name=None):
        super().__init__(name=name)
        self.first = Dense(n_units=3)
        self.others = [Dense(n_units=2, name="named")]

    def forward(self, inputs):
        return self.others[0](self.first(inputs))


def test_custom_layer_is_three_methods():
    net = Scaled(Input([None, 2]), n_units=3, act="relu", name="scaled")

    np.testing.assert_array_equal(net(tf.ones([1, 2])), [[2, 2, 2]])
    assert list(net.parameters) == ["scaled/weights"]
    assert net.layer.act is tf.nn.relu


def test_weights_exist_from_the_start_with_in_channels():
    layer = Scaled(3, in_channels=2, name="s")

    assert layer.all_weights[0].name == "s/weights:0"
    np.testing.assert_array_equal(layer(tf.ones([1, 2])), [[2, 2, 2]])


def test_the_base_applies_the_activation_after_transform():
    class Shift(Layer):
        def transform(self, inputs):
            return inputs - 1

    x = np.array([[0.0, 3.0]], "float32")

    np.testing.assert_array_equal(Shift(act="relu")(x), [[0, 2]])
    np.testing.assert_array_equal(Shift(Input([None, 2]), act=tf.nn.relu)(x), [[0, 2]])
    np.testing.assert_array_equal(Shift()(x), [[-1, 2]])


def test_the_base_builds_at_once_where_the_arguments_tell_the_shape():
    class Gain(Layer):
        def __init__(self, in_channels=None, name=None):
            super().__init__(name=name)
            self.in_channels = in_channels

        def shape_to_build_for(self):
            return None if self.in_channels is None else [None, self.in_channels]

        def build(self, inputs_shape):
            self.gain = self._get_weights("gain", inputs_shape[-1:])

        def forward(self, inputs):
            return inputs * self.gain

    assert [v.shape.as_list() for v in Gain(in_channels=3).all_weights] == [[3]]
    with pytest.raises(InvalidArgument, match=r"has no weights yet. Give it in_channels"):
        Gain().all_weights  # noqa: B018


def test_layers_in_layers_are_named_by_their_name_or_the_attribute_that_holds_them():
    net = Block(Input([None, 4]), name="block")

    assert list(net.parameters) == [
        "block/first/weights", "block/first/biases",
        "block/named/weights", "block/named/biases",
    ]  # fmt: skip


def test_prev_layer_is_the_first_argument():
    x = Input([None, 4])

    assert Dense(prev_layer=x, n_units=3).outputs == Dense(x, 3).outputs
    assert Dense(layer=x, n_units=3).outputs == Dense(x, 3).outputs


def test_the_previous_network_given_twice_is_refused():
    x = Input([None, 4])

    with pytest.raises(UnknownArgument, match="given twice, also as 'prev_layer'"):
        Dense(x, prev_layer=x, n_units=3)


def test_a_raw_tensor_as_previous_layer_names_the_remedy():
    with pytest.raises(InvalidArgument, match=r"tl.layers.InputLayer\(tensor\)"):
        Dense(tf.ones([2, 4]), n_units=3)


def test_too_many_arguments_show_the_signature():
    with pytest.raises(InvalidArgument, match=r"Flatten: too many.*Flatten\(name"):
        tl.layers.Flatten(Input([None, 2]), "name", 3)


def test_an_unknown_activation_names_the_closest():
    with pytest.raises(InvalidArgument, match=r"unknown activation 'rellu'. Did you mean 'relu'"):
        Dense(Input([None, 2]), 3, act="rellu")


def test_a_layer_without_forward_says_so():
    class Empty(Layer):
        pass

    with pytest.raises(InvalidArgument, match="Empty: a layer has to define forward"):
        Empty()(tf.ones([1]))


def test_a_layer_applied_to_a_tensor_is_told_the_mode():
    layer, x = tl.layers.Dropout(keep=0.5), tf.ones([1, 100])

    assert np.any(layer(x, is_train=True) == 0)
    assert np.all(layer(x) == 1)


def test_a_layer_applied_to_another_size_is_named():
    layer = Dense(n_units=3, name="shared")
    layer(Input([None, 4]))

    message = r"Dense.*'shared'\): its parameters are for a size of 4 along axis -1, got shape "
    with pytest.raises(WrongShape, match=rf"{message}\(None, 5\)\. Make another layer for it"):
        layer(Input([None, 5]))
    with pytest.raises(WrongShape, match=rf"{message}\(2, 5\)"):  # eagerly as well
        layer(tf.ones([2, 5]))


def test_weights_are_made_once_and_not_while_computing():
    layer = Scaled(3, name="s")
    traced = tf.function(lambda x: layer(x))
    traced(tf.ones([1, 2]))
    weight = layer.W

    layer(tf.ones([4, 2]))

    assert layer.W is weight
    assert layer.trainable_weights == [weight]


def test_a_layer_is_a_module(tmp_path):
    layer = Scaled(3, in_channels=2)

    path = tf.train.Checkpoint(layer=layer).write(str(tmp_path / "c"))
    layer.W.assign(tf.zeros([2, 3]))
    tf.train.Checkpoint(layer=layer).read(path)

    np.testing.assert_array_equal(layer.W, np.ones([2, 3]))


def test_initializers_are_callables_names_numbers_or_arrays():
    for init in (
        tl.initializers.ones(),
        "ones",
        1.0,
        np.ones([4, 3]),
        tf.keras.initializers.Ones(),
    ):
        layer = Dense(Input([None, 4]), 3, W_init=init).layer

        np.testing.assert_array_equal(layer.W, np.ones([4, 3]))


def test_layers_follow_a_distribution_strategy():
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        net = Dense(Input([None, 4]), 3)

    result = strategy.run(lambda: net(tf.ones([2, 4])))

    assert strategy.experimental_local_results(result)[0].shape == (2, 3)


def test_is_train_is_a_keyword_and_every_position_an_input():
    class Difference(Layer):
        def forward(self, a, b):
            return a - b

    a, b = Input([None, 2], name="a"), Input([None, 2], name="b")
    net = Difference()(a, b)

    np.testing.assert_array_equal(net([np.ones([1, 2]), np.zeros([1, 2])]), [[1, 1]])
    np.testing.assert_array_equal(Difference()(tf.ones([2]), tf.zeros([2])), [1, 1])
    assert net.parents == (a, b)


def test_build_sees_the_shapes_of_all_positions():
    shapes = []

    class Both(Layer):
        def build(self, inputs_shape):
            shapes.append(inputs_shape)

        def forward(self, a, b):
            return a + b

    Both()(Input([None, 2]), Input([None, 1]))

    assert shapes == [[[None, 2], [None, 1]]]


class Shifted(Layer):
    """A layer with a network among the arguments of its constructor."""

    def __init__(self, offset_layer=None, scale=1.0, name=None):
        super().__init__(name=name)
        assert offset_layer is None
        self.scale = scale

    def build(self, inputs_shape, offset_layer):
        self.W = self._get_weights("W", [inputs_shape[-1], offset_layer[-1]], init="ones")

    def forward(self, inputs, offset_layer):
        return self.scale * tf.matmul(inputs, self.W) + offset_layer


def test_networks_given_to_a_constructor_are_inputs_of_the_call():
    x, offset = Input([None, 2], name="x"), Input([None, 3], name="offset")
    values = {"x": np.ones([1, 2]), "offset": np.full([1, 3], 0.5)}

    for net in (
        Shifted(x, offset_layer=offset, scale=2.0, name="s"),
        Shifted(x, offset, 2.0, name="s"),
        Shifted(offset_layer=offset, scale=2.0, name="s")(x),
        Shifted(scale=2.0, name="s")(x, offset_layer=offset),
    ):
        np.testing.assert_array_equal(net(values), [[4.5, 4.5, 4.5]])
        assert net.input_nodes == [x, offset]
        again = tl.models.Model.from_config(tl.models.Model([x, offset], net).config)
        again.all_weights[0].assign(tf.ones([2, 3]))
        np.testing.assert_array_equal(again(values, is_train=False), [[4.5, 4.5, 4.5]])


def test_networks_over_tensors_given_to_a_constructor_are_inputs_as_well():
    x = tl.layers.InputLayer(tf.ones([1, 2]))
    offset = tl.layers.InputLayer(tf.fill([1, 3], 0.5))

    np.testing.assert_array_equal(Shifted(x, offset_layer=offset).outputs, [[2.5, 2.5, 2.5]])


def test_arrays_and_lists_are_inputs_of_the_type_of_the_layer():
    for dtype in ("float32", "float64"):
        layer = Dense(2, in_channels=2, W_init="ones", dtype=dtype)

        assert layer(np.ones([1, 2])).dtype == dtype
        assert layer([[1.0, 2.0]]).numpy().tolist() == [[3, 3]]
    assert tl.layers.Concat()([np.ones([1, 2]), np.ones([1, 1])]).shape == (1, 3)
    assert tl.layers.Flatten()(np.ones([1, 2, 2], "int64")).dtype == tf.int64


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda x: Dense(Dense(n_units=3), 4), r"Dense: it is stacked on a network, got Dense\("),
        (lambda x: Dense([x, x], 3), r"Dense\(n_units=3.*it takes one input, got a list of 2"),
        (lambda x: Forgetful(3), r"Forgetful: its constructor has to begin with super\(\)"),
        (lambda x: tl.layers.Lambda(x, lambda v: (v, None)), r"got NoneType among them"),
        (lambda x: Dense(x, 3)(x, 5), r"'Network' object is not callable|takes"),
    ],
)
def test_mistakes_are_told_in_one_line(build, message):
    with pytest.raises((InvalidArgument, TypeError), match=message) as caught:
        build(Input([None, 4]))
    assert "\n" not in str(caught.value)


def test_numbers_within_a_structure_of_inputs_stay_what_they_are():
    seen = []

    class Powers(Layer):
        def forward(self, inputs, options):
            seen.extend([*inputs, *options.values()])
            return inputs[0] ** inputs[1]

    Powers()([np.ones([2, 3]), 2], {"times": 3.0, "mask": np.ones([2])})

    assert [type(value) for value in seen[1:3]] == [int, float]
    assert [value.dtype for value in (seen[0], seen[3])] == [tf.float32, tf.float32]


class Forgetful(Layer):
    def __init__(self, n_units):
        self.n_units = n_units


def test_attributes_of_any_name_are_the_layers_own():
    class Busy(Layer):
        def __init__(self, name=None):
            super().__init__(name=name)
            self.scope, self.place, self.state = "x", 3, []
            self.parts = [Dense(n_units=2)]

        def forward(self, inputs):
            return self.parts[0](inputs)

    assert list(Busy(Input([None, 2]), name="b").parameters) == [
        "b/parts/0/weights",
        "b/parts/0/biases",
    ]


def test_an_unnamed_layer_may_have_an_attribute_called_scope():
    class Scoped(Layer):
        def __init__(self):
            super().__init__()
            self.scope = "x"
            self.gain = tf.Variable(tf.ones([2]))

        def forward(self, inputs):
            return inputs * self.gain

    net = Scoped(Input([None, 2]))

    assert list(net.parameters) == ["scoped_1/gain"]
    assert net.layer.scope == "x"


def test_arrays_in_arguments_do_not_fill_messages():
    layer = Dense(4, W_init=np.zeros([1000, 4]), in_channels=1000, name="d")

    assert repr(layer) == (
        "Dense(n_units=4, W_init=array of shape (1000, 4), in_channels=1000, name='d')"
    )


def test_replicas_average_statistics_and_nothing_else():
    class Counted(Layer):
        def build(self, inputs_shape):
            self.w = self._get_weights("w", [2])
            self.mean = self._get_weights("mean", [2], trainable=False)
            self.n = self._get_weights("n", [], init=0, trainable=False, dtype=tf.int64)

        def forward(self, inputs):
            return inputs

    variables = Counted(Input([None, 2]), name="c").parameters

    assert [variable.aggregation.name for variable in variables.values()] == [
        "NONE",
        "MEAN",
        "NONE",
    ]


def test_the_called_spelling_gives_back_the_layer_itself():
    with variable_scope("called"):
        layer = Dense(n_units=3, in_channels=4, name="d")
    with variable_scope("called", reuse=True):
        assert Dense(n_units=3, in_channels=4, name="d") is layer


def test_a_wrong_rank_names_those_that_fit_and_the_one_that_came():
    with pytest.raises(WrongShape, match=r"of rank 2 or 3, got shape \(4,\)\. Reshape it\.$"):
        require_rank(Dense(n_units=3, name="d"), [4], (2, 3), "Reshape it.")
