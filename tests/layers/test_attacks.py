"""What tries to lose something in layers and networks: sharing, statistics, modes, variables."""

from __future__ import annotations

import copy
import threading

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, TensorLayerError, UnlistedVariable
from tensorlayer.layers import (
    AUTO_REUSE,
    BatchNorm,
    BatchNormLayer,
    Concat,
    Conv2d,
    Dense,
    DenseLayer,
    Dropout,
    DropoutLayer,
    Input,
    InputLayer,
    Lambda,
    Layer,
    MaxPool2d,
    variable_scope,
)

v1 = tf.compat.v1


@pytest.fixture(autouse=True)
def _isolated():
    """Keep the names of one test from the next."""
    with tl.layers.isolated():
        yield


# -- sharing in scripts of 1.x


def scores(inputs, reuse):
    with v1.variable_scope("discriminator", reuse=reuse):
        return DenseLayer(InputLayer(inputs, name="in"), n_units=1, name="h")


def test_a_scope_of_tensorflow_1_shares_or_is_refused():
    with tf.Graph().as_default():
        real = scores(v1.placeholder(tf.float32, [None, 4]), reuse=False)
        try:
            fake = scores(v1.placeholder(tf.float32, [None, 4]), reuse=True)
        except TensorLayerError:
            return
        assert fake.all_params[0] is real.all_params[0]


def test_a_scope_of_tensorflow_1_is_in_the_names_of_variables():
    with tf.Graph().as_default():
        net = scores(v1.placeholder(tf.float32, [None, 4]), reuse=False)

    assert [each.name for each in net.all_params] == [
        "discriminator/h/weights:0",
        "discriminator/h/biases:0",
    ]


def test_a_second_graph_makes_layers_of_its_own_where_reuse_is_automatic():
    outputs = []
    for _ in range(2):
        with tf.Graph().as_default(), v1.Session() as session:
            x = v1.placeholder(tf.float32, [None, 4])
            with variable_scope("m", reuse=AUTO_REUSE):
                net = Dense(InputLayer(x, name="in"), 3, name="d")
            session.run(v1.global_variables_initializer())
            outputs.append(session.run(net.outputs, {x: np.ones([2, 4])}).shape)

    assert outputs == [(2, 3), (2, 3)]


def test_two_builds_over_placeholders_train_and_infer_with_one_set_of_variables():
    def build(x, is_train, reuse):
        with variable_scope("m", reuse=reuse):
            net = DenseLayer(InputLayer(x, name="in"), n_units=3, name="d")
            return BatchNormLayer(net, decay=0.5, is_train=is_train, name="bn")

    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 4])
        trained, inferred = build(x, True, None), build(x, False, True)
        session.run(v1.global_variables_initializer())
        mean = trained.all_params[4]
        session.run(inferred.outputs, {x: np.ones([8, 4])})
        before = session.run(mean)
        session.run(trained.outputs, {x: np.ones([8, 4])})
        after = session.run(mean)

    assert not before.any()
    assert after.any()


def test_a_fixed_dropout_over_a_placeholder_drops_as_in_1_x():
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 400])
        net = DropoutLayer(InputLayer(x, name="in"), keep=0.5, is_fix=True, name="drop")
        zeros = (session.run(net.outputs, {x: np.ones([1, 400])}) == 0).mean()

    assert 0.3 < zeros < 0.7


# -- variables that foreign code makes


def test_a_function_that_makes_fewer_variables_later_is_refused():
    def scaled(x, is_train):
        if is_train:
            x = x * tf.Variable(7.0, name="only_in_training")
        return x * tf.Variable(5.0, name="always")

    layer = Lambda(scaled, name="l")
    assert layer(tf.ones([1]), is_train=True).numpy().item() == 35.0

    try:
        inferred = layer(tf.ones([1]), is_train=False).numpy().item()
    except InvalidArgument:
        return
    assert inferred == 5.0


