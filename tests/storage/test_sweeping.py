"""Sweeping: one question that reads indexes only, and owners that are not ours."""

import logging

import pytest
from bson import ObjectId

from tensorlayer.storage import sweeping

QUERY = {"metadata.committed": False, "metadata.writer": {"$nin": ["living"]}}


def stages(found, name):
    """Return every part of an explanation that has a field of this name."""
    if isinstance(found, dict):
        return [*([found[name]] if name in found else []), *stages(list(found.values()), name)]
    return [each for part in found for each in stages(part, name)] if type(found) is list else []


def test_no_collection_is_read_as_a_whole(store):
    for n in range(50):
        pointer = store.blobs.put(b"%d" % n, owner=["versions", "samples"][n % 2])
        if n % 5:
            store.database["versions"].insert_one({"blobs": [pointer.id]})
    store.database["versions"].insert_many({"n": n} for n in range(500))
    for owner in ("versions", "samples"):
        sweeping._make_index(store, owner)
    pipeline = sweeping.pipeline("blobs.files", QUERY, ["versions", "samples"])
    command = {"aggregate": "blobs.files", "pipeline": pipeline, "cursor": {}}
    found = store.database.command("explain", command, verbosity="executionStats")
    assert "COLLSCAN" not in stages(found, "stage")
    assert {"IXSCAN"} <= set(stages(found, "stage"))
    assert stages(found, "collectionScans")
    assert not any(map(int, stages(found, "collectionScans")))
    assert len(list(store.blobs._files.aggregate(pipeline))) == 10 + 20


def test_owners_that_are_not_ours_are_left_alone_and_do_not_stop_the_sweep(store, caplog):
    orphan = store.blobs.put(b"orphan", owner="versions")
    for owner in ("$cmd", "system.users", "a b", 3, None, "../x"):
        store.database["blobs.files"].insert_one(
            {"metadata": {"owner": owner, "committed": False}, "uploadDate": store.now()}
        )
    with caplog.at_level(logging.WARNING):
        assert store.blobs.sweep(grace_seconds=-60) == 1
    assert "owners of blobs have names that are not ours" in caplog.text
    assert store.database["blobs.files"].count_documents({"_id": orphan.id}) == 0


def test_an_index_of_another_form_is_good_enough(store):
    store.database["versions"].create_index("blobs", unique=True, sparse=True)
    store.blobs.put(b"orphan", owner="versions")
    assert store.blobs.sweep(grace_seconds=-60) == 1


def test_a_deletion_that_broke_off_is_finished(store, monkeypatch):
    store.blobs.put(b"orphan", owner="versions")
    with monkeypatch.context() as patched:

        def breaking(*arguments):
            raise KeyboardInterrupt

        patched.setattr(type(store.blobs._pieces), "delete_many", breaking)
        with pytest.raises(KeyboardInterrupt):
            store.blobs.sweep(grace_seconds=-60)
    assert store.blobs.sweep(grace_seconds=-60) == 1
    assert store.database["blobs.chunks"].count_documents({}) == 0


@pytest.mark.parametrize("name", ["versions", "my.notes", "tasks"])
def test_names_of_owners(name):
    assert sweeping.is_owner(name)
    assert not sweeping.is_owner(f"system.{name}")
    assert not sweeping.is_owner(ObjectId())
