from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.layers import BatchNorm, InputLayer
from tensorlayer.layers.updates import update

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
