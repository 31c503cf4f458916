from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import BatchNorm, Input, InputLayer, QuanDenseWithBN
from tensorlayer.layers.updates import batch_moments, update
from tensorlayer.models import Model
from tensorlayer.models.weights import save

v1 = tf.compat.v1


def test_eagerly_the_assignment_happens_and_the_outputs_are_passed_on():
    mean, count = tf.Variable(0.0), tf.Variable(0)
    outputs = {"y": object()}

    assert update([(mean, tf.constant(2.0)), (count, tf.constant(3))], outputs) is outputs
    assert (mean.numpy(), count.numpy()) == (2.0, 3)


def test_in_a_function_every_call_assigns_and_no_operation_is_added():
    total = tf.Variable(0.0)

    @tf.function
    def step(x):
        return update([(total, total + x)], x)

    step(tf.constant(1.0))
    step(tf.constant(2.0))

    assert total.numpy() == 3.0
    graph = step.get_concrete_function(tf.constant(1.0)).graph
    assert not graph.get_collection(v1.GraphKeys.UPDATE_OPS)


def test_in_a_graph_of_tensorflow_1_who_runs_the_outputs_runs_the_assignments():
    with tf.Graph().as_default() as graph, v1.Session() as session:
        total = tf.Variable(0.0)
        x = tf.constant([1.0, 2.0])
        outputs = update([(total, total + 5.0)], {"y": [x], "z": 2 * x})
        session.run(v1.global_variables_initializer())

        first = session.run(outputs)
        assert session.run(total) == 5.0
        session.run(outputs["y"])
        assert session.run(total) == 10.0

        assert graph.get_collection(v1.GraphKeys.UPDATE_OPS)
        session.run(graph.get_collection(v1.GraphKeys.UPDATE_OPS))
        assert session.run(total) == 15.0
    np.testing.assert_array_equal(first["y"][0], [1, 2])
    np.testing.assert_array_equal(first["z"], [2, 4])


def test_a_function_called_in_a_graph_of_tensorflow_1_assigns_by_itself():
    with tf.Graph().as_default() as graph, v1.Session() as session:
        total = tf.Variable(0.0)
        outputs = tf.function(lambda x: update([(total, total + x)], x))(tf.constant(2.0))
        session.run(v1.global_variables_initializer())
        session.run(outputs)

        assert session.run(total) == 2.0
        assert not graph.get_collection(v1.GraphKeys.UPDATE_OPS)


@pytest.mark.parametrize("is_train", [True, False])
def test_only_training_moves_the_averages_of_a_layer(is_train):
    net = BatchNorm(InputLayer(tf.zeros([2, 3])), decay=0.9, name="bn")
    mean = net.parameters["bn/moving_mean"]

    net(tf.ones([2, 3]), is_train=is_train)

    np.testing.assert_allclose(mean, np.full(3, 0.1 if is_train else 0.0), rtol=1e-6)


def averages_of(*values):
    return tuple(tf.Variable(tf.constant(value, shape=[3])) for value in values)


@pytest.mark.parametrize("shape", [(7, 3), (7, 5, 4, 3)])
def test_moments_are_over_the_axes_and_averages_follow_them(shape):
    x = np.random.default_rng(0).normal(2, 3, size=shape).astype("float32")
    averages, rows = averages_of(1.0, 2.0), x.reshape(-1, 3)

    mean, variance = batch_moments(tf.constant(x), list(range(len(shape) - 1)), averages, 0.75)

    np.testing.assert_allclose(mean, rows.mean(0), rtol=1e-4)
    np.testing.assert_allclose(variance, rows.var(0), rtol=1e-4)
    np.testing.assert_allclose(averages[0], 0.75 + 0.25 * rows.mean(0), rtol=1e-4)
    np.testing.assert_allclose(averages[1], 0.75 * 2 + 0.25 * rows.var(0), rtol=1e-4)


@pytest.mark.parametrize("known", [[0, 3], [None, 3]])
def test_an_empty_batch_gives_the_averages_and_leaves_them(known):
    averages = averages_of(1.0, 2.0)

    @tf.function(input_signature=[tf.TensorSpec(known)])
    def step(x):
        return batch_moments(x, [0], averages, 0.9)

    for _ in range(2):
        mean, variance = step(tf.zeros([0, 3]))
        np.testing.assert_array_equal(mean, [1, 1, 1])
        np.testing.assert_array_equal(variance, [2, 2, 2])
    np.testing.assert_array_equal(averages, [[1, 1, 1], [2, 2, 2]])


def test_a_batch_of_free_size_has_moments_all_the_same():
    averages = averages_of(1.0, 2.0)
    step = tf.function(
        lambda x: batch_moments(x, [0], averages, 0.5), input_signature=[tf.TensorSpec([None, 3])]
    )

    mean, variance = step(tf.constant([[1.0, 2.0, 3.0], [3.0, 4.0, 5.0]]))

    np.testing.assert_array_equal([mean, variance], [[2, 3, 4], [1, 1, 1]])
    np.testing.assert_array_equal(averages, [[1.5, 2, 2.5], [1.5, 1.5, 1.5]])


def test_a_batch_of_a_single_number_is_not_empty():
    averages = tf.Variable([1.0]), tf.Variable([2.0])
    step = tf.function(
        lambda x: batch_moments(x, [0], averages, 0.5), input_signature=[tf.TensorSpec([None, 1])]
    )

    mean, variance = step(tf.constant([[3.0]]))

    assert (mean.numpy().item(), variance.numpy().item()) == (3.0, 0.0)
    np.testing.assert_array_equal(averages, [[2.0], [1.0]])


# -- layers with averages


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("make", [BatchNorm, QuanDenseWithBN])
def test_averages_in_16_bits_follow_small_steps(make, dtype):
    layer = make(Input([None, 3], dtype=dtype), decay=0.9999, name="bn").layer
    for average in layer.averages:
        average.assign(tf.fill(average.shape, 4.0))

    for _ in range(20):  # by 0.0004; below 4 numbers of 16 bits are 0.002 apart at least
        layer(tf.zeros([2, 3], dtype), is_train=True)

    for average in layer.averages:
        np.testing.assert_allclose(average, np.full(average.shape, 4 * 0.9999**20), rtol=1e-6)


@pytest.mark.parametrize("format_", ["safetensors", "npz", "npz_dict", "hdf5", "ckpt"])
@pytest.mark.parametrize("kept", ["float16", "float32"])
def test_files_of_averages_of_16_and_of_32_bits_are_read(format_, kept, tmp_path):
    x = Input([None, 3], dtype="float16", name="x")
    model = Model(x, BatchNorm(x, name="bn"), name="m")
    values = {name: np.arange(3) + place for place, name in enumerate(model.parameters)}
    save(tmp_path / "w", {n: v.astype(kept) for n, v in values.items()}, format_)

    model.load_weights(tmp_path / "w", format_)

    for name, variable in model.parameters.items():
        np.testing.assert_array_equal(variable, values[name])
        assert variable.dtype == ("float32" if "moving" in name else "float16")


@pytest.mark.parametrize("decay", [1.5, -0.5])
def test_the_weight_of_the_old_average_is_one(decay):
    with pytest.raises(InvalidArgument, match=rf"QuanDenseWithBN: decay must .*, got {decay}"):
        QuanDenseWithBN(decay=decay)
