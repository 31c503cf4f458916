"""Reading: one cursor that is opened again, and chunks of ids."""

import os
import signal

import bson
import numpy as np
import pytest

import tensorlayer as tl
from tensorlayer.datasets import reading, replies
from tensorlayer.errors import Corrupt


def _keys(view, **arguments):
    return [key for batch in view.batches(7, **arguments) for key in batch.keys]


def test_both_ways_to_read_find_the_same_documents(hub, digits):
    view = digits.where(split="train")
    in_order = [each for reply in reading.in_order(hub.store, view.filter) for each in reply]
    ids = reading.all_ids(hub.store, view.filter)
    assert [each.tobytes() for each in ids] == [
        bson.decode(each)["_id"].binary for each in in_order
    ]
    backwards = [each for some in reading.by_ids(hub.store, ids[::-1]) for each in some]
    assert backwards == in_order[::-1]


def test_nothing_to_read(hub, digits):
    view = digits.where(label=99)
    assert [len(each) for each in reading.in_order(hub.store, view.filter)] == [0]
    assert reading.all_ids(hub.store, view.filter).shape == (0, 12)
    assert _keys(view) == _keys(view, shuffle=True) == []


def test_ids_are_read_from_an_index_alone(hub, digits):
    samples = hub.database["samples"]
    found = samples.find(digits.where().filter, {"_id": 1}).sort(list(reading.ORDER))
    assert found.explain()["executionStats"]["totalDocsExamined"] == 0


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_pass_goes_on_when_the_server_is_killed(home, shuffle):
    """SIGKILL to mongod in the middle of a pass: it is started again, each sample comes once."""
    with tl.connect(home=home) as hub:
        dataset = hub.datasets.create("digits")
        dataset.append(np.arange(3000)[:, None] * np.ones(3), labels=np.arange(3000))
        batches = dataset.where().batches(10, shuffle=shuffle, prefetch=0)
        seen = next(batches).labels.tolist()
        os.kill(hub.store.client.admin.command("serverStatus")["pid"], signal.SIGKILL)
        seen += [label for batch in batches for label in batch.labels.tolist()]
        assert sorted(seen) == list(range(3000))
        assert (seen == sorted(seen)) is not shuffle


def test_shuffled_passes_fetch_in_chunks(digits, monkeypatch):
    whole = _keys(digits.where(), shuffle=True)
    monkeypatch.setattr(reading, "CHUNK", 3)
    assert _keys(digits.where(), shuffle=True) == whole


def test_a_pass_goes_on_when_the_server_gives_up_its_cursor(hub, digits, monkeypatch):
    """The cursor is killed at the server in the middle of a pass: every sample comes once."""
    monkeypatch.setattr(replies, "REPLY_BYTES", 20_000)
    digits.append(np.arange(20, 3000)[:, None] * np.ones(3), labels=np.arange(20, 3000))
    documents = digits.where().batches(1, prefetch=0)
    seen = [int(next(documents).labels[0]) for _ in range(50)]
    _kill_cursors(hub)
    seen += [int(batch.labels[0]) for batch in documents]
    assert seen == list(range(3000))


def _kill_cursors(hub):
    admin = hub.store.client.admin
    idle = admin.aggregate(
        [{"$currentOp": {"idleCursors": True}}, {"$match": {"type": "idleCursor"}}]
    )
    ids = [
        each["cursor"]["cursorId"] for each in idle if each["ns"] == f"{hub.store.project}.samples"
    ]
    assert ids
    hub.database.command("killCursors", "samples", cursors=ids)


def test_a_sample_that_vanishes_during_a_pass_is_named(hub, digits, monkeypatch):
    monkeypatch.setattr(reading, "CHUNK", 3)
    batches = digits.where().batches(3, shuffle=True, prefetch=0)
    next(batches)
    hub.database["samples"].delete_many({})
    with pytest.raises(Corrupt, match="is gone while it is read"):
        list(batches)


def test_a_question_goes_on_when_its_cursor_is_killed(hub, digits, monkeypatch):
    """Whoever reads by ids asks again for those of the question that broke off."""
    monkeypatch.setattr(replies, "REPLY_BYTES", 20_000)
    digits.append(np.arange(20, 3000)[:, None] * np.ones(3), labels=np.arange(20, 3000))
    read, n_read = replies._read, iter(range(10_000))

    def reading_on(found):
        if next(n_read) in (0, 3):
            _kill_cursors(hub)
        return read(found)

    monkeypatch.setattr(replies, "_read", reading_on)
    batches = digits.where().batches(100, shuffle=True, prefetch=0)
    seen = [label for batch in batches for label in batch.labels.tolist()]
    assert sorted(seen) == list(range(3000))


def test_a_majority_is_asked_as_everywhere_else(hub, digits, monkeypatch):
    asked = []
    command = type(hub.database).command

    def noted(database, what, *more, **options):
        asked.append(what)
        return command(database, what, *more, **options)

    monkeypatch.setattr(type(hub.database), "command", noted)
    assert len(_keys(digits.where())) == 20
    assert [each["readConcern"] for each in asked if "find" in each] == [{"level": "majority"}]
