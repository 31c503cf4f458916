"""Parts of a batch: each sample counts once, and gradients keep their kind."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tensorlayer.errors import InvalidArgument
from tensorlayer.train.accumulating import accumulated


def part(batch, n):
    """Return the gradients: a sum, None, rows that are the samples; and the samples seen."""
    x, rows = batch
    share = tf.cast(n, tf.float32) / tf.maximum(tf.cast(tf.shape(x)[0], tf.float32), 1.0)
    sparse = tf.IndexedSlices(share * x[:, None] * tf.ones([1, 2]), rows, tf.constant([9, 2]))
    return [share * tf.reduce_sum(x), None, sparse], {"n": n, "sum": share * tf.reduce_sum(x)}


@pytest.mark.parametrize("is_traced", [True, False])
@pytest.mark.parametrize("is_unrolled", [True, False])
@pytest.mark.parametrize(("n", "n_parts"), [(8, 4), (7, 3), (5, 5), (5, 1), (2, 4), (1, 3)])
def test_every_sample_counts_once(n, n_parts, is_unrolled, is_traced):
    x, rows = np.arange(1, n + 1, dtype="float32"), np.arange(n) % 9

    def whole(x, rows):
        return accumulated(part, (x, rows), n_parts, is_unrolled=is_unrolled)

    call = tf.function(whole) if is_traced else whole
    (total, nothing, sparse), metrics = call(tf.constant(x), tf.constant(rows))

    assert nothing is None
    assert float(total) == float(metrics["sum"]) == x.sum()
    assert int(metrics["n"]) == n
    dense = np.zeros([9, 2], "float32")
    np.add.at(dense, rows, x[:, None] * np.ones([1, 2], "float32"))
    np.testing.assert_array_equal(tf.convert_to_tensor(sparse), dense)


@pytest.mark.parametrize("is_unrolled", [True, False])
def test_rows_are_put_one_behind_the_other(is_unrolled):
    rows = tf.constant([3, 1, 3, 0, 1])
    (_, _, sparse), _ = accumulated(part, (tf.ones([5]), rows), 2, is_unrolled=is_unrolled)

    assert isinstance(sparse, tf.IndexedSlices)
    assert sparse.indices.numpy().tolist() == rows.numpy().tolist()


@pytest.mark.parametrize("shapes", [([4, 3], [12]), ([4], []), ([2, 2], [4], [2])])
def test_tensors_of_a_batch_are_of_one_length(shapes):
    with pytest.raises(InvalidArgument, match=r"takes a batch apart along the first .*\(4|\(2"):
        accumulated(part, [tf.zeros(shape) for shape in shapes], 2)


def test_no_part_is_empty_and_their_sizes_differ_by_one():
    def sizes(n, n_parts):
        found = []

        def part(x, n):
            found.append((len(x), int(n)))
            return [], {"n": n}

        accumulated(part, tf.zeros([n]), n_parts)
        return found

    assert sizes(10, 4) == [(2, 2), (3, 3), (2, 2), (3, 3)]
    assert sizes(2, 3) == [(1, 0), (1, 1), (1, 1)]


@pytest.mark.parametrize("is_unrolled", [True, False])
def test_one_part_waits_for_the_other(is_unrolled):
    """Else what is between the layers would be kept for all of them at the same time."""
    seen = []

    def note(x, when):
        seen.append((when, x.numpy().tolist()))
        return x

    def part(x, n):
        begun = tf.py_function(lambda x: note(x, "begun"), [x], tf.float32)
        for _ in range(20):
            begun = tf.sin(begun)
        return [tf.py_function(lambda x: note(x, "done"), [begun], tf.float32)[0]], {"n": n}

    tf.function(lambda x: accumulated(part, x, 4, is_unrolled=is_unrolled))(tf.zeros([4]))

    assert [when for when, _ in seen] == ["begun", "done"] * 4


def test_types_and_structures_of_batches_are_kept():
    batch = {"words": tf.ragged.constant([[1], [2, 3], [], [4]]), "y": tf.constant([1, 2, 3, 4])}

    def part(batch, n):
        words = tf.reduce_sum(batch["words"])
        return [tf.cast(words, tf.float64)], {"n": n}

    (total,), _ = tf.function(lambda batch: accumulated(part, batch, 3))(batch)

    assert (float(total), total.dtype) == (10.0, tf.float64)


@pytest.mark.parametrize(
    "other", [None, tf.sparse.from_dense([[1.0], [0.0]])], ids=["none", "sparse"]
)
def test_what_cannot_be_taken_apart_is_refused(other):
    with pytest.raises(InvalidArgument, match=r"dense and ragged ones, got a (None|Sparse).*at 1"):
        accumulated(lambda batch, n: ([], {}), (tf.zeros([2]), other), 2)


def test_ragged_batches_are_taken_apart():
    rows = tf.ragged.constant([[1.0], [2.0, 3.0], [4.0]])
    _, found = accumulated(lambda part, n: ([], {"sum": tf.reduce_sum(part)}), rows, 2)
    assert float(found["sum"]) == 10.0
