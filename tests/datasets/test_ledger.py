"""The ledger: numbers, windows, and every order in which batches may end."""

import itertools
import threading

import pytest
from pymongo.errors import DuplicateKeyError

from tensorlayer.datasets.ledger import Commit, Ledger
from tensorlayer.errors import Corrupt, DatasetNotFound, StoreError


@pytest.fixture
def ledger(hub):
    ledger = Ledger(hub.store, "digits")
    assert ledger.create(indexes=[])
    return ledger


def commit(hub, ledger, batch, n_added=1, tags=()):
    return hub.store.transact(lambda session: ledger.commit(batch, n_added, tags, session))


def shown(ledger, revision=None):
    window = ledger.window(ledger.head(), revision)
    return [batch for batch in range(1, 10) if window.shows(batch)]


def test_an_empty_dataset_shows_nothing(ledger):
    assert shown(ledger) == shown(ledger, 0) == []
    assert not ledger.create(indexes=["split"])
    assert ledger.head()["indexes"] == []


@pytest.mark.parametrize("order", [*itertools.permutations([1, 2, 3])])
@pytest.mark.parametrize("aborted", [None, 1, 2, 3])
def test_revisions_show_what_was_committed_by_then_for_ever(hub, ledger, order, aborted):
    assert [ledger.reserve("w") for _ in range(3)] == [1, 2, 3]
    expected = [[]]
    for batch in order:
        if batch == aborted:
            assert ledger.abort(batch)
            ledger.forget(batch, is_mine=False)
            continue
        assert commit(hub, ledger, batch).number == len(expected)
        expected.append(sorted([*expected[-1], batch]))
        assert [shown(ledger, r) for r in range(len(expected))] == expected
    assert shown(ledger) == expected[-1]
    assert ledger.head()["pending"] == []


def test_a_commit_happens_once(hub, ledger):
    batch = ledger.reserve("w")
    first = commit(hub, ledger, batch, 5, ["split"])
    assert first == commit(hub, ledger, batch, 5) == Commit(number=1, batch=1, n_added=5)
    head = ledger.head()
    assert (head["revision"], head["n_samples"], head["tags"]) == (1, 5, ["split"])


def test_an_aborted_batch_cannot_be_committed_and_a_committed_one_not_aborted(hub, ledger):
    one, other = ledger.reserve("w"), ledger.reserve("w")
    assert ledger.abort(one)
    assert ledger.abort(one)  # again, since its samples may not be gone yet
    with pytest.raises(StoreError, match=r"was given up.* Append again"):
        commit(hub, ledger, one)
    commit(hub, ledger, other)
    assert not ledger.abort(other)
    assert shown(ledger) == [2]


def test_what_belongs_to_this_process_is_forgotten_for_good(ledger):
    one, other = ledger.reserve("w"), ledger.reserve("w")
    for batch, is_mine in ((one, True), (other, False)):
        ledger.abort(batch)
        ledger.forget(batch, is_mine=is_mine)
    assert ledger.head()["aborted"] == [other]


def test_an_answer_that_was_lost_reserves_one_number(hub, ledger, monkeypatch):
    """The driver's answer to the update is lost once; the second attempt finds its token."""
    heads, calls = ledger._heads, []

    class Losing:
        def update_one(self, *arguments, **options):
            heads.update_one(*arguments, **options)
            calls.append(arguments)
            if len(calls) == 1:
                raise hub_error("connection closed")

        def find_one(self, *arguments, **options):
            return heads.find_one(*arguments, **options)

    from pymongo.errors import AutoReconnect as hub_error  # noqa: N813

    monkeypatch.setattr(ledger, "_heads", Losing())
    assert ledger.reserve("w") == 1
    assert len(calls) == 2
    assert [each["batch"] for each in heads.find_one()["pending"]] == [1]


