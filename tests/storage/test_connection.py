from __future__ import annotations

import datetime
import os
import signal
import threading
import time

import psutil
import pymongo
import pytest
from pymongo.errors import AutoReconnect, DuplicateKeyError

import tensorlayer as tl
from tensorlayer.errors import (
    AccessDenied,
    InvalidArgument,
    InvalidName,
    StandaloneServer,
    StoreUnavailable,
)
from tensorlayer.storage import mongod
from tensorlayer.storage.connection import Store
from tensorlayer.storage.inserting import insert

SECRET = "tops3cret"


def test_what_is_acknowledged_is_on_the_disk_of_a_majority(store):
    assert store.database.write_concern.document == {"w": "majority", "j": True}
    assert store.database.read_concern.level == "majority"


def test_times_are_aware_and_the_servers(store):
    now = store.now()
    assert now.utcoffset() == datetime.timedelta(0)
    assert abs(now - datetime.datetime.now(datetime.timezone.utc)).total_seconds() < 60


def test_a_repr_shows_host_and_project_only(store):
    assert repr(store) == f"<Store {'{}:{}'.format(*store.client.address)}/{store.project}>"
    assert "@" not in repr(store)


def test_call_repeats_after_an_outage(store):
    failures = [AutoReconnect("gone"), AutoReconnect("gone")]

    def operation():
        if failures:
            raise failures.pop()
        return "done"

    assert store.call(operation) == "done"


def test_call_does_not_repeat_a_mistake(store):
    attempts = []

    def operation():
        attempts.append(1)
        raise DuplicateKeyError("E11000")

    with pytest.raises(DuplicateKeyError):
        store.call(operation)
    assert len(attempts) == 1


def test_a_transaction_is_visible_as_a_whole_or_not_at_all(store):
    def broken(session):
        store.database["a"].insert_one({"_id": 1}, session=session)
        store.database["b"].insert_one({"_id": 1}, session=session)
        assert store.database["a"].count_documents({}) == 0
        raise KeyError("after both")

    with pytest.raises(KeyError):
        store.transact(broken)
    assert store.database["a"].count_documents({}) == 0

    def whole(session):
        store.database["a"].insert_one({"_id": 1}, session=session)
        store.database["b"].insert_one({"_id": 1}, session=session)
        return "both"

    assert store.transact(whole) == "both"
    assert store.database["a"].count_documents({}) == store.database["b"].count_documents({}) == 1


