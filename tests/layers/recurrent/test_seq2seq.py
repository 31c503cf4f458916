"""``Seq2Seq`` of TensorLayer 1.x."""

from __future__ import annotations

import numpy as np
import pytest

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tensorlayer.layers import BasicLSTMCell, Input, Seq2Seq
from tests.layers.recurrent import oracle
from tests.layers.recurrent.test_rnn import LENGTHS, RNG, X, close

Y = RNG.normal(size=(4, 3, 2)).astype("float32")


def declared(**options):
    question, answer = Input([None, None, 3], name="q"), Input([None, None, 2], name="a")
    return Seq2Seq(question, answer, cell_fn=BasicLSTMCell, n_hidden=5, name="s", **options)


def expected(net, lengths=None):
    w = {k: v.numpy() for k, v in net.parameters.items()}
    parts = {
        part: {name: w[f"s/{part}/{name}"] for name in ("kernel", "bias")}
        for part in ("encode", "decode")
    }
    _, state = oracle.sequence("BasicLSTM", parts["encode"], X, lengths)
    return oracle.sequence("BasicLSTM", parts["decode"], Y, state=state)


@pytest.mark.parametrize("is_train", [True, False])
def test_the_decoder_begins_where_the_encoder_ends(is_train):
    net = declared(encode_sequence_length=LENGTHS)
    values = {"q": X, "a": Y}

    outputs, (_, memory) = expected(net, LENGTHS)

    close(net(values, is_train=is_train), outputs)
    close(net.final_state_decode.c(values), memory)
    close(net.initial_state_decode.h(values), net.final_state_encode.h(values))
    close(net.initial_state_encode.h(values), np.zeros((4, 5)))


def test_both_networks_may_go_by_name():
    question, answer = Input([None, None, 3], name="q"), Input([None, None, 2], name="a")
    net = Seq2Seq(
        net_encode_in=question, net_decode_in=answer, cell_fn=BasicLSTMCell, n_hidden=5, n_layer=2,
        dropout=0.5, return_seq_2d=True, name="s",
    )  # fmt: skip

    assert net({"q": X, "a": Y}, is_train=True).shape == (12, 5)
    assert len(net.final_state_encode) == 2
    assert next(iter(net.parameters)) == "s/encode/cell_0/kernel"


def test_an_answer_is_decoded_token_by_token():
    c, h = Input([None, 5], name="c"), Input([None, 5], name="h")
    whole = declared()
    step = declared(initial_state_decode=tl.layers.LSTMState(c, h))
    for mine, other in zip(step.all_params, whole.all_params, strict=True):
        mine.assign(other)

    state = whole.initial_state_decode
    now = {name: getattr(state, name)({"q": X, "a": Y}) for name in ("c", "h")}
    found = []
    for t in range(3):
        values = {"q": X, "a": Y[:, t : t + 1], **now}
        found.append(step(values)[:, 0])
        now = {name: getattr(step.final_state_decode, name)(values) for name in ("c", "h")}

    close(np.stack(found, axis=1), whole({"q": X, "a": Y}))


def test_it_needs_a_function_of_cells():
    with pytest.raises(InvalidArgument, match="Seq2Seq: cell_fn makes cells"):
        Seq2Seq(Input([None, None, 3]), Input([None, None, 2]), n_hidden=5)
