"""Deleting: all of it goes, nothing else does, and no revision means something else."""

import threading

import numpy as np
import pytest

from tensorlayer.datasets import deleting
from tensorlayer.datasets.ledger import Ledger
from tensorlayer.errors import Conflict, Corrupt, DatasetNotFound, StoreError
from tests import forked
from tests.threads import at_once


def fill(hub, key="digits", n=10, times=3, start=0):
    dataset = hub.datasets.create(key, indexes=["split"])
    for k in range(start, start + times):
        values = np.arange(n * k, n * (k + 1), dtype=float)
        dataset.append(values[:, None] * np.ones(4), labels=np.arange(n), tags={"split": "a"})
    return dataset


def n_stored(hub):
    names = ("samples", "revisions", "blobs.files", "blobs.chunks")
    return tuple(hub.database[name].count_documents({}) for name in names)


def values(dataset):
    return [float(each.sample[0]) for each in dataset]


def test_it_goes_with_everything_and_leaves_the_others(hub):
    other = fill(hub, "other")
    before = n_stored(hub)
    fill(hub)
    hub.datasets["digits"].append([np.zeros(100_000)])  # a blob
    assert hub.datasets.delete("digits") == 31
    assert n_stored(hub) == before
    assert hub.datasets.keys() == ["other"]
    assert "digits" not in hub.datasets
    assert len(values(other)) == 30
    for use in (
        lambda: hub.datasets["digits"],
        lambda: hub.datasets.delete("digits"),
        lambda: hub.datasets.delete("never"),
    ):
        with pytest.raises(DatasetNotFound, match=r"no dataset '(digits|never)'.*'other'"):
            use()


def test_what_was_held_is_told(hub):
    dataset = fill(hub)
    view = dataset.where(label=3)
    hub.datasets.delete("digits")
    for use in (
        lambda: dataset.append([1.0]),
        lambda: len(dataset),
        lambda: dataset.where(),
        lambda: list(view.batches(2)),
        lambda: list(view.batches(2, shuffle=True)),
        lambda: list(view),
        lambda: view.arrays(),
    ):
        with pytest.raises(DatasetNotFound, match="'digits' does not exist"):
            use()


def test_one_of_the_same_key_is_a_new_one_that_counts_on(hub):
    old = fill(hub)
    first = old.at(2)
    hub.datasets.delete("digits")
    new = hub.datasets.create("digits")
    assert (len(new), new.revision, list(new), list(new.where().batches(2))) == (0, 3, [], [])
    assert new.at(3) == new.where()
    assert new.summary()["indexes"] == []
    made = fill(hub, n=2, times=2)
    assert (made.revision, values(made)) == (5, [0.0, 1.0, 2.0, 3.0])
    assert len(made.at(4)) == 2
    assert len(made.at(0)) == 0
    with pytest.raises(DatasetNotFound, match=r"revision 2 belonged to a dataset.*from 4"):
        made.at(2)
    with pytest.raises(DatasetNotFound, match="revision 2 belonged"):
        list(first.batches(2))
    with pytest.raises(Conflict):
        hub.datasets.create("digits", exist_ok=False)
    hub.datasets.delete("digits")
    hub.datasets.create("digits", exist_ok=False)
    assert fill(hub, n=1, times=1).revision == 6


def test_what_was_stored_before_is_not_known_any_more(hub):
    fill(hub, times=1)
    hub.datasets.delete("digits")
    again = fill(hub, times=1)
    assert len(again) == 10


@pytest.mark.parametrize("is_made_again", [False, True])
def test_an_append_that_is_under_way_fails_and_leaves_nothing(hub, is_made_again):
    dataset = fill(hub)
    began, deleted = threading.Event(), threading.Event()
    raised = []

    def samples():
        for n in range(20_000):
            if n == 15_000:  # one block is on its way
                began.set()
                deleted.wait(30)
            yield np.full(4, float(-n))

    def append():
        try:
            dataset.append(samples(), progress=False)
        except (StoreError, DatasetNotFound) as error:
            raised.append(error)

    def delete():
        began.wait(30)
        hub.datasets.delete("digits")
        if is_made_again:
            fill(hub, times=1)
        deleted.set()

    at_once(append, delete)
    assert len(raised) == 1
    assert n_stored(hub)[0] == (10 if is_made_again else 0)
    if is_made_again:
        assert values(dataset) == list(range(10))


def test_an_append_to_the_dataset_before_this_one_is_refused(hub):
    """It has compared its samples with what is not there any more."""
    from tensorlayer.datasets.append import Append

    fill(hub)
    append = Append(hub.store, Ledger(hub.store, "digits"))
    hub.datasets.delete("digits")
    hub.datasets.create("digits")
    with pytest.raises(DatasetNotFound, match="does not exist any more"):
        append._ledger.reserve("me", append._begun)


