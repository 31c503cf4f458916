"""Stacks of cells, and lengths."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers.recurrent.sequence import (
    StackedCells,
    as_cell,
    last_output,
    lengths_of,
    make_parameters,
    up_to_last,
)

X = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")


def test_a_stack_is_a_cell_itself():
    stack = StackedCells([tl.layers.GRUCell(4), tl.layers.LSTMCell(5)])
    rnn = tl.layers.RNN(stack, in_channels=3)

    output, state = stack(X[:, 0], stack.initial_state(2))

    np.testing.assert_allclose(output, rnn(X)[0][:, 0], rtol=1e-5)
    assert [len(each) for each in state] == [1, 2]


@pytest.mark.parametrize("is_train", [True, False])
def test_what_is_dropped_of_a_stack(is_train):
    tf.keras.utils.set_random_seed(0)
    stack = StackedCells([Passing(), Passing()], keep_in=0.5, keep_out=0.8)
    ones = np.ones((1, 3, 1000), "float32")

    outputs, _ = tl.layers.RNN(stack)(ones, is_train=is_train)

    kept = np.asarray(outputs)[outputs != 0]
    np.testing.assert_allclose(kept, 1 / (0.5 * 0.5 * 0.8) if is_train else 1)
    np.testing.assert_allclose(kept.size / ones.size, 0.2 if is_train else 1, atol=0.05)
    assert is_train is bool(np.any(outputs[:, 0] != outputs[:, 1]))  # others at each step


class Passing:
    """A cell that gives what it gets."""

    def initial_state(self, batch_size):
        return tf.zeros([batch_size, 1])

    def __call__(self, inputs, state):
        return inputs, state


def test_a_layer_of_ones_own_is_a_cell_if_it_says_how_it_begins():
    class Sum(tl.layers.Layer):
        def initial_state(self, batch_size, dtype=None):
            return tf.zeros([batch_size, 3], dtype or tf.float32)

        def build(self, inputs_shape):
            self.w = self._get_weights("w", [3], init=2.0)

        def forward(self, inputs, state=None):
            state = tf.zeros_like(inputs) if state is None else state
            return (self.w * inputs + state,) * 2

    cell = Sum()

    assert as_cell(cell) is cell
    outputs, _ = tl.layers.RNN(cell, name="r")(X)
    np.testing.assert_allclose(outputs, np.cumsum(2 * X, axis=1), rtol=1e-5)


def test_the_last_output_of_no_lengths_is_that_of_the_last_step():
    np.testing.assert_array_equal(last_output(tf.constant(X), None), X[:, -1])
    np.testing.assert_array_equal(
        last_output(tf.constant(X), tf.constant([2, 5])), X[[0, 1], [1, 4]]
    )


def test_a_state_of_a_stack_has_one_of_each_cell():
    rnn = tl.layers.RNN([tl.layers.GRUCell(4), tl.layers.GRUCell(4)], in_channels=3)

    with pytest.raises(InvalidArgument, match="a state of 2 stacked cells is a list of as many"):
        rnn(X, initial_state=[[tf.zeros([2, 4])]])


def test_a_stack_of_layers_in_one_trace_of_any_length():
    rnn = tl.layers.RNN([tl.layers.GRUCell(4), tl.layers.LSTMCell(4)], in_channels=3)
    traced = tf.function(
        lambda x, n: rnn(x, sequence_length=n)[0],
        input_signature=[tf.TensorSpec([None, None, 3]), tf.TensorSpec([None], tf.int64)],
    )

    np.testing.assert_allclose(
        traced(X, [5, 2]), rnn(X, sequence_length=[5, 2])[0], rtol=1e-5, atol=1e-6
    )


LENGTHS_THAT_DO_NOT_FIT = [
    ([[1], [2]], WrongShape, r"one length for each of the 2 sequences, got shape \(2, 1\)"),
    ([1, 2, 3], WrongShape, r"one length for each of the 2 sequences, got shape \(3,\)"),
    (3, WrongShape, r"got shape \(\)"),
    ([-1, 2], InvalidArgument, "between 0 and the number of steps, 5; got -1 to 2"),
    ([6, 2], InvalidArgument, "between 0 and the number of steps, 5; got 2 to 6"),
]


@pytest.mark.parametrize(("lengths", "error", "message"), LENGTHS_THAT_DO_NOT_FIT)
def test_lengths_that_do_not_fit(lengths, error, message):
    with pytest.raises(error, match=message):
        lengths_of(tl.layers.GRURNN(4), tf.constant(X), lengths)


def test_lengths_from_none_to_all_steps():
    found = lengths_of(tl.layers.GRURNN(4), tf.constant(X), np.array([0, 5], np.int16))

    assert found.dtype == tf.int32
    assert found.numpy().tolist() == [0, 5]


def test_steps_up_to_the_last_that_counts():
    counts = tf.constant([[True, False, True, False], [False] * 4, [True] * 4])

    assert up_to_last(counts).numpy().tolist() == [3, 0, 4]
    assert up_to_last(counts[:, :0]).numpy().tolist() == [0, 0, 0]


def test_outputs_are_known_before_there_is_a_batch():
    spec = make_parameters(tl.layers.GRURNN(4), tl.layers.GRUCell(4), [None, 3], "mine")

    assert (spec.shape.as_list(), spec.dtype) == ([None, 4], tf.float32)


def test_nothing_is_dropped_of_a_stack_unless_it_is_said():
    stack = as_cell([tl.layers.GRUCell(4)])

    assert (stack.keep_in, stack.keep_out) == (1, 1)
