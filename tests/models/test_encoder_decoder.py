"""A model of one's own on the base of those from ids to ids: it counts, without any weights."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tensorlayer as tl
from tensorlayer.errors import InvalidArgument, WrongShape
from tensorlayer.layers.mode import current_mode, mode
from tensorlayer.models import BeamSearch
from tensorlayer.models.encoder_decoder import EncoderDecoder, require_same_states

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


def in_a_graph(function, *ranks):
    specs = [tf.TensorSpec([None] * rank, tf.int64) for rank in ranks]
    return tf.function(function, input_signature=specs)


def test_ids_starts_and_ends_of_a_graph_are_looked_at_when_it_is_evaluated():
    model = Counter()
    run = in_a_graph(lambda source, start, end: model.translate(source, 4, start, end).ids, 2, 0, 0)

    assert run([[1, 2]], 2, 4).numpy().tolist() == [[3, 4, 4, 4]]
    for values, what in (
        (([[1, 9]], 2, 4), "the source"),
        (([[1, 2**32]], 2, 4), "the source"),  # 0, if it were cut to 32 bits
        (([[1, -1]], 2, 4), "the source"),
        (([[1, 2]], 9, 4), "the start token"),
        (([[1, 2]], 2, 9), "the end token"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=f"{what} has ids from 0 to 8"):
            run(*values)


def test_ids_of_any_whole_numbers():
    for dtype in (np.uint8, np.int16, np.int64):
        found = Counter().translate(np.array([[1], [3]], dtype), 2, start_token=dtype(1))
        assert found.ids.numpy().tolist() == [[2, 3], [4, 7]]


@pytest.mark.parametrize("start", [[1, 2, 3], [1], [[1], [2]]])
def test_a_start_is_one_for_all_or_one_for_each(start):
    for decode in (Counter().translate, lambda s, n, t: Counter()([s], n, t, is_train=False)):
        with pytest.raises(WrongShape, match="one for each of the 2 sources; got shape"):
            decode([[1], [3]], 2, start)


def test_what_is_wrong_with_a_call_is_said_by_names():
    source = np.array([[1], [3]])
    with pytest.raises(InvalidArgument, match="the end token has ids from 9 to 9"):
        Counter().translate(source, 2, 1, end_token=9)
    with pytest.raises(WrongShape, match=r"the end token is one id, got shape \(1,\)"):
        Counter().translate(source, 2, 1, end_token=[2])
    with pytest.raises(InvalidArgument, match="the target has ids from 9 to 9"):
        Counter()([source, [[9], [9]]], is_train=True)
    with pytest.raises(WrongShape, match="each source has a target, got 2 sources and 3 targets"):
        Counter()([source, [[1], [2], [3]]], is_train=True)


def test_steps_are_one_whole_number():
    model = Counter()
    for n in (np.int64(3), tf.constant(3, tf.int64)):
        assert model.translate([[1]], n, 2).ids.shape == [1, 3]
    for n in (0, -1, 2.5, True, None, "3", tf.constant(0), tf.constant(2.5)):
        with pytest.raises(InvalidArgument, match="seq_length must be a positive integer, got"):
            model.translate([[1]], n, 2)
    with pytest.raises(WrongShape, match=r"seq_length is one number, got shape \(2,\)"):
        model.translate([[1]], tf.constant([2, 3]), 2)
    run = tf.function(lambda n: model.translate([[1]], n, 2).ids)
    assert run(tf.constant(3)).shape == [1, 3]
    with pytest.raises(InvalidArgument, match="seq_length is a whole number, got float32"):
        run(tf.constant(3.0))


def test_lengths_are_those_given_or_up_to_the_last_that_is_no_pad():
    model, source = Counter(), tf.constant([[0, 3, 0, 4, 0], [0, 0, 0, 0, 0]])

    assert model.lengths_of(source, None).numpy().tolist() == [4, 0]
    assert model.lengths_of(source, [2, 5]).numpy().tolist() == [2, 5]
    assert model.lengths_of(source[:, :0], None).numpy().tolist() == [0, 0]
    model.pad_id = None
    assert model.lengths_of(source, None) is None


def test_sizes_are_those_of_the_embedding():
    assert (Counter().vocabulary_size, Counter().embedding_size) == (N_WORDS, 2)


def test_a_decoder_begins_with_states_of_one_kind():
    gru, lstm = tl.layers.GRUCell(2), tl.layers.LSTMCell(2)

    require_same_states(gru, tl.layers.GRUCell(2), "Mine")
    for other in (lstm, tl.layers.GRUCell(3)):
        with pytest.raises(InvalidArgument, match=r"Mine: .* states of one kind; got"):
            require_same_states(gru, other, "Mine")


def test_decoding_is_inference_also_of_a_model_that_trains():
    class Noting(Counter):
        def step(self, ids, state, memory=None):
            modes.append(self.is_train or current_mode())
            return super().step(ids, state, memory)

    model, modes = Noting(), []
    model.train()
    memory, state = model.encode(tf.constant([[1]]), None)

    model.translate([[1]], 2, 1)
    with mode(True):
        model.translate([[1]], 2, 1)
        assert model.decode(memory, state, 1, 3, 2).ids.numpy().tolist() == [[3, 4, 5]]
    assert set(modes) == {False}


def test_a_function_of_tensorflow_takes_it_without_a_word(caplog):
    model = Counter()
    run = in_a_graph(lambda source: model.translate(source, 4, 1, 5).ids, 2)

    assert run([[1]]).numpy().tolist() == [[2, 3, 4, 5]]
    assert "AutoGraph" not in caplog.text


def test_ids_may_be_lists():
    model = Counter()

    assert model([[[1], [3]]], 2, 2, is_train=False).numpy().tolist() == [[3, 4], [5, 8]]
    for target in ([[1], [2]], [[1, 4], [2, 4]]):
        logits = model([[[1], [3]], np.array(target)], is_train=True)
        assert logits.numpy().argmax(-1)[:, 0].tolist() == [2, 5]
    logits = model([[[1], [3]], [[1], [2]]], is_train=True)
    assert logits.numpy().argmax(-1).tolist() == [[2], [5]]