class Nested(Layer):
    """A layer of 1.x whose variables have names of their own."""

    def __init__(self, prev_layer, name="nested"):
        super().__init__(prev_layer=prev_layer, name=name)
        with v1.variable_scope(name):
            W = v1.get_variable("W", [4, 4])
            b = v1.get_variable("b", [4])
        self.outputs = tf.matmul(self.inputs, W) + b
        self._add_params([W, b])


def test_a_variable_of_1_x_may_be_called_like_its_layer():
    net = Nested(Input([None, 4]), name="b")

    assert list(net.parameters) == ["b/W", "b/b"]


def test_a_layer_of_1_x_in_a_scope_has_its_name_once():
    with variable_scope("s"):
        net = Nested(Input([None, 4]), name="q")

    assert list(net.parameters) == ["s/q/W", "s/q/b"]


# -- modes


class Doubled(Layer):
    """Doubles in training, in a trace of its own."""

    @tf.function
    def forward(self, inputs):
        return inputs * 2 if self.is_train else inputs


def test_a_forward_that_is_a_tf_function_follows_the_mode():
    net = Doubled(Input([None, 1]), name="l")

    assert net(tf.ones([1, 1]), is_train=True).numpy().item() == 2.0
    assert net(tf.ones([1, 1]), is_train=False).numpy().item() == 1.0


def test_a_function_of_any_keywords_is_told_the_mode_by_the_one_it_knows():
    def doubled(x, training=None, **others):
        assert not others
        return x * 2 if training else x

    net = Lambda(Input([None, 1]), doubled, name="l")

    assert net(tf.ones([1, 1]), is_train=True).numpy().item() == 2.0


