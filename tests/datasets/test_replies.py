"""Replies: every document once, in bounded pieces; a cursor that nobody reads is closed."""

import bson
import numpy as np
import pytest
from pymongo.errors import OperationFailure

from tensorlayer.datasets import replies
from tensorlayer.datasets.replies import find, question


@pytest.fixture
def things(hub):
    """Documents of many lengths, 3 MB together."""
    hub.database["things"].insert_many(
        [{"_id": n, "text": "x" * (n % 7 * 400)} for n in range(2500)]
    )
    return hub.database["things"]


def cursors(hub):
    found = hub.store.client.admin.aggregate(
        [{"$currentOp": {"idleCursors": True}}, {"$match": {"type": "idleCursor"}}]
    )
    return [each for each in found if each["ns"].startswith(hub.store.project)]


@pytest.mark.parametrize("size", [1, 10_000, 8 * 2**20])
def test_replies_hold_what_the_driver_reads(hub, things, monkeypatch, size):
    monkeypatch.setattr(replies, "REPLY_BYTES", size)
    query = {"_id": {"$gte": 100 if size > 1 else 2_400}}
    found = list(find(hub.store, question("things", query, {"_id": -1})))
    documents = [bson.decode(each) for reply in found for each in reply]
    assert documents == list(things.find(query).sort("_id", -1))
    assert [bson.decode(found[0][n]) for n in range(len(found[0]))] == documents[: len(found[0])]
    assert max(int(each.lengths.sum()) for each in found[1:]) < max(4 * size, 4_000)
    assert cursors(hub) == []


def test_fields(hub, things):
    (reply,) = find(hub.store, question("things", {"_id": {"$lt": 5}}, None, {"_id": 1}))
    assert [bson.decode(each) for each in reply] == [{"_id": n} for n in range(5)]


def test_rows_are_the_documents(hub, things):
    (reply,) = find(hub.store, question("things", {"_id": {"$lt": 12}}))
    rows = reply.rows(3, 4)
    assert rows.tobytes() == bytes(reply[3])
    hub.database["same"].insert_many([{"_id": n, "v": float(n)} for n in range(9)])
    (reply,) = find(hub.store, question("same", {}))
    assert [each.tobytes() for each in reply.rows(2, 9)] == list(map(bytes, reply))[2:]


def test_nothing(hub):
    (reply,) = find(hub.store, question("nothing", {}))
    assert len(reply) == 0
    assert list(reply) == []


def test_a_cursor_is_closed_with_its_iterator(hub, things, monkeypatch):
    monkeypatch.setattr(replies, "REPLY_BYTES", 10_000)
    found = find(hub.store, question("things", {}))
    next(found)
    next(found)
    assert len(cursors(hub)) == 1
    found.close()
    assert cursors(hub) == []


def test_what_the_server_refuses(hub):
    with pytest.raises(OperationFailure, match="nonsense"):
        list(find(hub.store, question("things", {"$nonsense": 1})))


def test_an_array_of_lengths(hub, things):
    (reply,) = find(hub.store, question("things", {"_id": {"$lt": 12}}))
    assert reply.lengths.tolist() == [len(bson.encode(each)) for each in things.find().limit(12)]
    assert isinstance(reply.lengths, np.ndarray)
