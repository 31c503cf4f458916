from __future__ import annotations

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlayer import iterate
from tensorlayer.errors import InvalidArgument

X = np.arange(22).reshape(11, 2)
Y = [f"y{i}" for i in range(11)]


class Recorder:
    """Data that is read as it is indexed, and remembers what was read."""

    def __init__(self, length=11):
        self.shape = (length,)
        self.read = []

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, key):
        self.read.append(key)
        return np.arange(len(self))[key]


# -- minibatches


@settings(max_examples=30)
@given(
    n=st.integers(0, 20),
    size=st.integers(1, 8),
    dynamic=st.booleans(),
    shuffle=st.booleans(),
    as_list=st.booleans(),
)
def test_every_sample_comes_once_with_its_target(n, size, dynamic, shuffle, as_list):
    inputs, targets = np.arange(n), np.arange(n) + 100
    data = [each.tolist() if as_list else each for each in (inputs, targets)]

    batches = list(iterate.minibatches(*data, size, dynamic, shuffle, seed=0))

    assert all(isinstance(part, list if as_list else np.ndarray) for b in batches for part in b)
    x, y = ([item for batch in batches for item in batch[i]] for i in (0, 1))
    assert [each + 100 for each in x] == y
    assert len(set(x)) == len(x) == (n if dynamic else n - n % size)
    assert shuffle or x == list(range(len(x)))
    sizes = [len(batch[0]) for batch in batches]
    assert set(sizes[:-1]) <= {size}
    assert all(each == size for each in sizes) or dynamic


def test_batches_in_order_are_views():
    for x, _ in iterate.minibatches(X, Y, batch_size=4):
        assert np.shares_memory(x, X)


def test_shuffled_lists_give_lists():
    batches = list(iterate.minibatches(Y, Y, batch_size=4, shuffle=True))

    assert all(type(x) is list and x == y for x, y in batches)


def test_shuffling_reads_no_more_than_the_batch():
    data = Recorder()

    batch, _ = next(iterate.minibatches(data, data, batch_size=3, shuffle=True, seed=0))

    assert sorted(data.read) == sorted([*batch, *batch])
    assert isinstance(batch, np.ndarray)


def order(**arguments):
    batches = iterate.minibatches(X, X, batch_size=11, shuffle=True, **arguments)
    return next(batches)[0][:, 0].tolist()


def test_a_seed_repeats_the_order_and_a_generator_goes_on():
    generator = np.random.default_rng(5)

    assert order(seed=5) == order(seed=5)
    assert order(seed=generator) != order(seed=generator)


def test_shuffling_leaves_the_global_generator_alone():
    before = np.random.get_state()[1].copy()

    first, second = order(), order()

    assert first != second
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_fewer_samples_than_a_batch_are_no_batch():
    assert list(iterate.minibatches(X, Y, batch_size=12)) == []
    ((x, y),) = iterate.minibatches(X, Y, batch_size=12, allow_dynamic_batch_size=True)
    assert len(x) == len(y) == 11


@pytest.mark.parametrize(
    ("inputs", "targets", "lengths"), [(X, Y[1:], "11 and 10"), (X, None, "11 and nothing")]
)
def test_lengths_are_checked_by_the_call(inputs, targets, lengths):
    for function, sizes in [
        (iterate.minibatches, (2,)),
        (iterate.seq_minibatches, (2, 3)),
        (iterate.seq_minibatches2, (2, 3)),
    ]:
        with pytest.raises(InvalidArgument, match=rf"{function.__name__}: .* got {lengths}"):
            function(inputs, targets, *sizes)


@pytest.mark.parametrize("size", [None, 0, -3, 2.5])
def test_sizes_are_checked_by_the_call(size):
    for call, name in [
        (lambda: iterate.minibatches(X, Y, size), "batch_size"),
        (lambda: iterate.seq_minibatches(X, Y, size, 2), "batch_size"),
        (lambda: iterate.seq_minibatches(X, Y, 2, size), "seq_length"),
        (lambda: iterate.seq_minibatches(X, Y, 2, 2, stride=size), "stride"),
        (lambda: iterate.seq_minibatches2(X, Y, 2, size), "num_steps"),
        (lambda: iterate.ptb_iterator(Y, size, 2), "batch_size"),
    ]:
        with pytest.raises(InvalidArgument, match=rf"{name} must be a positive integer, got "):
            call()


# -- sequences


