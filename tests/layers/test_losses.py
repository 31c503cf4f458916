"""Regularization losses: of every library, in every place, and nowhere else."""

from __future__ import annotations

import copy
import functools
import gc
import threading
import weakref

import numpy as np
import pytest
import tensorflow as tf
import tf_slim as slim

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import Dense, Input, InputLayer, KerasLayer, Lambda, SlimNetsLayer
from tensorlayer.layers.tflearn import load_tflearn
from tensorlayer.models import Model
from tests.layers import nets_slim

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

v1 = tf.compat.v1
X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def half_of_squares(variable):
    return 0.5 * tf.reduce_sum(variable**2)


def by_name(x):
    return tf.matmul(x, v1.get_variable("w", [3, 2], regularizer=half_of_squares))


def by_slim(x):
    with slim.arg_scope([slim.fully_connected], weights_regularizer=slim.l2_regularizer(1.0)):
        return slim.fully_connected(x, 2, activation_fn=None, scope="fc")


def by_tflearn(x):
    tflearn = load_tflearn()
    return tflearn.fully_connected(x, 2, regularizer="L2", weight_decay=1.0, name="fc")


def by_hand(x):
    w = v1.get_variable("w", [3, 2])
    v1.add_to_collection(v1.GraphKeys.REGULARIZATION_LOSSES, half_of_squares(w))
    return tf.matmul(x, w)


def by_hand_without_names(x):
    w = tf.Variable(np.ones([3, 2], "float32"))
    v1.add_to_collection(v1.GraphKeys.REGULARIZATION_LOSSES, half_of_squares(w))
    return tf.matmul(x, w)


def by_add_loss(x):
    w = tf.Variable(np.ones([3, 2], "float32"))
    v1.losses.add_loss(half_of_squares(w), v1.GraphKeys.REGULARIZATION_LOSSES)
    return tf.matmul(x, w)


def of_keras():
    return tf.keras.layers.Dense(2, kernel_regularizer=half_of_squares)


def held_by_a_function():
    dense = of_keras()
    return lambda x: dense(x)


def weights_of(net):
    return next(each for each in net.trainable_weights if each.shape.rank == 2)


def given_to_a_function():
    return functools.partial(lambda x, layers: layers["dense"](x), layers={"dense": of_keras()})


MADE = (of_keras, held_by_a_function, given_to_a_function)
FUNCTIONS = [by_name, by_slim, by_tflearn, by_hand, by_hand_without_names, *MADE]
every_function = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)


def layer_of(function, net=None):
    net = Input([None, 3], name="x") if net is None else net
    return Lambda(net, function() if function in MADE else function, name="f")


def both_gradients(net, evaluate):
    """Return the loss of regularization, and its gradient, which is the weights themselves."""
    weights = weights_of(net)

    def step():
        with tf.GradientTape() as tape:
            outputs = evaluate()
            (loss,) = net.regularization_losses
            total = loss + 0.0 * tf.reduce_sum(outputs)
        return loss, tape.gradient(total, weights)

    return step


@pytest.mark.parametrize("function", [*FUNCTIONS, by_add_loss], ids=lambda f: f.__name__)
@pytest.mark.parametrize("is_traced", [False, True])
def test_each_evaluation_computes_them_again_with_gradients(function, is_traced):
    net = layer_of(function)
    weights = weights_of(net)
    step = both_gradients(net, lambda: net(X, is_train=True))
    step = tf.function(step) if is_traced else step

    for factor in (1.0, 2.0, -3.0):
        weights.assign(factor * np.ones(weights.shape, np.float32))
        loss, gradient = step()
        np.testing.assert_allclose(loss, 3.0 * factor**2, rtol=1e-6)
        np.testing.assert_allclose(gradient, weights, rtol=1e-6)


@every_function
def test_a_layer_that_begins_eagerly(function):
    net = layer_of(function, InputLayer(tf.constant(X)))
    weights = weights_of(net)

    (loss,) = net.regularization_losses

    np.testing.assert_allclose(loss, half_of_squares(weights), rtol=1e-6)


@pytest.mark.parametrize(
    "function", [by_name, by_hand, by_hand_without_names, by_add_loss], ids=lambda f: f.__name__
)
def test_they_are_as_many_as_tensorflow_1_has_and_leave_nothing_behind(function):
    with tf.Graph().as_default():
        function(tf.constant(X))
        expected = len(v1.losses.get_regularization_losses())
    net = layer_of(function)

    for _ in range(3):
        net(X)
        assert len(net.regularization_losses) == expected == 1

    assert v1.get_collection(v1.GraphKeys.REGULARIZATION_LOSSES) == []


def total_of(net):
    def step():
        net(X)
        return tf.add_n(net.regularization_losses)

    return step


