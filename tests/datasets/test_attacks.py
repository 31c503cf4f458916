"""What tries to lose, double or half show a sample, or to get an error that says nothing."""

from __future__ import annotations

import contextlib
import datetime
import os
import random
import signal
import threading
import time
import tracemalloc

import numpy as np
import pytest
from pymongo.collection import Collection
from pymongo.errors import AutoReconnect

import tensorlayer as tl
from tensorlayer.datasets import append as appending
from tensorlayer.datasets.rows import Rows
from tensorlayer.errors import (
    Conflict,
    InvalidArgument,
    StoreError,
    StoreUnavailable,
    TensorLayerError,
)
from tensorlayer.storage.limits import BATCH_BYTES, MEGABYTE
from tests.threads import at_once

UTC = datetime.timezone.utc


def add(dataset, samples, **options):
    return dataset.append(samples, progress=False, **options)


def in_a_plain_thread(function):
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


def is_consistent(hub, dataset):
    """Tell whether what is counted, what is shown and what is stored is the same, once each."""
    keys = [each.key for each in dataset]
    stored = hub.database["samples"].count_documents({"dataset": dataset.key})
    return len(dataset) == len(dataset.where()) == len(keys) == len(set(keys)) == stored


# What is stored is what was sent.


def test_an_iterator_may_fill_one_array_again_and_again(dataset):
    def frames():
        buffer = np.zeros(3)
        for n in range(5):
            buffer[:] = n
            yield buffer

    add(dataset, frames())
    assert dataset[:].samples[:, 0].tolist() == [0, 1, 2, 3, 4]


def test_an_iterator_may_fill_one_dict_again_and_again(dataset):
    def records():
        record = {"boxes": []}
        for n in range(3):
            record["boxes"].append(n)
            yield record

    add(dataset, records())
    assert [each.sample["boxes"] for each in dataset] == [[0], [0, 1], [0, 1, 2]]


def test_an_iterator_of_labels_may_fill_one_array_again_and_again(dataset):
    def masks():
        buffer = np.zeros(2)
        for n in range(3):
            buffer[:] = n
            yield buffer

    add(dataset, ["a", "b", "c"], labels=masks())
    assert dataset[:].labels[:, 0].tolist() == [0, 1, 2]


@pytest.mark.parametrize("what", ["samples", "labels"])
def test_a_mask_is_not_dropped_in_silence(dataset, what):
    masked = np.ma.array([[1.0, 2.0], [3.0, 4.0]], mask=[[0, 1], [0, 0]])
    arguments = {"samples": ["a", "b"]} | {what: masked}
    with pytest.raises(InvalidArgument, match=r"masked array would lose its mask.*Fill it"):
        dataset.append(**arguments, progress=False)


# Appended whole or not at all.


def test_who_is_interrupted_twice_leaves_nothing_that_is_shown(
    hub, dataset, small_blocks, monkeypatch
):
    insert, arrived = appending.insert, threading.Event()
    main = threading.main_thread().ident

    def slow(store, collection, documents):
        if documents[0]["ordinal"] == 4:  # the second block
            for _ in range(2):
                signal.pthread_kill(main, signal.SIGINT)
                time.sleep(0.3)
        result = insert(store, collection, documents)
        if documents[0]["ordinal"] == 4:
            arrived.set()
        return result

    monkeypatch.setattr(appending, "insert", slow)
    with pytest.raises(KeyboardInterrupt):
        add(dataset, list(range(40)))
    with contextlib.suppress(KeyboardInterrupt):
        arrived.wait(2)
    monkeypatch.undo()
    add(dataset, ["later"])
    assert [each.sample for each in dataset] == ["later"]
    assert len(dataset) == len(dataset.at(1)) == 1


def test_who_is_interrupted_while_a_failed_append_ends_leaves_nothing_that_is_shown(
    hub, dataset, small_blocks, monkeypatch
):
    insert, begun, arrived = appending.insert, threading.Event(), threading.Event()
    main = threading.main_thread().ident

    def slow(store, collection, documents):
        if documents[0]["ordinal"] == 0:
            begun.set()
            time.sleep(0.3)
            signal.pthread_kill(main, signal.SIGINT)
            time.sleep(0.3)
        result = insert(store, collection, documents)
        if documents[0]["ordinal"] == 0:
            arrived.set()
        return result

    def samples():
        yield from range(5)
        begun.wait(2)
        raise ValueError("mine")

    monkeypatch.setattr(appending, "insert", slow)
    with pytest.raises((ValueError, KeyboardInterrupt)):
        add(dataset, samples())
    with contextlib.suppress(KeyboardInterrupt):
        arrived.wait(2)
    monkeypatch.undo()
    add(dataset, ["later"])
    assert [each.sample for each in dataset] == ["later"]


def test_who_was_taken_for_dead_removes_what_it_wrote_after_that(hub, dataset, small_blocks):
    def samples():
        for n in range(60):
            if n == 40:
                appending.abandon_of(hub.store, hub.store.presence.register())
            yield n if n % 20 else np.full(50_000, n, np.float64)

    with pytest.raises(StoreError, match=r"was given up.*Append again"):
        add(dataset, samples())
    assert len(dataset.where()) == 0
    assert hub.database["samples"].count_documents({}) == 0
    assert hub.database["blobs.files"].count_documents({}) == 0


