"""Rows: columns of every kind, keys that follow from the content, blocks of bounded size."""

import numpy as np
import pytest

from tensorlayer.datasets import rows as module
from tensorlayer.datasets.content import digest
from tensorlayer.datasets.rows import Rows, _Repeats, _weight
from tensorlayer.errors import InvalidArgument, InvalidName


def listed(*arguments, **columns):
    return [row for block in Rows(*arguments, **columns).blocks() for row in block]


def test_without_labels_tags_and_keys():
    rows = listed(np.eye(2))
    assert [row.label for row in rows] == [None, None]
    assert [row.tags for row in rows] == [{}, {}]
    assert len({row.key for row in rows}) == 2
    assert rows[0].key == f"{rows[0].digest}-0"
    assert rows[0].digest == digest(np.array([1.0, 0.0]), None, digest({}))


@pytest.mark.parametrize(
    "keys", [["a", "b"], np.array(["a", "b"]), ("a", "b"), iter(["a", "b"]), map(str, ["a", "b"])]
)
def test_keys_of_any_sequence(keys):
    assert [row.key for row in listed([1, 2], keys=keys)] == ["a", "b"]


def test_tensors_are_arrays():
    class Tensor:
        def __array__(self, dtype=None, copy=None):
            return np.eye(2)

    np.testing.assert_array_equal([row.sample for row in listed(Tensor())], np.eye(2))


def test_one_dict_of_tags_is_checked_once_and_shared():
    rows = listed([1, 2], tags={"split": "train"})
    assert rows[0].tags is rows[1].tags
    alone = listed([1], tags=[{"split": "train"}])
    assert alone[0].digest == rows[0].digest


@pytest.mark.parametrize("as_iterator", [False, True])
def test_lengths_are_compared_as_soon_as_they_are_known(as_iterator):
    labels = [1, 2, 3]
    if not as_iterator:
        with pytest.raises(InvalidArgument, match="There are 2 samples and 3 labels"):
            Rows([1, 2], labels=labels)
        return
    with pytest.raises(InvalidArgument, match="fewer samples than labels: the samples end after 2"):
        listed([1, 2], labels=iter(labels))


def test_how_many_there_are_is_known_or_not():
    assert Rows(np.eye(3)).n == Rows([1, 2, 3]).n == 3
    assert Rows(iter([1])).n is None


@pytest.mark.parametrize("samples", [3, "abc", b"abc", {"a": 1}, {1, 2}, np.float32(3)])
def test_what_is_no_sequence_is_refused(samples):
    with pytest.raises(InvalidArgument, match="must be an array with a first axis, a list or an"):
        Rows(samples)


def test_an_error_keeps_its_class_and_names_the_index():
    with pytest.raises(InvalidName, match="Sample 1: Sample key"):
        listed([1, 2], keys=["a", ""])
    with pytest.raises(InvalidArgument, match="Sample 1: Tags are a dict"):
        listed([1, 2], tags=[{}, 3])


def test_blocks_are_cut_by_number_and_by_bytes(monkeypatch):
    monkeypatch.setattr(module, "BATCH_DOCUMENTS", 4)
    assert [len(block) for block in Rows(range_of(10)).blocks()] == [4, 4, 2]
    monkeypatch.setattr(module, "FIRST_BLOCK", 1)
    assert [len(block) for block in Rows(range_of(12)).blocks()] == [1, 2, 4, 4, 1]
    monkeypatch.setattr(module, "BATCH_BYTES", 3000)
    assert [len(block) for block in Rows(np.zeros((5, 1000), np.uint8)).blocks()] == [1, 2, 2]
    assert [len(block) for block in Rows([b"x" * 9000, b"y"]).blocks()] == [1, 1]
    assert list(Rows([]).blocks()) == []


def range_of(n):
    return [[i] for i in range(n)]


@pytest.mark.parametrize(
    ("value", "least"),
    [
        (np.zeros(1000), 8000),
        (np.float64(1), 8),
        ("x" * 500, 500),
        (b"x" * 500, 500),
        ([b"x" * 500, {"a": "y" * 300}], 800),
        (None, 0),
    ],
)
def test_weights_follow_the_bytes(value, least):
    assert least <= _weight(value) <= least + 100


@pytest.mark.parametrize("n_block", [1, 2, 3, 7, 100])
def test_ordinals_do_not_depend_on_the_blocks(n_block):
    rng = np.random.default_rng(0)
    names = [str(each) for each in rng.integers(0, 30, 100)]
    expected = [names[:i].count(name) for i, name in enumerate(names)]
    repeats = _Repeats()
    found = [
        ordinal
        for start in range(0, 100, n_block)
        for ordinal in repeats.ordinals(names[start : start + n_block])
    ]
    assert found == expected


def test_remembering_takes_eight_bytes_for_a_name():
    repeats = _Repeats()
    for start in range(0, 10_000, 100):
        assert repeats.ordinals([str(i) for i in range(start, start + 100)]) == [0] * 100
    assert sum(run.nbytes for run in repeats._runs) == 80_000
    assert len(repeats._runs) < 10
    assert repeats._counts == {}
    assert repeats.ordinals(["9999", "5", "x"]) == [1, 1, 0]
