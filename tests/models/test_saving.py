"""The two doors: what a stage shows to itself, and what is published from it at once."""

import types

import numpy as np
import pytest

from tensorlayer.errors import Conflict, LeaseLost, ModelNotFound, VersionNotFound

#: Bytes that no document holds inline.
N_LARGE = 300_000


def weights(value):
    return {"w": np.full(3, value, np.float32)}


@pytest.fixture
def models(hub):
    return hub.models


def test_a_stage_sees_what_it_saved_and_others_do_not(hub, models):
    with hub.store.staged(run="task") as stage:
        models.save("mlp", weights(1), step=1, values={"accuracy": 0.5})
        second = models.save("mlp", weights(2), step=2, values={"accuracy": 0.4})
        assert [(each.number, each.step) for each in models.list("mlp")] == [(None, 1), (None, 2)]
        assert models.get("mlp") == second
        best = models.best("mlp", "accuracy")
        assert best.step == 1
        np.testing.assert_array_equal(models.load("mlp", best)["w"], weights(1)["w"])
        np.testing.assert_array_equal(models.arrays("mlp")["w"], weights(2)["w"])
        assert len(models.list()) == 2
    assert models.list() == models.keys() == []
    with pytest.raises(ModelNotFound, match="no model 'mlp'"):
        models.best("mlp", "accuracy")
    hub.store.transact(stage.apply)
    assert [(each.number, each.step) for each in models.list("mlp")] == [(1, 1), (2, 2)]


def test_what_a_stage_saved_is_newer_than_all_that_is_visible(hub, models):
    models.save("mlp", weights(1), values={"accuracy": 0.5})
    with hub.store.staged(run="task"):
        models.save("mlp", weights(2), values={"accuracy": 0.5})
        assert models.best("mlp", "accuracy").number is None
        assert models.get("mlp").number is None
        assert models.get("mlp", 1).number == 1
        with pytest.raises(VersionNotFound, match=r"has no version 2\. It has had numbers 1 to 1"):
            models.get("mlp", 2)
    assert models.get("mlp").number == 1


def test_events_of_a_task_find_its_own_versions(hub, models):
    with hub.store.staged(run="task"):
        for step, value in ((1, 0.2), (2, 0.9), (3, 0.3)):
            models.log("mlp", {"accuracy": value}, step=step)
            models.save("mlp", weights(step), step=step)
        assert models.best("mlp", "accuracy").step == 2


def test_published_is_visible_at_once_and_stays_when_the_stage_fails(hub, models):
    with pytest.raises(KeyError), hub.store.staged(run="task", attempt=2):
        raise_after_saving(models)
    assert [(each.number, each.task, each.attempt) for each in models.list("mlp")] == [
        (1, "task", 2)
    ]
    assert hub.store.blobs.sweep(grace_seconds=-60) == 0
    assert hub.database["blobs.files"].count_documents({}) == 1
    np.testing.assert_array_equal(models.arrays("mlp")["w"], weights(1)["w"])


def raise_after_saving(models):
    assert models.checkpoint("mlp", weights(1), step=1).number == 1
    models.save("mlp", weights(2), step=2)
    raise KeyError


def test_publishing_the_same_again_adds_nothing(hub, models):
    with hub.store.staged(run="task", attempt=1):
        first = models.save("mlp", weights(1), step=1, publish=True)
        again = models.checkpoint("mlp", weights(1), step=1)
        assert again == first
        with pytest.raises(Conflict, match="attempt 1 of task task has published other weights"):
            models.checkpoint("mlp", weights(5), step=1)
        assert models.checkpoint("mlp", weights(5), step=2).number == 2
    with hub.store.staged(run="task", attempt=2):
        assert models.checkpoint("mlp", weights(5), step=1).number == 3
    assert len(models.list("mlp")) == 3


def test_without_a_step_or_a_task_every_version_is_a_new_one(hub, models):
    with hub.store.staged(run="task", attempt=1):
        assert [models.save("mlp", weights(1), publish=True).number for _ in range(2)] == [1, 2]
    assert [models.checkpoint("mlp", weights(1), step=1).number for _ in range(2)] == [3, 4]


