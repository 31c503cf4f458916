"""Skip-gram batches."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlayer import nlp
from tensorlayer.errors import InvalidArgument


def test_a_batch_of_all_neighbours():
    data = list(range(10, 20))
    batch, labels, index = nlp.generate_skip_gram_batch(data, 8, num_skips=2, skip_window=1)
    assert batch.tolist() == [11, 11, 12, 12, 13, 13, 14, 14]
    assert [sorted(pair) for pair in labels.reshape(4, 2).tolist()] == [
        [10, 12],
        [11, 13],
        [12, 14],
        [13, 15],
    ]
    assert (batch.dtype, labels.dtype, labels.shape) == (np.int32, np.int32, (8, 1))
    assert index == 4


@settings(max_examples=60)
@given(st.data())
def test_labels_are_different_neighbours_of_their_word(data):
    window = data.draw(st.integers(1, 4))
    skips = data.draw(st.integers(1, 2 * window))
    n_words = data.draw(st.integers(1, 6))
    n = data.draw(st.integers(2 * window + 1, 40))
    start = data.draw(st.integers(0, n - 1))
    words = np.arange(n)  # each word is its place
    batch, labels, index = nlp.generate_skip_gram_batch(
        words, n_words * skips, skips, window, start
    )
    for i in range(n_words):
        centre = (start + i + window) % n
        assert set(batch[i * skips : (i + 1) * skips]) == {centre}
        found = labels[i * skips : (i + 1) * skips, 0]
        offsets = (found - centre + n // 2) % n - n // 2
        assert len(set(found)) == skips
        distance = np.minimum((found - centre) % n, (centre - found) % n)
        assert ((distance >= 1) & (distance <= window)).all(), offsets
    assert index == (start + n_words) % n


def test_every_neighbour_is_equally_likely():
    generator = np.random.default_rng(0)
    counted = np.zeros(9)
    for _ in range(500):
        _, labels, _ = nlp.generate_skip_gram_batch(np.arange(9), 2, 2, 4, 0, seed=generator)
        counted[labels.ravel()] += 1
    assert counted[4] == 0
    assert abs(counted[[0, 1, 2, 3, 5, 6, 7, 8]] - 125).max() < 50  # 5 standard deviations


def test_batches_go_through_the_data_without_leaving_words_out():
    index, words = 0, []
    for _ in range(5):
        batch, _, index = nlp.generate_skip_gram_batch(list(range(10)), 4, 2, 2, index)
        words += batch[::2].tolist()
    assert words == [2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    assert index == 0


def test_a_list_is_not_copied_and_a_seed_repeats_the_draw():
    class Words(list):
        def __iter__(self):
            raise AssertionError("the whole list was read")

    words = Words(range(1000))
    first = nlp.generate_skip_gram_batch(words, 8, 2, 3, seed=1)
    second = nlp.generate_skip_gram_batch(np.arange(1000), 8, 2, 3, seed=1)
    np.testing.assert_array_equal(first[1], second[1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2, 3], 8, 3, 1), "num_skips is from 1 to 2 \\* skip_window"),
        (([1, 2, 3], 8, 0, 1), "num_skips is from 1"),
        (([1, 2, 3], 7, 2, 1), "batch_size is a multiple of num_skips, got batch_size=7"),
        (([1, 2, 3], 0, 2, 1), "batch_size is a multiple"),
        (([], 8, 2, 1), "data is empty"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(InvalidArgument, match=message):
        nlp.generate_skip_gram_batch(*arguments)
