"""What a task is: its states, the legal moves between them, and the value that describes it.

    waiting ──claim──▶ running ──finish──▶ done
       ▲                 │ │ └──cancel───▶ cancelled ◀──cancel── waiting
       │                 │ └────no tries left──▶ dead
       └──raised, crashed, timed out, released──┘
       ▲
       └──requeue── dead, cancelled

``attempt`` is raised by each claim and each requeue and never goes back: together with the owner of
the lease it is the fence that every write of an agent has to pass. ``errors`` and ``crashes`` count
what uses up the tries; a task that was released has a higher attempt but the same counts.
``interruptions`` counts the attempts that were given back for no fault of their own, as far as one
can tell: the database was away, or the process or the agent died with others in it.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import random
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from tensorlayer.errors import Corrupt, InvalidArgument
from tensorlayer.workflow.documents import (
    FLAG,
    LIST,
    MAPPING,
    MAPPINGS,
    POSITIVE,
    SCHEMA,
    SECONDS,
    SHARE,
    TEXT,
    TIME,
    WHOLE,
    Rule,
    checked,
    optional,
    printable,
)

__all__ = [
    "Status",
    "TRANSITIONS",
    "Lease",
    "Task",
    "HISTORY_LENGTH",
    "STATE",
    "is_session",
    "Backoff",
    "DEFAULT_BACKOFF",
]

# Events that a task document keeps, the newest ones. Enough for three errors and three crashes with
# their claims, and small enough that a document stays far below the limit of 16 MB.
HISTORY_LENGTH = 20


class Status(str, enum.Enum):
    """The state of a task, as it is stored."""

    #: to be claimed as soon as ``not_before`` has passed
    WAITING = "waiting"
    #: an agent holds the lease
    RUNNING = "running"
    #: the result and all outputs are visible
    DONE = "done"
    #: all tries are used up; ``requeue`` gives it new ones
    DEAD = "dead"
    #: somebody cancelled it; none of its outputs is visible
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether a task stays here until somebody asks for something else."""
        return self not in (Status.WAITING, Status.RUNNING)

    def __str__(self) -> str:
        return self.value


