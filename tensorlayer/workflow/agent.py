"""The agent: a process that claims tasks and keeps their leases while children execute them.

The agent imports neither TensorFlow nor a user's module and does nothing that takes long, so a busy
interpreter or native code in a task never costs a lease. One thread decides, and nothing that may
wait for long happens in it: another one waits for changes in the database and wakes the first, and
a few write how attempts ended that could not do so themselves.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import selectors
import socket
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorlayer.errors import InvalidArgument, LeaseLost, StoreUnavailable, TaskError
from tensorlayer.storage.names import check_key
from tensorlayer.workflow import registry, schema
from tensorlayer.workflow.bell import Bell
from tensorlayer.workflow.claims import Claims
from tensorlayer.workflow.lease import BEATS_PER_LEASE, LeaseWatch
from tensorlayer.workflow.slot import Slot, Stop, describe_death
from tensorlayer.workflow.tasks import Task

if TYPE_CHECKING:
    from tensorlayer.hub import Hub

__all__ = ["AgentSettings", "Agent"]

logger = logging.getLogger(__name__)

# Progress is stored with a beat; more beats than this a second would only load the database.
_PROGRESS_SECONDS = 0.5

# Ends of attempts that are written at the same time; usually there is not even one.
_RECORDERS = 4

# Children that die one after the other before they are ready: the fault is not a passing one.
_MAX_FAILED_STARTS = 3

# Two looks at the leases further apart than this many polls are not one observation.
_POLLS_PER_GAP = 4


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
            registry.module_name(target)


class Agent:
    """Claims tasks and has them executed until it is told to stop. Runs in a main thread.

    On SIGTERM or Ctrl-C it drains: it claims nothing more, lets running tasks go on for
    ``drain_seconds`` and then gives them back without counting the attempt. A second signal gives
    them back at once. When it is killed, its children die with it and its leases run out.

    Parameters
    ----------
    hub : Hub
        The connection.
    settings : AgentSettings
        How it works.
    """

    def __init__(self, hub: Hub, settings: AgentSettings) -> None:
        self._hub = hub
        self._store = hub.workflow.store
        self._settings = settings
        self._host = socket.gethostname()
        #: identity of this process in leases and in the list of agents
        self.id = f"{self._host}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._claims = Claims(self._store, owner=self.id, host=self._host)
        self._watch = LeaseWatch(max_gap_seconds=_POLLS_PER_GAP * settings.poll_seconds)
        self._slots: list[Slot] = []
        self._drain_until = float("inf")
        self._failed_starts = 0
        self._poll_at = self._beat_at = 0.0
        self._is_woken = True
        self._bell = Bell(schema.tasks(self._store), settings.queues)
        self._recorder = ThreadPoolExecutor(_RECORDERS, thread_name_prefix="tensorlayer-recorder")
        self._records: dict[Future[None], str] = {}
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Work until a signal says stop.

        Raises
        ------
        TaskError
            The children cannot start, for example since a module cannot be imported.
        """
        with self._selector, self._bell:
            self._selector.register(self._bell, selectors.EVENT_READ)
            self._register()
            try:
                self._slots = [self._new_slot() for _ in range(self._settings.slots)]
                while not self._is_done():
                    self._turn()
            finally:
                self._leave()

    def _is_done(self) -> bool:
        if not self._bell.n_stops:
            return False
        return all(slot.held is None for slot in self._slots)

    def _turn(self) -> None:
        self._listen()
        for slot in self._slots:
            self._read(slot)
            slot.enforce()
            if (code := slot.died()) is not None:
                self._bury(slot, code)
        self._drain()
        self._check_records()
        try:
            self._beat()
            self._look()
            self._claim()
        except StoreUnavailable as error:
            # The children go on. If the leases are lost meanwhile, the next beat tells.
            logger.warning("agent %s waits for the database: %s", self.id, error)

    # -- what the children say ---------------------------------------------------------------

    def _listen(self) -> None:
        """Sleep until a child speaks, something changes in the database, or something is due."""
        now = time.monotonic()
        due = [self._poll_at, self._beat_at, *(slot.deadline for slot in self._slots)]
        if self._drain_until > now:
            due.append(self._drain_until)
        if self._is_woken and not self._bell.n_stops and any(slot.is_free for slot in self._slots):
            due.append(now)
        for key, _ in self._selector.select(max(0.0, min(due) - now)):
            if key.fileobj is self._bell:
                self._is_woken = True
                if self._bell.heard():
                    self._hurry()

    def _read(self, slot: Slot) -> None:
        for message in slot.channel.receive_all():
            match message["kind"]:
                case "ready":
                    slot.is_ready, self._failed_starts, self._is_woken = True, 0, True
                    slot.session = message["session"]
                    self._beat_at = 0.0  # the list of agents says so at once
                case "broken":
                    raise TaskError(
                        f"agent: {', '.join(self._settings.imports)} cannot be imported: "
                        f"{message['reason']}. Mend it, or start the agent where it is installed."
                    )
                case "progress" if slot.held is not None and slot.held.id == message["id"]:
                    slot.progress = {name: message[name] for name in ("fraction", "message")}
                    slot.beat_at = min(slot.beat_at, time.monotonic() + _PROGRESS_SECONDS)
                case "session":
                    slot.session = message["id"]
                case "ended":
                    self._ended(slot, message["state"])
        if slot.channel.is_closed:
            self._unwatch(slot)

    def _ended(self, slot: Slot, state: str) -> None:
        held = slot.forget()
        self._is_woken = True
        if held is None:
            return
        logger.info("%s, attempt %d: %s", held, held.attempt, state)
        if state == "unavailable":
            self._record(held, partial(self._claims.release, held))

    def _bury(self, slot: Slot, code: int) -> None:
        """Record how the attempt of a dead child ended, and start another child."""
        self._read(slot)  # what it said before it died
        why, was_ready, how = slot.stopping, slot.is_ready, describe_death(code)
        if (held := slot.forget()) is not None:
            logger.warning("%s, attempt %d: its process ended: %s", held, held.attempt, how)
            self._record(held, self._aborting(slot), *self._end_of(held, why, how))
        self._unwatch(slot)
        if not was_ready:
            self._count_failed_start(how)
        if not self._bell.n_stops:
            slot.renew()
            self._selector.register(slot.channel, selectors.EVENT_READ)

    def _aborting(self, slot: Slot) -> Callable[[], Any]:
        """Return the step that unlocks what the child of a slot may have left open."""
        return partial(self._claims.abort, slot.session) if slot.session else lambda: None

    def _end_of(self, held: Task, why: Stop | None, how: str) -> list[Callable[[], Any]]:
        if why is Stop.LOST:
            return []
        if why is Stop.DRAIN or self._bell.n_stops > 1:
            return [partial(self._claims.release, held)]
        if why is Stop.TIMEOUT:
            reason = f"took longer than run_timeout_seconds = {held.run_timeout_seconds:g}"
            return [partial(self._claims.fail, held, reason, error="TimeoutError")]
        return [partial(self._claims.crash, held, f"its process died: {how}", signal=how)]

    def _record(self, held: Task, *steps: Callable[[], Any]) -> None:
        """Have a thread write how an attempt ended: no lease must wait for that.

        What a dead process has left open may lock the task for a while.
        """
        self._records[self._recorder.submit(_write, steps)] = held.id

    def _check_records(self) -> None:
        for record in [each for each in self._records if each.done()]:
            del self._records[record]
            record.result()  # raises what nobody expected
            self._is_woken = True

    def _count_failed_start(self, how: str) -> None:
        self._failed_starts += 1
        if self._failed_starts >= _MAX_FAILED_STARTS:
            raise TaskError(
                f"agent: {self._failed_starts} processes in a row died before they were ready "
                f"({how}) while importing {', '.join(self._settings.imports)}. Import it by hand "
                "to see the reason."
            )

    # -- what goes to the database -----------------------------------------------------------

    def _beat(self) -> None:
        now = time.monotonic()
        for slot in self._slots:
            if slot.held is not None and now >= slot.beat_at:
                self._beat_for(slot)
        if now >= self._beat_at:
            self._beat_at = now + self._settings.lease_seconds / BEATS_PER_LEASE
            self._register()

    def _hurry(self) -> None:
        """Beat now: the reply tells which task was cancelled."""
        for slot in self._slots:
            slot.beat_at = 0.0

    def _beat_for(self, slot: Slot) -> None:
        held, progress = slot.held, slot.progress
        slot.beat_at = time.monotonic() + held.lease.seconds / BEATS_PER_LEASE
        try:
            task = self._claims.beat(held, progress, session=slot.session)
        except LeaseLost as error:
            logger.warning("LeaseLost: %s", error)
            slot.stop(Stop.LOST)
            return
        slot.progress = None
        if task is not None and task.cancel:
            slot.stop(Stop.CANCEL)

    def _look(self) -> None:
        """Take tasks away from agents that fell silent."""
        now = time.monotonic()
        if now < self._poll_at:
            return
        self._poll_at = now + self._settings.poll_seconds
        self._is_woken = True
        suspects = {task.id: (task, seen) for task, seen in self._claims.suspects()}
        # The clock is read after the answer: what was seen is not older than that.
        for lost in self._watch.look([seen for _, seen in suspects.values()], now=time.monotonic()):
            task = suspects[lost][0]
            if lost in self._records.values():
                continue
            logger.warning("%s: its agent %s fell silent", task, task.lease.owner)
            self._record(task, partial(self._claims.expire, task))

    def _claim(self) -> None:
        if self._bell.n_stops or not self._is_woken:
            return
        for slot in self._slots:
            if slot.is_free:
                task = self._claims.claim(
                    self._settings.queues, lease_seconds=self._lease, session=slot.session
                )
                if task is None:
                    self._is_woken = False
                    return
                slot.beat_at = time.monotonic() + self._lease / BEATS_PER_LEASE
                slot.run(task)

    @property
    def _lease(self) -> float:
        return self._settings.lease_seconds

    def _register(self) -> None:
        about = {
            "host": self._host,
            "pid": os.getpid(),
            "queues": list(self._settings.queues),
            "slots": self._settings.slots,
            "imports": [registry.module_name(target) for target in self._settings.imports],
            "ready": sum(slot.is_ready for slot in self._slots),
            "running": [slot.held.id for slot in self._slots if slot.held is not None],
        }
        agents = schema.agents(self._store)
        update = {"$set": about, "$currentDate": {"beat": True}}
        self._store.call(lambda: agents.update_one({"_id": self.id}, update, upsert=True))

    # -- start and end ------------------------------------------------------------------------

    def _new_slot(self) -> Slot:
        order = {
            "imports": [_absolute(target) for target in self._settings.imports],
            "owner": self.id,
            "host": self._host,
        }
        slot = Slot(
            order,
            {**os.environ, **self._hub.environment()},
            cancel_grace_seconds=self._settings.cancel_grace_seconds,
            kill_grace_seconds=self._settings.kill_grace_seconds,
        )
        self._selector.register(slot.channel, selectors.EVENT_READ)
        return slot

    def _unwatch(self, slot: Slot) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(slot.channel)

    def _drain(self) -> None:
        if not self._bell.n_stops:
            return
        now = time.monotonic()
        self._drain_until = min(self._drain_until, now + self._settings.drain_seconds)
        if now >= self._drain_until or self._bell.n_stops > 1:
            for slot in self._slots:
                if slot.held is not None:
                    slot.stop(Stop.DRAIN)

    def _leave(self) -> None:
        for slot in self._slots:
            slot.kill()
            if (held := slot.forget()) is not None:
                self._record(held, self._aborting(slot), partial(self._claims.release, held))
        self._recorder.shutdown(wait=True)
        with contextlib.suppress(StoreUnavailable):
            agents = schema.agents(self._store)
            self._store.call(lambda: agents.delete_one({"_id": self.id}))


def _write(steps: Sequence[Callable[[], Any]]) -> None:
    try:
        for step in steps:
            step()
    except (LeaseLost, StoreUnavailable) as error:  # then the lease runs out instead
        logger.warning("%s: %s", type(error).__name__, error)


def _absolute(target: str) -> str:
    return str(Path(target).resolve()) if target.endswith(".py") else target
