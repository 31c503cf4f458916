"""Appending by several processes, by processes that are killed, and of any size."""

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from tqdm import tqdm

import tensorlayer as tl
from tensorlayer.datasets import rows as module
from tensorlayer.datasets.append import Append, abandon_of
from tensorlayer.datasets.ledger import Ledger
from tensorlayer.datasets.rows import Rows
from tensorlayer.errors import Conflict, InvalidArgument, StoreError
from tests import forked

N_LARGE = 300_000


@pytest.fixture
def dataset(hub):
    return hub.datasets.create("digits")


def samples(n):
    """Ten samples, one of which is large enough for GridFS."""
    return [np.full(N_LARGE if i == 5 else 3, 10 * n + i) for i in range(10)]


def append_ten(hub, n):
    module.BATCH_DOCUMENTS = 4
    return hub.datasets.create(f"crash-{n}").append(samples(n), labels=list(range(10)))


def test_killed_after_any_operation_all_is_there_or_nothing(hub, small_blocks):
    with forked.impatient_server(hub):
        codes = forked.run(hub, "crash", append_ten)
        assert codes[-1] == 0
        assert set(codes[:-1]) == {-9}
        seen = [_check_all_or_nothing(hub, n) for n in range(1, len(codes))]
        assert 0 in seen  # and 10, if one was killed while it said good-bye
        hub.store.presence.clean()
        stored = {"dataset": {"$in": [f"crash-{n}" for n in range(1, len(codes))]}}
        assert hub.database["samples"].count_documents(stored) == sum(map(max, seen, [0] * 99))
        for n in range(1, len(codes) + 1):
            _check_it_can_be_sent_again(hub, n)
    hub.store.blobs.sweep(grace_seconds=0)
    left = list(hub.database["blobs.files"].find({}, {"metadata.digests": 0}))
    assert len(left) == len(codes), [
        each for each in left if not hub.database["samples"].find_one({"blobs": each["_id"]})
    ]


def _check_all_or_nothing(hub, n):
    if f"crash-{n}" not in hub.datasets:
        return -1
    dataset = hub.datasets[f"crash-{n}"]
    found, labels = dataset.where().arrays()
    assert (labels if len(found) else np.zeros(0)).tolist() == list(range(len(found)))
    assert len(dataset) == len(found)
    assert len(found) == [0, 10][dataset.revision]
    for i, each in enumerate(found):
        np.testing.assert_array_equal(each, samples(n)[i])
    return len(found)


def _check_it_can_be_sent_again(hub, n):
    stored = max(0, _check_all_or_nothing(hub, n))
    result = append_ten(hub, n)
    assert (result.n_added, result.n_known) == (10 - stored, stored)
    assert _check_all_or_nothing(hub, n) == 10


def append_own_and_common(hub, n):
    dataset = hub.datasets.create("shared")
    for i in range(10):
        dataset.append([[n, i], [n, -i - 1]], tags={"by": n})
        dataset.append([["common", i]])


def test_four_processes_append_at_once(hub):
    assert forked.run(hub, "together", append_own_and_common, 4) == [0] * 4
    dataset = hub.datasets["shared"]
    assert dataset.revision == 4 * 10 + 10
    assert len(dataset) == len(dataset.where()) == 4 * 20 + 10
    for n in range(4):
        own = dataset.where(by=n).arrays()[0]
        assert own == [pair for i in range(10) for pair in ([n, i], [n, -i - 1])]
    sizes = [len(dataset.at(r)) - len(dataset.at(r - 1)) for r in range(1, dataset.revision + 1)]
    assert sorted(sizes) == [1] * 10 + [2] * 40


def started(hub, dataset, values, **columns):
    """Return an append that is written and not committed."""
    append = Append(hub.store, Ledger(hub.store, dataset.key))
    append.write(Rows(values, **columns), tqdm(disable=True))
    return append


def finished(hub, append):
    append.prepare()
    return hub.store.transact(append.apply)


def test_what_is_pending_is_hidden_whatever_is_committed_after_it(hub, dataset):
    slow = started(hub, dataset, [1, 2])
    dataset.append([3])
    before = dataset.where()
    assert before.arrays()[0].tolist() == [3]
    assert finished(hub, slow).number == 2
    assert before.arrays()[0].tolist() == dataset.at(1).arrays()[0].tolist() == [3]
    assert dataset.where().arrays()[0].tolist() == dataset.at(2).arrays()[0].tolist() == [1, 2, 3]
    assert [len(dataset.at(revision)) for revision in range(3)] == [0, 1, 3]


def test_two_that_send_the_same_at_once_store_it_once(hub, dataset):
    one, other = (started(hub, dataset, [1, 2, n]) for n in (10, 20))
    assert finished(hub, one).n_added == 3
    assert finished(hub, other).n_added == 1
    assert sorted(dataset.where().arrays()[0].tolist()) == [1, 2, 10, 20]
    assert len(dataset) == 4


