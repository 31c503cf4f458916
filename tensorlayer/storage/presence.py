"""Who is writing: every process says so, so that what a dead one left half-written can be removed.

::

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
import time
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
    >>> presence.id == presence.id
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

    @property
    def id(self) -> str:
        """Identity of this process as a writer; asking for it registers it."""
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
        ended, silent = self._look()
        if silent and observe_seconds and not self._closed.wait(observe_seconds):
            _, still = self._look()
            ended += [id_ for id_, beat in still.items() if silent.get(id_) == beat]
        return ended

    def clean(self, observe_seconds: float = 0.0) -> int:
        """Remove what writers that are gone have left uncommitted; return how many there were."""
        found = self.gone(observe_seconds)
        for id_ in found:
            self._clean(id_)
        return len(found)

    def close(self) -> None:
        """Say that this process writes no more; what it has not committed will be removed.

        Tried once: a server that is away learns it from the silence.
        """
        self._closed.set()
        with self._lock:
            id_, self._id = self._id, None
        if id_ is not None:
            with contextlib.suppress(PyMongoError), pymongo.timeout(_CLOSE_SECONDS):
                self._writers.update_one({"_id": id_}, {"$set": {"closed": True}})

    def beat(self) -> None:
        """Say that this process lives."""
        if self._id is not None:
            self._beat(self._id)

    def _start(self) -> None:
        arguments = (weakref.ref(self), self._closed)
        threading.Thread(
            target=_live, args=arguments, name="tensorlayer-presence", daemon=True
        ).start()

    def _clean(self, id_: str) -> None:
        for cleaner in self._cleaners:
            cleaner(id_)
        # Last: as long as it is listed, whoever comes after a broken sweep does it again.
        self._store.call(lambda: self._writers.delete_one({"_id": id_}))

    def _beat(self, id_: str) -> None:
        about = {"place": _place(), "pid": os.getpid(), "started": _started(os.getpid())}
        change = {"$setOnInsert": about, "$currentDate": {"beat": True}}
        self._store.call(lambda: self._writers.update_one({"_id": id_}, change, upsert=True))

    def _look(self) -> tuple[list[str], dict[str, Any]]:
        """Return those that have certainly ended, and the last beats of those that are silent."""
        is_old = {"$lt": ["$beat", {"$subtract": ["$$NOW", round(1000 * LEASE_SECONDS)]}]}
        fields = {"place": 1, "pid": 1, "started": 1, "closed": 1, "beat": 1, "is_old": is_old}
        found = self._store.call(lambda: list(self._writers.find({}, fields)))
        others = [each for each in found if each["_id"] != self._id]
        ended = [each["_id"] for each in others if _has_ended(each, _place())]
        silent = {each["_id"]: each.get("beat") for each in others if each["is_old"]}
        return ended, {id_: beat for id_, beat in silent.items() if id_ not in ended}

    def __repr__(self) -> str:
        return f"<Presence {self._id or 'not registered'}>"


def _live(reference: weakref.ref[Presence], closed: threading.Event) -> None:
    """Beat, and now and then look after those who do not; ends with the presence."""
    clean_at = 0.0
    while not closed.wait(0 if clean_at == 0 else BEAT_SECONDS):
        presence = reference()
        if presence is None:
            return
        try:
            presence.beat()
            if time.monotonic() >= clean_at:
                clean_at = time.monotonic() + LEASE_SECONDS
                presence.clean(OBSERVED_SECONDS)
        except (StoreError, PyMongoError) as error:
            _logger.debug("a beat failed: %s", type(error).__name__)
        except Exception:  # what one document holds must not end the beats of this process
            _logger.exception("What other processes have left cannot be removed")
        del presence


def _has_ended(writer: Mapping[str, Any], here: str | None) -> bool:
    if writer.get("closed"):
        return True
    pid = writer.get("pid")
    if here is None or writer.get("place") != here or not isinstance(pid, int):
        return False  # another machine, or none that can be told apart
    return _started(pid) != writer.get("started")


def _place() -> str | None:
    """Return what tells apart machines, their boots and their containers; None if unknown."""
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
