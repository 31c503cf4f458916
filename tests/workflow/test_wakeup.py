from __future__ import annotations

import threading
import time

from tensorlayer.workflow.wakeup import Wakeup


def test_a_change_wakes(store):
    things = store.database["things"]
    threading.Timer(0.1, lambda: things.insert_one({"n": 1})).start()

    with Wakeup(things, []) as wakeup:
        began = time.monotonic()
        change = wakeup.wait(10.0)

    assert change["fullDocument"]["n"] == 1
    assert time.monotonic() - began < 2.0


def test_other_changes_do_not_wake(store):
    things = store.database["things"]

    with Wakeup(things, [{"$match": {"fullDocument.n": 2}}]) as wakeup:
        things.insert_one({"n": 1})
        assert wakeup.wait(0.2) is None
        things.insert_one({"n": 2})
        assert wakeup.wait(5.0) is not None


def test_without_a_stream_it_says_that_something_may_be_missed(store):
    with Wakeup(store.database["things"], [{"$noSuchStage": {}}]) as wakeup:
        assert wakeup.wait(5.0) == {}
