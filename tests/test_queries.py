"""Every query that the storage half issues uses an index: none reads a whole collection."""

import contextlib

import numpy as np
import pytest
from pymongo import monitoring

import tensorlayer as tl
from tensorlayer.workflow.claims import Claims

#: One document for each process, or for each dataset: as small as a list that one would look at.
SMALL = {"writers", "agents", "datasets"}

#: What changes documents is explained by its first statement.
COMMANDS = {
    "find",
    "aggregate",
    "count",
    "distinct",
    "update",
    "delete",
    "findAndModify",
}

#: Fields of a command that belong to the connection, not to the question.
_CONNECTION = {
    "lsid",
    "txnNumber",
    "startTransaction",
    "autocommit",
    "$clusterTime",
    "$db",
    "$readPreference",
    "writeConcern",
    "readConcern",
    "cursor",
}


class Listener(monitoring.CommandListener):
    """Keeps what is asked of one database."""

    def __init__(self):
        self.asked = {}

    def started(self, event):
        """Keep a command once for each collection and form."""
        if event.command_name not in COMMANDS or event.command["$db"] == "admin":
            return
        command = {k: v for k, v in event.command.items() if k not in _CONNECTION}
        self.asked.setdefault(_form(command), (event.command["$db"], command))

    def succeeded(self, event):
        """Nothing is left to do."""

    def failed(self, event):
        """Nothing is left to do."""


def _form(value):
    """Return a command without its values."""
    if isinstance(value, dict):
        return tuple((key, _form(each)) for key, each in value.items())
    if isinstance(value, list):
        return tuple(sorted({repr(_form(each)) for each in value}))
    return value if isinstance(value, str) and not value.isalnum() else type(value).__name__


def _stages(plan):
    if isinstance(plan, dict):
        if "stage" in plan:
            yield plan["stage"]
        for name, each in plan.items():
            if name not in ("rejectedPlans", "command"):
                yield from _stages(each)
    elif isinstance(plan, list):
        for each in plan:
            yield from _stages(each)


def _explained(database, command):
    if "aggregate" in command:
        command = {**command, "cursor": {}}
    return database.command("explain", command, verbosity="executionStats")


def _reads_too_much(command, explained):
    """Whether a question reads many more documents than it answers with."""
    if "find" not in command:
        return False
    stats = explained["executionStats"]
    return stats["totalDocsExamined"] > 2 * stats["nReturned"] + 10


def _collection(command):
    return command[next(iter(command))]


@contextlib.contextmanager
def listening(server_home, project):
    listener = Listener()
    monitoring.register(listener)
    try:
        with tl.connect(home=server_home, project=project) as hub:
            yield hub, listener
    finally:
        monitoring._LISTENERS.command_listeners.remove(listener)


def _use_datasets(hub):
    dataset = hub.datasets.create("digits", indexes=["split"])
    for start in range(0, 600, 200):
        n = np.arange(start, start + 200)
        tags = [{"split": str(i % 3), "other": int(i)} for i in n]
        dataset.append(n[:, None] * np.ones(3), labels=n, tags=tags)
    dataset.append(np.arange(3.0)[:, None] * np.ones(3), keys=["a", "b", "c"])
    dataset.append([np.zeros(100_000)])
    with pytest.raises(tl.errors.Conflict):
        dataset.append([9], keys=["a"])
    view = dataset.where(split="1")
    for each in (dataset.where(), dataset.at(2), view):
        list(each.batches(50))
        list(each.batches(50, shuffle=True))
        assert len(each) >= len(each.where(label=7))
    assert dataset[3].key
    assert len(dataset[5:7]) == 2
    assert hub.datasets.keys() == ["digits"]
    assert dataset.summary()["samples"] == 604
    hub.datasets.delete("digits")


def _use_models(hub):
    for step in range(3):
        hub.models.save("mlp", {"w": np.zeros(3)}, step=step, values={"loss": step})
        hub.models.log("mlp", {"loss": step}, step=step)
    hub.models.checkpoint("mlp", {"w": np.zeros(3)}, step=7)
    hub.models.latest_checkpoint("mlp")
    hub.models.best("mlp", "loss", "min")
    hub.models.events("mlp"), hub.models.events("mlp", "loss")
    hub.models.list(), hub.models.list("mlp"), hub.models.keys()
    hub.models.arrays("mlp", 2), hub.models.load("mlp")
    hub.models.delete("mlp", 2), hub.models.delete("mlp")
    hub.store.blobs.sweep()


def _use_workflow(hub):
    handles = [hub.workflow.submit("any:function", n) for n in range(40)]
    handles += [hub.workflow.submit("any:function", n, queue="other") for n in range(40)]
    claims = Claims(hub.store, owner="a", host="h")
    for end in ("finish", "fail", "crash", "release"):
        task = claims.claim(["default"], lease_seconds=60.0, modules=["any"])
        claims.beat(task)
        if end == "finish":
            with hub.store.staged() as stage:
                claims.end(claims.success(task, stage, None))
        else:
            getattr(claims, end)(task, *(["reason"] if end != "release" else []))
    claims.suspects()
    handles[30].cancel()
    handles[30].requeue()
    hub.workflow.handle(handles[3].id[:8])
    hub.workflow.tasks(), hub.workflow.tasks(state="done"), hub.workflow.tasks(queue="default")
    hub.workflow.tasks(state="waiting", queue="other")
    hub.workflow.notifications(handles[0].id)
    handles[31].cancel()
    hub.workflow.delete(handles[31].id)


@pytest.mark.parametrize("use", [_use_datasets, _use_models, _use_workflow])
def test_no_question_reads_a_whole_collection(hub, server_home, use):
    with listening(server_home, hub.store.project) as (connected, listener):
        use(connected)
        connected.store.presence.clean()
    asked = [pair for pair in listener.asked.values() if pair[0] == hub.store.project]
    assert len(asked) >= 10
    scanned = []
    for _, command in asked:
        if _collection(command) in SMALL:
            continue
        explained = _explained(hub.database, command)
        stages = set(_stages(explained))
        is_first = command.get("limit") == 1 and not command["filter"]
        if stages & {"COLLSCAN", "SORT"} - ({"COLLSCAN"} if is_first else set()) or _reads_too_much(
            command, explained
        ):
            scanned.append(f"{sorted(stages)}: {command!r:.400}")
    assert not scanned, "\n".join(scanned)
