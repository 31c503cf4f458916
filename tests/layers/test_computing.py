from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, NameTaken, UnlistedVariable
from tensorlayer.layers import BatchNorm, Dense, Input, InputLayer, Lambda, Layer, computing
from tensorlayer.models import Model

X = np.random.default_rng(0).normal(1.0, 2.0, size=(16, 4)).astype("float32")
OUTSIDE = tf.Variable(2.0, name="outside")


# -- what is computed with is listed


class Hidden(Layer):
    """Parameters in private attributes."""

    def __init__(self, name=None):
        super().__init__(name=name)
        self._d = Dense(n_units=3)
        self._w = tf.Variable(1.0)
        self._more = {"list": [tf.Variable(2.0)]}

    def forward(self, inputs):
        return self._d(inputs) * self._w + self._more["list"][0]


def test_private_attributes_are_listed():
    net = Hidden(Input([None, 4]), name="h")

    assert list(net.parameters) == ["h/_d/weights", "h/_d/biases", "h/_w", "h/_more/list/0"]
    assert len(net.trainable_weights) == 4


class Held(Model):
    def __init__(self):
        super().__init__()
        self._hidden = Hidden()

    def forward(self, x):
        return self._hidden(x)


def test_private_attributes_of_a_model_are_listed_and_restored(tmp_path):
    model, other = Held(), Held()
    expected = model(X, is_train=False)
    other(X, is_train=False)
    model.save_weights(tmp_path / "w.safetensors")

    other.load_weights(tmp_path / "w.safetensors")

    np.testing.assert_array_equal(other(X, is_train=False), expected)
    assert len(model.all_weights) == 4


def uses_outside(x):
    return x * OUTSIDE


@pytest.mark.parametrize(
    "apply",
    [
        lambda layer: layer(Input([None, 4])),
        lambda layer: layer(InputLayer(X)),
        lambda layer: layer(X),
        lambda layer: tf.function(lambda x: layer(x))(X),
    ],
    ids=["declared", "over a tensor", "called", "traced"],
)
def test_a_variable_that_is_used_and_not_listed_is_an_error(apply):
    layer = Lambda(uses_outside, name="times")

    with pytest.raises(
        UnlistedVariable,
        match=r"Lambda\(.*'times'\) computes with the variable 'outside:0' of shape \(\), which is "
        r"not among its parameters: it would be neither trained nor saved.*fn_weights=\[...\]",
    ):
        apply(layer)
    assert apply(Lambda(uses_outside, fn_weights=[OUTSIDE])) is not None


def test_a_model_that_uses_what_it_does_not_list_is_an_error():
    class Leaking(Model):
        def forward(self, x):
            return x * OUTSIDE

    for call in (Leaking(), tf.function(Leaking())):
        with pytest.raises(UnlistedVariable, match=r"Leaking.*'outside:0'"):
            call(X, is_train=True)


def test_statistics_that_are_not_listed_are_an_error_when_declared():
    average = tf.Variable(tf.zeros([4]), trainable=False, name="average")

    class Leaking(Layer):
        def forward(self, inputs):
            return inputs - average

    with pytest.raises(UnlistedVariable, match="'average:0'"):
        Leaking(Input([None, 4]))


def test_what_training_alone_uses_is_compared_in_training():
    class Noisy(Layer):
        def forward(self, inputs):
            return inputs * OUTSIDE if self.is_train else inputs

    net = Noisy(Input([None, 4]))
    net(X, is_train=False)

    with pytest.raises(UnlistedVariable, match="'outside:0'"):
        net(X, is_train=True)


def test_activations_with_parameters_are_listed():
    net = Dense(Input([None, 4]), 3, act=tf.keras.layers.PReLU(), name="d")

    assert list(net.parameters) == ["d/weights", "d/biases", "d/act/alpha"]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(net(X))
    assert all(g is not None for g in tape.gradient(loss, net.trainable_weights))


