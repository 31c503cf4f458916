"""Two cells from both ends, against Keras."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 6, 3)).astype("float32")
LENGTHS = np.array([6, 1, 2, 4])


@pytest.mark.parametrize("is_masked", [True, False])
@pytest.mark.parametrize("is_train", [True, False])
def test_it_is_the_layer_of_keras(is_masked, is_train):
    options = {"zero_output_for_mask": True} if is_masked else {}
    lstm = keras.layers.LSTM(5, return_sequences=True, return_state=True, **options)
    twin = keras.layers.Bidirectional(lstm)
    twin.build(X.shape)
    ours = tl.layers.BiRNN(
        tl.layers.LSTMCell(5), tl.layers.LSTMCell(5), return_last_state=True, in_channels=3
    )
    for mine, other in zip(ours.all_weights, twin.weights, strict=True):
        mine.assign(RNG.normal(size=mine.shape, scale=0.5))
        other.assign(mine)
    lengths = LENGTHS if is_masked else None
    mask = np.arange(6) < LENGTHS[:, None] if is_masked else None

    outputs, forward, backward = ours(X, sequence_length=lengths, is_train=is_train)

    expected = twin(X, mask=mask)
    for a, b in zip([outputs, *forward, *backward], expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def test_both_halves_belong_to_the_same_step():
    passing = tl.layers.SimpleRNNCell(
        3, activation=None, recurrent_initializer="zeros", kernel_initializer=tf.eye(3).numpy()
    )

    outputs = tl.layers.BiRNN(passing, passing)(X)

    np.testing.assert_allclose(outputs, np.concatenate([X, X], axis=-1))


def test_states_to_begin_with_and_rows():
    layer = tl.layers.BiRNN(
        tl.layers.GRUCell(5), tl.layers.GRUCell(4),
        return_seq_2d=True, return_last_state=True, in_channels=3,
    )  # fmt: skip
    begin = [np.ones((4, 5), "float32")], [np.ones((4, 4), "float32")]

    rows, fw, bw = layer(X, fw_initial_state=begin[0], bw_initial_state=begin[1])

    alone, last = tl.layers.RNN(layer.bw, in_channels=3)(X[:, ::-1], initial_state=begin[1])
    assert rows.shape == (24, 9)
    np.testing.assert_allclose(tf.reshape(rows, [4, 6, 9])[..., 5:], alone[:, ::-1], rtol=1e-5)
    np.testing.assert_allclose(bw[0], last[0], rtol=1e-5)
    assert fw[0].shape == (4, 5)


def test_stacks_in_each_direction_and_states_that_are_networks():
    net = tl.layers.Input([None, None, 3], name="x")
    h = tl.layers.Input([None, 4], name="h")
    cells = [[tl.layers.GRUCell(4), tl.layers.GRUCell(4)] for _ in range(2)]
    net = tl.layers.BiRNN(net, *cells, bw_initial_state=[[h], [h]], name="both")

    y = net({"x": X, "h": np.ones((4, 4), "float32")})

    assert y.shape == (4, 6, 8)
    assert list(net.parameters)[3] == "both/fw/cell_1/kernel"
    zeros = net({"x": X, "h": np.zeros((4, 4), "float32")})
    np.testing.assert_array_equal(y[..., :4], zeros[..., :4])
    assert not np.allclose(y[..., 4:], zeros[..., 4:])
