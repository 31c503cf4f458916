"""A model of one's own on the base of those from ids to ids: it counts, without any weights."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument
from tensorlayer.models import BeamSearch
from tensorlayer.models.encoder_decoder import EncoderDecoder

N_WORDS = 9


class Counter(EncoderDecoder):
    """After each id comes that id and the first one of the source."""

    def __init__(self):
        super().__init__(tl.layers.Embedding(N_WORDS, 2), pad_id=0, name=None)

    def encode(self, source, lengths):
        return {"lengths": lengths}, source[:, :1]

    def scores(self, target, memory, state):
        return 99.0 * tf.one_hot((target + state) % N_WORDS, N_WORDS), state

    def step(self, ids, state, memory=None):
        return 99.0 * tf.one_hot((ids + state[:, 0]) % N_WORDS, N_WORDS), state

    def forward(self, inputs, n_steps=4, start=None):
        return self.compute(inputs, n_steps, start, None, None, None)[0]


def test_a_model_of_three_methods_trains_and_decodes():
    model, source = Counter(), np.array([[1, 0], [3, 2]])

    logits = model([source, [[1, 2], [3, 4]]], is_train=True)
    assert logits.numpy().argmax(-1).tolist() == [[2, 3], [6, 7]]
    assert model([source], n_steps=4, start=2, is_train=False).numpy().tolist() == (
        [[3, 4, 5, 6], [5, 8, 2, 5]]
    )


def test_each_source_may_have_a_start_of_its_own():
    found = Counter().translate([[1], [3]], 3, start_token=[5, 1])

    assert found.ids.numpy().tolist() == [[6, 7, 8], [4, 7, 1]]


def test_translate_gives_all_of_a_beam_and_ends():
    found = Counter().translate([[1], [3]], 6, 2, end_token=5, search=BeamSearch(3))

    assert found.ids.shape == [2, 3, 6]
    assert found.best.ids.numpy().tolist() == [[3, 4, 5, 5, 5, 5], [5] * 6]
    assert found.best.lengths.numpy().tolist() == [3, 1]


def test_a_search_may_be_any_function():
    def always(step, state, start, n_steps, end):
        del step, end
        ids = tf.fill([tf.shape(start)[0], n_steps], 7)
        zeros = tf.zeros_like(start)
        return tl.models.Decoded(ids, tf.cast(zeros, tf.float32), zeros, state)

    found = Counter().translate([[1], [3]], 3, 2, search=always)

    assert found.ids.numpy().tolist() == [[7, 7, 7]] * 2


def test_steps_may_be_a_tensor():
    assert Counter().translate([[1]], tf.constant(3), 2).ids.shape == [1, 3]
    with pytest.raises(InvalidArgument, match="seq_length is how many ids"):
        Counter().translate([[1]], -1, 2)
