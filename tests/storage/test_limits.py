"""The limits hold on a real server that runs with them."""

from __future__ import annotations

import itertools
import os
import signal
import threading
from pathlib import Path

import tensorlayer
from tensorlayer.storage import limits
from tensorlayer.storage.mongod import command
from tensorlayer.storage.server import PrivateServer

#: About what a small image takes.
DOCUMENT_BYTES = 3_000


def documents(n_bytes, size=DOCUMENT_BYTES):
    return [{"key": n, "bytes": os.urandom(size)} for n in range(n_bytes // size)]


def test_the_server_runs_with_them():
    words = command(
        Path("/bin/mongod"), data=Path("d"), keyfile=Path("k"), log=Path("l"), port=1, name="n"
    )
    flags = dict(itertools.pairwise(words))
    assert flags["--wiredTigerCacheSizeGB"] == "0.25"
    assert flags["--oplogSize"] == "64"
    assert flags["--syncdelay"] == str(limits.CHECKPOINT_SECONDS) == "1"


def test_as_many_transactions_as_promised_pass_at_once_with_as_many_bytes(store):
    samples = store.database["samples"]
    samples.create_index("key")
    barrier = threading.Barrier(limits.TRANSACTIONS_AT_ONCE)
    attempts, failed = [], []

    def write():
        mine = documents(limits.TRANSACTION_BYTES)

        def operation(session):
            attempts.append(1)
            samples.insert_many(mine, session=session)
            if len(attempts) <= limits.TRANSACTIONS_AT_ONCE:
                barrier.wait(30)

        try:
            store.transact(operation)
        except Exception as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=write) for _ in range(limits.TRANSACTIONS_AT_ONCE)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failed == []
    n_each = limits.TRANSACTION_BYTES // DOCUMENT_BYTES
    assert samples.count_documents({}) == limits.TRANSACTIONS_AT_ONCE * n_each


def test_a_batch_passes_in_one_insert(store):
    samples = store.database["samples"]
    for size in (DOCUMENT_BYTES, -(-limits.BATCH_BYTES // limits.BATCH_DOCUMENTS)):
        batch = documents(limits.BATCH_BYTES, size)
        assert len(batch) <= limits.BATCH_DOCUMENTS
        samples.insert_many(batch)
        assert samples.count_documents({}) == len(batch)
        samples.drop()


def test_an_empty_home_takes_little_of_the_disk(home):
    with tensorlayer.connect(home=home):
        size = sum(each.stat().st_blocks * 512 for each in home.rglob("*"))
    assert size < 5 * limits.JOURNAL_FILE_BYTES


def test_large_documents_pass_through_a_journal_of_small_files(home):
    """Each is in the journal twice: as a document and as an operation."""
    with tensorlayer.connect(home=home) as hub:
        notes = hub.database["notes"]
        for n in range(10):
            notes.insert_one({"_id": n, "bytes": os.urandom(limits.BATCH_BYTES)})
        os.kill(PrivateServer(home).home.server_pid(), signal.SIGKILL)
        assert hub.store.call(lambda: notes.count_documents({})) == 10