#: state -> the states that may follow it
TRANSITIONS: Mapping[Status, frozenset[Status]] = MappingProxyType(
    {
        Status.WAITING: frozenset({Status.RUNNING, Status.CANCELLED}),
        Status.RUNNING: frozenset({Status.WAITING, Status.DONE, Status.DEAD, Status.CANCELLED}),
        Status.DONE: frozenset(),
        Status.DEAD: frozenset({Status.WAITING}),
        Status.CANCELLED: frozenset({Status.WAITING}),
    }
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to run one attempt of a task, until ``expires`` by the clock of the server."""

    #: identity of the agent process
    owner: str
    #: where that process runs
    host: str
    #: unique for each claim
    token: str
    #: length of the lease at each beat
    seconds: float
    #: when it ends if no further beat comes
    expires: datetime.datetime
    #: half a lease before that; no beat until then is suspicious
    suspect: datetime.datetime
    #: session of the database in which the process of the task will end it
    session: str | None = None
    #: whether others were claimed with it or before it, so that it may never have begun
    is_shared: bool = False

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Lease:
        """Decode what a claim has stored.

        Raises
        ------
        Corrupt
            It is no lease.
        """
        return cls(**checked(document, cls, _LEASE, "lease"))


_LEASE: Mapping[str, Rule] = MappingProxyType(
    {
        **dict.fromkeys(("owner", "host", "token"), TEXT),
        "seconds": SECONDS,
        "expires": TIME,
        "suspect": TIME,
        "is_shared": FLAG,
        "session": optional(Rule("32 hexadecimal digits", lambda value: is_session(value))),
    }
)


def is_session(value: Any) -> bool:
    """Whether this may be the id of a session: 32 hexadecimal digits."""
    return isinstance(value, str) and _SESSION.fullmatch(value) is not None


_SESSION = re.compile(r"[0-9a-f]{32}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """One task as the database knew it when it was read.

    Arguments and result stay packed here, so that reading a list of tasks is cheap whatever they
    hold.
    """

    id: str
    #: digest of function, arguments and keys; a repeated run has the same
    identity: str = ""
    #: ``module:name`` of the function
    function: str
    #: packed positional and keyword arguments; left out of lists
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    #: key of the dataset that is read
    input: str | None = None
    #: key of the model
    model: str | None = None
    #: key of the dataset that is written
    output: str | None = None
    queue: str = "default"
    state: Status = Status.WAITING
    created: datetime.datetime
    #: not claimed earlier; by the server's clock
    not_before: datetime.datetime
    finished: datetime.datetime | None = None
    #: claims and requeues so far
    attempt: int = 0
    #: attempts that raised or took too long
    errors: int = 0
    #: attempts whose process died
    crashes: int = 0
    #: attempts that were given back since the database was away
    interruptions: int = 0
    max_attempts: int = 3
    max_crashes: int = 3
    #: None: no limit
    run_timeout_seconds: float | None = None
    lease: Lease | None = None
    #: somebody asked for the end of a running task
    cancel: bool = False
    #: ``{"fraction": 0..1, "message": str}`` as the task reported it last
    progress: Mapping[str, Any] | None = None
    #: packed result
    result: Any = None
    #: the newest events, oldest first
    history: tuple[Mapping[str, Any], ...] = ()
    #: the blobs that arguments and result point at
    blobs: tuple[Any, ...] = ()
    #: in a list: why the document is no task, so that the other fields say little; never stored
    broken: str | None = None

    @property
    def module(self) -> str:
        """Where the function is; only agents that have imported it take the task."""
        return self.function.partition(":")[0]

    @property
    def fraction(self) -> float:
        """How far the task has come, from 0 to 1; a done one all the way, whatever it reported."""
        if self.state is Status.DONE:
            return 1.0
        return self.progress["fraction"] if self.progress else 0.0

    def to_document(self) -> dict[str, Any]:
        """Encode for the collection ``tasks``."""
        document = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        del document["broken"]
        document["_id"] = document.pop("id")
        document["schema"] = SCHEMA
        document["module"] = self.module
        document["state"] = self.state.value
        document["lease"] = dataclasses.asdict(self.lease) if self.lease else None
        document["arguments"] = dict(self.arguments)
        document["progress"] = dict(self.progress) if self.progress else None
        document["history"] = [dict(event) for event in self.history]
        document["blobs"] = list(self.blobs)
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Task:
        """Decode; fields that a later version of the library has added are ignored.

        Raises
        ------
        Corrupt
            It is no task.
        """
        what = f"document {_id_of(document)[:12]} of 'tasks'"
        named = {**document, "id": document.get("_id")}
        values = checked({"not_before": named.get("created"), **named}, cls, _TASK, what)
        values["state"] = Status(document["state"])
        if (lease := document.get("lease")) is not None:
            values["lease"] = Lease.from_document(lease)
        for name in ("history", "blobs"):
            values[name] = tuple(values.get(name, ()))
        if values["state"] is Status.RUNNING and lease is None:
            raise Corrupt(f"{what}: it is running, but nobody holds a lease of it.")
        return cls(**values)

    @classmethod
    def listed(cls, document: Mapping[str, Any]) -> Task:
        """Decode for a list: what is no task is shown as `broken`."""
        try:
            return cls.from_document(document)
        except Corrupt as error:
            function, state = (document.get(name) for name in ("function", "state"))
            return cls(
                id=_id_of(document),
                function=function if isinstance(function, str) else "?",
                state=Status(state) if STATE.holds(state) else Status.DEAD,
                created=_EPOCH,
                not_before=_EPOCH,
                broken=str(error),
            )

    @property
    def is_exhausted(self) -> bool:
        """Whether no try is left. Errors and crashes have limits of their own.

        An error is the task's own, a crash may take the machine with it: a crash loop must not hide
        behind errors, and an unlucky machine must not use up the attempts that are meant for those.
        """
        return self.errors >= self.max_attempts or self.crashes >= self.max_crashes

    @property
    def last_failure(self) -> Mapping[str, Any] | None:
        """The newest event of the history that says why an attempt failed."""
        return next((event for event in reversed(self.history) if event.get("reason")), None)

    def __str__(self) -> str:
        return f"task {self.id[:12]} ({self.function})"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Backoff:
    """Exponential waiting with full jitter.

    The n-th failure waits a random time between 0 and ``base_seconds * 2**(n - 1)``, at most
    ``cap_seconds``. Full jitter (rather than half) because what failed together, for one reason,
    should not come back together.

    Parameters
    ----------
    base_seconds : float
        Upper end of the first wait. 1 s: a lost connection is often back by then.
    cap_seconds : float
        Upper end of any wait. 300 s: nobody waits longer than that for a retry that would work.

    Examples
    --------
    >>> Backoff(base_seconds=1.0, cap_seconds=10.0).ceiling(3)
    4.0
    >>> Backoff(base_seconds=1.0, cap_seconds=10.0).ceiling(1000)
    10.0
    """

    base_seconds: float = 1.0
    cap_seconds: float = 300.0

    def __post_init__(self) -> None:
        if not 0 <= self.base_seconds <= self.cap_seconds:
            raise InvalidArgument(
                f"Backoff: 0 <= base_seconds <= cap_seconds must hold, got {self.base_seconds} and "
                f"{self.cap_seconds}. Give the shorter time first."
            )

    def ceiling(self, failures: int) -> float:
        """Return the longest wait, in seconds, after this many failures (1 for the first)."""
        doublings = min(max(failures - 1, 0), 64)  # beyond that the cap rules and floats overflow
        return min(self.cap_seconds, self.base_seconds * 2.0**doublings)

    def delay(self, failures: int, rng: random.Random | None = None) -> float:
        """Return the wait in seconds after this many failures, drawn from ``rng``."""
        draw = rng.random() if rng is not None else random.random()
        return draw * self.ceiling(failures)


#: what agents use
DEFAULT_BACKOFF = Backoff()


# The time of a document that has none.
_EPOCH = datetime.datetime.fromtimestamp(0, datetime.timezone.utc)

#: the state of a task, as it is stored
STATE = Rule(
    f"one of {', '.join(Status)}",
    lambda value: value in list(Status),
)

_PROGRESS = Rule(
    "a document with a fraction and a message",
    lambda value: (
        MAPPING.holds(value)
        and SHARE.holds(value.get("fraction"))
        and TEXT.holds(value.get("message"))
    ),
)

_TASK: Mapping[str, Rule | None] = MappingProxyType(
    {
        **dict.fromkeys(("id", "identity", "function", "queue"), TEXT),
        **dict.fromkeys(("input", "model", "output"), optional(TEXT)),
        **dict.fromkeys(("created", "not_before"), TIME),
        **dict.fromkeys(("attempt", "errors", "crashes", "interruptions"), WHOLE),
        **dict.fromkeys(("max_attempts", "max_crashes"), POSITIVE),
        "arguments": MAPPING,
        "state": STATE,
        "finished": optional(TIME),
        "run_timeout_seconds": optional(SECONDS),
        "cancel": FLAG,
        "progress": optional(_PROGRESS),
        "result": None,
        "history": MAPPINGS,
        "blobs": LIST,
    }
)


def _id_of(document: Mapping[str, Any]) -> str:
    return printable(str(document.get("_id")))
