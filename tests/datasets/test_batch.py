"""What comes back from samples of every kind."""

import datetime

import ml_dtypes
import numpy as np
import pytest

from tensorlayer.datasets.batch import stack

UTC = datetime.timezone.utc

SAMPLES = {
    "float": np.array([[np.nan, np.inf], [-np.inf, -0.0]]),
    "bfloat16": np.ones((2, 2), ml_dtypes.bfloat16),
    "uint8": np.arange(4, dtype=np.uint8).reshape(2, 2),
    "big endian": np.arange(4, dtype=">f4").reshape(2, 2),
    "images": np.zeros((3, 4, 4, 1), np.float16),
    "scalars": np.arange(3, dtype=np.int16),
    "complex": np.array([[1j], [2j]]),
    "bool": np.array([[True], [False]]),
    "ints": [1, -(2**62)],
    "floats": [1.5, float("inf")],
}

LISTS = {
    "strings": ["a", "日本\0"],
    "bytes": [b"a\0", b""],
    "ragged": [np.zeros(2), np.zeros(3)],
    "types": [np.zeros(2), np.zeros(2, np.float32)],
    "mixed": [1, 1.5, True, None, "a"],
    "nested": [{"x": np.eye(2), "y": [1, (2, "z")]}, {"x": np.eye(3), "y": []}],
    "huge int": [2**70, 1],
    "large and small": [np.zeros(1), np.ones(100_000)],
}


def _back(hub, samples, labels=None):
    dataset = hub.datasets.create("d")
    dataset.append(samples, labels, keys=[str(i) for i in range(len(samples))])
    return dataset.where().arrays()


@pytest.mark.parametrize("name", SAMPLES)
def test_equal_samples_are_one_array(hub, name):
    samples, labels = _back(hub, SAMPLES[name])
    expected = np.asarray(SAMPLES[name])
    assert samples.dtype == expected.dtype.newbyteorder("=")
    np.testing.assert_array_equal(samples, expected)
    assert labels is None


@pytest.mark.parametrize("name", LISTS)
def test_other_samples_are_a_list(hub, name):
    samples, _ = _back(hub, LISTS[name])
    assert isinstance(samples, list)
    np.testing.assert_equal(samples, LISTS[name])


@pytest.mark.parametrize("name", SAMPLES)
def test_labels_come_back_with_their_type(hub, name):
    expected = np.asarray(SAMPLES[name])
    _, labels = _back(hub, list(range(len(expected))), SAMPLES[name])
    assert labels.dtype == expected.dtype.newbyteorder("=")
    np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize("name", LISTS)
def test_labels_may_be_a_list(hub, name):
    _, labels = _back(hub, list(range(len(LISTS[name]))), LISTS[name])
    np.testing.assert_equal(labels, LISTS[name])


def test_labels_of_some_samples(hub):
    assert _back(hub, [1, 2], [None, 3])[1] == [None, 3]


def test_stack_leaves_nothing_out():
    assert stack([]) == []
    assert stack([None, None]) == [None, None]
    assert stack([True, False]).dtype == bool
    assert stack([1, True]) == [1, True]
