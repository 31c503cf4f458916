"""Cells of convolutions, against Keras."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, NotBuilt, WrongShape
from tests.layers.recurrent.test_rnn import close, randomized

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 4, 5, 6, 3)).astype("float32")


def test_it_is_the_layer_of_keras_with_its_gates_in_another_order():
    net = tl.layers.ConvLSTMLayer(
        tl.layers.Input([None, 4, 5, 6, 3]), feature_map=2, filter_size=(3, 2), n_steps=4, name="c"
    )
    randomized(net)
    twin = keras.layers.ConvLSTM2D(
        2, (3, 2), padding="same", return_sequences=True, return_state=True,
        recurrent_activation="sigmoid",
    )  # fmt: skip
    twin.build(X.shape)
    W, b = (np.stack(np.split(w.numpy(), 4, axis=-1))[[0, 2, 1, 3]] for w in net.all_params)
    b[1] += 1  # the forget bias
    twin.set_weights([np.concatenate(p, -1) for p in (W[..., :3, :], W[..., 3:, :], b)])

    outputs, h, c = twin(X)

    close(net(X), outputs)
    close(net.final_state[0](X), h)
    close(net.final_state[1](X), c)
    assert {k: v.shape.as_list() for k, v in net.parameters.items()} == {
        "c/Matrix": [3, 2, 5, 8], "c/Bias": [8],
    }  # fmt: skip


def test_what_is_returned():
    def layer(**options):
        return tl.layers.ConvLSTMLayer(cell_shape=(5, 6), feature_map=2, n_steps=4, **options)

    assert layer(return_last=True)(X).shape == (2, 5, 6, 2)
    assert layer(return_seq_2d=True)(X).shape == (8, 60)


def test_a_state_to_begin_with():
    layer = tl.layers.ConvLSTMLayer(feature_map=2, n_steps=None)
    rnn = tl.layers.RNN(layer.cell)
    whole = layer(X)

    _, state = rnn(X[:, :1])

    close(layer(X[:, 1:], initial_state=state), whole[:, 1:])


def test_a_cell_of_ones_own_for_images():
    class Mean(tl.layers.ConvRNNCell):
        def __init__(self, shape, filter_size, num_features, W_init=None, name=None):
            super().__init__(name=name)
            self.shape = shape

        def initial_state(self, batch_size, dtype=None):
            return tf.zeros([batch_size, *self.shape, 3], dtype or tf.float32)

        def forward(self, inputs, state=None):
            state = (inputs + state) / 2
            return state, state

    layer = tl.layers.ConvLSTMLayer(cell_shape=(5, 6), cell_fn=Mean, n_steps=4, return_last=True)

    close(layer(X), X[:, 0] / 16 + X[:, 1] / 8 + X[:, 2] / 4 + X[:, 3] / 2)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: tl.layers.ConvLSTMLayer()(X[0]), WrongShape, "batch, steps, height, width, chan"),
        (lambda: tl.layers.ConvLSTMLayer(n_steps=3)(X), WrongShape, "4 steps, n_steps says 3"),
        (lambda: tl.layers.ConvLSTMLayer(cell_shape=(6, 6), n_steps=4)(X), WrongShape,
         r"are of \(5, 6\), not of shape=\(6, 6\)"),
        (lambda: tl.layers.ConvLSTMCell(2, (3, 3, 3)), InvalidArgument, "height and width"),
        (lambda: tl.layers.ConvLSTMCell(0), InvalidArgument, "n_filter must be a positive"),
        (lambda: tl.layers.ConvLSTMCell(2).initial_state(3), NotBuilt, "images it was built for"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_the_cell_of_1_x_begins_with_small_filters_and_remembers():
    cell = tl.layers.BasicConvLSTMCell((5, 6), (3, 3), 8)
    layer = tl.layers.ConvLSTMLayer(feature_map=8, n_steps=4)
    cell(X[:, 0], [tf.zeros([len(X), 5, 6, 8])] * 2)
    layer(X)

    assert cell.forget_bias == 1
    for filters in (cell.W, layer.cell.W):
        assert 0.09 < np.abs(filters).max() <= 0.1
        assert min(filters.numpy().min(), -0.09) == filters.numpy().min()