def test_threads_may_train_and_infer_at_once():
    x = Input([None, 8])
    net = Dropout(BatchNorm(x, name="bn"), 0.5, name="drop")
    values, wrong = tf.ones([4, 8]), []
    barrier = threading.Barrier(4)

    def infer():
        barrier.wait()
        for _ in range(20):
            outputs = net(values, is_train=False).numpy()
            if (outputs == 0).any():
                wrong.append(outputs)

    def train():
        barrier.wait()
        for _ in range(20):
            net(values, is_train=True)

    threads = [threading.Thread(target=each) for each in (train, infer, infer, infer)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert not any(thread.is_alive() for thread in threads)
    assert wrong == []


# -- statistics


def test_an_empty_batch_leaves_the_averages_as_they_are():
    net = BatchNorm(Input([None, 3]), name="bn")
    net(tf.zeros([0, 3]), is_train=True)

    assert np.isfinite(net.layer.moving_mean.numpy()).all()
    assert np.isfinite(net.layer.moving_var.numpy()).all()


def test_a_normalisation_that_is_applied_twice_moves_twice():
    bn = BatchNorm(decay=0.5, name="bn")
    net = Concat([bn(Input([None, 1], name="a")), bn(Input([None, 1], name="b"))])
    net([tf.ones([2, 1]), 3 * tf.ones([2, 1])], is_train=True)

    assert bn.moving_mean.numpy().tolist() == [1.75]


def test_averages_of_half_precision_are_kept_in_full_under_a_mixed_policy():
    net = BatchNorm(Input([None, 4]), dtype="mixed_float16", decay=0.0, name="bn")
    net(tf.random.normal([4096, 4], mean=300.0, seed=1), is_train=True)

    assert net.layer.moving_var.dtype == tf.float32
    np.testing.assert_allclose(net.layer.moving_var, np.ones(4), atol=0.1)


def test_the_averages_move_within_map_fn_and_within_xla():
    x = Input([None, 2])
    net = BatchNorm(x, decay=0.5, name="bn")
    mapped = tf.function(lambda d: tf.map_fn(lambda e: net(e, is_train=True), d))
    compiled = tf.function(lambda d: net(d, is_train=True), jit_compile=True)
    mapped(tf.ones([2, 3, 2]))
    assert net.layer.moving_mean.numpy().tolist() == [0.75, 0.75]
    compiled(tf.ones([3, 2]))
    assert net.layer.moving_mean.numpy().tolist() == [0.875, 0.875]


# -- arguments


@pytest.mark.parametrize(
    "build",
    [
        lambda n: Dense(Input([None, 3]), n, name="d"),
        lambda n: Conv2d(Input([None, 8, 8, 3]), n, (n, n), name="c"),
        lambda n: MaxPool2d(Input([None, 8, 8, 3]), (n, n), name="p"),
    ],
    ids=["dense", "conv", "pool"],
)
def test_integers_of_numpy_are_integers(build):
    assert build(np.int64(2)).outputs.shape == build(2).outputs.shape


def test_an_array_where_a_network_should_be_names_the_remedy():
    with pytest.raises(InvalidArgument, match="Input"):
        Dense(np.ones([1, 3], np.float32), 3, name="d")


def test_another_float_type_than_that_of_the_parameters_is_our_error():
    layer = Dense(4, in_channels=4, name="d")

    with pytest.raises(TensorLayerError, match="float64"):
        layer(tf.ones([1, 4], tf.float64))


def test_a_network_as_an_activation_is_refused_in_terms_of_activations():
    x = Input([None, 3])

    with pytest.raises(InvalidArgument, match="activation"):
        Dense(Input([None, 3]), 3, act=Dense(x, 3, name="e"), name="d")


@pytest.mark.parametrize(
    "values",
    [tf.ragged.constant([[1.0, 2.0], [3.0]]), tf.sparse.from_dense([[1.0, 2.0], [3.0, 0.0]])],
    ids=["ragged", "sparse"],
)
def test_a_tensor_that_is_not_dense_computes_or_is_our_error(values):
    reduce = tf.reduce_sum if isinstance(values, tf.RaggedTensor) else tf.sparse.reduce_sum
    try:
        net = Lambda(InputLayer(values, name="x"), lambda r: reduce(r, -1), name="l")
    except TensorLayerError:
        return
    assert net.outputs.numpy().tolist() == [3.0, 3.0]


# -- copies, blocks, gradients


def test_a_network_of_named_layers_is_copied():
    net = Dense(Input([None, 3], name="x"), 2, name="d")
    copied = copy.deepcopy(net)
    copied.all_params[0].assign(tf.zeros([3, 2]))

    assert copied.all_params[0] is not net.all_params[0]
    assert net.all_params[0].numpy().any()


class Block(Layer):
    """Makes its layers while it computes, in a scope of its own."""

    def forward(self, inputs):
        with variable_scope("s", reuse=AUTO_REUSE):
            inputs = Dense(3, name="d")(inputs)
        return Dense(3, name="e")(inputs)


def test_two_blocks_of_a_class_share_nothing():
    x = Input([None, 3])
    net = Block(Block(x, name="a"), name="b")

    assert len({id(each) for each in net.all_params}) == 8
    assert next(iter(net.parameters)) == "a/s/d/weights"


def test_layers_made_in_a_forward_are_restored_before_their_first_use(tmp_path):
    first, second = Block(name="k"), Block(name="k")
    first(tf.ones([1, 3]))
    path = tf.train.Checkpoint(block=first).save(tmp_path / "c")
    tf.train.Checkpoint(block=second).restore(path)
    second(tf.ones([1, 3]))

    for name, variable in first.parameters.items():
        np.testing.assert_array_equal(second.parameters[name], variable, err_msg=name)


def test_gradients_of_gradients_reach_every_weight():
    net = Dense(Dense(Input([None, 2]), 4, act="tanh", name="a"), 1, b_init=None, name="b")
    values = tf.ones([3, 2])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as tape:
            tape.watch(values)
            outputs = net(values, is_train=True)
        penalty = tf.reduce_sum(tape.gradient(outputs, values) ** 2)
    gradients = outer.gradient(penalty, net.trainable_weights)

    assert all(tf.reduce_any(each != 0) for each in gradients)


def test_a_layer_of_a_closure_is_not_lost():
    hidden = Dense(3, in_channels=2, name="hidden")

    with pytest.raises(UnlistedVariable, match="hidden/weights"):
        Lambda(Input([None, 2]), lambda x: hidden(x), name="l")


# -- what was mended, and its neighbours


class Traced(Layer):
    """A layer whose forward is a tf.function."""

    def build(self, inputs_shape):
        self.w = self._get_weights("w", [4, 4], tl.initializers.Ones())

    @tf.function
    def forward(self, x):
        return tf.matmul(x, self.w)


def test_a_traced_forward_sees_its_weights_under_a_mixed_policy():
    layer, x = Traced(name="t", dtype="mixed_bfloat16"), tf.ones([1, 4])
    before = layer(x, is_train=False).numpy().astype("float32")
    layer.w.assign(2 * layer.w)

    np.testing.assert_array_equal(layer(x, is_train=False).numpy().astype("float32"), 2 * before)


def test_a_traced_forward_has_gradients_in_every_step_under_a_mixed_policy():
    layer, x = Traced(name="t", dtype="mixed_bfloat16"), tf.ones([1, 4])
    for _ in range(2):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x, is_train=True))
        assert tape.gradient(loss, layer.w) is not None


