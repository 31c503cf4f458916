"""Lengths and masks, of padding."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import WrongShape


def test_lengths_of_features_of_ids_and_of_what_is_not_padding():
    features = np.zeros((3, 4, 2), "float32")
    features[0, :3, 1] = 1
    features[1, 0, 0] = -1
    ids = np.array([[3, 1, 0], [0, 0, 0], [1, 2, 3]])

    assert tl.layers.retrieve_seq_length_op(features).numpy().tolist() == [3, 1, 0]
    assert tl.layers.retrieve_seq_length_op2(ids).numpy().tolist() == [2, 0, 3]
    assert tl.layers.retrieve_seq_length_op3(ids, pad_val=3).numpy().tolist() == [2, 3, 2]
    assert tl.layers.retrieve_seq_length_op3(features, pad_val=-1).numpy().tolist() == [4, 4, 4]
    assert tl.layers.retrieve_seq_length_op2(ids).dtype == tf.int32


def test_masks():
    assert tl.layers.target_mask_op([["a", "_"], ["_", "b"]], pad_val="_").numpy().tolist() == [
        [1, 0], [0, 1],
    ]  # fmt: skip
    features = np.array([[[0, 1], [0, 0]]])
    assert tl.layers.target_mask_op(features).numpy().tolist() == [[1, 0]]


def test_they_count_in_a_graph():
    def count(data):
        return tl.layers.retrieve_seq_length_op3(data), tl.layers.target_mask_op(data)

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        data = tf.compat.v1.placeholder(tf.int32, [None, None])
        lengths, mask = session.run(count(data), {data: [[1, 2, 0]]})

    assert lengths.tolist() == [2]
    assert mask.tolist() == [[1, 1, 0]]


def test_they_are_layers_of_a_network():
    ids = tl.layers.Input([None, None], dtype=tf.int64)
    net = tl.layers.Lambda(ids, tl.layers.retrieve_seq_length_op2)

    assert net(tf.constant([[1, 2, 0]], tf.int64)).numpy().tolist() == [2]


@pytest.mark.parametrize(
    ("function", "data"),
    [
        (tl.layers.retrieve_seq_length_op, [[1]]),
        (tl.layers.retrieve_seq_length_op2, [1]),
        (tl.layers.retrieve_seq_length_op3, [1]),
        (tl.layers.target_mask_op, [1]),
    ],
)
def test_another_rank_is_an_error(function, data):
    with pytest.raises(WrongShape, match=rf"{function.__name__}: data is of rank"):
        function(data)


def test_a_state_as_arrays():
    cell = tl.layers.BasicLSTMCell(3)

    state = tl.layers.initialize_rnn_state(cell.initial_state(2))

    assert isinstance(state, tl.layers.LSTMState)
    assert isinstance(state.c, np.ndarray)
    with tf.Graph().as_default(), tf.compat.v1.Session():
        size = tf.compat.v1.placeholder(tf.int32, [])
        state = tl.layers.initialize_rnn_state([tf.zeros([size, 3])], feed_dict={size: 5})
    assert state[0].shape == (5, 3)
