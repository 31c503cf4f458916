"""Deleting: all of it goes, nothing else does, and no number comes again."""

import threading

import numpy as np
import pytest

from tensorlayer.errors import InvalidArgument, ModelNotFound, StoreError, VersionNotFound
from tensorlayer.models import deleting
from tests import forked
from tests.threads import at_once


@pytest.fixture
def models(hub):
    return hub.models


def weights(value=0.0, n=8):
    return {"w": np.full(n, value, np.float32)}


def numbers(models, key="mlp"):
    return [each.number for each in models.list(key)]


def n_stored(hub):
    """Return how many files, chunks and versions there are."""
    names = ("blobs.files", "blobs.chunks", "versions")
    return tuple(hub.database[name].count_documents({}) for name in names)


def test_a_version_goes_with_its_weights(hub, models):
    for step in range(3):
        models.save("mlp", weights(step), step=step)
    before = n_stored(hub)
    assert models.delete("mlp", 2) == 1
    assert n_stored(hub) == tuple(n - 1 for n in before)
    assert numbers(models) == [1, 3]
    assert models.load("mlp", 1)["w"][0] == 0.0
    assert models.load("mlp")["w"][0] == 2.0


def test_no_number_comes_again(models):
    for _ in range(3):
        models.save("mlp", weights())
    models.delete("mlp", 3)
    assert models.save("mlp", weights()).number == 4
    models.delete("mlp")
    assert models.keys() == []
    assert models.save("mlp", {"another": np.zeros(2)}).number == 5, "of another structure"
    models.delete("mlp")
    assert models.save("mlp", weights()).number == 6


def test_a_model_goes_with_everything_and_leaves_the_others(hub, models):
    models.save("other", weights(7))
    models.log("other", {"loss": 1.0}, step=0)
    models.flush()
    before = n_stored(hub)
    for step in range(5):
        models.save("mlp", weights(step), step=step)
        models.log("mlp", {"loss": 1.0}, step=step)
    assert models.delete("mlp") == 5
    assert n_stored(hub) == before
    assert models.events("mlp") == []
    assert len(models.events("other")) == 1
    assert models.load("other")["w"][0] == 7
    with pytest.raises(ModelNotFound):
        models.get("mlp")


def test_a_large_configuration_goes_too(hub, models):
    import types

    before = n_stored(hub)
    model = types.SimpleNamespace(
        config={"text": "x" * 600_000}, structure_digest="d", to_arrays=weights
    )
    models.save("mlp", model)
    models.delete("mlp")
    assert n_stored(hub) == before


def test_what_is_not_there_is_an_error(models):
    models.save("mlp", weights())
    with pytest.raises(ModelNotFound, match=r"no model 'mlq'.*'mlp'"):
        models.delete("mlq")
    with pytest.raises(VersionNotFound, match="'mlp' has no version 2"):
        models.delete("mlp", 2)
    with pytest.raises(InvalidArgument, match="integer from 1"):
        models.delete("mlp", "1")
    models.delete("mlp", 1)
    with pytest.raises(VersionNotFound, match="not given again"):
        models.get("mlp")
    assert models.delete("mlp") == 0, "the rest of it"
    with pytest.raises(ModelNotFound):
        models.delete("mlp")


def test_a_damaged_version_can_be_deleted(hub, models):
    models.save("mlp", weights())
    hub.database["versions"].update_one({"number": 1}, {"$set": {"weights": 3, "blobs": "none"}})
    hub.database["models"].update_one({"_id": "mlp"}, {"$set": {"n_versions": "many"}})
    assert models.delete("mlp") == 1
    assert models.save("mlp", weights()).number == 2


def test_a_version_whose_blobs_nobody_knows_can_be_deleted(hub, models):
    models.save("mlp", weights())
    hub.database["versions"].update_one({}, {"$unset": {"blobs": 1}})
    assert models.delete("mlp", 1) == 1
    assert n_stored(hub)[2] == 0


