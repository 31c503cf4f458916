"""Inserting: known ids are no error, other duplicates are told, write concerns are honoured."""

import pytest
from pymongo.errors import BulkWriteError, WriteConcernError
from pymongo.write_concern import WriteConcern

from tensorlayer.storage import retry
from tensorlayer.storage.inserting import _check, insert


@pytest.fixture
def notes(hub):
    notes = hub.database["notes"]
    notes.create_index("k", unique=True)
    return notes


def test_all_documents_are_there(hub, notes):
    insert(hub.store, notes, [{"_id": 1, "k": 1}, {"_id": 2, "k": 2}])
    assert [each["_id"] for each in notes.find().sort("_id")] == [1, 2]


def test_nothing_is_a_no_op(hub, notes):
    insert(hub.store, notes, [])
    assert notes.count_documents({}) == 0


def test_sending_again_adds_nothing(hub, notes):
    documents = [{"_id": 1, "k": 1}, {"_id": 2, "k": 2}]
    insert(hub.store, notes, documents)
    insert(hub.store, notes, [*documents, {"_id": 3, "k": 3}])
    assert notes.count_documents({}) == 3


def test_what_another_index_refuses_is_an_error_and_the_others_are_stored(hub, notes):
    insert(hub.store, notes, [{"_id": 1, "k": 1}])
    with pytest.raises(BulkWriteError, match="E11000 duplicate key"):
        insert(hub.store, notes, [{"_id": 2, "k": 2}, {"_id": 3, "k": 1}, {"_id": 4, "k": 4}])
    assert sorted(notes.distinct("_id")) == [1, 2, 4]


def test_another_error_is_raised(hub, notes):
    hub.database.command(
        "collMod", "notes", validator={"k": {"$type": "int"}}, validationLevel="strict"
    )
    with pytest.raises(BulkWriteError, match="batch op errors"):
        insert(hub.store, notes, [{"_id": 1, "k": "text"}])


@pytest.mark.parametrize("code", [64, 91, 189, 11602])
def test_a_write_concern_that_was_not_fulfilled_is_tried_again(code):
    concern = {"code": code, "errmsg": "waiting for replication timed out"}
    error = BulkWriteError({"writeErrors": [], "writeConcernErrors": [concern]})
    with pytest.raises(WriteConcernError, match="waiting for replication") as caught:
        _check(error)
    assert retry.is_passing(caught.value)


def test_an_insert_that_no_majority_has_is_not_reported_as_stored(hub, notes):
    two = notes.with_options(write_concern=WriteConcern(w=2, wtimeout=100))  # there is one server
    for _ in range(2):  # also when the documents are there already
        with pytest.raises(WriteConcernError, match="Not enough data-bearing nodes"):
            insert(hub.store, two, [{"_id": 1, "k": 1}])