@pytest.mark.parametrize(
    "constant", [2.0, np.float32(2.0), tf.constant(2.0)], ids=["float", "np", "tf"]
)
@pytest.mark.parametrize("is_traced", [False, True])
def test_constants_are_losses_too(constant, is_traced):
    def by_hand(x):
        v1.add_to_collection(v1.GraphKeys.REGULARIZATION_LOSSES, constant)
        return x

    def regularizer(variable):
        return constant

    def by_regularizer(x):
        return x * v1.get_variable("w", [3], regularizer=regularizer)

    for function in (by_hand, by_regularizer):
        net = Lambda(Input([None, 3]), function, name=function.__name__)
        step = total_of(net)
        for evaluate in [tf.function(step) if is_traced else step] * 2:
            assert evaluate().numpy() == 2.0


def test_what_a_function_computes_as_a_loss_to_return_is_no_regularization():
    def squares(x):
        return v1.losses.mean_squared_error(tf.zeros_like(x), x)

    def both():
        loss = squares(tf.constant(X))
        return loss, v1.losses.get_regularization_losses()

    with tf.Graph().as_default(), v1.Session() as session:
        expected, regularization = session.run(both())
    net = Lambda(Input([None, 3]), squares, name="f")

    np.testing.assert_allclose(net(X), expected, rtol=1e-6)
    assert net.regularization_losses == regularization == []


def test_those_of_a_keras_layer_that_two_layers_use_come_once():
    dense = of_keras()

    def back(x):
        return tf.matmul(x, dense.kernel, transpose_b=True)

    net = KerasLayer(Input([None, 3]), keras_layer=dense, name="there")
    net = Lambda(net, back, fn_weights=[dense.kernel.value], name="back")
    net(X)

    (loss,) = net.regularization_losses
    np.testing.assert_allclose(loss, dense.losses[0], rtol=1e-6)


def test_those_of_a_part_of_another_keras_layer_come_once():
    part = of_keras()
    whole = tf.keras.Sequential([part, tf.keras.layers.Dense(2)])
    alone = tf.keras.Sequential([part])
    x = Input([None, 3])
    net = Lambda(x, lambda x: whole(x) + part(x) + alone(x), name="f")

    net(X)

    (loss,) = net.regularization_losses
    np.testing.assert_allclose(loss, half_of_squares(part.kernel), rtol=1e-6)


class Holder:
    def __init__(self):
        self.dense = of_keras()

    def compute(self, x):
        return self.dense(x)


GLOBAL = of_keras()


def test_those_of_keras_layers_are_found_wherever_code_names_them():
    holder = Holder()
    x = Input([None, 3])
    functions = {
        "a method": (holder.compute, holder.dense),
        "a comprehension": (lambda x: tf.add_n([GLOBAL(part) for part in (x, 2 * x)]), GLOBAL),
    }

    for name, (function, dense) in functions.items():
        net = Lambda(x, function, name=name.replace(" ", "_"))
        net(X)
        (loss,) = net.regularization_losses
        np.testing.assert_allclose(loss, half_of_squares(dense.kernel), rtol=1e-6, err_msg=name)


def test_a_name_that_has_no_value_is_passed_by():
    def made(is_given=False):
        if is_given:
            factor = 2.0
        return lambda x: x * (factor if is_given else 3.0)

    net = Lambda(Input([None, 3]), made(), name="f")

    net(X)

    assert net.regularization_losses == []


def test_those_of_keras_layers_that_a_function_makes_anew_are_not_known():
    net = KerasLayer(Input([None, 3]), keras_layer=lambda x: of_keras()(x), name="k")
    net(X)

    assert net.regularization_losses == []


def test_of_activities_those_of_keras_are_of_the_evaluation_here():
    def activity(outputs):
        return tf.reduce_sum(outputs**2)

    dense = tf.keras.layers.Dense(2, activity_regularizer=activity)
    net = KerasLayer(Input([None, 3]), keras_layer=dense, name="k")

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            net(X)
            (loss,) = net.regularization_losses
        return loss, tape.gradient(loss, dense.kernel.value)

    loss, gradient = step()
    outputs = X @ dense.kernel.numpy()  # Keras takes the mean over the batch
    np.testing.assert_allclose(loss, np.sum(outputs**2) / len(X), rtol=1e-5)
    np.testing.assert_allclose(gradient, 2 * X.T @ outputs / len(X), rtol=1e-5)
    with pytest.raises(InvalidArgument, match=r"name='k'.*not evaluated eagerly in this thread"):
        net.regularization_losses  # noqa: B018
    net(X)
    np.testing.assert_allclose(net.regularization_losses, [loss], rtol=1e-5)
    with pytest.raises(InvalidArgument, match=r"not evaluated in this tf.function or graph"):
        tf.function(lambda: net.regularization_losses)()