@settings(max_examples=30)
@given(st.integers(0, 40), st.integers(1, 4), st.integers(1, 5), st.integers(1, 6))
def test_windows_start_every_stride(n, size, length, stride):
    data = np.arange(n)
    starts = [s for s in range(0, n, stride) if s + length <= n]
    windows = [list(range(s, s + length)) for s in starts]
    full = len(windows) // size * size
    expected = [
        [step for window in windows[i : i + size] for step in window] for i in range(0, full, size)
    ]

    batches = list(iterate.seq_minibatches(data, data + 100, size, length, stride))

    assert [x.tolist() for x, _ in batches] == expected
    assert all(np.array_equal(x + 100, y) for x, y in batches)


def test_windows_of_arrays_are_flattened_and_those_of_lists_are_lists():
    x, y = next(iterate.seq_minibatches(X, Y, batch_size=2, seq_length=3, stride=2))

    np.testing.assert_array_equal(x, X[[0, 1, 2, 2, 3, 4]])
    assert y == ["y0", "y1", "y2", "y2", "y3", "y4"]


def test_strips_go_on_from_batch_to_batch():
    data = np.arange(23)
    strips = data[:22].reshape(2, 11)

    batches = list(iterate.seq_minibatches2(data, data + 100, batch_size=2, num_steps=3))

    for number, (x, y) in enumerate(batches):
        np.testing.assert_array_equal(x, strips[:, 3 * number : 3 * number + 3])
        np.testing.assert_array_equal(y, x + 100)
    assert len(batches) == 3


def test_the_last_full_batch_of_strips_is_there():
    batches = list(iterate.seq_minibatches2(X[:6], X[:6], batch_size=2, num_steps=3))

    assert len(batches) == 1


def test_strips_keep_types_and_the_shape_of_a_step():
    targets = np.arange(11, dtype="int16")

    x, y = next(iterate.seq_minibatches2(X.astype("float16"), targets, 2, 3))

    assert (x.shape, x.dtype) == ((2, 3, 2), np.float16)
    assert (y.shape, y.dtype) == ((2, 3), np.int16)


def test_strips_of_lists():
    x, y = next(iterate.seq_minibatches2(list(range(20)), Y + Y[:9], batch_size=2, num_steps=2))

    assert x.tolist() == [[0, 1], [10, 11]]
    assert y.tolist() == [["y0", "y1"], ["y10", "y0"]]


@pytest.mark.parametrize("text", [list(range(25)), np.arange(25, dtype="int64")])
def test_words_and_those_that_follow(text):
    batches = list(iterate.ptb_iterator(text, batch_size=2, num_steps=4))

    for x, y in batches:
        assert x.dtype == y.dtype == np.int32
        np.testing.assert_array_equal(y, x + 1)
    rows = np.concatenate([x for x, _ in batches], axis=1)
    np.testing.assert_array_equal(rows, [range(8), range(12, 20)])  # 12 words each, 11 predicted


def test_strips_are_read_some_batches_at_a_time():
    data = Recorder(40_000)

    batches = iterate.ptb_iterator(data, batch_size=2, num_steps=2)
    first = next(batches)
    n_read = sum(key.stop - key.start for key in data.read)
    rest = list(batches)

    assert n_read < 3000
    rows = np.concatenate([x for x, _ in (first, *rest)], axis=1)
    np.testing.assert_array_equal(rows, [range(19_998), range(20_000, 39_998)])
    assert all(np.array_equal(x + 1, y) for x, y in (first, *rest))


@pytest.mark.parametrize("kind", [np.asarray, memoryview])
def test_large_samples_are_read_fewer_batches_at_a_time(kind):
    video = np.zeros((2048, 64, 1024), np.uint8)  # 128 MB that take none before they are read
    batches = iterate.seq_minibatches2(kind(video), range(2048), batch_size=2, num_steps=4)

    tracemalloc.start()
    x, _ = next(batches)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert x.shape == (2, 4, 64, 1024)
    assert peak < 80e6
    assert 1 + sum(1 for _ in batches) == 256