def test_numbers_are_given_once(ledger):
    found = []
    threads = [
        threading.Thread(target=lambda: found.extend(ledger.reserve("w") for _ in range(5)))
        for _ in range(4)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(found) == list(range(1, 21))


def test_a_dataset_that_is_gone(hub):
    gone = Ledger(hub.store, "gone")
    with pytest.raises(DatasetNotFound, match="'gone' does not exist"):
        gone.head()
    with pytest.raises(DatasetNotFound, match="'gone' does not exist any more"):
        gone.reserve("w")


def test_since_and_committed(hub, ledger):
    batches = [ledger.reserve("w") for _ in range(4)]
    for batch in reversed(batches[1:]):
        commit(hub, ledger, batch, n_added=batch)
    assert [each.batch for each in ledger.since(0)] == [4, 3, 2]
    assert ledger.since(2) == [Commit(number=3, batch=2, n_added=2)]
    assert ledger.committed([4, 3]) == 2
    assert ledger.committed([1]) == ledger.committed([]) == 0


def test_outside_of_a_transaction_an_outage_is_waited_for(hub, ledger, monkeypatch):
    calls, call = [], hub.store.call
    monkeypatch.setattr(hub.store, "call", lambda operation: calls.append(1) or call(operation))
    ledger.head(), ledger.since(0)
    assert len(calls) == 2
    hub.store.transact(lambda session: (ledger.head(session), ledger.since(0, session)))
    assert len(calls) == 2


@pytest.mark.parametrize("name", ["number", "batch"])
def test_a_number_is_given_once_in_a_dataset_and_found_by_an_index(hub, ledger, name):
    commit(hub, ledger, ledger.reserve("w"))
    revisions = hub.database["revisions"]
    same = {"dataset": "digits", "number": 7, "batch": 7, name: 1}
    with pytest.raises(DuplicateKeyError):
        revisions.insert_one(dict(same))
    revisions.insert_one({**same, "dataset": "other"})
    plan = revisions.find({"dataset": "digits", name: 1}).explain()["executionStats"]
    assert (plan["totalKeysExamined"], plan["totalDocsExamined"]) == (1, 1)


def test_withdrawn_is_neither_pending_nor_visible(hub, ledger):
    batch = ledger.reserve("w")
    hub.store.transact(lambda session: ledger.withdraw(batch, session))
    assert ledger.head()["pending"] == []
    assert shown(ledger) == []


def test_aborted_batches_in_a_row_are_written_as_two_numbers(hub, ledger):
    """A thousand appends that were killed cost a view what one of them costs."""
    first = ledger.reserve("w")
    commit(hub, ledger, first)
    for _ in range(60):
        batch = ledger.reserve("dead")
        ledger.abort(batch)
        ledger.forget(batch, is_mine=False)
    ledger.forget(10, is_mine=False)  # another sweep does it again
    last = ledger.reserve("w")
    commit(hub, ledger, last)
    head = ledger.head()
    assert len(head["aborted"]) < 20
    window = ledger.window(head)
    assert [n for n in range(1, 100) if window.shows(n)] == [first, last] == [1, 62]
    hub.database["samples"].insert_many([{"dataset": "digits", "batch": n} for n in range(1, 70)])
    found = hub.database["samples"].find({"dataset": "digits", **window.filter})
    assert [each["batch"] for each in found] == [1, 62]
    found = hub.database["samples"].find(ledger.window(head, 1).filter)
    assert [each["batch"] for each in found] == [1]


def test_a_list_of_aborted_batches_that_is_nonsense_is_left_alone(hub, ledger):
    listed = [*range(0, 60, 2), [5, 3]]
    hub.database["datasets"].update_one({"_id": "digits"}, {"$set": {"aborted": listed}})
    ledger.forget(100, is_mine=False)
    assert hub.database["datasets"].find_one()["aborted"] == [*listed, 100]
    with pytest.raises(Corrupt, match="'aborted' is missing or nonsense"):
        ledger.head()