def test_methods_of_modules_bring_their_module():
    class Module(tf.Module):
        def __init__(self):
            super().__init__()
            self.w = tf.Variable(2.0)

        def scaled(self, x):
            return x * self.w

    net = Lambda(Input([None, 4]), Module().scaled, name="m")

    assert list(net.parameters) == ["m/fn/w"]


def test_a_parameter_is_made_once_under_a_name():
    class Twice(Layer):
        def build(self, inputs_shape):
            self.a = self._get_weights("w", inputs_shape[-1:])
            self.b = self._get_weights("w", inputs_shape[-1:])

        def forward(self, inputs):
            return inputs * self.a * self.b

    with pytest.raises(NameTaken, match=r"Twice\(name='t'\) has a parameter 'w' already"):
        Twice(Input([None, 4]), name="t")


def test_parts_that_are_built_later_are_not_passed_over():
    block = Hidden(name="h")

    with pytest.raises(tl.errors.InvalidArgument, match=r"has no weights yet. Give it in_channels"):
        block.trainable_weights  # noqa: B018
    block(X)
    assert len(block.trainable_weights) == 4


def test_what_is_held_and_not_used_need_not_be_built():
    class Spare(Layer):
        def __init__(self, name=None):
            super().__init__(name=name)
            self.used, self.spare = Dense(n_units=2), Dense(n_units=3)

        def forward(self, inputs):
            return self.used(inputs)

    layer = Spare()

    assert layer(X).shape == (16, 2)
    with pytest.raises(InvalidArgument, match="has no weights yet"):
        _ = layer.parameters


def test_a_comparison_adds_nothing_to_a_trace():
    net = Dense(Input([None, 4]), 3)
    net.layer.facts.compared_modes = frozenset()
    spec = tf.TensorSpec([2, 4])

    first = tf.function(lambda x: net(x, is_train=True)).get_concrete_function(spec)
    second = tf.function(lambda x: net(x, is_train=True)).get_concrete_function(spec)

    types = [sorted(op.type for op in each.graph.get_operations()) for each in (first, second)]
    assert types[0] == types[1]


# -- TensorFlow 1


def test_in_a_tensorflow_1_graph_statistics_move_with_the_outputs():
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        placeholder = v1.placeholder(tf.float32, [None, 4])
        with tl.layers.isolated():
            with tl.layers.variable_scope("net"):
                train = BatchNorm(InputLayer(placeholder), is_train=True, decay=0.5, name="bn")
            with tl.layers.variable_scope("net", reuse=True):
                test = BatchNorm(InputLayer(placeholder), is_train=False, decay=0.5, name="bn")
        updates = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
        session.run(v1.global_variables_initializer())
        session.run(test.outputs, {placeholder: X})
        untouched = session.run(train.layer.moving_mean)
        normalised = session.run([train.outputs, *updates], {placeholder: X})[0]
        moved = session.run(train.layer.moving_mean)

    assert train.layer is test.layer
    assert len(updates) == 2
    np.testing.assert_array_equal(untouched, np.zeros(4))
    np.testing.assert_allclose(moved, 0.5 * X.mean(0), rtol=1e-5)
    np.testing.assert_allclose(normalised.mean(0), np.zeros(4), atol=0.02)


def test_what_is_thawed_is_compared_in_training():
    class Noisy(Layer):
        def forward(self, inputs):
            return inputs * OUTSIDE if self.is_train else inputs

    net = Noisy(Input([None, 4]), trainable=False)
    net(X, is_train=True)
    net.layer.trainable = True

    with pytest.raises(UnlistedVariable, match="'outside:0'"):
        net(X, is_train=True)


def test_a_build_that_fails_can_be_made_up_for():
    class Picky(Layer):
        def build(self, inputs_shape):
            self.w = self._get_weights("w", inputs_shape[-1:])
            if inputs_shape[-1] != 4:
                raise tl.errors.WrongShape("four, please")

        def forward(self, inputs):
            return inputs * self.w

    layer = Picky(name="p")
    with pytest.raises(tl.errors.WrongShape, match="four"):
        layer(Input([None, 5]))

    assert layer(Input([None, 4])).count_params() == 4


