"""The update that claims; what is refused there is tested with malformed documents."""

from __future__ import annotations

import pytest
from pymongo.errors import AutoReconnect, OperationFailure

from tensorlayer.workflow import schema
from tensorlayer.workflow.taking import Taking

EVENT = {"event": "claimed", "by": "a", "host": "h"}
WANTED = schema.waiting(["default"], ["my.tasks"])


def test_what_was_there_is_replaced(hub, store):
    handle = hub.workflow.submit("my.tasks:train")
    left = {"lease": {"owner": "old", "more": 1}, "attempt": "none", "history": "none"}
    store.database["tasks"].update_one({"_id": handle.id}, {"$set": left})

    taken = Taking(store, EVENT).take(WANTED, 10.0, "s")

    assert (taken["_id"], taken["attempt"]) == (handle.id, 1)
    assert (taken["lease"]["owner"], taken["lease"]["session"]) == ("a", "s")
    assert "more" not in taken["lease"]
    assert [event["event"] for event in taken["history"]] == ["claimed"]


def test_a_claim_whose_answer_was_lost_is_found_again(hub, store, monkeypatch):
    first, _ = hub.workflow.submit("my.tasks:train", 1), hub.workflow.submit("my.tasks:train", 2)
    taking = Taking(store, EVENT)
    real, answers = taking._tasks.find_one_and_update, []

    class Tasks:
        find_one = taking._tasks.find_one

        def find_one_and_update(self, *args, **kwargs):
            answers.append(real(*args, **kwargs))
            raise AutoReconnect("the answer was lost")

    monkeypatch.setattr(taking, "_tasks", Tasks())

    assert taking.take(WANTED, 10.0, None)["_id"] == first.id
    assert len(answers) == 1


def test_other_refusals_are_not_hidden(store, monkeypatch):
    taking = Taking(store, EVENT)
    monkeypatch.setattr(taking, "_changes", lambda *_: [{"$set": {"x": {"$nonsense": 1}}}])

    with pytest.raises(OperationFailure):
        taking.take(WANTED, 10.0, None)
