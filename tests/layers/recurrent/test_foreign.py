"""Cells of others: which of them are computed as our own."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers.recurrent import sequence
from tensorlayer.layers.recurrent.foreign import ForeignCell

X = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")


@pytest.mark.parametrize(
    ("cell", "is_known"),
    [
        (keras.layers.LSTMCell(4), True),
        (keras.layers.GRUCell(4, use_bias=False), True),
        (keras.layers.SimpleRNNCell(4), True),
        (keras.layers.GRUCell(4, reset_after=False), False),
        (keras.layers.LSTMCell(4, recurrent_activation="hard_sigmoid"), False),
        (keras.layers.SimpleRNNCell(4, activation="relu"), False),
        (keras.layers.LSTMCell(4, dropout=0.1), False),
        (keras.layers.LSTMCell(4, recurrent_dropout=0.1), False),
    ],
)
def test_cells_of_keras_with_their_usual_activations_are_known(cell, is_known):
    assert (ForeignCell(cell).gates is not None) is is_known

    outputs, _ = tl.layers.RNN(cell)(X, is_train=False)

    np.testing.assert_allclose(
        outputs, keras.layers.RNN(cell, return_sequences=True)(X), rtol=1e-5, atol=1e-6
    )


def test_the_dropout_of_a_cell_of_keras_follows_the_mode():
    rnn = tl.layers.RNN(keras.layers.LSTMCell(64, dropout=0.9), return_last_state=False)

    a, b = (rnn(X, is_train=False) for _ in range(2))

    np.testing.assert_array_equal(a, b)
    assert not np.allclose(rnn(X, is_train=True), a)


class OfTensorFlow1:
    """A cell with the method of TensorFlow 1."""

    def zero_state(self, batch_size, dtype):
        return tf.zeros([batch_size, 3], dtype)

    def __call__(self, inputs, state):
        return inputs + state, inputs + state


def test_a_cell_with_a_zero_state():
    outputs, _ = tl.layers.RNN(OfTensorFlow1())(X)

    np.testing.assert_allclose(outputs, np.cumsum(X, axis=1), rtol=1e-5)


def test_what_is_no_cell():
    with pytest.raises(InvalidArgument, match=r"a cell is called as cell\(inputs, state\)"):
        ForeignCell(keras.layers.Dense(3))


def test_a_model_with_a_cell_of_keras_saves_its_weights(tmp_path):
    def model():
        net = tl.layers.Input([None, None, 3])
        net, _ = tl.layers.RNN(net, cell=keras.layers.GRUCell(4), name="rnn")
        return tl.models.Model(net.parents[0].parents[0], net, name="m")

    first, second = model(), model()
    first.save_weights(str(tmp_path / "w.npz"))
    second.load_weights(str(tmp_path / "w.npz"))

    np.testing.assert_allclose(first(X, is_train=False), second(X, is_train=False))
    assert list(first.parameters)[:3] == ["rnn/kernel", "rnn/recurrent_kernel", "rnn/bias"]


@pytest.mark.parametrize(
    ("cell", "shapes"),
    [
        (keras.layers.GRUCell(4), [[2, 4]]),
        (keras.layers.LSTMCell(4), [[2, 4], [2, 4]]),
        (OfTensorFlow1(), None),
    ],
)
def test_the_states_of_cells_of_keras_are_known(cell, shapes):
    specs = ForeignCell(cell).state_specs(2, tf.float32)

    assert (specs and [each.shape.as_list() for each in specs]) == shapes


def test_a_module_finds_the_variables_of_a_cell_of_keras():
    module = tf.Module()
    module.rnn = tl.layers.RNN(keras.layers.LSTMCell(4, dropout=0.5), in_channels=3)

    assert len(module.trainable_variables) == 3
    assert len(module.variables) == 4  # with the state of its random numbers, as Keras has it


def test_a_cell_of_keras_is_taken_by_a_function_without_a_word(caplog):
    rnn = tl.layers.RNN(keras.layers.GRUCell(4), in_channels=3, return_last_state=False)

    traced = tf.function(lambda x: sequence.run(rnn.cell, x, None)[0])(X)

    np.testing.assert_allclose(traced, rnn(X), rtol=1e-5, atol=1e-6)
    assert "AutoGraph" not in caplog.text
