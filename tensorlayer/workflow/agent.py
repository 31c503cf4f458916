"""The agent: a process that claims tasks and keeps their leases while children execute them.

The agent imports neither TensorFlow nor a user's module and does nothing that takes long, so a busy
interpreter or native code in a task never costs a lease.

One thread decides. It listens to the children and to signals, and never waits for the database:
that do the threads of `Errands`, who wake it, and of `Pulse`, which do nothing but beat.
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
from tensorlayer.workflow import agents, schema
from tensorlayer.workflow.agents import AgentSettings
from tensorlayer.workflow.claims import Claims
from tensorlayer.workflow.lease import BEATS_PER_LEASE, LeaseWatch, Pulse, Sighting
from tensorlayer.workflow.orphans import Guardian, marked
from tensorlayer.workflow.process import ChildProcess, describe_death, to_text
from tensorlayer.workflow.slot import N_BEATS, Slot, Stop
from tensorlayer.workflow.tasks import Task
from tensorlayer.workflow.wakeup import Bell, Errands

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

# Between looks at the children of a busy agent; of an idle one, a signal tells.
_ATTEND_SECONDS = 0.05

# What was claimed just now was not cancelled then, and has most likely ended before it is.
_YOUNG_SECONDS = 0.5

# As long as nothing waits and nothing runs, look this many times less often.
_QUIET_POLLS = 7

# Between two words and two looks of an idle agent, as a share of its lease: before half of one has
# passed, none is suspect.
_SHARE = 0.45

_AWAY = "the database was away for longer than the outage budget"
_REFUSED = "the database did not take the record of its end"


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
        self._attend_at = self._due_at = 0.0
        self._has_news = True  # since the last look at the children
        self._n_news = 0  # reasons to claim, so far; those that a claim in vain has seen are over
        self._n_seen = -1
        self._is_rich = False  # whether the last claim found a task
        self._n_claimed = 0  # since the last poll
        self._bell = Bell(schema.tasks(self._store), settings.queues)
        self._errands = Errands(self._bell.ring)
        n_beats = N_BEATS * settings.slots
        self._pulse = Pulse(self._claims.beat, self._news_of, n_threads=n_beats)
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
                self._register()()
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
        spoken = self._listen()
        self._errands.heed()
        for slot in spoken:
            self._read(slot)
        if self._has_news or time.monotonic() >= min(self._attend_at, self._due_at):
            self._attend()
        self._drain()
        self._n_news += self._errands.recorded()
        self._look_after()
        self._claim()

    def _attend(self) -> None:
        for slot in self._slots:
            slot.enforce()
            if slot.is_hostage:
                self._give_back(slot)
            if (code := slot.died()) is not None:
                self._bury(slot, code)
        self._has_news = False
        self._attend_at = time.monotonic() + _ATTEND_SECONDS

    # -- what the children say ---------------------------------------------------------------

    def _listen(self) -> list[Slot]:
        """Sleep until something rings, is said or is due, and return who has said something."""
        now = time.monotonic()
        self._due_at = min(slot.deadline for slot in self._slots)
        due = [self._poll_at, self._register_at, self._due_at]
        if self._drain_until > now:
            due.append(self._drain_until)
        ready = [key.data for key, _ in self._selector.select(max(0.0, min(due) - now))]
        if None in ready:
            if self._bell.heard():
                self._pulse.hurry()
            if self._bell.has_news:
                self._has_news, self._bell.has_news = True, False
                self._n_news += 1
                self._poll_at = min(self._poll_at, now + self._settings.poll_seconds)
        return [slot for slot in ready if slot is not None]

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
                slot.is_ready, self._failed_starts = True, 0
                slot.sessions.append(message["session"])
                self._modules |= frozenset(map(str, message["modules"]))
                self._n_news += 1
                self._register_at = 0.0  # the list of agents says so at once
            case "broken":
                raise TaskError(
                    f"agent: {', '.join(self._settings.imports)} cannot be imported: "
                    f"{message['reason']}. Mend it, or start the agent where it is installed."
                )
            case "session":
                slot.sessions.append(message["id"])
                for task in slot.held:
                    self._pulse.tell_session(task, message["id"])
            case _ if not slot.runs(message["id"], message["attempt"]):
                return
            case "progress":
                said = {name: message[name] for name in ("fraction", "message")}
                self._pulse.report((message["id"], message["attempt"]), said)
            case "ending":
                slot.ending(message["id"], message["attempt"])
                slot.begin()
            case "ended":
                self._ended(slot, message)

    def _ended(self, slot: Slot, message: dict[str, Any]) -> None:
        task, state = slot.forget(message["id"], message["attempt"]), message["state"]
        self._pulse.forget(task)
        logger.info("%s, attempt %d: %s", task, task.attempt, state)
        if state == "unavailable":
            self._errands.record([task], partial(self._claims.release, task, _AWAY))
        elif state == "refused":
            self._errands.record([task], partial(self._claims.crash, task, _REFUSED))
        if slot.stopping is Stop.CANCEL or not message["is_clean"]:
            slot.is_spent = True
        if not slot.is_spent:
            slot.begin()
            return
        self._give_back(slot)
        if not slot.held:
            slot.retire()

    def _give_back(self, slot: Slot) -> None:
        """Let somebody else run what was claimed for this slot and has not begun."""
        if tasks := slot.take_next():
            for task in tasks:
                self._pulse.forget(task)
            self._errands.record(tasks, partial(self._claims.release_all, tasks))

    def _bury(self, slot: Slot, code: int) -> None:
        """Record how the attempt of a dead child ended, and start another child."""
        self._read(slot)  # what it said before it died
        was_ready, how = slot.is_ready, describe_death(code)
        self._give_back(slot)
        for task, steps in slot.bury(self._claims, how, is_leaving=self._bell.n_stops > 1):
            logger.warning("%s, attempt %d: its process ended: %s", task, task.attempt, how)
            self._pulse.forget(task)
            self._errands.record([task], *steps)
        self._unwatch(slot)
        if not was_ready:
            self._count_failed_start(how)
        if not self._bell.n_stops:
            slot.renew()
            self._selector.register(slot.channel, selectors.EVENT_READ, slot)

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
                slot.heed(task, what)
            elif any(task is each for each, _ in slot.next):
                self._give_back(slot)  # which ends it, if it was cancelled

    def _look_after(self) -> None:
        """See to the leases of others, and say that this agent lives."""
        now = time.monotonic()
        if now >= self._poll_at:
            self._poll_at = now + self._settings.poll_seconds
            self._errands.send("look", self._look)
            if self._n_claimed >= _BUSY_CLAIMS:
                self._bell.rest()
                # Instead of the bell, a beat tells which task was cancelled.
                self._pulse.hurry(age_seconds=_YOUNG_SECONDS)
            else:
                self._bell.wake()
            self._n_claimed = 0
        if now >= self._register_at:
            # A task whose end is being committed is locked: then this keeps its lease.
            is_busy = any(slot.held for slot in self._slots)
            self._register_at = now + self._lease * (1 / BEATS_PER_LEASE if is_busy else _SHARE)
            self._errands.send("register", self._register())

    def _look(self) -> None:
        is_quiet = self._claims.is_quiet(self._settings.queues)
        suspects = [] if is_quiet else self._claims.suspects()
        self._errands.tell(partial(self._take_away, suspects, is_quiet=is_quiet))

    def _take_away(self, suspects: Sequence[tuple[Task, Sighting]], *, is_quiet: bool) -> None:
        """Take tasks away from agents that fell silent; look for tasks if there are any."""
        if is_quiet:  # a lease that begins now will not be suspect before the next look
            quiet = min(self._settings.poll_seconds * _QUIET_POLLS, self._lease * _SHARE)
            self._poll_at = max(self._poll_at, time.monotonic() + quiet)
        else:
            self._n_news += 1
        tasks = {task.id: task for task, _ in suspects}
        # The clock is read after the answer: what was seen is not older than that.
        for lost in self._watch.look([seen for _, seen in suspects], now=time.monotonic()):
            task = tasks[lost]
            if not self._errands.is_recording(lost):
                logger.warning("%s: its agent %s fell silent", task, task.lease.owner)
                self._errands.record([task], partial(self._claims.expire, task))

    def _claim(self) -> None:
        if self._bell.n_stops or self._n_seen >= self._n_news:
            return
        n_claiming = sum(slot.is_claiming for slot in self._slots)
        for slot in self._slots:
            # As long as there is more, all at once; else one looks whether there is anything. Two
            # that want many would meet at the same ones.
            n_tasks = slot.n_wanted
            if n_tasks and (not n_claiming or (self._is_rich and n_tasks == 1)):
                slot.is_claiming, n_claiming = True, n_claiming + 1
                how = {"session": slot.session, "is_ahead": bool(slot.held or slot.next)}
                self._errands.claim(partial(self._claim_for, slot, n_tasks, how, self._n_news))

    def _claim_for(self, slot: Slot, n_tasks: int, how: dict[str, Any], n_news: int) -> None:
        taken: list[tuple[Task, str | None]] = []
        try:
            tasks = self._claims.claim_some(
                self._settings.queues,
                n_tasks,
                lease_seconds=self._lease,
                modules=sorted(self._modules),
                **how,
            )
            taken = [(task, to_text(task)) for task in tasks]
        except (PyMongoError, TensorLayerError) as error:
            # The children go on. If leases are lost meanwhile, the next beat tells.
            logger.warning("agent %s could not claim: %s", self.id, error)
        finally:
            self._errands.tell(partial(self._claimed, slot, n_tasks, taken, n_news))

    def _claimed(
        self, slot: Slot, n_tasks: int, taken: list[tuple[Task, str | None]], n_news: int
    ) -> None:
        slot.is_claiming, self._is_rich = False, bool(taken)
        slot.took(n_tasks, len(taken))
        if not taken:
            self._n_seen = max(self._n_seen, n_news)
            self._bell.wake()
            return
        self._n_claimed += len(taken)
        if self._n_claimed >= _BUSY_CLAIMS:
            self._bell.rest()
        for task, _ in taken:
            self._pulse.keep(task, slot.session)
        slot.next.extend(taken)
        if self._bell.n_stops or not (slot.is_free or slot.is_soon_free):
            self._give_back(slot)
        slot.begin()

    def _register(self) -> Callable[[], None]:
        """Return the step that says what this agent does now."""
        running = [task.id for slot in self._slots for task in slot.held]
        n_ready = sum(slot.is_ready for slot in self._slots)
        about = self._settings.about(running, n_ready=n_ready, modules=self._modules)
        return partial(agents.tell, self._store, self.id, about)

    # -- start and end ------------------------------------------------------------------------

    def _new_slot(self, number: int) -> Slot:
        order = {
            "imports": [_absolute(target) for target in self._settings.imports],
            "owner": self.id,
            "host": self._host,
        }
        environment = marked({**os.environ, **self._hub.environment()}, self._mark)
        slot = Slot(
            ChildProcess(order, environment, mark=f"{self._mark}.{number}"),
            frozen_seconds=self._lease,
            cancel_grace_seconds=self._settings.cancel_grace_seconds,
            kill_grace_seconds=self._settings.kill_grace_seconds,
        )
        self._selector.register(slot.channel, selectors.EVENT_READ, slot)
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
            if slot.held and (now >= self._drain_until or self._bell.n_stops > 1):
                slot.stop(Stop.DRAIN)

    def _leave(self) -> None:
        for slot in self._slots:
            slot.kill()
            self._give_back(slot)
            for task, steps in slot.bury(self._claims, "", is_leaving=True):
                self._errands.record([task], *steps)
        self._errands.close()
        self._pulse.close()
        with contextlib.suppress(StoreUnavailable):
            agents.leave(self._store, self.id)


def _absolute(target: str) -> str:
    return str(Path(target).resolve()) if target.endswith(".py") else target