def clipped(x):
    if tf.reduce_sum(x) > 0:
        return x
    return -x


def combined(a, b):
    if tf.reduce_sum(a) > tf.reduce_sum(b):
        return a
    return b


class Positive(Layer):
    def forward(self, inputs):
        return clipped(inputs)


@pytest.mark.parametrize(
    "declare",
    [
        lambda x: Dense(x, 4, act=clipped),
        lambda x: tl.layers.Elementwise([x, Dense(x, 4)], combine_fn=combined),
        lambda x: Model(y := Input([None, 4]), Positive(y)).as_layer()(x),
        lambda x: Held()(x),
    ],
    ids=["act", "combine_fn", "model", "own model"],
)
def test_control_flow_on_tensors_works_wherever_a_function_is_given(declare, tmp_path):
    x = Input([None, 4], name="x")
    model = Model(x, declare(x))
    traced = tf.function(lambda values: model(values, is_train=False))

    expected = model(X, is_train=False)
    np.testing.assert_allclose(traced(X), expected, rtol=1e-5, atol=1e-6)
    model.export(tmp_path)
    served = tf.saved_model.load(str(tmp_path)).signatures["serving_default"](x=tf.constant(X))
    np.testing.assert_allclose(next(iter(served.values())), expected, rtol=1e-5, atol=1e-6)


def test_a_forward_that_is_a_function_of_tensorflow_is_a_part_of_the_trace_around():
    class Traced(Layer):
        @tf.function
        def forward(self, x):
            return x + 1.0

    net = Traced(Input([None, 3]), name="t")

    assert net.outputs.shape.as_list() == [None, 3]
    np.testing.assert_array_equal(tf.function(net.layer)(tf.ones([1, 3])), 2 * np.ones([1, 3]))


# -- outputs


class Returning(Layer):
    """A forward that returns something else than tensors."""

    def __init__(self, what, name=None):
        super().__init__(name=name)
        self.what = what

    def forward(self, x):
        return {"none": (x, None), "text": "text", "in a list": [x, {"a": "text"}]}[self.what]


class ReturningModel(Model):
    def forward(self, x):
        return x, None


def over_a_tensor(what):
    Returning(InputLayer(X), what)


def over_a_shape(what):
    Returning(Input([None, 4]), what)


def in_a_function(what):
    layer = Returning(what)
    tf.function(lambda x: layer(x))(X)


def in_a_graph_of_tensorflow_1(what):
    with tf.Graph().as_default():
        Returning(InputLayer(tf.constant(X)), what)


WAYS = [over_a_tensor, over_a_shape, in_a_function, in_a_graph_of_tensorflow_1]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", ["none", "text", "in a list"])
def test_what_is_no_tensor_is_refused_everywhere(way, what):
    kind = "NoneType" if what == "none" else "str"
    with pytest.raises(InvalidArgument, match=rf"forward returns tensors.*got {kind} among"):
        way(what)


def test_what_is_no_tensor_is_refused_from_a_model():
    for apply in (lambda model: model(X), tf.function(lambda model: model(tf.constant(X)))):
        model = ReturningModel()
        model.eval()
        with pytest.raises(InvalidArgument, match=r"forward returns tensors.*got NoneType among"):
            apply(model)
    with pytest.raises(InvalidArgument, match=r"forward returns tensors.*got NoneType among"):
        ReturningModel()(InputLayer(X))


# -- first runs


def test_parameters_are_made_under_the_lock_but_not_by_replicas():
    layer = Dense(2, name="d")
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    held = []

    assert computing._making(layer) is computing.LOCK
    strategy.run(lambda: held.append(computing._making(layer)))
    layer(X)

    assert computing.LOCK not in [*held, computing._making(layer)]