def test_a_child_appends_longer_than_its_parent_has_its_hub(
    hub, server_home, dataset, small_blocks
):
    other = tl.connect(home=server_home, project=hub.store.project)
    inherited = other.datasets["d"]
    add(inherited, ["first"])
    (ready, tell_ready), (go, tell_go) = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:

            def samples():
                for n in range(40):
                    if n == 30:
                        os.write(tell_ready, b".")
                        os.read(go, 1)
                    yield n

            add(inherited, samples())
            code = 0
        finally:
            os._exit(code)
    os.read(ready, 1)
    other.close()
    hub.store.presence.clean()
    os.write(tell_go, b".")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert len(dataset) == 41
    assert is_consistent(hub, dataset)


@pytest.mark.slow
def test_two_large_appends_of_one_stage_with_the_same_samples(hub, dataset):
    hub.store.outage_budget_seconds = 5
    n = 60_000
    with hub.store.staged(run="task") as stage:
        at_once(*[lambda: add(dataset, np.arange(n))] * 2)
        stage.prepare()
        hub.store.transact(stage.apply)
    assert len(dataset) == len(dataset.where()) == n


def test_what_was_never_committed_stays_hidden_when_the_dataset_is_made_again(
    hub, dataset, small_blocks
):
    def samples():
        for n in range(60):
            if n == 40:
                hub.database["datasets"].delete_one({"_id": "d"})
            yield n

    with pytest.raises(TensorLayerError, match="'d'"):
        add(dataset, samples())
    again = hub.datasets.create("d")
    add(again, ["new"])
    assert [each.sample for each in again] == ["new"]


def test_the_connection_is_lost_while_others_are_compared(hub, dataset, monkeypatch):
    with hub.store.staged(run="task") as stage:
        add(dataset, list(range(10)))
        in_a_plain_thread(lambda: add(dataset, list(range(5, 15))))
        find, lost = Collection.find, iter([True])

        def broken(self, *args, **options):
            if self.name == "samples" and next(lost, False):
                raise AutoReconnect("connection closed")
            return find(self, *args, **options)

        monkeypatch.setattr(Collection, "find", broken)
        stage.prepare()
        hub.store.transact(stage.apply)
    assert is_consistent(hub, dataset)
    assert len(dataset) == 15


def test_what_was_dropped_is_counted_though_an_outage_came_between(hub, dataset, monkeypatch):
    monkeypatch.setattr(appending, "_KEYS_AT_ONCE", 4)
    delete, n_deletes = Collection.delete_many, 0

    def broken(self, *args, **options):
        nonlocal n_deletes
        n_deletes += 1
        if n_deletes > 1:
            raise AutoReconnect("connection closed")
        return delete(self, *args, **options)

    with hub.store.staged(run="task") as stage:
        add(dataset, list(range(12)))
        in_a_plain_thread(lambda: add(dataset, list(range(10))))
        with monkeypatch.context() as outage:
            outage.setattr(Collection, "delete_many", broken)
            outage.setattr(hub.store, "outage_budget_seconds", 0.1)
            with pytest.raises(StoreUnavailable, match="outage budget"):
                stage.prepare()
        stage.prepare()
        hub.store.transact(stage.apply)
    assert len(dataset) == len(dataset.where()) == 12


def test_a_hub_that_is_closed_under_an_append_is_an_error_of_the_library(server_home, hub):
    other = tl.connect(home=server_home, project=hub.store.project)
    dataset = other.datasets.create("d")

    def samples():
        yield 1
        other.close()
        yield 2

    with pytest.raises(StoreError, match="closed"):
        add(dataset, samples())


# Memory is bounded, and so is the head.


