"""Cells, one step at a time."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tests.layers.recurrent import oracle
from tests.layers.recurrent.test_rnn import close, randomized, weights_of

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 3)).astype("float32")
CELLS = {
    "SimpleRNN": tl.layers.SimpleRNNCell,
    "LSTM": tl.layers.LSTMCell,
    "GRU": tl.layers.GRUCell,
}
every_kind = pytest.mark.parametrize("kind", CELLS)


@every_kind
def test_a_step(kind):
    cell = CELLS[kind](5)
    state = [RNG.normal(size=(4, 5)).astype("float32") for _ in range(oracle.STEPS[kind][1])]
    cell(X, state)
    randomized(cell)

    output, new = cell(X, state)

    expected, last = oracle.sequence(kind, weights_of(cell), X[:, None], state=state)
    close(output, expected[:, 0])
    for ours, theirs in zip(new, last, strict=True):
        close(ours, theirs)


@every_kind
def test_parameters_begin_as_those_of_keras(kind):
    cell, twin = CELLS[kind](64), getattr(keras.layers, f"{kind}Cell")(64)
    cell(np.zeros((1, 32), "float32"), cell.initial_state(1))
    twin.build((1, 32))

    kernel, recurrent, bias = cell.all_weights

    assert [w.shape for w in cell.all_weights] == [w.shape for w in twin.weights]
    limit = np.sqrt(6 / sum(kernel.shape))
    assert 0.98 * limit < np.abs(kernel).max() <= limit
    close(np.asarray(recurrent) @ np.asarray(recurrent).T, np.eye(64), 1e-4)
    close(bias, twin.weights[2])


def test_the_biases_of_the_forget_gate_may_begin_with_zero():
    cell = tl.layers.LSTMCell(5, unit_forget_bias=False)
    cell(X, cell.initial_state(4))

    assert not np.any(cell.bias)


@every_kind
def test_there_may_be_no_biases(kind):
    cell = CELLS[kind](5, use_bias=False)
    cell(X)

    assert len(cell.all_weights) == 2


def test_a_state_of_one_tensor_may_come_by_itself_and_none_is_zeros():
    cell = tl.layers.GRUCell(5)

    close(cell(X, tf.zeros([4, 5]))[0], cell(X)[0])


def test_a_step_drops_inputs_and_what_comes_from_the_step_before():
    cell = tl.layers.SimpleRNNCell(
        400, activation=None, dropout=0.5, recurrent_dropout=0.25, use_bias=False,
        kernel_initializer=tf.eye(400).numpy(), recurrent_initializer=100 * tf.eye(400).numpy(),
    )  # fmt: skip
    ones = np.ones((1, 400), "float32")

    output, _ = cell(ones, [ones], is_train=True)

    x, h = 2.0, 100 / 0.75
    np.testing.assert_allclose(np.unique(output), [0, x, h, x + h], rtol=1e-6)
    np.testing.assert_allclose(cell(ones, [ones], is_train=False)[0], 101 * ones)


def test_a_network_of_one_step():
    x, h, c = tl.layers.Input([None, 3]), tl.layers.Input([None, 5]), tl.layers.Input([None, 5])
    output, state = tl.layers.LSTMCell(5, name="cell")(x, [h, c])

    assert output.outputs.shape == state[1].outputs.shape == (None, 5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tl.layers.LSTMCell(2.5), "LSTMCell: units must be a positive integer, got 2.5"),
        (lambda: tl.layers.GRUCell(2, recurrent_dropout=-0.1), r"recurrent_dropout is the share"),
        (lambda: tl.layers.GRUCell(2, activation="tahn"), "unknown activation 'tahn'"),
        (lambda: tl.layers.LSTMCell(2)(X, [X, X, X]), r"is 2 tensors \(batch, 2\), got 3"),
    ],
)
def test_what_is_wrong_is_said(make, message):
    with pytest.raises(InvalidArgument, match=message):
        make()