def test_what_others_have_stored_meanwhile_is_no_revision(hub, dataset):
    one, other = (started(hub, dataset, [1, 2]) for _ in range(2))
    assert finished(hub, one).number == 1
    made = finished(hub, other)
    assert (made.number, made.batch, made.n_added) == (1, 2, 0)
    head = Ledger(hub.store, "digits").head()
    assert (head["revision"], head["n_samples"], head["pending"]) == (1, 2, [])


def test_the_same_is_found_whoever_is_larger(hub, dataset):
    for n_mine, n_others in ((3, 50), (50, 3)):
        mine = started(hub, dataset, [[n_mine, i] for i in range(n_mine)])
        for i in range(0, n_others, 2):
            dataset.append([[n_mine, i], [n_mine, -i - 1]])
        committed = finished(hub, mine)
        assert committed.n_added == n_mine - len(range(0, n_others, 2)[: (n_mine + 1) // 2])
    keys = hub.database["samples"].distinct("key")
    assert len(keys) == len(dataset) == len(dataset.where())


@pytest.mark.parametrize("late", [False, True])
def test_what_others_stored_first_leaves_no_blob(hub, dataset, late):
    """Found while it is prepared, or only in the transaction."""
    large = np.arange(N_LARGE)
    append = started(hub, dataset, [large, 1])
    if late:
        append.prepare()
    dataset.append([large])
    if not late:
        append.prepare()
    assert hub.store.transact(append.apply).n_added == 1
    hub.store.blobs.sweep(grace_seconds=-60)
    assert hub.database["blobs.files"].count_documents({}) == 1
    np.testing.assert_array_equal(dataset[1].sample, large)


def test_two_that_send_other_content_for_one_key_are_a_conflict(hub, dataset):
    one, other = (started(hub, dataset, [n, n + 1], keys=["a", f"b{n}"]) for n in (10, 20))
    finished(hub, one)
    with pytest.raises(Conflict, match="sample 'a' is stored since revision 1 with other content"):
        finished(hub, other)
    other.abandon()
    assert hub.database["samples"].count_documents({}) == len(dataset) == 2


def test_a_commit_between_the_last_look_and_the_transaction_is_seen(hub, dataset):
    append = started(hub, dataset, [1, 2])
    append.prepare()
    dataset.append([2, 3])
    assert hub.store.transact(append.apply).n_added == 1
    assert sorted(dataset.where().arrays()[0].tolist()) == [1, 2, 3]


def test_what_was_given_up_stays_hidden_and_cannot_be_committed(hub, dataset):
    frozen = started(hub, dataset, [1, 2])
    dataset.append([3])
    abandon_of(hub.store, hub.store.presence.register())
    assert hub.database["samples"].count_documents({}) == 1
    with pytest.raises(StoreError, match="was given up, since its process was silent"):
        finished(hub, frozen)
    # What the process had sent arrives late.
    late = {"dataset": "digits", "batch": frozen.batch, "ordinal": 9, "key": "late"}
    hub.database["samples"].insert_one(late)
    dataset.append([4])
    for revision, expected in ((1, [3]), (2, [3, 4])):
        assert dataset.at(revision).arrays()[0].tolist() == expected
    assert dataset.append([1, 2]).n_added == 2


def test_removing_what_a_dead_process_left_can_be_killed_and_done_again(hub, dataset, monkeypatch):
    left = started(hub, dataset, [np.zeros(N_LARGE), 1])
    ledger = Ledger(hub.store, "digits")
    assert ledger.abort(left.batch)  # and then the sweeper was killed
    dataset.append([3])
    assert dataset.where().arrays()[0].tolist() == [3]
    abandon_of(hub.store, hub.store.presence.register())
    assert hub.database["samples"].count_documents({}) == 1
    assert hub.database["blobs.files"].count_documents({}) == 0
    assert ledger.head()["pending"] == []
    assert ledger.head()["aborted"] == [left.batch]


def test_what_belongs_to_nobody_is_removed_with_the_next_writer_that_is_gone(hub, dataset):
    started(hub, dataset, [1, 2])
    mine = started(hub, dataset, [3])
    heads = hub.database["datasets"]
    heads.update_one({"pending.batch": 1}, {"$set": {"pending.$.writer": "unknown"}})
    abandon_of(hub.store, "another")
    assert hub.database["samples"].count_documents({}) == 1
    assert finished(hub, mine).number == 1


def test_an_own_append_that_failed_leaves_no_trace(hub, dataset, small_blocks):
    def values():
        yield from range(9)
        raise RuntimeError("the camera is gone")

    with pytest.raises(RuntimeError, match="the camera is gone"):
        dataset.append(values())
    head = Ledger(hub.store, "digits").head()
    assert (head["pending"], head["aborted"], head["n_samples"]) == ([], [], 0)
    assert hub.database["samples"].count_documents({}) == 0
    assert dataset.append(range(9)[:0] or [5]).number == 1


def test_an_iterator_is_read_once_in_the_callers_thread_block_by_block(dataset, small_blocks):
    threads, ahead = set(), []

    def values():
        for i in range(100):
            threads.add(threading.current_thread())
            ahead.append(i)
            yield i

    result = dataset.append(values(), labels=iter(range(100)), tags=({"n": i} for i in range(100)))
    assert (result.number, result.n_added) == (1, 100)
    assert threads == {threading.current_thread()}
    assert dataset.where(n=7).arrays()[1].tolist() == [7]
    assert len(ahead) == 100


def test_places_are_counted_over_all_blocks(hub, dataset, small_blocks):
    dataset.append([0])
    dataset.append(list(range(11)), labels=[None, *range(1, 11)])
    found = hub.database["samples"].find({"batch": 2})
    assert {each["label"]: each["ordinal"] for each in found} == {n: n - 1 for n in range(1, 11)}


def test_memory_does_not_grow_with_an_iterator(dataset, small_blocks):
    alive = []

    class Value(dict):
        def __init__(self, i):
            super().__init__(i=i)
            alive.append(i)

        def __deepcopy__(self, memo):
            return Value(self["i"])

        def __del__(self):
            alive.pop()

    most = 0

    def values():
        nonlocal most
        for i in range(400):
            most = max(most, len(alive))
            yield Value(i)

    dataset.append(values())
    assert 0 < most <= 4 * 6


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"labels": iter([1, 2])}, "more samples than labels, which end after 2"),
        ({"labels": iter(range(9))}, "fewer samples than labels"),
        ({"keys": iter(["a", "b", 3, "d", "e", "f"])}, "Sample 2: Sample key 3"),
        ({"keys": iter(["a", "b", "c", "d", "e", "a"])}, "Sample 5: the key 'a' is there twice"),
        ({"tags": iter([{}, {}, {"$x": 1}, {}, {}, {}])}, "Sample 2: tag"),
    ],
)
def test_a_bad_column_names_the_sample_and_nothing_is_stored(
    hub, dataset, small_blocks, columns, message
):
    with pytest.raises(InvalidArgument, match=message):
        dataset.append(iter(range(6)), **columns)
    assert hub.database["samples"].count_documents({}) == len(dataset) == 0


