from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlayer import prepro
from tensorlayer.errors import InvalidArgument, WrongShape

ids = st.integers(0, 9)
contents = st.lists(ids, max_size=7).map(lambda seq: seq if not seq or seq[-1] else [*seq[:-1], 1])
batches = st.lists(contents, max_size=6)


@settings(max_examples=60)
@given(batch=batches)
def test_padding_and_removing_invert(batch):
    before = copy.deepcopy(batch)

    padded = prepro.pad_sequences(batch)

    assert len({len(each) for each in padded}) <= 1
    assert prepro.remove_pad_sequences(padded) == before == batch


@settings(max_examples=60)
@given(batch=batches)
def test_the_mask_counts_the_content(batch):
    mask = prepro.sequences_get_mask(prepro.pad_sequences(batch))

    assert mask.sum(axis=-1).tolist() == [len(each) for each in batch]
    assert (np.diff(mask, axis=-1) <= 0).all()


@settings(max_examples=60)
@given(batch=batches)
def test_an_end_after_the_content(batch):
    room = max(map(len, batch), default=0) + 1
    padded = prepro.pad_sequences(batch, maxlen=room)

    ended = prepro.sequences_add_end_id_after_pad(padded, end_id=88)

    assert prepro.remove_pad_sequences(ended) == prepro.sequences_add_end_id(batch, end_id=88)


@settings(max_examples=60)
@given(batch=batches, value=st.integers(-3, 3), length=st.integers(0, 9))
@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
def test_padding_on_each_side(padding, truncating, batch, value, length):
    padded = prepro.pad_sequences(
        batch, length, padding=padding, truncating=truncating, value=value
    )

    for row, sequence in zip(padded, batch, strict=True):
        cut = (
            sequence[max(0, len(sequence) - length) :] if truncating == "pre" else sequence[:length]
        )
        room = [value] * (length - len(cut))
        assert row == (room + cut if padding == "pre" else cut + room)


def test_padding_of_vectors_and_floats():
    padded = prepro.pad_sequences([[[1.5, 2.5]], []], maxlen=2, dtype="float32")

    assert padded == [[[1.5, 2.5], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]]
    assert prepro.pad_sequences([]) == []


def test_padding_refuses_other_words():
    with pytest.raises(InvalidArgument, match="padding is 'pre' or 'post', got 'left'"):
        prepro.pad_sequences([[1]], padding="left")
    with pytest.raises(InvalidArgument, match="truncating is 'pre' or 'post', got 'left'"):
        prepro.pad_sequences([[1]], truncating="left")
    with pytest.raises(InvalidArgument, match="maxlen must not be negative, got -1"):
        prepro.pad_sequences([[1]], maxlen=-1)
    with pytest.raises(WrongShape, match="all items have one shape"):
        prepro.pad_sequences([[[1, 2]], [[1]]])


def test_a_sequence_without_pads_is_not_emptied():
    assert prepro.remove_pad_sequences([[1, 2], [0, 0], [3, 0, 4, 0]]) == [[1, 2], [], [3, 0, 4]]
    assert prepro.remove_pad_sequences([[1, 9, 9]], pad_id=9) == [[1]]


def test_what_follows_the_end_becomes_pad():
    batch = [[4, 3, 5, 3, 2, 2, 2, 2], [5, 3, 9, 4, 9, 2, 2, 3]]
    before = copy.deepcopy(batch)
    process = prepro.process_sequences

    assert process(batch, 2) == [[4, 3, 5, 3, 0], [5, 3, 9, 4, 9]]
    assert process(batch, 2, remain_end_id=True) == [[4, 3, 5, 3, 2, 0], [5, 3, 9, 4, 9, 2]]
    assert process(batch, 2, is_shorten=False) == [
        [4, 3, 5, 3, 0, 0, 0, 0],
        [5, 3, 9, 4, 9, 0, 0, 0],
    ]
    assert process(batch, 2, pad_val=7) == [[4, 3, 5, 3, 7], [5, 3, 9, 4, 9]]
    assert batch == before


def test_a_sequence_without_an_end_is_not_cut():
    assert prepro.process_sequences([[1, 2, 9, 9], [3, 4, 5, 6]], end_id=9) == [
        [1, 2, 0, 0],
        [3, 4, 5, 6],
    ]
    assert prepro.process_sequences(np.array([[1, 9]]), end_id=9) == [[1]]


def test_start_ids():
    assert prepro.sequences_add_start_id([[4, 3], []], 2) == [[2, 4, 3], [2]]
    assert prepro.sequences_add_start_id([[4, 3]], 2, remove_last=True) == [[2, 4]]


def test_an_id_inside_that_looks_like_a_pad_is_content():
    assert prepro.sequences_add_end_id_after_pad([[1, 0, 2, 0]], end_id=9) == [[1, 0, 2, 9]]
    assert prepro.sequences_get_mask([[1, 0, 2, 0]]).tolist() == [[1, 1, 1, 0]]


def test_of_no_sequences_the_mask_is_empty():
    assert prepro.sequences_get_mask([]).shape == (0, 0)
    assert prepro.sequences_get_mask([[], []]).shape == (2, 0)


def test_a_mask_needs_one_length():
    with pytest.raises(WrongShape, match=r"sequences have one length, got \[1, 2\]"):
        prepro.sequences_get_mask([[1], [1, 2]])
