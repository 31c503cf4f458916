"""Prefetching, and feeding TensorFlow."""

import itertools
import threading
import time

import numpy as np
import pytest

from tensorlayer.datasets.feed import prefetched
from tensorlayer.errors import InvalidArgument


def _readers():
    return [each for each in threading.enumerate() if each.name == "tensorlayer-prefetch"]


def _wait_until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def test_order_is_kept():
    assert list(prefetched(iter(range(1000)), 3)) == list(range(1000))


def test_an_error_comes_after_the_items_before_it():
    def items():
        yield 1
        raise OSError("broken")

    ahead = prefetched(items(), 5)
    assert next(ahead) == 1
    with pytest.raises(OSError, match="broken"):
        next(ahead)


def test_it_reads_no_further_than_its_depth():
    read = []
    ahead = prefetched((read.append(i) or i for i in itertools.count()), 3)
    next(ahead)
    _wait_until(lambda: len(read) >= 5)
    # one is handed out, three wait, one is in the reader's hand
    assert len(read) == 5
    ahead.close()
    _wait_until(lambda: not _readers())
    assert len(read) == 5


def test_a_pass_that_is_left_ends_its_thread():
    ahead = prefetched(itertools.count(), 2)
    next(ahead)
    del ahead
    _wait_until(lambda: not _readers())


@pytest.fixture
def dataset(hub):
    dataset = hub.datasets.create("d")
    images = np.arange(10, dtype=np.float32)[:, None, None] * np.ones((2, 2), np.float32)
    dataset.append(images, labels=np.arange(10, dtype=np.int32))
    return dataset


def _labels(batches):
    return [int(each) for _, labels in batches for each in labels.numpy()]


def test_tf_batches_have_a_static_spec(dataset):
    import tensorflow as tf

    feed = dataset.where().to_tf(4)
    images, labels = feed.element_spec
    assert (images.shape.as_list(), images.dtype) == ([None, 2, 2], tf.float32)
    assert (labels.shape.as_list(), labels.dtype) == ([None], tf.int32)
    assert [len(labels) for _, labels in feed] == [4, 4, 2]
    assert _labels(feed) == list(range(10))
    fixed = dataset.where().to_tf(4, drop_remainder=True)
    assert fixed.element_spec[0].shape.as_list() == [4, 2, 2]
    assert _labels(fixed) == list(range(8))


def test_every_pass_is_the_next_epoch(dataset):
    feed = dataset.where().to_tf(4, shuffle=True, seed=3)
    passes = [_labels(feed) for _ in range(3)]
    assert all(sorted(each) == list(range(10)) for each in passes)
    assert len({tuple(each) for each in passes}) == 3
    assert [_labels(dataset.where().to_tf(7, shuffle=True, seed=3)), passes[1]] == passes[:2]
    resumed = dataset.where().to_tf(4, shuffle=True, seed=3, first_epoch=2)
    assert _labels(resumed) == passes[2]


def test_repeat_goes_on_with_new_epochs(dataset):
    feed = dataset.where().to_tf(5, shuffle=True, repeat=True).take(6)
    seen = _labels(feed)
    assert [sorted(seen[i : i + 10]) for i in (0, 10, 20)] == [list(range(10))] * 3
    assert seen[:10] != seen[10:20]


def test_samples_without_labels_and_strings(hub):
    dataset = hub.datasets.create("texts")
    dataset.append(["a", "日本", "c\0d"])
    values = [each for batch in dataset.where().to_tf(2) for each in batch.numpy()]
    assert values == [b"a", "日本".encode(), b"c\0d"]


def test_what_is_no_tensor_is_refused(hub, dataset):
    with pytest.raises(InvalidArgument, match="is empty"):
        dataset.where(label=99).to_tf(2)
    dataset.append([{"a": 1}], tags={"odd": True})
    with pytest.raises(InvalidArgument, match="of type dict, which is not a tensor"):
        dataset.where(odd=True).to_tf(2)


def test_samples_of_another_shape_are_named(hub, dataset):
    dataset.append([np.zeros((3, 3), np.float32)], labels=[np.int32(11)], keys=["odd"])
    import tensorflow as tf

    with pytest.raises(tf.errors.InvalidArgumentError, match=r"'odd'.*are not all float32"):
        list(dataset.where().to_tf(11))