def test_events_of_a_model_that_is_made_meanwhile_are_its_own(hub, models, monkeypatch):
    models.save("mlp", weights())
    models.log("mlp", {"loss": 1.0}, step=0)
    discard = hub.store.blobs.discard

    def meanwhile(ids):
        models.save("mlp", weights(2))
        models.log("mlp", {"loss": 2.0}, step=0)
        models.flush()
        discard(ids)

    monkeypatch.setattr(hub.store.blobs, "discard", meanwhile)
    models.delete("mlp")
    assert [each.value for each in models.events("mlp")] == [2.0]


def test_more_events_than_one_transaction_takes(hub, models, monkeypatch):
    monkeypatch.setattr(deleting, "_AT_ONCE", 3)
    models.save("mlp", weights())
    models.log("mlp", {f"loss-{n}": 1.0 for n in range(7)}, step=0)
    models.flush()
    assert models.delete("mlp") == 1
    assert hub.database["events"].count_documents({}) == 0


def test_events_without_a_model_can_be_deleted(hub, models):
    models.log("mlp", {"loss": 1.0}, step=0)
    models.flush()
    assert models.delete("mlp") == 0
    assert models.events("mlp") == []
    with pytest.raises(ModelNotFound):
        models.delete("mlp")


def test_more_versions_than_one_transaction_takes(hub, models, monkeypatch):
    monkeypatch.setattr(deleting, "_AT_ONCE", 3)
    for _ in range(7):
        models.save("mlp", weights())
    assert models.delete("mlp") == 7
    assert n_stored(hub) == (0, 0, 0)


def test_at_the_same_time_as_others_save(hub, models):
    """Whatever wins, there is a whole model or none, and no number is given twice."""
    models.save("mlp", weights())
    seen = []
    over = threading.Event()

    def save():
        while not over.is_set():
            try:
                seen.append(models.save("mlp", weights()).number)
            except StoreError as error:
                assert "is gone since this save began" in str(error)  # noqa: PT017

    def delete():
        for _ in range(10):
            try:
                models.delete("mlp")
            except (ModelNotFound, VersionNotFound):
                continue
        over.set()

    at_once(save, save, delete)
    assert len(seen) == len(set(seen)), "a number was given twice"
    left = [each.number for each in models.list()]
    for number in left:
        models.arrays("mlp", number)
    assert n_stored(hub)[2] == len(left)


def delete_numbered(hub, n):
    """Delete the n-th model, in transactions of one version each."""
    deleting._AT_ONCE = 1
    hub.models.delete(f"mlp-{n}")


@pytest.mark.slow
def test_killed_after_any_operation_the_rest_is_whole(hub, models):
    """What is listed can be read, and deleting again ends it."""
    keys = [f"mlp-{n}" for n in range(1, 101)]
    for key in keys:
        for step in range(2):
            models.save(key, weights(step), step=step)
            models.log(key, {"loss": 1.0, "accuracy": 0.5}, step=step)
    models.flush()
    with forked.impatient_server(hub):
        codes = forked.run(hub, "crash", delete_numbered)
        assert codes[-1] == 0
        assert len(codes) < len(keys), "otherwise not all of it was killed"
        assert set(hub.database["events"].distinct("model")) <= set(models.keys()), "left behind"
        for key in models.keys():  # noqa: SIM118 - no mapping
            for version in (
                models.list(key) if hub.database["versions"].find_one({"model": key}) else ()
            ):
                assert models.arrays(key, version)["w"][0] == version.step
            models.delete(key)
    assert set(codes[:-1]) == {-9}
    assert models.keys() == models.list() == []
    hub.store.blobs.sweep(grace_seconds=-60)
    assert n_stored(hub) == (0, 0, 0)


def test_in_a_task_it_is_done_at_once(hub, models):
    models.save("mlp", weights())
    models.save("mlp", weights())
    with hub.store.staged(run="task") as stage:
        models.delete("mlp", 1)
        assert numbers(models) == [2]
        stage.abandon()
    assert numbers(models) == [2]
