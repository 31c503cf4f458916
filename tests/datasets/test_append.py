"""Appending by several processes, and by processes that are killed."""

import numpy as np
import pytest

from tensorlayer.datasets import append as appending
from tests import forked

N_LARGE = 300_000


def samples(n):
    """Ten samples, one of which is large enough for GridFS."""
    return [np.full(N_LARGE if i == 5 else 3, 10 * n + i) for i in range(10)]


def append_ten(hub, n):
    appending.MAX_SAMPLES = 4
    return hub.datasets.create(f"crash-{n}").append(samples(n), labels=list(range(10)))


def test_killed_after_any_operation_there_are_only_whole_batches(hub, monkeypatch):
    monkeypatch.setattr(appending, "MAX_SAMPLES", 4)
    with forked.impatient_server(hub):
        codes = forked.run(hub, "crash", append_ten)
        assert codes[-1] == 0
        assert set(codes[:-1]) == {-9}
        seen = {_check_whole_batches(hub, n) for n in range(1, len(codes))}
        assert seen >= {0, 4, 8, 10}
        for n in range(1, len(codes) + 1):
            _check_it_can_be_sent_again(hub, n)
    hub.store.blobs.sweep(grace_seconds=0)
    assert hub.database["blobs.files"].count_documents({}) == len(codes)


def _check_whole_batches(hub, n):
    if f"crash-{n}" not in hub.datasets:
        return -1
    dataset = hub.datasets[f"crash-{n}"]
    found, labels = dataset.where().arrays()
    assert (labels if len(found) else np.zeros(0)).tolist() == list(range(len(found)))
    assert len(dataset) == len(found)
    assert len(found) == [0, 4, 8, 10][dataset.revision]
    for i, each in enumerate(found):
        np.testing.assert_array_equal(each, samples(n)[i])
    return len(found)


def _check_it_can_be_sent_again(hub, n):
    stored = max(0, _check_whole_batches(hub, n))
    result = append_ten(hub, n)
    assert (result.n_added, result.n_known) == (10 - stored, stored)
    assert _check_whole_batches(hub, n) == 10


def append_own_and_common(hub, n):
    dataset = hub.datasets.create("shared")
    for i in range(10):
        dataset.append([[n, i], [n, -i - 1]], tags={"by": n})
        dataset.append([["common", i]])


def test_four_processes_append_at_once(hub):
    assert forked.run(hub, "together", append_own_and_common, 4) == [0] * 4
    dataset = hub.datasets["shared"]
    assert dataset.revision == 4 * 10 + 10
    assert len(dataset) == len(dataset.where()) == 4 * 20 + 10
    for n in range(4):
        own = dataset.where(by=n).arrays()[0]
        assert own == [pair for i in range(10) for pair in ([n, i], [n, -i - 1])]
    sizes = [len(dataset.at(r)) - len(dataset.at(r - 1)) for r in range(1, dataset.revision + 1)]
    assert sorted(sizes) == [1] * 10 + [2] * 40


def test_columns_without_labels_tags_and_keys():
    columns = appending.Columns(np.eye(2))
    assert columns.labels == [None, None]
    assert columns.tags == [{}, {}]
    assert len(set(columns.keys)) == 2


@pytest.mark.parametrize("keys", [["a", "b"], np.array(["a", "b"]), ("a", "b")])
def test_keys_of_any_sequence(keys):
    assert appending.Columns([1, 2], keys=keys).keys == ["a", "b"]


def test_tensors_are_arrays():
    class Tensor:
        def __array__(self, dtype=None, copy=None):
            return np.eye(2)

    np.testing.assert_array_equal(appending.Columns(Tensor()).samples, np.eye(2))