@pytest.mark.parametrize("n", [6, 511, 512, 513, 1025, 1026, 3000])
@pytest.mark.parametrize("kind", [list, np.array, tuple, tf.constant, memoryview])
def test_strips_of_any_length_and_kind(kind, n):
    text = np.arange(n, dtype="int64")
    data = kind(text.tolist() if kind in (list, tuple) else text)
    length = n // 2
    count = (length - 1) // 2

    batches = list(iterate.ptb_iterator(data, batch_size=2, num_steps=2))
    pairs = list(iterate.seq_minibatches2(data, data, batch_size=2, num_steps=2))

    assert (len(batches), len(pairs)) == (count, length // 2)
    for number, (x, y) in enumerate(batches):
        first = 2 * number
        assert x.tolist() == [[first, first + 1], [length + first, length + first + 1]]
        np.testing.assert_array_equal(y, x + 1)
    for x, y in pairs:
        assert x.dtype == y.dtype == np.int64 or kind is tf.constant
        np.testing.assert_array_equal(x, y)
    assert [int(x[0, 0]) for x, _ in pairs] == list(range(0, length // 2 * 2, 2))


def test_strips_are_copies():
    text = np.arange(20, dtype=np.int32)

    x, y = next(iterate.ptb_iterator(text, batch_size=2, num_steps=4))
    x[:] = y[:] = 0

    assert text.tolist() == list(range(20))


def test_batches_of_shuffled_tensors_are_arrays():
    x, y = tf.reshape(tf.range(40), (20, 2)), tf.range(20)

    batches = list(iterate.minibatches(x, y, batch_size=5, shuffle=True, seed=0))
    steps, numbers = next(iterate.seq_minibatches(x, y, batch_size=2, seq_length=3))

    assert all(type(part) is np.ndarray for batch in batches for part in batch)
    for samples, targets in batches:
        np.testing.assert_array_equal(samples[:, 0], 2 * targets)
    np.testing.assert_array_equal(steps[:, 0], 2 * numbers)


@pytest.mark.parametrize(
    ("call", "fragment"),
    [
        (lambda: iterate.ptb_iterator(range(10), 5, 2), "10 steps make 5 strips of 2.* needs 3"),
        (lambda: iterate.seq_minibatches2(Y, Y, 4, 3), "11 steps make 4 strips of 2.* needs 3"),
    ],
)
def test_too_little_data_is_named_by_the_call(call, fragment):
    with pytest.raises(InvalidArgument, match=rf"{fragment}\. Decrease batch_size or num_steps"):
        call()


@pytest.mark.parametrize("module", ["iterate", "rein"])
def test_needs_no_tensorflow(module):
    code = f"import sys, tensorlayer.{module}; sys.exit('tensorflow' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 2**70])
@pytest.mark.parametrize("kind", [list, np.array])
def test_numbers_of_words_do_not_wrap_around(kind, number):
    text = kind([2**31 - 1, -(2**31), 5, number])

    batches = iterate.ptb_iterator(text, batch_size=1, num_steps=2)

    assert next(iterate.ptb_iterator(text[:3], 1, 2))[1].tolist() == [[-(2**31), 5]]
    with pytest.raises(InvalidArgument, match=f"word's number is an int32, got {number}"):
        list(iterate.ptb_iterator(text, batch_size=1, num_steps=3))
    assert next(batches)[0].tolist() == [[2**31 - 1, -(2**31)]]


@pytest.mark.parametrize("dtype", [np.uint32, np.uint64, np.float64])
def test_numbers_of_words_of_other_types_do_not_wrap_around_either(dtype):
    text = np.array([3, 2**31 - 1, 2**31], dtype)

    assert next(iterate.ptb_iterator(text[:2], 1, 1))[1].tolist() == [[2**31 - 1]]
    with pytest.raises(InvalidArgument, match="word's number is an int32, got 2147483648"):
        list(iterate.ptb_iterator(text, 1, 2))


@pytest.mark.parametrize("data", [tf.ragged.constant([[1], [2, 3], [4]]), iter([1, 2, 3])])
def test_data_without_a_length_is_told_what_to_do(data):
    for call in (
        lambda: iterate.minibatches(data, [1, 2, 3], 2),
        lambda: iterate.minibatches([1, 2, 3], data, 2, shuffle=True),
        lambda: iterate.seq_minibatches(data, data, 1, 1),
        lambda: iterate.seq_minibatches2(data, data, 1, 1),
        lambda: iterate.ptb_iterator(data, 1, 1),
    ):
        with pytest.raises(
            InvalidArgument, match=rf"got {type(data).__name__}\. Take to_list\(\) of a Ragged"
        ):
            call()


def test_a_ragged_tensor_is_data_as_a_list():
    ragged = tf.ragged.constant([[1], [2, 3], [4]]).to_list()

    ((x, _),) = iterate.minibatches(ragged, [0, 1, 2], 2)

    assert x == [[1], [2, 3]]