def test_blocks_are_bounded_whatever_carries_the_bytes():
    n = 100
    large = np.zeros(MEGABYTE // 2, np.uint8)
    rows = Rows(iter(range(n)), labels=iter([large] * n))
    for block in rows.blocks():
        assert sum(row.label.nbytes for row in block) <= 2 * BATCH_BYTES


def test_tags_count_for_the_size_of_a_block():
    n = 400
    rows = Rows(iter(range(n)), tags=({"text": "x" * 60_000} for _ in range(n)))
    for block in rows.blocks():
        assert sum(len(row.tags["text"]) for row in block) <= 2 * BATCH_BYTES


def peak_of(function):
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_pass_over_large_samples_one_by_one_holds_few_of_them(dataset):
    add(dataset, (np.full(MEGABYTE // 2, n, np.float64) for n in range(30)))  # of 4 MB
    assert peak_of(lambda: [each.key for each in dataset]) < 60 * MEGABYTE


def test_a_slice_with_a_step_reads_what_it_returns(dataset):
    add(dataset, (np.random.default_rng(n).random(25_000) for n in range(400)))  # of 200 KB
    assert peak_of(lambda: dataset[::399].keys) < 20 * MEGABYTE


def test_the_head_remembers_a_bounded_number_of_tags(hub, dataset):
    for n in range(3):
        add(dataset, [n], tags={f"t{n}-{i}": 1 for i in range(1000)})
    assert len(hub.database["datasets"].find_one({"_id": "d"})["tags"]) <= 1_000


def test_every_tag_that_a_sample_has_can_be_asked_for(dataset):
    add(dataset, list(range(1200)), tags=[{f"t{n}": n} for n in range(1200)])
    assert [each.sample for each in dataset.where(t1199=1199)] == [1199]


# What held.


def test_an_iterator_may_append_to_the_dataset_that_it_feeds(hub, dataset, small_blocks):
    def samples():
        for n in range(40):
            if n % 10 == 0:
                add(dataset, [n])
            yield n

    made = add(dataset, samples())
    assert (made.number, made.n_added, made.n_known) == (5, 36, 4)
    assert is_consistent(hub, dataset)


def test_an_iterator_may_do_so_inside_of_a_stage(hub, dataset, small_blocks):
    def samples():
        for n in range(40):
            if n % 10 == 0:
                add(dataset, [n])
            yield n

    with hub.store.staged(run="task") as stage:
        add(dataset, samples())
        assert len(dataset) == 0
        stage.prepare()
        hub.store.transact(stage.apply)
    assert len(dataset) == 40
    assert is_consistent(hub, dataset)


def test_an_iterator_may_read_the_dataset_that_it_feeds(hub, dataset, small_blocks):
    add(dataset, list(range(10)))
    assert add(dataset, (each.sample for each in dataset)).n_known == 10
    assert add(dataset, (each.sample for each in dataset), tags={"v": 2}).n_added == 10
    assert is_consistent(hub, dataset)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_iterator_that_raises_leaves_nothing(hub, dataset, small_blocks, error):
    def samples():
        yield from range(9)
        yield np.zeros(100_000)
        raise error("mine")

    for _ in range(3):
        with pytest.raises(error, match="mine"):
            add(dataset, samples())
    head = hub.database["datasets"].find_one({"_id": "d"})
    assert (head["pending"], head["aborted"], head["revision"]) == ([], [], 0)
    assert hub.database["samples"].count_documents({}) == 0
    assert hub.database["blobs.files"].count_documents({}) == 0


def test_a_second_hub_is_not_in_the_stage_of_the_first(hub, server_home, dataset):
    with tl.connect(home=server_home, project=hub.store.project) as other:
        with hub.store.staged(run="task") as stage:
            assert add(other.datasets["d"], ["a"]).number == 1
            assert add(dataset, ["a", "b"]).number is None
            assert add(other.datasets["d"], ["b", "c"]).number == 2
            stage.prepare()
            hub.store.transact(stage.apply)
        assert len(dataset) == 3
        assert is_consistent(hub, dataset)


def test_views_stay_as_they_were_while_many_append_overlapping_keys(hub, dataset, small_blocks):
    wrong = []

    def write(seed):
        choice = random.Random(seed)
        for _ in range(6):
            start = choice.randrange(30)
            numbers = range(start, start + choice.randrange(1, 20))
            values = [-n if choice.random() < 0.01 else n for n in numbers]
            with contextlib.suppress(Conflict):
                made = add(dataset, iter(values), keys=(f"k{n}" for n in numbers))
                if made.n_added + made.n_known != len(values):
                    wrong.append(("counts", made))
                if not {f"k{n}" for n in numbers} <= {s.key for s in dataset.at(made.number)}:
                    wrong.append(("missing", made))

    def read():
        seen = {}
        for _ in range(20):
            view = dataset.where()
            seen.setdefault(view.revision, [each.key for each in view])
            for number, keys in seen.items():
                if [each.key for each in dataset.at(number)] != keys or len(set(keys)) < len(keys):
                    wrong.append(("changed", number))

    at_once(*(lambda seed=seed: write(seed) for seed in range(4)), read)
    assert wrong == []
    assert is_consistent(hub, dataset)
    revisions = hub.database["revisions"].find({"dataset": "d"}).sort("number")
    assert [each["number"] for each in revisions] == list(range(1, dataset.revision + 1))


@pytest.mark.parametrize("expression", ["^(a+)+$", "(a|aa)+$", "((((a*)*)*)*)*$", "(a*)*c"])
def test_an_expression_that_would_run_for_ages_ends(dataset, expression):
    add(dataset, list(range(5)), tags={"t": "a" * 50_000 + "b"})
    started = time.monotonic()
    with contextlib.suppress(TensorLayerError):
        len(dataset.where(t={"$regex": expression}))
    assert time.monotonic() - started < 10


def test_a_child_appends_what_its_parent_appends(hub, dataset):
    add(dataset, ["first"])
    pid = os.fork()
    if pid == 0:
        try:
            add(dataset, list(range(100)))
        finally:
            os._exit(0)
    add(dataset, list(range(50, 150)))
    os.waitpid(pid, 0)
    assert len(dataset) == 151
    assert is_consistent(hub, dataset)