def test_those_of_a_forward_that_is_a_function_are_within_it():
    class Own(tl.layers.Layer):
        def __init__(self, name=None):
            super().__init__(name=name)
            self.inner = Lambda(by_name, name="inner")

        @tf.function
        def forward(self, x):
            return self.inner(x)

    net = Own(Input([None, 3]), name="own")
    net(X)

    with pytest.raises(InvalidArgument, match=r"inner.* A forward that is a tf.function has them"):
        net.regularization_losses  # noqa: B018

    @tf.function
    def step():
        net(X)
        return tf.add_n(net.regularization_losses)

    np.testing.assert_allclose(step(), half_of_squares(net.all_params[0]), rtol=1e-6)


def test_those_of_a_model_are_those_of_its_layers_each_once():
    x = Input([None, 3], name="x")
    shared = Lambda(by_name, name="shared")
    net = Lambda(shared(x), lambda y: y * v1.get_variable("v", [2], regularizer=half_of_squares))
    net = tl.layers.Concat(name="both")([net, shared(x)])
    model = Model(x, Dense(net, 1, name="out"))
    model(X, is_train=True)

    found = sorted(loss.numpy().item() for loss in model.regularization_losses)

    expected = [half_of_squares(model.parameters[name]) for name in ("shared/w", "lambda_1/v")]
    np.testing.assert_allclose(found, sorted(expected), rtol=1e-6)
    np.testing.assert_allclose(len(net.regularization_losses), 2)


def test_weight_decay_of_a_slim_net_trains_towards_zero():
    x = Input([None, 8, 8, 1], name="x")
    model = Model(x, SlimNetsLayer(x, slim_layer=nets_slim.trunk, name="tower"))
    images = np.zeros([2, 8, 8, 1], np.float32)
    kernels = [model.parameters[f"tower/{name}/weights"] for name in ("conv1", "conv2")]
    before = [each.numpy() for each in kernels]
    optimizer = tf.optimizers.SGD(1.0)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            model(images, is_train=True)
            loss = 1000 * tf.add_n(model.regularization_losses)
        optimizer.apply_gradients(zip(tape.gradient(loss, kernels), kernels, strict=True))

    step()

    for kernel, value in zip(kernels, before, strict=True):  # 1e-4 of nets_slim, 1000 and the rate
        np.testing.assert_allclose(kernel, 0.9 * value, rtol=1e-5)


def test_what_has_none_has_none_before_it_is_evaluated():
    net = Dense(Lambda(Input([None, 3]), lambda x: 2 * x), 2, name="d")

    assert net.regularization_losses == []
    assert tf.function(lambda: len(net.regularization_losses))() == 0


def test_where_it_was_not_evaluated_is_an_error():
    net = layer_of(by_name)

    with pytest.raises(InvalidArgument, match=r"name='f'.*not evaluated eagerly in this thread. E"):
        net.regularization_losses  # noqa: B018
    net(X)
    with pytest.raises(InvalidArgument, match=r"not evaluated in this tf.function or graph. Ev"):
        tf.function(lambda: net.regularization_losses)()
    assert len(net.regularization_losses) == 1


def test_threads_have_their_own():
    net, found = layer_of(by_name), []
    net(X)

    def other():
        with pytest.raises(InvalidArgument, match="not evaluated eagerly in this thread"):
            net.regularization_losses  # noqa: B018
        net(X)
        found.extend(net.regularization_losses)

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()

    assert len(found) == 1
    assert found[0] is not net.regularization_losses[0]


def test_a_copy_has_its_own():
    net = layer_of(by_name)
    net(X)
    copied = copy.deepcopy(net)
    copied.all_params[0].assign(tf.ones([3, 2]))
    copied(X)

    assert copied.regularization_losses[0].numpy() == 3.0
    assert net.regularization_losses[0].numpy() != 3.0


def test_they_keep_no_trace():
    net = layer_of(by_name)

    def traced_once():
        @tf.function
        def step():
            net(X)
            return tf.add_n(net.regularization_losses)

        step()
        return weakref.ref(step.get_concrete_function().graph)

    graph = traced_once()
    gc.collect()

    assert graph() is None


@pytest.mark.parametrize("function", [by_name, by_hand, by_hand_without_names, by_add_loss])
def test_classes_in_the_style_of_1_have_theirs(function):
    class Old(tl.layers.Layer):
        def __init__(self, prev_layer, name="old"):
            super().__init__(prev_layer=prev_layer, name=name)
            with v1.variable_scope(name):
                self.outputs = function(self.inputs)
            self._add_layers(self.outputs)

    net = Old(Input([None, 3]), name="old")
    for evaluate in (lambda: net(X), tf.function(lambda: net(X))):
        evaluate()
    (loss,) = net.regularization_losses

    np.testing.assert_allclose(loss, half_of_squares(net.all_params[0]), rtol=1e-6)


def test_those_of_keras_are_as_keras_tells_them():
    inner = tf.keras.Sequential([of_keras(), of_keras()])
    net = KerasLayer(Input([None, 3]), keras_layer=inner, name="k")

    assert [loss.numpy() for loss in net.regularization_losses] == [
        loss.numpy() for loss in inner.losses
    ]