def test_transactions_that_meet_are_all_done(store):
    counters = store.database["counters"]
    counters.insert_one({"_id": "c", "n": 0})

    def count(session):
        seen = counters.find_one({"_id": "c"}, session=session)["n"]
        counters.update_one({"_id": "c"}, {"$set": {"n": seen + 1}}, session=session)

    threads = [
        threading.Thread(target=lambda: [store.transact(count) for _ in range(10)])
        for _ in range(6)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert counters.find_one()["n"] == 60


def test_commit_runs_at_once_without_a_stage(store):
    insert = store.database["a"].insert_one
    result = store.commit(lambda session: insert({"_id": 1}, session=session).inserted_id)
    assert result == 1
    assert store.stage is None


def test_a_stage_commits_in_the_transaction_of_whoever_applies_it(store):
    a, done = store.database["a"], store.database["done"]
    with store.staged(run="task-7") as stage:
        assert store.stage is stage
        assert store.commit(lambda session: a.insert_one({"_id": 1}, session=session)) is None
        assert store.commit(lambda session: a.insert_one({"_id": 2}, session=session)) is None
        assert a.count_documents({}) == 0

        def finish(session):
            stage.apply(session)
            done.insert_one({"_id": stage.run}, session=session)

        store.transact(finish)
    assert a.count_documents({}) == 2
    assert done.find_one() == {"_id": "task-7"}


def test_published_is_visible_at_once_unless_the_fence_refuses(store):
    a = store.database["a"]

    def fence(session):
        if a.find_one({"_id": "lost"}, session=session):
            raise KeyError("lost")

    with store.staged(run="task", fence=fence) as stage:
        insert = a.insert_one
        store.commit(lambda session: insert({"_id": 1}, session=session), publish=True)
        assert (a.count_documents({}), len(stage)) == (1, 0)
        a.insert_one({"_id": "lost"})
        with pytest.raises(KeyError, match="lost"):
            store.commit(lambda session: insert({"_id": 2}, session=session), publish=True)
    assert a.count_documents({}) == 2
    store.commit(lambda session: insert({"_id": 3}, session=session), publish=True)
    assert a.count_documents({"_id": 3}) == 1


def test_a_stage_that_fails_leaves_nothing(store):
    a = store.database["a"]
    a.insert_one({"_id": 2})
    with store.staged() as stage:
        for n in (1, 2):
            store.commit(lambda session, n=n: a.insert_one({"_id": n}, session=session))
    with pytest.raises(DuplicateKeyError):
        store.transact(stage.apply)
    assert [each["_id"] for each in a.find()] == [2]


def test_indexes_are_made_once(store):
    index = pymongo.IndexModel([("key", 1)], unique=True)
    found = store.indexes("models", index)
    assert found.index_information()["key_1"]["unique"]
    found.drop_indexes()
    assert store.indexes("models", index) == found
    assert "key_1" not in found.index_information()


def test_many_threads_share_a_store(store):
    def work(n):
        store.call(lambda: store.database["a"].insert_one({"_id": n}))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(40)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert store.database["a"].count_documents({}) == 40


def test_an_unreachable_server_fails_after_the_budget_and_names_the_host():
    uri = f"mongodb://user:{SECRET}@127.0.0.1:1/?replicaSet=rs0"
    started = time.monotonic()
    with pytest.raises(
        StoreUnavailable, match=r"Store 127.0.0.1:1/mine: .* budget of 1 s"
    ) as caught:
        Store(uri, project="mine", outage_budget_seconds=1.0)
    assert time.monotonic() - started < 5
    assert SECRET not in str(caught.value)
    assert isinstance(caught.value, ConnectionError)


@pytest.mark.slow
def test_a_frozen_server_counts_as_away(home):
    """A process that is stopped accepts connections and never answers."""
    from tensorlayer.storage.server import PrivateServer

    server = PrivateServer(home)
    store = Store(server.acquire(), outage_budget_seconds=2.0)
    pid = server.status().pid
    os.kill(pid, signal.SIGSTOP)
    while psutil.Process(pid).status() != psutil.STATUS_STOPPED:
        time.sleep(0.01)
    try:
        with pytest.raises(StoreUnavailable, match="budget of 2 s"):
            store.call(lambda: store.database["a"].find_one())
    finally:
        os.kill(pid, signal.SIGCONT)
    assert store.call(lambda: store.database["a"].find_one()) is None
    store.close()
    server.release()


def test_wrong_credentials_are_refused_at_once(server_home):
    from tensorlayer.storage.server import PrivateServer

    record = PrivateServer(server_home).home.read()
    started = time.monotonic()
    with pytest.raises(AccessDenied, match="refuses these credentials") as caught:
        Store(record.uri.replace(record.password, SECRET))
    assert time.monotonic() - started < 5
    assert SECRET not in str(caught.value)


def test_no_credentials_are_refused_at_once(server_home):
    from tensorlayer.storage.server import PrivateServer

    record = PrivateServer(server_home).home.read()
    with pytest.raises(AccessDenied, match="Check user, password and authSource"):
        Store(f"mongodb://{record.address}/?replicaSet={record.name}")


def test_a_standalone_server_is_refused_with_the_two_commands(tmp_path):
    import subprocess

    port = mongod.free_port()
    process = subprocess.Popen(
        [mongod.find_mongod(), "--dbpath", tmp_path, "--port", str(port), "--nounixsocket"],
        stdout=subprocess.DEVNULL,
    )
    try:
        with pytest.raises(StandaloneServer, match=r"--replSet rs0.*rs\.initiate\(\)"):
            Store(f"mongodb://127.0.0.1:{port}", outage_budget_seconds=30)
    finally:
        process.terminate()
        process.wait()


@pytest.mark.parametrize(
    "uri",
    [
        f"http://user:{SECRET}@host",
        f"user:{SECRET}@host",
        f"mongodb://user:{SECRET}@ss@host/db",
        f"mongodb://user:{SECRET}/x@host/db",
        f"mongodb://user:{SECRET}:x@host/db",
        f"mongodb://user:{SECRET}@host:port/db",
        f"mongodb://user:{SECRET}%@host/db",
    ],
)
def test_a_bad_uri_is_refused_without_quoting_it(uri):
    with pytest.raises(InvalidArgument, match=r"Store: .*URI") as caught:
        Store(uri, outage_budget_seconds=0.1)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("budget", [0, -1, float("nan")])
def test_a_budget_is_positive(budget):
    with pytest.raises(InvalidArgument, match="outage_budget_seconds must be positive"):
        Store("mongodb://localhost", outage_budget_seconds=budget)


def test_a_project_is_checked_before_it_is_a_database():
    with pytest.raises(InvalidName, match="project 'admin'"):
        Store("mongodb://localhost", project="admin")


def test_a_project_that_differs_in_case_only_is_refused(store, server_home):
    store.database["notes"].insert_one({})
    other = store.project.upper()
    with tl.connect(home=server_home, project=other) as hub:
        for write in (
            lambda: hub.models.save("k", {}),
            lambda: hub.store.indexes("notes", pymongo.IndexModel("a")),
            lambda: hub.store.call(lambda: hub.database["notes"].insert_one({})),
            lambda: insert(hub.store, hub.database["notes"], [{"_id": 1}]),
            lambda: hub.store.transact(
                lambda session: hub.database["notes"].insert_one({}, session=session)
            ),
        ):
            with pytest.raises(InvalidName, match=f"{other}: .* upper and lower case only"):
                write()
