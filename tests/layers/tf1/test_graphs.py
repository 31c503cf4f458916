"""Graphs that do not go together."""

from __future__ import annotations

import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import ConcatLayer, DenseLayer, Input
from tensorlayer.layers.tf1 import graph_of
from tests.layers.tf1.begun import begin


def test_networks_of_two_graphs_are_not_joined():
    with tf.Graph().as_default():
        one = begin(name="one")
    with (
        tf.Graph().as_default(),
        pytest.raises(InvalidArgument, match=r"Concat.*: it joins <Network 'one'.*two graphs of"),
    ):
        ConcatLayer([one, begin(name="other")], 1, name="both")


def test_a_network_goes_on_in_its_own_graph():
    with tf.Graph().as_default() as graph:
        net = begin()
    message = r"'x'.* is in a graph of TensorFlow 1 that is not the default one here. Go on within"
    with pytest.raises(InvalidArgument, match=message):
        DenseLayer(net, 3, name="d")
    with tf.Graph().as_default(), pytest.raises(InvalidArgument, match=message):
        DenseLayer(net, 3, name="d")
    with graph.as_default():
        assert DenseLayer(net, 3, name="d").outputs.graph is graph


def test_a_layer_with_variables_elsewhere_is_refused():
    eager = tl.layers.Dense(3, in_channels=20, name="eager")
    with tf.Graph().as_default():
        inside = tl.layers.Dense(3, in_channels=20, name="inside")
    for layer in (eager, inside):
        with (
            tf.Graph().as_default(),
            pytest.raises(
                InvalidArgument, match=rf"its variable '{layer.name}/weights:0' is not in the graph"
            ),
        ):
            layer(begin())


def test_graphs_of_outputs():
    with tf.Graph().as_default() as graph:
        net = begin()

    assert graph_of([tf.ones(1), net.outputs]) is graph
    assert graph_of(Input([3]).outputs) is None
    assert tf.function(lambda x: tf.constant(graph_of(x) is None))(tf.ones(1))
