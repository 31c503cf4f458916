"""Agents as others see them: what they are told, what they tell, and how a script starts one."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tensorlayer.errors import Corrupt, InvalidArgument, TaskError
from tensorlayer.storage.names import check_key
from tensorlayer.workflow import functions, schema
from tensorlayer.workflow.documents import LIST, SCHEMA, SECONDS, TEXT, TIME, WHOLE, checked

if TYPE_CHECKING:
    from tensorlayer.storage.connection import Store
    from tensorlayer.workflow.tasks import Task

__all__ = [
    "AgentSettings",
    "AgentInfo",
    "tell",
    "leave",
    "listed",
    "why_nobody",
    "agent",
    "IMPORTING",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class AgentSettings:
    """How an agent works."""

    #: modules or ``.py`` files with task functions
    imports: tuple[str, ...]
    #: queues to claim from
    queues: tuple[str, ...] = ("default",)
    #: tasks at the same time, each in a process of its own
    slots: int = 1
    #: 15 s: a dead agent is noticed soon, and a pause of five seconds costs nothing
    lease_seconds: float = 15.0
    #: between looks at the database if nothing wakes the agent; 25 idle agents cost little
    poll_seconds: float = 1.0
    #: between asking a cancelled task to stop and TERM; enough for a checkpoint of a small model
    cancel_grace_seconds: float = 10.0
    #: between TERM and KILL
    kill_grace_seconds: float = 5.0
    #: how long running tasks may go on after TERM before they are given back
    drain_seconds: float = 10.0

    def __post_init__(self) -> None:
        if not self.imports:
            raise InvalidArgument(
                "agent: nothing to import, so no function could run. Name modules or files: "
                "--import my.tasks"
            )
        if not self.queues or self.slots < 1:
            raise InvalidArgument(
                f"agent: needs at least one queue and one slot, got {self.queues} and {self.slots}."
            )
        for name in ("lease_seconds", "poll_seconds"):
            if getattr(self, name) <= 0:
                raise InvalidArgument(f"agent: {name} must be positive, got {getattr(self, name)}.")
        for queue in self.queues:
            check_key(queue, "queue")
        for target in self.imports:
            functions.module_name(target)

    def about(
        self, running: Iterable[str], *, n_ready: int, modules: Iterable[str]
    ) -> dict[str, Any]:
        """Return what an agent of this process says about itself, see `AgentInfo`."""
        return {
            "schema": SCHEMA,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "queues": list(self.queues),
            "slots": self.slots,
            "imports": [functions.module_name(target) for target in self.imports],
            "modules": sorted(modules),
            "ready": n_ready,
            "running": list(running),
            "lease_seconds": self.lease_seconds,
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class AgentInfo:
    """What one agent process has said about itself."""

    #: identity in leases
    id: str
    host: str
    pid: int
    #: what it takes tasks from
    queues: tuple[str, ...] = ()
    #: what it was told to import
    imports: tuple[str, ...] = ()
    #: where its children have found functions
    modules: tuple[str, ...] = ()
    slots: int = 1
    #: children that have imported everything
    ready: int = 0
    #: ids of the tasks that run
    running: tuple[str, ...] = ()
    #: the server's time when it spoke last
    beat: datetime.datetime
    lease_seconds: float = 15.0

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> AgentInfo:
        """Decode a document of the collection ``agents``.

        Raises
        ------
        Corrupt
            It is no such document.
        """
        named = {**document, "id": document.get("_id")}
        values = checked(named, cls, _RULES, f"document {named['id']} of 'agents'")
        for name in ("queues", "imports", "modules", "running"):
            values[name] = tuple(map(str, values.get(name, ())))
        return cls(**values)

    def is_silent(self, now: datetime.datetime) -> bool:
        """Whether it has said nothing for a whole lease, so that it is most likely gone."""
        return (now - self.beat).total_seconds() > self.lease_seconds


_RULES = {
    **dict.fromkeys(("id", "host"), TEXT),
    **dict.fromkeys(("pid", "slots", "ready"), WHOLE),
    **dict.fromkeys(("queues", "imports", "modules", "running"), LIST),
    "beat": TIME,
    "lease_seconds": SECONDS,
}


def tell(store: Store, id_: str, about: Mapping[str, Any]) -> None:
    """Write what an agent says about itself, and that it lives."""
    found = schema.agents(store)
    update = {"$set": dict(about), "$currentDate": {"beat": True}}
    store.call(lambda: found.update_one({"_id": id_}, update, upsert=True))


def leave(store: Store, id_: str) -> None:
    """Take an agent off the list."""
    found = schema.agents(store)
    store.call(lambda: found.delete_one({"_id": id_}))


def listed(store: Store) -> list[AgentInfo]:
    """Return the agents that have spoken within the last hour, by host and process."""
    found = schema.agents(store)
    agents = []
    for document in store.call(lambda: list(found.find().sort([("host", 1), ("pid", 1)]))):
        try:
            agents.append(AgentInfo.from_document(document))
        except Corrupt:  # somebody else has written it, and it is nobody's loss
            continue
    return agents


def why_nobody(task: Task, agents: Iterable[AgentInfo], now: datetime.datetime) -> str | None:
    """Return why no agent will take a task that waits, or None if one will.

    Examples
    --------
    >>> handle = hub.workflow.submit("my.tasks:train")
    >>> why_nobody(handle.task(), hub.workflow.agents(), hub.store.now())
    "no agent serves the queue 'default'"
    """
    living = [agent for agent in agents if not agent.is_silent(now)]
    serving = [agent for agent in living if task.queue in agent.queues]
    if not serving:
        return f"no agent serves the queue {task.queue!r}"
    if not any(task.module in agent.modules for agent in serving if agent.ready):
        return f"no agent imports the module {task.module!r}"
    return None


#: Set in the environment of a process that imports modules for an agent.
IMPORTING = "TENSORLAYER_IMPORTING"

# Importing TensorFlow takes some five seconds, from a cold network disk a minute.
_START_SECONDS = 180.0

# Between two questions whether the agent is ready; a start takes seconds.
_POLL_SECONDS = 0.05

# The agent's own limits for its tasks (ten seconds to end, five from TERM to KILL) and some more.
_END_SECONDS = 30.0


@contextlib.contextmanager
def agent(
    store: Store,
    environment: Mapping[str, str],
    imports: Sequence[str],
    *,
    queues: Sequence[str],
    slots: int,
) -> Iterator[int]:
    """Start an agent process, give its id when it is ready, and drain it at the end.

    Credentials travel through the environment, never on a command line.
    """
    if IMPORTING in os.environ:
        raise TaskError(
            "agent: the module that starts this agent is being imported by it, so there would be "
            "no end of agents. Start it below `if __name__ == '__main__':`."
        )
    for target in imports:
        functions.module_name(target)
    command = [sys.executable, "-m", "tensorlayer.cli.agent", "--parent", str(os.getpid())]
    command += ["--slots", str(slots)]
    for name, values in (("--queues", queues), ("--import", imports)):
        for value in values:
            command += [name, value]
    started = store.now()
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL)
    try:
        _await_ready(store, process, started)
        yield process.pid
    finally:
        _end(process)


def _await_ready(store: Store, process: subprocess.Popen, started: datetime.datetime) -> None:
    agents = schema.agents(store)
    # One that was killed is listed for a while, and a container gives its number again.
    about = {"pid": process.pid, "host": socket.gethostname(), "ready": {"$gt": 0}}
    about["beat"] = {"$gte": started}
    deadline = time.monotonic() + _START_SECONDS
    while store.call(lambda: agents.find_one(about, {"_id": 1})) is None:
        if process.poll() is not None:
            raise TaskError(
                f"agent: it ended with exit code {process.returncode} before it was ready. It has "
                "said why on stderr."
            )
        if time.monotonic() > deadline:
            raise TaskError(
                f"agent: it was not ready within {_START_SECONDS:g} s. See what its imports "
                "wait for."
            )
        time.sleep(_POLL_SECONDS)


def _end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()  # its children die with it
        process.wait()
