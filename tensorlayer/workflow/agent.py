"""The agent: a process that claims tasks and keeps their leases while children execute them.

The agent imports neither TensorFlow nor a user's module and does nothing that takes long, so a busy
interpreter or native code in a task never costs a lease.

One thread decides. It listens to the children and to signals, and never waits for the database:
what has to be read or written there is done by others, who put what they have learned into an inbox
and wake it. The beats have threads that do nothing else, see `pulse`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import socket
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pymongo.errors import PyMongoError

from tensorlayer.errors import Corrupt, StoreUnavailable, TaskError, TensorLayerError
from tensorlayer.workflow import registry, schema
from tensorlayer.workflow.agents import AgentSettings
from tensorlayer.workflow.bell import Bell
from tensorlayer.workflow.channel import to_text
from tensorlayer.workflow.claims import Claims
from tensorlayer.workflow.documents import SCHEMA
from tensorlayer.workflow.errands import Errands
from tensorlayer.workflow.lease import BEATS_PER_LEASE, LeaseWatch, Sighting
from tensorlayer.workflow.orphans import Guardian, marked
from tensorlayer.workflow.pulse import Pulse
from tensorlayer.workflow.slot import CRASHES, Slot, Stop, describe_death
from tensorlayer.workflow.tasks import Task

if TYPE_CHECKING:
    from tensorlayer.hub import Hub

__all__ = ["AgentSettings", "Agent"]

logger = logging.getLogger(__name__)

# Children that die one after the other before they are ready: the fault is not a passing one.
_MAX_FAILED_STARTS = 3

# Two looks at the leases further apart than this many polls are not one observation.
_POLLS_PER_GAP = 4

# Claims from one poll to the next that make an agent a busy one, which nobody has to wake.
_BUSY_CLAIMS = 20

# As long as nothing waits and nothing runs, look this many times less often.
_QUIET_POLLS = 5

_AWAY = "the database was away for longer than the outage budget"


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
        self._lease = settings.lease_seconds
        self._host = socket.gethostname()
        self._mark = uuid.uuid4().hex
        #: identity of this process in leases and in the list of agents
        self.id = f"{self._host}:{os.getpid()}:{self._mark[:8]}"
        self._claims = Claims(self._store, owner=self.id, host=self._host)
        self._watch = LeaseWatch(max_gap_seconds=_POLLS_PER_GAP * settings.poll_seconds)
        self._slots: list[Slot] = []
        self._modules: frozenset[str] = frozenset()
        self._drain_until = float("inf")
        self._failed_starts = 0
        self._poll_at = self._register_at = 0.0
        self._n_news = 0  # reasons to claim, so far; those that a claim in vain has seen are over
        self._n_seen = -1
        self._is_rich = False  # whether the last claim found a task
        self._n_claimed = 0  # since the last poll
        self._bell = Bell(schema.tasks(self._store), settings.queues)
        self._errands = Errands(self._bell.ring)
        # A slot may hold one lease that runs and one that follows.
        self._pulse = Pulse(self._claims.beat, self._news_of, n_threads=2 * settings.slots)
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Work until a signal says stop.

        Raises
        ------
        TaskError
            The children cannot start, for example since a module cannot be imported.
        """
        with self._selector, self._bell, Guardian(self._mark):
            self._selector.register(self._bell, selectors.EVENT_READ)
            try:
                self._register(self._about())
                for number in range(self._settings.slots):
                    self._slots.append(self._new_slot(number))
                while not self._is_done():
                    self._turn()
            finally:
                self._leave()

    def _is_done(self) -> bool:
        if not self._bell.n_stops:
            return False
        return not any(slot.held or slot.next or slot.is_claiming for slot in self._slots)

    def _turn(self) -> None:
        self._listen()
        self._errands.heed()
        for slot in self._slots:
            self._read(slot)
            slot.enforce()
            if slot.is_hostage:
                self._give_back(slot)
            if (code := slot.died()) is not None:
                self._bury(slot, code)
        self._drain()
        self._n_news += self._errands.recorded()
        self._look_after()
        self._claim()

    # -- what the children say ---------------------------------------------------------------

    def _listen(self) -> None:
        """Sleep until a child speaks, something changes in the database, or something is due."""
        now = time.monotonic()
        due = [self._poll_at, self._register_at, *(slot.deadline for slot in self._slots)]
        if self._drain_until > now:
            due.append(self._drain_until)
        for key, _ in self._selector.select(max(0.0, min(due) - now)):
            if key.fileobj is self._bell:
                if self._bell.heard():
                    self._pulse.hurry()
                if self._bell.has_news:
                    self._bell.has_news = False
                    self._n_news += 1
                    self._poll_at = min(self._poll_at, now + self._settings.poll_seconds)

    def _read(self, slot: Slot) -> None:
        try:
            for message in slot.channel.receive_all():
                self._heed(slot, message)
        except Corrupt as error:
            logger.warning("a child talks nonsense and is ended: %s", error)
            self._unwatch(slot)
            slot.stop(Stop.GARBLED)
        if slot.channel.is_closed:
            self._unwatch(slot)
            slot.hang_up()

    def _heed(self, slot: Slot, message: dict[str, Any]) -> None:
        match message["kind"]:
            case "ready":
                slot.is_ready, slot.session, self._failed_starts = True, message["session"], 0
                self._modules |= frozenset(map(str, message["modules"]))
                self._n_news += 1
                self._register_at = 0.0  # the list of agents says so at once
            case "broken":
                raise TaskError(
                    f"agent: {', '.join(self._settings.imports)} cannot be imported: "
                    f"{message['reason']}. Mend it, or start the agent where it is installed."
                )
            case "session":
                slot.session = message["id"]
                if slot.held is not None:
                    self._pulse.tell_session(slot.held, slot.session)
            case _ if not slot.runs(message["id"], message["attempt"]):
                return
            case "progress":
                said = {name: message[name] for name in ("fraction", "message")}
                self._pulse.report(slot.held, said)
            case "ending":
                slot.is_ending = True
            case "ended":
                self._ended(slot, message["state"], is_clean=message["is_clean"])

    def _ended(self, slot: Slot, state: str, *, is_clean: bool) -> None:
        held = slot.forget()
        self._pulse.forget(held)
        logger.info("%s, attempt %d: %s", held, held.attempt, state)
        if state == "unavailable":
            self._errands.record(held.id, partial(self._claims.release, held, _AWAY))
        if slot.stopping is Stop.CANCEL or not is_clean:
            self._give_back(slot)
            slot.retire()
        elif slot.next is not None:
            following, slot.next = slot.next, None
            slot.run(*following)

    def _give_back(self, slot: Slot) -> None:
        """Let somebody else run what was claimed for this slot and has not begun."""
        if slot.next is not None:
            (task, _), slot.next = slot.next, None
            self._pulse.forget(task)
            self._errands.record(task.id, partial(self._claims.release, task))

    def _bury(self, slot: Slot, code: int) -> None:
        """Record how the attempt of a dead child ended, and start another child."""
        self._read(slot)  # what it said before it died
        why, was_ready, how = slot.stopping, slot.is_ready, describe_death(code)
        self._give_back(slot)
        if (held := slot.forget()) is not None:
            logger.warning("%s, attempt %d: its process ended: %s", held, held.attempt, how)
            self._pulse.forget(held)
            self._errands.record(held.id, self._aborting(slot), *self._end_of(held, why, how))
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
        reason = CRASHES.get(why, f"its process died: {how}")
        return [partial(self._claims.crash, held, reason, signal=how)]

    def _count_failed_start(self, how: str) -> None:
        self._failed_starts += 1
        if self._failed_starts >= _MAX_FAILED_STARTS:
            raise TaskError(
                f"agent: {self._failed_starts} processes in a row died before they were ready "
                f"({how}) while importing {', '.join(self._settings.imports)}. Import it by hand "
                "to see the reason."
            )

    # -- what goes to the database -----------------------------------------------------------

    def _news_of(self, task: Task, what: str) -> None:
        """Take what the reply to a beat says. Any thread."""
        self._errands.tell(partial(self._heed_beat, task, what))

    def _heed_beat(self, task: Task, what: str) -> None:
        for slot in self._slots:
            if slot.runs(task.id, task.attempt):
                slot.heed(what)
            elif slot.next is not None and slot.next[0] is task:
                self._give_back(slot)  # which ends it, if it was cancelled

    def _look_after(self) -> None:
        """See to the leases of others, and say that this agent lives."""
        now = time.monotonic()
        if now >= self._poll_at:
            self._poll_at = now + self._settings.poll_seconds
            self._n_news += 1
            self._errands.send("look", self._look)
            if self._n_claimed >= _BUSY_CLAIMS:
                self._bell.rest()
                self._pulse.hurry()  # instead of the bell, a beat tells which task was cancelled
            else:
                self._bell.wake()
            self._n_claimed = 0
        if now >= self._register_at:
            self._register_at = now + self._lease / BEATS_PER_LEASE
            self._errands.send("register", partial(self._register, self._about()))

    def _look(self) -> None:
        suspects = self._claims.suspects()
        is_quiet = not suspects and self._claims.is_quiet(self._settings.queues)
        self._errands.tell(partial(self._take_away, suspects, is_quiet=is_quiet))

    def _take_away(self, suspects: Sequence[tuple[Task, Sighting]], *, is_quiet: bool) -> None:
        """Take tasks away from agents that fell silent."""
        if is_quiet:  # a lease that begins now will not be suspect before the next look
            quiet = min(self._settings.poll_seconds * _QUIET_POLLS, self._lease / 3)
            self._poll_at = max(self._poll_at, time.monotonic() + quiet)
        tasks = {task.id: task for task, _ in suspects}
        # The clock is read after the answer: what was seen is not older than that.
        for lost in self._watch.look([seen for _, seen in suspects], now=time.monotonic()):
            task = tasks[lost]
            if not self._errands.is_recording(lost):
                logger.warning("%s: its agent %s fell silent", task, task.lease.owner)
                self._errands.record(task.id, partial(self._claims.expire, task))

    def _claim(self) -> None:
        if self._bell.n_stops or self._n_seen >= self._n_news:
            return
        n_claiming = sum(slot.is_claiming for slot in self._slots)
        for slot in self._slots:
            # As long as there is more, all at once; else one looks whether there is anything.
            if slot.wants_task and (self._is_rich or not n_claiming):
                slot.is_claiming, n_claiming = True, n_claiming + 1
                self._errands.claim(partial(self._claim_for, slot, slot.session, self._n_news))

    def _claim_for(self, slot: Slot, session: str | None, n_news: int) -> None:
        task = document = None
        try:
            task = self._claims.claim(
                self._settings.queues,
                lease_seconds=self._lease,
                modules=sorted(self._modules),
                session=session,
            )
            document = None if task is None else to_text(task)
        except (PyMongoError, TensorLayerError) as error:
            # The children go on. If leases are lost meanwhile, the next beat tells.
            logger.warning("agent %s could not claim: %s", self.id, error)
        finally:
            self._errands.tell(partial(self._claimed, slot, task, document, n_news))

    def _claimed(self, slot: Slot, task: Task | None, document: str | None, n_news: int) -> None:
        slot.is_claiming, self._is_rich = False, task is not None
        if task is None:
            self._n_seen = max(self._n_seen, n_news)
            self._bell.wake()
            return
        self._n_claimed += 1
        self._pulse.keep(task, slot.session)
        slot.next = task, document
        if self._bell.n_stops or not (slot.is_free or slot.is_soon_free):
            self._give_back(slot)
        elif slot.is_free:
            slot.next = None
            slot.run(task, document)

    def _about(self) -> dict[str, Any]:
        running = [slot.held.id for slot in self._slots if slot.held is not None]
        return {
            "schema": SCHEMA,
            "host": self._host,
            "pid": os.getpid(),
            "queues": list(self._settings.queues),
            "slots": self._settings.slots,
            "imports": [registry.module_name(target) for target in self._settings.imports],
            "modules": sorted(self._modules),
            "ready": sum(slot.is_ready for slot in self._slots),
            "running": running,
            "lease_seconds": self._lease,
        }

    def _register(self, about: dict[str, Any]) -> None:
        agents = schema.agents(self._store)
        update = {"$set": about, "$currentDate": {"beat": True}}
        self._store.call(lambda: agents.update_one({"_id": self.id}, update, upsert=True))

    # -- start and end ------------------------------------------------------------------------

    def _new_slot(self, number: int) -> Slot:
        order = {
            "imports": [_absolute(target) for target in self._settings.imports],
            "owner": self.id,
            "host": self._host,
        }
        slot = Slot(
            order,
            marked({**os.environ, **self._hub.environment()}, self._mark),
            mark=f"{self._mark}.{number}",
            frozen_seconds=self._lease,
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
        for slot in self._slots:
            self._give_back(slot)
            if slot.held is not None and (now >= self._drain_until or self._bell.n_stops > 1):
                slot.stop(Stop.DRAIN)

    def _leave(self) -> None:
        for slot in self._slots:
            slot.kill()
            self._give_back(slot)
            if (held := slot.forget()) is not None:
                self._errands.record(
                    held.id, self._aborting(slot), partial(self._claims.release, held)
                )
        self._errands.close()
        self._pulse.close()
        with contextlib.suppress(StoreUnavailable):
            agents = schema.agents(self._store)
            self._store.call(lambda: agents.delete_one({"_id": self.id}))


def _absolute(target: str) -> str:
    return str(Path(target).resolve()) if target.endswith(".py") else target
