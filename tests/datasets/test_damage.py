"""Errors are the library's own and say what to do; damage is named and stays where it is."""

from __future__ import annotations

import contextlib
import datetime

import numpy as np
import pytest
from bson import ObjectId

from tensorlayer.errors import (
    Conflict,
    Corrupt,
    DatasetNotFound,
    InvalidArgument,
    TensorLayerError,
)
from tensorlayer.storage.presence import _place
from tests.datasets.test_attacks import add

UTC = datetime.timezone.utc


# Errors are the library's own, and say what to do.


@pytest.mark.parametrize(
    "value",
    [
        2**70,
        -(2**64),
        {"$in": [2**70]},
        "\ud800",
        {"$regex": "\ud800"},
        {"$regex": "(?a)x"},
        {"$regex": r"\N{DIGIT ONE}"},
        {"$regex": r"\u0041"},
        {"$regex": r"\d{1,65536}"},
        {"$regex": "((a{1000}){1000}){100}"},
        "x" * 17_000_000,
        datetime.datetime(1, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=14))),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_the_database_refuses_to_compare_with(dataset, value):
    add(dataset, [1], tags={"t": "a"})
    message = r"where\(t=\.\.\.\)|regular expression of this view|The conditions take"
    with pytest.raises(InvalidArgument, match=message):
        len(dataset.where(t=value))


@pytest.mark.parametrize("value", ["\ud800", ["\ud800"], np.array(3.0)], ids=repr)
def test_a_tag_is_stored_or_refused(dataset, value):
    try:
        add(dataset, [1], tags={"t": value})
    except InvalidArgument as error:
        assert "Tag 't'" in str(error)  # noqa: PT017 - or it is stored
    else:
        assert dataset[0].tags == {"t": 3.0}


def test_a_name_that_is_no_unicode_is_not_found(hub):
    with pytest.raises(DatasetNotFound, match="There is no dataset"):
        hub.datasets["\ud800"]


@pytest.mark.parametrize("indexes", ["split", None, 5])
def test_indexes_are_a_list_of_names(hub, indexes):
    with pytest.raises(InvalidArgument, match="indexes"):
        hub.datasets.create("new", indexes=indexes)


def test_a_conflict_inside_of_a_stage_names_no_revision_that_is_not_there(hub, dataset):
    with hub.store.staged(run="task"):
        add(dataset, ["a"], keys=["k"])
        with pytest.raises(Conflict, match="sample 'k'") as caught:
            add(dataset, ["b"], keys=["k"])
    assert "revision 0" not in str(caught.value)


# Damage stays where it is.

HEAD = {
    "revision": 1, "n_samples": 1, "last": 1, "reserved": 1, "pending": [], "aborted": [],
    "tags": [], "indexes": [], "created": datetime.datetime(2020, 1, 1, tzinfo=UTC),
}  # fmt: skip
GONE = object()
USES = {
    "len": len,
    "where": lambda each: len(each.where()),
    "list": list,
    "at": lambda each: len(each.at(1)),
    "append": lambda each: add(each, ["new"]),
    "summary": lambda each: each.summary(),
}


@pytest.mark.parametrize(
    "damage",
    [
        *({name: GONE} for name in HEAD),
        {"revision": "3"},
        {"revision": 2.5},
        {"revision": 7},
        {"n_samples": "x"},
        {"last": "x"},
        {"pending": {}},
        {"pending": [1]},
        {"pending": [{}]},
        {"pending": [{"batch": "x", "writer": 1}]},
        {"aborted": 5},
        {"aborted": [None]},
        {"tags": 5},
        {"reserved": "x"},
    ],
    ids=lambda damage: str({k: "gone" if v is GONE else v for k, v in damage.items()}),
)
def test_a_damaged_head_is_named_and_hurts_no_other(hub, dataset, damage):
    add(dataset, [1])
    bad = {name: value for name, value in (HEAD | damage).items() if value is not GONE}
    hub.database["datasets"].insert_one({"_id": "bad", **bad})
    for use in USES.values():
        try:
            use(hub.datasets["bad"])
        except Corrupt as error:
            assert "'bad'" in str(error)  # noqa: PT017 - an undamaged field may be enough
    assert hub.datasets.keys() == ["bad", "d"]
    assert add(dataset, [2]).number == 2


@pytest.mark.parametrize("key", [5, None, ObjectId("0" * 24), {"a": 1}, b"x"], ids=repr)
def test_a_head_whose_key_is_no_text_hurts_no_other(hub, dataset, key):
    hub.database["datasets"].insert_one({"_id": key, **HEAD})
    assert "d" in hub.datasets.keys()  # noqa: SIM118 - what the method returns
    with pytest.raises(DatasetNotFound, match="There is no dataset 'e'"):
        hub.datasets["e"]


@pytest.mark.parametrize(
    "damage",
    [GONE, {"last": 1}, {"hidden": 1}, {"number": 1}, {"batch": 1}, {"n_added": 1}],
    ids=lambda damage: "gone" if damage is GONE else str(damage),
)
def test_a_damaged_revision_is_named(hub, dataset, damage):
    for n in range(3):
        add(dataset, [n])
    revisions, second = hub.database["revisions"], {"dataset": "d", "number": 2}
    if damage is GONE:
        revisions.delete_one(second)
    else:
        revisions.update_one(second, {"$unset": damage})
    for use in (lambda: len(dataset.at(2)), lambda: add(dataset, [1])):
        try:
            use()
        except Corrupt as error:
            assert "'d'" in str(error)  # noqa: PT017 - an undamaged field may be enough
    assert add(dataset, ["new"]).number == 4


@pytest.mark.parametrize(
    "damage",
    [
        {"sample": GONE},
        {"label": GONE},
        {"tags": GONE},
        {"key": GONE},
        {"digest": GONE},
        {"batch": GONE},
        {"digest": 5},
        {"batch": "x"},
        {"sample": {"~array": 5}},
        {"label": 3, "label_dtype": "zzz"},
        {"label": "q", "label_dtype": "<i8"},
        {"_id": "text"},
    ],
    ids=lambda damage: str({k: "gone" if v is GONE else v for k, v in damage.items()}),
)
def test_a_damaged_sample_is_named(hub, dataset, damage):
    add(dataset, [1, 2], keys=["one", "two"])
    samples = hub.database["samples"]
    stored = samples.find_one_and_delete({"key": "two"}) | damage
    samples.insert_one({name: value for name, value in stored.items() if value is not GONE})
    for use in (
        lambda: list(dataset),
        lambda: list(dataset.where().batches(1, shuffle=True)),
        lambda: dataset[0],
        lambda: add(dataset, [1, 2, 3], keys=["one", "two", "three"]),
    ):
        with contextlib.suppress(TensorLayerError):
            use()


@pytest.mark.parametrize("about", [{}, {"pid": "abc"}, {"pid": None}], ids=str)
def test_a_writer_whose_document_is_damaged_stops_no_sweep(hub, dataset, about):
    hub.database["writers"].insert_one({"_id": "odd", "place": _place(), **about})
    gone = {"_id": "gone", "closed": True}
    hub.database["writers"].insert_one(gone)
    add(dataset, [1])
    hub.store.presence.clean()
    assert hub.database["writers"].find_one(gone) is None