def test_an_empty_batch_gives_no_gradients_that_are_no_numbers():
    layer = BatchNorm(name="bn")
    step = tf.function(
        lambda x: layer(x, is_train=True), input_signature=[tf.TensorSpec([None, 3])]
    )
    step(tf.ones([2, 3]))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(step(tf.zeros([0, 3])))

    for gradient in tape.gradient(loss, [layer.gamma, layer.beta]):
        np.testing.assert_array_equal(gradient, np.zeros([3]))


def tower():
    return Dense(InputLayer(v1.placeholder(tf.float32, [None, 4]), name="in"), 3, name="d")


def test_towers_share_in_the_root_scope_of_tensorflow_1():
    towers = []
    with tf.Graph().as_default():
        for number in range(2):
            with v1.variable_scope(v1.get_variable_scope(), reuse=number > 0):
                towers.append(tower())

    assert towers[0].all_params[0] is towers[1].all_params[0]


def test_reuse_variables_of_tensorflow_1_holds_in_any_scope():
    with tf.Graph().as_default(), variable_scope("m"):
        first = tower()
        v1.get_variable_scope().reuse_variables()
        second = tower()

    assert first.all_params[0] is second.all_params[0]


def test_reuse_variables_does_not_reach_what_an_owner_makes():
    class Block(Layer):
        def __init__(self, name=None):
            super().__init__(name=name)
            self.dense = Dense(3, name="d")

        def forward(self, x):
            return self.dense(x)

    with tf.Graph().as_default(), v1.variable_scope("m"):
        tower()
        v1.get_variable_scope().reuse_variables()
        Block(name="b")


def scaled_by_variable(x):
    return x * v1.get_variable("w", [4])


def test_a_function_of_1_x_computes_outside_of_the_scope_it_was_built_in():
    with v1.variable_scope("s"):
        net = Lambda(Input([None, 4]), scaled_by_variable, name="l")
    outside = net.layer(tf.ones([1, 4]))
    with v1.variable_scope("other"):
        np.testing.assert_array_equal(net.layer(tf.ones([1, 4])), outside)

    assert len(net.parameters) == 1


def test_a_first_run_that_fails_leaves_no_second_variable():
    def scaled(x):
        return x * tf.Variable(tf.ones([4]), name="w")

    layer = Lambda(scaled, name="l")
    with pytest.raises(tf.errors.InvalidArgumentError):
        layer(tf.ones([1, 3]))
    for _ in range(2):
        layer(tf.ones([1, 4]))

    assert list(layer.parameters) == ["l/w"]


def test_a_variable_of_another_shape_under_the_same_name_is_refused():
    def summed(x, is_train):
        return x * tf.reduce_sum(tf.Variable(tf.ones([4 if is_train else 2]), name="w"))

    layer = Lambda(summed, name="l")
    layer(tf.ones([1]), is_train=True)
    with pytest.raises(InvalidArgument, match="shape"):
        layer(tf.ones([1]), is_train=False)