def test_the_next_attempt_finds_the_newest_checkpoint_of_its_task(hub, models):
    assert models.latest_checkpoint("mlp") is None
    with hub.store.staged(run="task", attempt=1):
        models.checkpoint("mlp", weights(1), step=1)
        models.checkpoint("mlp", weights(2), step=2)
        models.save("mlp", weights(3), step=3)
        assert models.latest_checkpoint("mlp").step == 2
    with hub.store.staged(run="other", attempt=1):
        models.checkpoint("mlp", weights(9), step=9)
    with hub.store.staged(run="task", attempt=2):
        found = models.latest_checkpoint("mlp")
        assert (found.step, found.attempt) == (2, 1)
        np.testing.assert_array_equal(models.load("mlp", found)["w"], weights(2)["w"])


def test_who_lost_the_lease_publishes_nothing(hub, models):
    def fence(session):
        raise LeaseLost("attempt 1 no longer belongs to agent a")

    with hub.store.staged(run="task", attempt=1, fence=fence):
        with pytest.raises(LeaseLost, match="no longer belongs"):
            models.checkpoint("mlp", weights(1), step=1)
        models.save("mlp", weights(1), step=1)
    assert models.list() == []


def test_weights_and_a_large_configuration_are_claimed(hub, models):
    model = types.SimpleNamespace(
        config={"text": "x" * N_LARGE}, structure_digest="d1", to_arrays=lambda: weights(1)
    )
    models.save("mlp", model)
    files = hub.database["blobs.files"].find()
    committed = {each["metadata"]["owner"]: each["metadata"]["committed"] for each in files}
    assert committed == {"versions": True, "models": True}
    assert models.config("mlp") == model.config


def test_the_newest_of_several_models_is_that_of_its_key(hub, models):
    with hub.store.staged(run="task"):
        models.save("mlp", weights(1), step=1)
        models.save("other", weights(2), step=2)
        assert models.get("mlp").step == 1
        assert [each.step for each in models.list("other")] == [2]


def test_an_abandoned_version_leaves_no_blob(hub, models):
    with hub.store.staged(run="task") as stage:
        models.save("mlp", weights(1))
        models.save("large", {f"{'x' * 300}{i}": np.zeros(1) for i in range(2000)})
        stage.abandon()
    assert hub.database["blobs.files"].count_documents({}) == 0
    assert hub.database["blobs.chunks"].count_documents({}) == 0


def test_an_abandoned_version_leaves_no_configuration(hub, models):
    model = types.SimpleNamespace(
        config={"text": "x" * N_LARGE}, structure_digest="d1", to_arrays=lambda: weights(1)
    )
    files = hub.database["blobs.files"]
    with hub.store.staged(run="task") as stage:
        models.save("mlp", model)
        assert files.count_documents({}) == 2
        stage.abandon()
    assert files.count_documents({}) == 0


def test_abandoning_what_is_visible_changes_nothing(hub, models):
    with hub.store.staged(run="task") as stage:
        models.save("mlp", weights(1))
    hub.store.transact(stage.apply)
    stage.abandon()
    np.testing.assert_array_equal(models.arrays("mlp")["w"], weights(1)["w"])


def test_a_stage_uploads_a_large_configuration_once(hub, models):
    model = types.SimpleNamespace(
        config={"text": "x" * N_LARGE}, structure_digest="d", to_arrays=lambda: weights(1)
    )
    with hub.store.staged(run="task") as stage:
        for step in range(3):
            models.save("mlp", model, step=step)
        owned = [each["metadata"]["owner"] for each in hub.database["blobs.files"].find()]
        assert sorted(owned) == ["models", "versions", "versions", "versions"]
        assert models.config("mlp") == model.config
    hub.store.transact(stage.apply)
    assert [each.number for each in models.list("mlp")] == [1, 2, 3]
    assert models.config("mlp") == model.config


def test_what_is_published_in_a_stage_needs_no_head_of_the_stage(hub, models):
    with hub.store.staged(run="task") as stage:
        models.save("mlp", weights(1), step=1)
        models.checkpoint("mlp", weights(2), step=2)
        stage.abandon()
    assert [each.step for each in models.list("mlp")] == [2]
    assert models.config("mlp") == {"kind": "arrays"}
