"""The three collections of the workflow and their indexes, named in one place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import ASCENDING, DESCENDING, IndexModel

from tensorlayer.workflow.lease import OBSERVED_SHARE
from tensorlayer.workflow.tasks import HISTORY_LENGTH, Status

if TYPE_CHECKING:
    from pymongo.collection import Collection

    from tensorlayer.storage.connection import Store

__all__ = [
    "WAITING",
    "tasks",
    "notifications",
    "agents",
    "waiting",
    "logged",
    "later",
    "lease_times",
    "listed",
]

# A text that is no UTF-8 or a year that Python lacks must not stop whoever reads the document: it
# is read as something that breaks a rule of its field.
_TOLERANT: CodecOptions = CodecOptions(
    tz_aware=True,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
    unicode_decode_error_handler="replace",
)

# An agent that has not said a word for this long is no longer listed. An hour: long enough to see
# in a list that it died, short enough that the list stays a list of agents.
_AGENT_SILENCE_SECONDS = 3600

#: The index of claims, which has to be named: the server would sometimes take one of those for
#: lists, and sort all that waits.
WAITING = "waiting_of_module"


def tasks(store: Store) -> Collection:
    """Return the collection of tasks.

    The two partial indexes hold only what waits and what runs, so the cost of a claim does not
    depend on how many tasks have finished.
    """
    found = store.indexes(
        "tasks",
        IndexModel([("identity", ASCENDING), ("created", DESCENDING)]),
        IndexModel(
            [("queue", ASCENDING), ("module", ASCENDING), ("not_before", ASCENDING)],
            name=WAITING,
            partialFilterExpression={"state": Status.WAITING.value},
        ),
        IndexModel(
            [("lease.suspect", ASCENDING)],
            name="running",
            partialFilterExpression={"state": Status.RUNNING.value},
        ),
        IndexModel([("created", DESCENDING)]),
        IndexModel([("state", ASCENDING), ("created", DESCENDING)]),
        IndexModel([("queue", ASCENDING), ("created", DESCENDING)]),
        IndexModel([("blobs", ASCENDING)], sparse=True),
    )
    return found.with_options(codec_options=_TOLERANT)


def waiting(queues: Sequence[str], modules: Sequence[str]) -> dict[str, Any]:
    """Return the query for what agents of these queues that have imported these modules may take.

    A document without a module was written by somebody else; whoever takes it looks at it.
    """
    return {
        "state": Status.WAITING.value,
        "queue": {"$in": list(queues)},
        "module": {"$in": [*modules, None]},
        "$expr": {"$lte": ["$not_before", "$$NOW"]},
    }


def notifications(store: Store) -> Collection:
    """Return the collection of completion messages."""
    found = store.indexes(
        "notifications", IndexModel([("task", ASCENDING), ("created", ASCENDING)])
    )
    return found.with_options(codec_options=_TOLERANT)


def agents(store: Store) -> Collection:
    """Return the collection of agents; the server removes those that fell silent."""
    return store.indexes(
        "agents", IndexModel([("beat", ASCENDING)], expireAfterSeconds=_AGENT_SILENCE_SECONDS)
    )


def later(seconds: float) -> dict[str, Any]:
    """Return the expression for "the server's time, this much later", exact to a millisecond."""
    return {
        "$dateAdd": {"startDate": "$$NOW", "unit": "millisecond", "amount": round(seconds * 1000)}
    }


def lease_times(seconds: float) -> dict[str, Any]:
    """Return the expressions for the times of a lease that is given or prolonged now."""
    return {"expires": later(seconds), "suspect": later(seconds * (1 - OBSERVED_SHARE))}


def logged(event: dict[str, Any]) -> dict[str, Any]:
    """Return the expression for the history of a task with one more event at its end."""
    stamped = {"$mergeObjects": [{"$literal": event}, {"attempt": "$attempt", "at": "$$NOW"}]}
    return {"$slice": [{"$concatArrays": [listed("$history"), [stamped]]}, -HISTORY_LENGTH]}


def listed(field: str) -> dict[str, Any]:
    """Return the expression for a field that ought to be a list; anything else is an empty one."""
    return {"$cond": [{"$isArray": field}, field, []]}