def test_an_error_of_a_forward_is_its_own_where_types_fit():
    class Failing(Layer):
        def build(self, inputs_shape):
            self.w = self._get_weights("w", inputs_shape[-1:])

        def forward(self, x):
            raise TypeError("not today")

    with pytest.raises(TypeError, match="not today"):
        Failing(name="f")(X)


def test_types_that_do_not_fit_are_told_with_the_remedy():
    layer = Dense(2, in_channels=4, name="d")

    with pytest.raises(
        InvalidArgument, match=r"parameters are float32, its input is float64. Cast"
    ):
        layer(tf.constant(X, tf.float64))


def test_a_forward_that_is_a_function_is_traced_once_for_each_mode():
    traces = []

    class Traced(Layer):
        @tf.function
        def forward(self, x):
            traces.append(self.is_train)
            return 2 * x

    layer = Traced(name="t")
    for is_train in (True, False, True, False):
        np.testing.assert_array_equal(layer(tf.constant(X), is_train=is_train), 2 * X)

    assert traces == [True, False]


class Gathering(Layer):
    """A layer whose build puts things into lists, and fails the first time."""

    def __init__(self, name=None):
        super().__init__(name=name)
        self.dense, self.scales, self.fails = [], {"all": []}, [True]

    def build(self, inputs_shape):
        for _ in range(2):
            self.dense.append(Dense(n_units=4))
            self.scales["all"].append(tf.Variable(2.0))
            if self.fails.pop() if self.fails else False:
                raise FileNotFoundError("the embeddings")

    def forward(self, x):
        for dense, scale in zip(self.dense, self.scales["all"], strict=True):
            x = dense(x) * scale
        return x


def test_a_build_that_fails_leaves_nothing_in_lists(tmp_path):
    layer = Gathering(name="g")
    with pytest.raises(FileNotFoundError):
        layer(X)
    assert [len(layer.dense), len(layer.scales["all"])] == [0, 0]

    layer.fails = []
    layer(X)
    assert len(layer.dense) == len(layer.scales["all"]) == 2
    assert len(layer.parameters) == 6
    saved = tf.train.Checkpoint(layer=layer).save(tmp_path / "c")
    tf.train.Checkpoint(layer=layer).restore(saved).assert_consumed()


@pytest.mark.parametrize("kind", ["generator", "list"])
@pytest.mark.parametrize("make", [lambda: Dense(n_units=2, name="d"), lambda: Held()])
def test_what_is_no_tensor_is_refused_as_an_input(make, kind):
    values = {"generator": (x for x in X), "list": [[1.0], [1.0, 2.0]]}
    with pytest.raises(InvalidArgument, match=f"takes networks, tensors.*got {kind}: .* Make an"):
        make()(values[kind], is_train=False)


def test_operations_of_a_graph_are_called_after_their_layer():
    net = Dense(Dense(Input([None, 3]), 2, name="first"), 2, name="second")

    step = tf.function(lambda x: net(x, is_train=False))
    graph = step.get_concrete_function(tf.TensorSpec([1, 3])).graph

    products = {each.name for each in graph.get_operations() if each.type == "MatMul"}
    assert products == {"first/MatMul", "second/MatMul"}


@pytest.mark.parametrize("dtype", ["float64", "int32"])
def test_arrays_of_floats_get_the_type_of_the_layer_and_whole_numbers_keep_theirs(dtype):
    seen = []
    layer = Lambda(lambda x: seen.append(x.dtype) or x)

    layer(np.ones([1, 3], dtype))

    assert seen == [tf.float32 if dtype == "float64" else tf.int32]


class Making(Layer):
    """Makes its layer anew in every run."""

    def forward(self, x):
        return Dense(n_units=2, name="made")(x)


def test_a_layer_that_a_forward_makes_is_the_same_in_every_run():
    one, other = Making(name="one"), Making(name="other")

    first = one(X)

    np.testing.assert_array_equal(one(X), first)
    assert not np.array_equal(other(X), first)
    assert len(one.trainable_weights) == len(other.trainable_weights) == 2
