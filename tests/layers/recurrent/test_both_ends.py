"""``BiRNNLayer`` and ``BiDynamicRNNLayer``."""

from __future__ import annotations

import numpy as np
import pytest

import tensorlayer as tl
from tensorlayer.errors import WrongShape
from tensorlayer.layers import BasicLSTMCell, BiDynamicRNNLayer, BiRNNLayer, Input
from tests.layers.recurrent import oracle
from tests.layers.recurrent.test_rnn import X, close

LENGTHS = np.array([6, 1, 2, 4])


def weights(net, *path):
    start = "/".join(("b", *path))
    return {name: net.parameters[f"{start}/{name}"].numpy() for name in ("kernel", "bias")}


def reversed_in_time(x, lengths):
    turned = x.copy()
    for sample, length in zip(turned, lengths, strict=True):
        sample[:length] = sample[:length][::-1]
    return turned


def both(fw, bw, x, lengths):
    """Outputs of both directions, and the last memories."""
    forward, (_, fw_c) = oracle.sequence("BasicLSTM", fw, x, lengths)
    backward, (_, bw_c) = oracle.sequence("BasicLSTM", bw, reversed_in_time(x, lengths), lengths)
    return np.concatenate([forward, reversed_in_time(backward, lengths)], -1), fw_c, bw_c


def test_the_directions_are_stacked_each_by_itself():
    net = BiRNNLayer(Input([None, 6, 3]), BasicLSTMCell, n_hidden=5, n_steps=6, n_layer=2, name="b")
    all_steps = [6] * 4

    x = turned = X
    for i in ("cell_0", "cell_1"):
        x, (_, fw_c) = oracle.sequence("BasicLSTM", weights(net, "fw", i), x)
        turned = reversed_in_time(turned, all_steps)
        turned, (_, bw_c) = oracle.sequence("BasicLSTM", weights(net, "bw", i), turned)
        turned = reversed_in_time(turned, all_steps)
    close(net(X), np.concatenate([x, turned], axis=-1))
    close(net.fw_final_state[1].c(X), fw_c)
    close(net.bw_final_state[1].c(X), bw_c)


def test_a_layer_of_sequences_of_any_length_sees_both_below_it():
    net = BiDynamicRNNLayer(
        Input([None, None, 3]), BasicLSTMCell, n_hidden=5, n_layer=2, sequence_length=LENGTHS,
        name="b",
    )  # fmt: skip

    x = X
    for i in ("cell_0", "cell_1"):
        x, fw_c, bw_c = both(weights(net, "fw", i), weights(net, "bw", i), x, LENGTHS)
        number = int(i[-1])
        close(net.fw_final_state[number].c(X), fw_c)
        close(net.bw_final_state[number].c(X), bw_c)
    close(net(X), x)
    assert net.sequence_length(X).numpy().tolist() == LENGTHS.tolist()


@pytest.mark.parametrize("kind", [BiRNNLayer, BiDynamicRNNLayer])
def test_the_last_output_of_each_direction_is_that_which_has_seen_everything(kind):
    options = {"n_steps": 6} if kind is BiRNNLayer else {"sequence_length": LENGTHS}
    net = kind(Input([None, 6, 3]), BasicLSTMCell, n_hidden=5, return_last=True, **options)

    expected = [net.fw_final_state.h(X), net.bw_final_state.h(X)]

    close(net(X), np.concatenate(expected, axis=-1))


@pytest.mark.parametrize("kind", [BiRNNLayer, BiDynamicRNNLayer])
def test_rows_states_to_begin_with_and_one_layer(kind):
    h, c = Input([None, 5], name="h"), Input([None, 5], name="c")
    state = tl.layers.LSTMState(c, h)
    options = {"n_steps": 6} if kind is BiRNNLayer else {}
    net = kind(
        Input([None, 6, 3], name="x"), BasicLSTMCell, n_hidden=5, fw_initial_state=state,
        return_seq_2d=True, name="b", **options,
    )  # fmt: skip
    ones = np.ones((4, 5), "float32")

    rows = net({"x": X, "h": ones, "c": ones}).numpy().reshape(4, 6, 10)

    begin = [ones, ones]
    forward, _ = oracle.sequence("BasicLSTM", weights(net, "fw"), X, state=begin)
    backward, _ = oracle.sequence("BasicLSTM", weights(net, "bw"), X[:, ::-1])
    close(rows, np.concatenate([forward, backward[:, ::-1]], axis=-1))
    assert list(net.parameters) == ["b/fw/kernel", "b/fw/bias", "b/bw/kernel", "b/bw/bias"]


def test_another_number_of_steps_is_an_error():
    with pytest.raises(WrongShape, match="the input has 6 steps, n_steps says 5"):
        BiRNNLayer(BasicLSTMCell)(X)
