"""Who is writing: every process says so, so that what a dead one left half-written can be removed.

    writers   {_id, place, pid, started, beat, closed?}

A process that uploads or appends registers itself once and beats while it lives. What it has
written and not yet committed carries its id. When it is gone (it said so, its process has ended, or
it was silent for a whole lease and for an observer's patience on top of it), others remove that.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import uuid
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymongo
from pymongo.errors import PyMongoError

from tensorlayer.errors import StoreError

if TYPE_CHECKING:
    from tensorlayer.storage.connection import Store

__all__ = ["BEAT_SECONDS", "LEASE_SECONDS", "Presence"]

#: One small write; a thread does it as long as the process has anything to commit.
BEAT_SECONDS = 10.0
#: Six beats: a server that is being restarted, or a process that holds the interpreter's lock for
#: long, is not taken for dead. A dead process on the same machine is noticed at once.
LEASE_SECONDS = 60.0
#: A lease that has run out counts only if no beat comes in this time either: after an outage, or
#: when a laptop wakes up, every lease looks old for a moment.
OBSERVED_SECONDS = 2 * BEAT_SECONDS
#: Closing does not wait longer for a server that is away.
_CLOSE_SECONDS = 2.0

_logger = logging.getLogger(__name__)

#: Removes what a writer that is gone, named by its id, has not committed.
Cleaner = Callable[[str], object]


class Presence:
    """The writers of a store, and this process as one of them. Safe to use from any thread.

    Parameters
    ----------
    store
        Where they are registered.

    Examples
    --------
    >>> presence = Presence(hub.store)
    >>> presence.register() == presence.register()
    True
    >>> presence.gone()
    []
    >>> presence.close()
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._writers = store.database["writers"]
        self._cleaners: list[Cleaner] = []
        self._id: str | None = None
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def register(self) -> str:
        """Return the identity of this store as a writer; the first call writes it down."""
        with self._lock:
            if self._id is None or self._pid != os.getpid():  # a child is a writer of its own
                id_ = uuid.uuid4().hex
                self._beat(id_)
                self._id, self._pid = id_, os.getpid()
                self._start()
            return self._id

    def on_gone(self, cleaner: Cleaner) -> None:
        """Have ``cleaner`` called with the id of each writer that is found to be gone."""
        self._cleaners.append(cleaner)

    def gone(self, observe_seconds: float = 0.0) -> list[str]:
        """Return the ids of writers that are gone.

        Parameters
        ----------
        observe_seconds
            Wait so long before a silent writer, whose process cannot be looked at from here,
            counts as gone. Zero: only those whose process has certainly ended.
        """
        return list(self._gone(observe_seconds))

    def clean(self, observe_seconds: float = 0.0) -> int:
        """Remove what writers that are gone have left uncommitted; return how many there were."""
        found = self._gone(observe_seconds)
        for id_, beat in found.items():
            self._clean(id_, beat)
        return len(found)

    def close(self) -> None:
        """Say that this process writes no more; what it has not committed will be removed.

        Tried once: a server that is away learns it from the silence.
        """
        self._closed.set()
        with self._lock:
            id_, self._id = self._id, None
        if id_ is not None and self._pid == os.getpid():
            with contextlib.suppress(PyMongoError), pymongo.timeout(_CLOSE_SECONDS):
                self._writers.update_one({"_id": id_}, {"$set": {"closed": True}})

    def beat(self) -> None:
        """Say that this process lives."""
        if self._id is not None:
            self._beat(self._id)

    def _start(self) -> None:
        arguments = (weakref.ref(self), self._closed)
        for target in (_beat_on, _clean_now_and_then):  # a slow sweep must not cost a beat
            name = f"tensorlayer-presence{target.__name__}"
            threading.Thread(target=target, args=arguments, name=name, daemon=True).start()

    def _gone(self, observe_seconds: float) -> dict[str, Any]:
        """Return those that are gone, each with its last beat."""
        ended, silent = self._look()
        if silent and observe_seconds and not self._closed.wait(observe_seconds):
            _, still = self._look()
            ended |= {id_: beat for id_, beat in still.items() if silent.get(id_) == beat}
        return ended

    def _clean(self, id_: str, beat: Any) -> None:
        # Documents first, and then what they point at: that is the order in which they registered,
        # backwards.
        for cleaner in reversed(self._cleaners):
            cleaner(id_)
        # Last: as long as it is listed, whoever comes after a broken sweep does it again. One that
        # has beaten meanwhile stays.
        self._store.call(lambda: self._writers.delete_one({"_id": id_, "beat": beat}))

    def _beat(self, id_: str) -> None:
        about = {"place": _place(), "pid": os.getpid(), "started": _started(os.getpid())}
        change = {"$setOnInsert": about, "$currentDate": {"beat": True}}
        self._store.call(lambda: self._writers.update_one({"_id": id_}, change, upsert=True))

    def _look(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return those that have certainly ended and those that are silent, with their beats."""
        is_old = {"$lt": ["$beat", {"$subtract": ["$$NOW", round(1000 * LEASE_SECONDS)]}]}
        fields = {"place": 1, "pid": 1, "started": 1, "closed": 1, "beat": 1, "is_old": is_old}
        found = self._store.call(lambda: list(self._writers.find({}, fields)))
        others = [each for each in found if each["_id"] != self._id]
        here = _place()
        ended = {each["_id"]: each.get("beat") for each in others if _has_ended(each, here)}
        silent = {each["_id"]: each.get("beat") for each in others if each["is_old"]}
        return ended, {id_: beat for id_, beat in silent.items() if id_ not in ended}

    def __repr__(self) -> str:
        return f"<Presence {self._id or 'not registered'}>"


def _beat_on(reference: weakref.ref[Presence], closed: threading.Event) -> None:
    while not closed.wait(BEAT_SECONDS):
        if not _done(reference, Presence.beat):
            return


def _clean_now_and_then(reference: weakref.ref[Presence], closed: threading.Event) -> None:
    while _done(reference, lambda presence: presence.clean(OBSERVED_SECONDS)):
        if closed.wait(LEASE_SECONDS):
            return


def _done(reference: weakref.ref[Presence], act: Callable[[Presence], object]) -> bool:
    """Act if the presence still exists; whatever goes wrong, there is a next time."""
    presence = reference()
    if presence is None:
        return False
    try:
        act(presence)
    except (StoreError, PyMongoError) as error:
        _logger.debug("the presence of this process: %s", type(error).__name__)
    except Exception:  # what one document holds must not end the beats of this process
        _logger.exception("What other processes have left cannot be removed")
    return True


def _has_ended(writer: Mapping[str, Any], here: str | None) -> bool:
    if writer.get("closed"):
        return True
    pid = writer.get("pid")
    if here is None or writer.get("place") != here or not isinstance(pid, int):
        return False  # another machine, or none that can be told apart
    return _started(pid) != writer.get("started")


def _place() -> str | None:
    """Return what tells apart machines, their boots and their containers; None if unknown."""
    if not Path("/proc/1/stat").exists():  # processes of others are hidden, so nobody looks ended
        return None
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:  # not Linux: only silence tells there
        return None


def _started(pid: int) -> str | None:
    """Return when a process was started, in ticks since the boot; None if there is no such one."""
    try:
        about = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = about.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]
