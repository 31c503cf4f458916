"""What tries to lose, double or mix up versions, inside of stages and outside."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from bson import ObjectId

from tensorlayer.errors import (
    Conflict,
    Corrupt,
    InvalidArgument,
    LeaseLost,
    ModelNotFound,
    StructureMismatch,
    TensorLayerError,
)
from tests.threads import at_once

GONE = object()


@pytest.fixture
def models(hub):
    return hub.models


def weights(value, name="w"):
    return {name: np.full(3, value, np.float32)}


def numbers(models, key):
    return [each.number for each in models.list(key)]


def shown(damage):
    return str({name: "gone" if value is GONE else value for name, value in damage.items()})[:60]


def damaged(document, damage):
    return {name: value for name, value in (document | damage).items() if value is not GONE}


# What is stored is what was sent, or it is refused.


def test_a_mask_is_not_dropped_in_silence(models):
    masked = np.ma.array([1.0, 2.0], mask=[False, True])
    with pytest.raises(TensorLayerError, match=r"'w'.*mask"):
        models.save("m", {"w": masked})


def test_another_structure_is_refused_when_it_is_saved_in_a_stage(hub, models):
    with hub.store.staged(run="task"):
        models.save("m", weights(1))
        with pytest.raises(StructureMismatch, match="'m'"):
            models.save("m", weights(1, "other"))


@pytest.mark.parametrize("values", [5, "loss", [0.1]])
def test_values_are_a_mapping(models, values):
    with pytest.raises(InvalidArgument, match="values"):
        models.save("m", weights(1), values=values)


@pytest.mark.parametrize("number", [2**63, 2**70])
def test_a_number_that_no_version_can_have(models, number):
    models.save("m", weights(1))
    with pytest.raises(TensorLayerError, match=r"'m'|version"):
        models.get("m", number)


# Damage stays where it is.


@pytest.mark.parametrize("key", [5, None, ObjectId("0" * 24), {"a": 1}], ids=repr)
def test_a_model_whose_key_is_no_text_hurts_no_other(hub, models, key):
    models.save("m", weights(1))
    hub.database["models"].insert_one({"_id": key})
    assert "m" in models.keys()  # noqa: SIM118 - what the method returns
    assert models.save("m", weights(2)).number == 2
    with pytest.raises(ModelNotFound, match="There is no model 'n'"):
        models.get("n")


def test_a_counter_that_was_set_back_is_named(hub, models):
    for n in range(3):
        models.save("m", weights(n))
    hub.database["models"].update_one({"_id": "m"}, {"$set": {"n_versions": 1}})
    with pytest.raises(Corrupt, match=r"'m'.*n_versions"):
        models.save("m", weights(4))
    assert numbers(models, "m") == [1, 2, 3]


VERSION = [
    *({name: GONE} for name in ("number", "step", "run", "task", "attempt", "digest", "weights")),
    *({name: GONE} for name in ("values", "created", "blobs", "schema", "model")),
    {"number": "x"},
    {"number": -5},
    {"step": "x"},
    {"values": 5},
    {"values": {"accuracy": "x"}},
    {"values": {"accuracy": [1]}},
    {"weights": 5},
    {"weights": {}},
    {"created": "x"},
    {"digest": 5},
    {"model": 5},
    {"task": {"$x": 1}},
]


@pytest.mark.parametrize("damage", VERSION, ids=shown)
def test_a_damaged_version_breaks_nothing_with_an_error_of_others(hub, models, damage):
    for key in ("m", "other"):
        for n in range(3):
            models.save(key, weights(n), values={"accuracy": n / 10})
    versions = hub.database["versions"]
    stored = versions.find_one({"model": "m", "number": 2})
    versions.replace_one({"_id": stored["_id"]}, damaged(stored, damage))
    for use in (
        lambda: str(models.list("m")),
        lambda: models.load("m", 2),
        lambda: models.best("m", "accuracy"),
    ):
        try:
            use()
        except TensorLayerError as error:
            assert "'m'" in str(error)  # noqa: PT017 - an undamaged field may be enough
    assert models.load("m", 3)["w"][0] == 2
    assert models.save("m", weights(9)).number == 4
    assert models.best("other", "accuracy").number == 3
    assert len(models.list()) >= 6
    hub.store.presence.clean()
    hub.store.blobs.sweep()


# What held.


def test_threads_of_one_stage_publish_the_same_step_once(hub, models):
    made = []
    with hub.store.staged(run="task", attempt=1):
        at_once(*[lambda: made.append(models.checkpoint("m", weights(1), step=5).number)] * 6)
    assert made == [1] * 6
    assert numbers(models, "m") == [1]


def test_threads_of_one_stage_publish_other_weights_at_one_step(hub, models):
    made, refused = [], []

    def publish(value):
        try:
            made.append(models.checkpoint("m", weights(value), step=5))
        except Conflict as error:
            refused.append(str(error))

    with hub.store.staged(run="task", attempt=1):
        at_once(*(lambda value=value: publish(value) for value in range(4)))
    assert (len(made), len(refused)) == (1, 3)
    assert all("Count the steps up" in each for each in refused)
    assert np.array_equal(models.load("m")["w"], models.load("m", made[0])["w"])
    assert hub.database["blobs.files"].count_documents({}) >= 1


def test_a_stage_that_is_applied_twice_adds_nothing(hub, models):
    with hub.store.staged(run="task") as stage:
        models.save("m", weights(1), step=1)
        models.checkpoint("m", weights(2), step=2)
        for _ in range(2):
            stage.prepare()
            hub.store.transact(stage.apply)
    assert numbers(models, "m") == [1, 2]
    assert [each.step for each in models.list("m")] == [2, 1]


def test_what_does_not_fit_is_none_of_it_visible(hub, models):
    with hub.store.staged(run="task") as stage:
        models.save("first", weights(1))
        models.save("m", weights(1))
        thread = threading.Thread(target=lambda: models.save("m", weights(1, "other")))
        thread.start()
        thread.join()
        with pytest.raises(StructureMismatch, match="'m'"):
            hub.store.transact(stage.apply)
    assert models.keys() == ["m"]
    assert numbers(models, "m") == [1]


def test_who_lost_the_lease_cannot_publish_from_any_thread(hub, models):
    refused = []

    def fence(session):
        raise LeaseLost("the task runs elsewhere")

    def publish():
        with pytest.raises(LeaseLost, match="elsewhere") as caught:
            models.checkpoint("m", weights(1), step=1)
        refused.append(caught.value)

    with hub.store.staged(run="task", fence=fence):
        at_once(publish, publish)
    assert len(refused) == 2
    assert models.keys() == []