def test_a_bad_sample_names_its_index(dataset, small_blocks):
    with pytest.raises(InvalidArgument, match=r"Sample 7: .*object"):
        dataset.append([*range(7), object(), 8])
    assert len(dataset) == 0


def test_equal_samples_are_counted_over_all_blocks(dataset, small_blocks):
    first = dataset.append([1])
    again = dataset.append([1, 2, 3, 4, 1, 5, 6, 7, 8, 1])
    assert (first.n_added, again.n_added, again.n_known) == (1, 9, 1)
    assert sorted(dataset.where().arrays()[0].tolist()) == [1, 1, 1, 2, 3, 4, 5, 6, 7, 8]


def test_in_a_stage_the_same_sent_twice_is_stored_once(hub, dataset):
    with hub.store.staged(run="task") as stage:
        dataset.append([1, 2])
        dataset.append([2, 3])
    stage.prepare()
    hub.store.transact(stage.apply)
    assert dataset.where().arrays()[0].tolist() == [1, 2, 3]
    assert (dataset.revision, len(dataset)) == (2, 3)


def test_a_stage_whose_body_fails_removes_what_it_wrote(hub, dataset):
    seen = []

    def body():
        with hub.store.staged():
            dataset.append([1, 2])
            seen.append(hub.database["samples"].count_documents({}))
            raise KeyError

    with pytest.raises(KeyError):
        body()
    assert seen == [2]
    assert hub.database["samples"].count_documents({}) == 0
    assert Ledger(hub.store, "digits").head()["pending"] == []


def test_killed_in_the_middle_nothing_is_visible_and_the_next_writer_sweeps_it(hub, dataset):
    code = (
        "import os, signal, itertools, numpy as np, tensorlayer as tl\n"
        "hub = tl.connect()\n"
        "def values():\n"
        "    for i in itertools.count():\n"
        "        if hub.database['samples'].count_documents({}) >= 60:\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
        "        yield np.full(40_000, i)\n"
        "hub.datasets['digits'].append(values())\n"
    )
    environment = {**os.environ, **hub.environment()}
    killed = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert hub.database["samples"].count_documents({}) >= 60
    assert (dataset.revision, len(dataset), len(dataset.where())) == (0, 0, 0)
    with tl.connect(
        home=hub.environment()["TENSORLAYER_HOME"], project=hub.store.project
    ) as another:
        another.datasets["digits"].append([1])
        another.store.presence.clean()
    assert hub.database["samples"].count_documents({}) == 1


def test_a_process_that_was_silent_appends_again(hub, dataset):
    """Its beats stopped, it was taken for dead: the error says so, sending again works."""
    with hub.store.staged() as stage:
        dataset.append([1, 2])
        abandon_of(hub.store, hub.store.presence.register())
    stage.prepare()
    with pytest.raises(StoreError, match="Append again"):
        hub.store.transact(stage.apply)
    assert dataset.append([1, 2]).n_added == 2