@pytest.mark.parametrize("shuffle", [False, True])
def test_who_is_reading_is_told_at_the_end(hub, shuffle):
    kept, doomed = (
        fill(hub, key, n=5_000, times=1).where().batches(10, shuffle=shuffle, prefetch=0)
        for key in ("kept", "doomed")
    )
    next(kept), next(doomed)
    hub.datasets.delete("doomed")
    assert sum(len(each.keys) for each in kept) == 4_990
    with pytest.raises((DatasetNotFound, Corrupt), match=r"does not exist|is gone while it is"):
        list(doomed)


def test_a_damaged_head_can_be_deleted(hub):
    fill(hub)
    hub.database["datasets"].update_one({}, {"$set": {"n_samples": "many", "tags": 3}})
    assert hub.datasets.delete("digits") == 0
    assert n_stored(hub)[:2] == (0, 0)


def test_two_that_delete_at_once(hub):
    fill(hub, n=2_000)
    results = []

    def delete():
        try:
            results.append(hub.datasets.delete("digits"))
        except DatasetNotFound:
            results.append(None)

    at_once(delete, delete)
    assert sorted(results, key=str) == [6_000, None]
    assert n_stored(hub)[:2] == (0, 0)


def delete_numbered(hub, n):
    """Delete the n-th dataset in commands of two samples each."""
    deleting._AT_ONCE = 2
    hub.datasets.delete(f"digits-{n}")


@pytest.mark.slow
def test_killed_after_any_operation_it_is_whole_or_gone(hub):
    keys = [f"digits-{n}" for n in range(1, 61)]
    for key in keys:
        fill(hub, key, n=2, times=2)
    codes = forked.run(hub, "crash", delete_numbered)
    assert codes[-1] == 0
    assert set(codes[:-1]) == {-9}
    assert len(codes) < len(keys), "otherwise not all of it was killed"
    left = hub.datasets.keys()
    for key in left:
        if key in keys:
            assert values(hub.datasets[key]) == [0.0, 1.0, 2.0, 3.0]
    hub.store.presence.clean()
    for collection in ("samples", "revisions"):
        assert set(hub.database[collection].distinct("dataset")) <= set(left)
    assert hub.database["datasets"].count_documents({"removing": {"$exists": True}}) == 0
    for key in set(keys) - set(left):
        hub.datasets.create(key)
        assert values(hub.datasets[key]) == []


@pytest.mark.parametrize("is_made_again", [False, True])
def test_what_a_stage_found_stored_and_is_gone_is_told(hub, is_made_again):
    dataset = fill(hub, times=1)
    with hub.store.staged(run="task") as stage:
        dataset.append(np.ones((1, 4)), labels=[1], tags={"split": "a"})
    hub.datasets.delete("digits")
    if is_made_again:
        hub.datasets.create("digits")
    with pytest.raises(DatasetNotFound, match="'digits' does not exist"):
        stage.prepare() or hub.store.transact(stage.apply)


def test_a_removal_that_ends_does_not_end_a_later_one(hub, monkeypatch):
    """The later one is killed: who comes next has to know of it."""
    fill(hub)
    delete_samples = deleting.delete_samples

    def meanwhile(store, query):
        monkeypatch.undo()
        fill(hub, start=9)
        Ledger(hub.store, "digits").retire("killed")
        delete_samples(store, query)

    monkeypatch.setattr(deleting, "delete_samples", meanwhile)
    hub.datasets.delete("digits")
    assert n_stored(hub)[0] == 30
    deleting.finish_of(hub.store, "killed")
    assert n_stored(hub)[:2] == (0, 0)
    assert "removing" not in hub.database["datasets"].find_one()


@pytest.mark.parametrize("is_made_again", [False, True])
def test_a_view_of_what_is_gone_is_not_empty(hub, is_made_again):
    view = fill(hub).where(label=3)
    hub.datasets.delete("digits")
    if is_made_again:
        fill(hub)
    for use in (
        lambda: len(view),
        lambda: view[0],
        lambda: view[-1],
        lambda: view[:2],
        lambda: view[::2],
        lambda: view[5:],
    ):
        with pytest.raises(DatasetNotFound, match="'digits'"):
            use()


@pytest.mark.parametrize("index", [slice(3), slice(None, None, 2), 2], ids=str)
def test_a_slice_of_what_goes_meanwhile_is_an_error(hub, monkeypatch, index):
    view = fill(hub).where()
    monkeypatch.setattr(type(view), "__len__", lambda view: hub.datasets.delete("digits"))
    with pytest.raises(DatasetNotFound, match="'digits'"):
        view[index]
